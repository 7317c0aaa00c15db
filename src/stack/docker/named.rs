//! A container that the run has not made, named by the scenario: it can be paused, killed, stopped
//! and started again, and is never removed.

use std::collections::HashMap;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::models::ContainerInspectResponse;
use testcontainers::bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    StartContainerOptions, StopContainerOptionsBuilder,
};
use tokio::time::sleep;

use super::container::ended;
use super::limits::Limits;
use super::{engine, pause};
use crate::plan::Found;

/// How long it may take to stop in good order, in seconds.
const STOP_WITHIN: i32 = 20;

/// An engine may still be at work for a harness that has died: what it was told last would come
/// after the start.
const LAST_WORD: Duration = Duration::from_millis(500);

const PROJECT_LABEL: &str = "com.docker.compose.project";
const SERVICE_LABEL: &str = "com.docker.compose.service";

/// A container of somebody else.
#[derive(Debug)]
pub(in crate::stack) struct Named {
    docker: Docker,
    /// No other container ever gets it.
    id: String,
}

impl Named {
    /// It must be there and run.
    ///
    /// # Errors
    /// In words.
    pub(in crate::stack) async fn find(found: &Found) -> Result<Self, String> {
        let docker = engine::connect().await.map_err(|error| error.to_string())?;
        let name = match found {
            Found::Container(name) => name.clone(),
            Found::Service { project, service } => of_service(&docker, project, service).await?,
            Found::Process(_) => return Err("it is a process".to_owned()),
        };
        let there = inspect(&docker, &name).await?;
        let there = there.ok_or_else(|| format!("the engine knows no container {name}"))?;
        let id = there.id.ok_or("the engine does not say which it is")?;
        if holds_this_process(&id) {
            return Err(format!("this run is in the container {name}"));
        }
        let named = Self { docker, id };
        named.runs().await?;
        Ok(named)
    }

    /// As the engine calls it.
    pub(in crate::stack) fn id(&self) -> &str {
        &self.id
    }

    /// What its engine lets it have.
    pub(in crate::stack) fn limits(&self) -> Limits {
        Limits::of(&self.docker, &self.id)
    }

    async fn look(&self) -> Result<ContainerInspectResponse, String> {
        let found = inspect(&self.docker, &self.id).await?;
        found.ok_or_else(|| "it is not there any more".to_owned())
    }

    /// Whether it would be there again as it was, after it has ended.
    ///
    /// # Errors
    /// In words, why not.
    pub(in crate::stack) async fn can_start_again(&self) -> Result<(), String> {
        let settings = self.look().await?.host_config.unwrap_or_default();
        if settings.auto_remove == Some(true) {
            return Err("the engine removes it when it ends (--rm)".to_owned());
        }
        let ports = settings.port_bindings.unwrap_or_default();
        let mut ports = ports.into_values().flatten().flatten();
        let is_any = |port: Option<String>| port.is_none_or(|port| port.is_empty() || port == "0");
        if ports.any(|port| is_any(port.host_port)) {
            return Err(
                "it would come back at another port: the engine chooses one at each start"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Whether the engine lets it run.
    ///
    /// # Errors
    /// In words, when it does not.
    pub(in crate::stack) async fn runs(&self) -> Result<(), String> {
        let state = self.look().await?.state.unwrap_or_default();
        match (state.running, state.paused) {
            (Some(true), Some(true)) => Err("the container is paused".to_owned()),
            (Some(true), _) => Ok(()),
            _ => Err("the container does not run".to_owned()),
        }
    }

    /// Stops all its processes where they are, with their connections open.
    ///
    /// # Errors
    /// In words, when the engine does not do it.
    pub(in crate::stack) async fn pause(&self) -> Result<(), String> {
        let paused = self.docker.pause_container(&self.id).await;
        paused.map_err(|error| error.to_string())
    }

    /// Lets them go on; nothing if it is not paused.
    ///
    /// # Errors
    /// In words, when the engine does not do it.
    pub(in crate::stack) async fn unpause(&self) -> Result<(), String> {
        pause::end(&self.docker, &self.id).await
    }

    /// Kills it, and returns when it is gone.
    ///
    /// # Errors
    /// In words, when it does not run or cannot be reached.
    pub(in crate::stack) async fn kill(&self) -> Result<(), String> {
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        let killed = self.docker.kill_container(&self.id, Some(options)).await;
        killed.map_err(|error| error.to_string())?;
        ended(&self.docker, &self.id).await;
        Ok(())
    }

    /// Stops it in good order, and returns when it is gone; nothing if it does not run.
    ///
    /// # Errors
    /// In words, when the engine does not do it.
    pub(in crate::stack) async fn stop(&self) -> Result<(), String> {
        let options = StopContainerOptionsBuilder::new().t(STOP_WITHIN).build();
        let stopped = self.docker.stop_container(&self.id, Some(options)).await;
        stopped.map_err(|error| error.to_string())
    }

    /// Starts it again; nothing if it runs.
    ///
    /// # Errors
    /// In words, when the engine does not do it.
    pub(in crate::stack) async fn start_again(&self) -> Result<(), String> {
        let options = None::<StartContainerOptions>;
        let started = self.docker.start_container(&self.id, options).await;
        started.map_err(|error| error.to_string())
    }
}

/// Starts a container that a run which is gone has ended. One that is gone needs nothing, nor one
/// that runs.
///
/// # Errors
/// In words, when it does not run; also when its engine does not: it may come back, and would not
/// start by itself what it was told to end.
pub async fn start(engine: &str, container: &str) -> Result<(), String> {
    let docker = engine::at(engine).await;
    let docker = docker.map_err(|error| format!("the engine at {engine}: {error}"))?;
    for _ in 0..2 {
        let options = None::<StartContainerOptions>;
        match docker.start_container(container, options).await {
            Ok(()) => sleep(LAST_WORD).await,
            Err(error) if is_unknown(&error) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

async fn inspect(docker: &Docker, name: &str) -> Result<Option<ContainerInspectResponse>, String> {
    let options = None::<InspectContainerOptions>;
    match docker.inspect_container(name, options).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_unknown(&error) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn is_unknown(error: &Error) -> bool {
    let status = match error {
        Error::DockerResponseServerError { status_code, .. } => *status_code,
        _ => return false,
    };
    status == 404
}

/// The one container of a service; which of several is meant, nobody would know.
async fn of_service(docker: &Docker, project: &str, service: &str) -> Result<String, String> {
    let labels = vec![
        format!("{PROJECT_LABEL}={project}"),
        format!("{SERVICE_LABEL}={service}"),
    ];
    let filters = HashMap::from([("label", labels)]);
    let options = ListContainersOptionsBuilder::new()
        .filters(&filters)
        .build();
    let found = docker.list_containers(Some(options)).await;
    let found = found.map_err(|error| error.to_string())?;
    let mut ids = found.into_iter().filter_map(|one| one.id);
    match (ids.next(), ids.count()) {
        (Some(id), 0) => Ok(id),
        (None, _) => Err(format!(
            "no container of the service {service} of the project {project} runs"
        )),
        (Some(_), more) => Err(format!(
            "the service {service} has {} containers: name those that are meant by `container`",
            more + 1
        )),
    }
}

/// A container's id is in the paths of the files that its engine mounts into it.
fn holds_this_process(id: &str) -> bool {
    let read = std::fs::read_to_string("/proc/self/mountinfo");
    read.unwrap_or_default().contains(id)
}
