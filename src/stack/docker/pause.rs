//! Ends the pause of a container, by whoever knows its id and its engine: also when the run that has
//! paused it is gone.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::query_parameters::InspectContainerOptions;

use super::engine;

/// Lets a container go on that an engine has paused. One that is gone needs nothing, nor one that goes
/// on already.
///
/// # Errors
/// In words, when it stays paused.
pub async fn unpause(engine: &str, container: &str) -> Result<(), String> {
    match engine::at(engine).await {
        Ok(docker) => end(&docker, container).await,
        // Containers end with their engine.
        Err(error) if nobody_listens(&error) => Ok(()),
        Err(error) => Err(format!("the engine at {engine}: {error}")),
    }
}

pub(super) async fn end(docker: &Docker, container: &str) -> Result<(), String> {
    let Err(error) = docker.unpause_container(container).await else {
        return Ok(());
    };
    let looked = docker.inspect_container(container, None::<InspectContainerOptions>);
    let is_paused = match looked.await {
        Ok(found) => found.state.and_then(|state| state.paused) == Some(true),
        Err(Error::DockerResponseServerError { status_code, .. }) => status_code != 404,
        Err(_) => true,
    };
    if is_paused {
        return Err(error.to_string());
    }
    Ok(())
}

fn nobody_listens(error: &Error) -> bool {
    if matches!(error, Error::SocketNotFoundError(_)) {
        return true;
    }
    let mut source = error.source();
    while let Some(error) = source {
        let io = error.downcast_ref::<io::Error>();
        if let Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused) = io.map(io::Error::kind) {
            return true;
        }
        source = error.source();
    }
    false
}
