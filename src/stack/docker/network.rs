//! The network of a run, where its containers find each other by name.

use testcontainers::bollard::Docker;
use testcontainers::bollard::models::NetworkCreateRequest;

use super::Place;

/// One that is there. The keeper removes it by its labels if it is dropped.
#[derive(Debug)]
pub(super) struct Network {
    docker: Docker,
    pub(super) name: String,
}

impl Network {
    pub(super) async fn make(place: &Place<'_>) -> Result<Self, String> {
        let name = format!("fcfs-bench-{}", place.run);
        let labels = place.labels.iter();
        let labels = labels.map(|(name, value)| ((*name).to_owned(), value.clone()));
        let request = NetworkCreateRequest {
            name: name.clone(),
            labels: Some(labels.collect()),
            ..NetworkCreateRequest::default()
        };
        let docker = place.engine.docker.clone();
        let made = docker.create_network(request).await;
        made.map_err(|error| format!("no network for its brokers: {error}"))?;
        Ok(Self { docker, name })
    }

    /// Removes it when no container is in it any more; whether it is gone.
    pub(super) async fn remove(self) -> bool {
        self.docker.remove_network(&self.name).await.is_ok()
    }
}
