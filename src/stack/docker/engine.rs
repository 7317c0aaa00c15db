//! The engine of this machine: whether there is one, and whether it has the images.

use std::net::IpAddr;
use std::time::Duration;

use testcontainers::bollard::errors::Error;
use testcontainers::bollard::{API_DEFAULT_VERSION, Docker};
use testcontainers::core::client::docker_client_instance;
use tokio::time::timeout;

use super::super::local::Needs;
use super::super::{NotReady, Say};
use super::images::{self, Chosen};
use crate::plan::Images;

/// How long an engine may take for its first answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long one may take to do what it is asked for.
const DO_WITHIN: Duration = Duration::from_secs(10);

/// Where an engine is, as for Docker's own programs.
const HOST: &str = "DOCKER_HOST";
const USUAL_PLACE: &str = "unix:///var/run/docker.sock";

/// An engine that answers and has what is needed.
#[derive(Debug)]
pub(in crate::stack) struct Engine {
    pub(super) docker: Docker,
    pub(super) images: Chosen,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(in crate::stack) enum Unavailable {
    #[error("no Docker engine answers at {place}: {problem}")]
    Engine { place: String, problem: String },
    #[error("the image {image} is not there and cannot be pulled: {problem}")]
    Image { image: String, problem: String },
    #[error("{variable} is wrong: {problem}")]
    Variable {
        variable: &'static str,
        problem: String,
    },
}

impl Unavailable {
    /// For somebody who wants this provider and no other.
    pub(in crate::stack) fn when_asked(self) -> NotReady {
        let hint = match &self {
            Self::Engine { .. } => {
                "apt-get install docker.io && service docker start; or set DOCKER_HOST to an \
                 engine of this machine; or take `--provider local`"
                    .to_owned()
            }
            Self::Image { image, .. } => format!(
                "docker pull {image}; without a registry, scripts/offline-images makes stand-ins \
                 for redis:7, mysql:8.0 and apache/kafka:4.1.1; another image: `target.stack.images`"
            ),
            Self::Variable { variable, .. } => format!("unset {variable}, or name an image in it"),
        };
        NotReady::Docker {
            problem: self.to_string(),
            hint,
        }
    }
}

impl Engine {
    /// Finds the engine, and makes sure that the images are there.
    pub(in crate::stack) async fn find(
        images: &Images,
        needs: Needs,
        say: Say<'_>,
    ) -> Result<Self, Unavailable> {
        let images = Chosen::of(images, needs)?;
        let docker = connect().await?;
        for image in images.each() {
            images::provide(&docker, image, say).await?;
        }
        Ok(Self { docker, images })
    }

    /// What the containers are made of, in words.
    pub(in crate::stack) fn images(&self) -> String {
        let images = self.images.each().map(ToString::to_string);
        images.collect::<Vec<_>>().join(", ")
    }
}

/// The engine that `DOCKER_HOST` names, or the usual one.
pub(super) async fn connect() -> Result<Docker, Unavailable> {
    let place = place();
    let failed = |problem: String| Unavailable::Engine {
        place: place.clone(),
        problem,
    };
    if !is_here(&place) {
        return Err(failed(
            "it is on another machine, and ports are published on 127.0.0.1 only".to_owned(),
        ));
    }
    let docker = docker_client_instance().await;
    let docker = docker.map_err(|error| failed(error.to_string()))?;
    match timeout(ANSWER_WITHIN, docker.ping()).await {
        Ok(Ok(_)) => Ok(docker),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("not within {} s", ANSWER_WITHIN.as_secs()))),
    }
}

/// Where the engine of this process is.
pub(super) fn place() -> String {
    std::env::var(HOST).unwrap_or_else(|_| USUAL_PLACE.to_owned())
}

/// The engine at a place where another process has found it.
///
/// # Errors
/// When it does not answer.
pub(super) async fn at(place: &str) -> Result<Docker, Error> {
    let limit = DO_WITHIN.as_secs();
    let docker = if place.starts_with("unix://") {
        Docker::connect_with_unix(place, limit, API_DEFAULT_VERSION)?
    } else {
        Docker::connect_with_http(place, limit, API_DEFAULT_VERSION)?
    };
    docker.ping().await?;
    Ok(docker)
}

/// Whether an address by TCP is one of this machine's loopback addresses; others are files.
fn is_here(place: &str) -> bool {
    let schemes = ["tcp://", "http://", "https://"];
    let Some(rest) = schemes.iter().find_map(|scheme| place.strip_prefix(scheme)) else {
        return true;
    };
    let host = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => rest.split([':', '/']).next().unwrap_or_default(),
    };
    let address: Option<IpAddr> = host.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_of_another_machine_is_not_here() {
        let table = [
            ("tcp://192.0.2.1:2375", false),
            ("tcp://build-host:2375", false),
            ("http://localhost.example/", false),
            ("tcp://127.0.0.1:2375", true),
            ("tcp://localhost:2375", true),
            ("tcp://[::1]:2375", true),
            ("unix:///run/user/1000/docker.sock", true),
        ];
        for (place, here) in table {
            assert_eq!(is_here(place), here, "{place}");
        }
    }
}
