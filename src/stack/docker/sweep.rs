//! Removes what a run has left in an engine, found by its label.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
};
use tokio::time::{Instant, sleep};

use super::{RUN_LABEL, engine};
use crate::keeper;

/// An engine may still be at work for a harness that has died: so long nothing new must appear.
const QUIET: Duration = Duration::from_secs(3);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// When it gives up.
const REMOVE_WITHIN: Duration = Duration::from_mins(1);

/// Waits until this process is told to stop, or its standard input ends, and removes then what
/// has the label of the run.
///
/// # Errors
/// When the engine does not let it.
pub fn keep_containers(run: &str) -> io::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(async {
        keeper::until_told().await?;
        remove_all(run).await.map_err(|problem| {
            io::Error::other(format!(
                "{problem}; what is left has the label {RUN_LABEL}={run}"
            ))
        })
    })
}

async fn remove_all(run: &str) -> Result<(), String> {
    let docker = engine::connect().await.map_err(|error| error.to_string())?;
    let label = format!("{RUN_LABEL}={run}");
    let begin = Instant::now();
    let mut quiet = begin;
    loop {
        let swept = sweep(&docker, &label).await;
        match swept {
            Ok(0) if quiet.elapsed() >= QUIET => return Ok(()),
            Ok(0) => {}
            _ if begin.elapsed() < REMOVE_WITHIN => quiet = Instant::now(),
            Ok(left) => return Err(format!("{left} are still there")),
            Err(error) => return Err(error.to_string()),
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Removes what is there now, and says how much it was.
async fn sweep(docker: &Docker, label: &str) -> Result<usize, Error> {
    let filters = HashMap::from([("label", vec![label])]);
    let containers = containers(docker, &filters).await?;
    let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
    let volumes = docker.list_volumes(Some(volumes)).await?.volumes;
    let volumes = volumes.unwrap_or_default();
    for volume in &volumes {
        let force = RemoveVolumeOptionsBuilder::new().force(true).build();
        gone(docker.remove_volume(&volume.name, Some(force)).await)?;
    }
    let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let networks = docker.list_networks(Some(networks)).await?;
    for id in networks.iter().filter_map(|network| network.id.as_ref()) {
        gone(docker.remove_network(id).await)?;
    }
    Ok(containers + volumes.len() + networks.len())
}

async fn containers(docker: &Docker, filters: &HashMap<&str, Vec<&str>>) -> Result<usize, Error> {
    let options = ListContainersOptionsBuilder::new().all(true);
    let found = docker.list_containers(Some(options.filters(filters).build()));
    let found = found.await?;
    let removals = found.iter().filter_map(|container| container.id.as_ref());
    let removals = removals.map(|id| {
        // With the volumes that nobody has named.
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
        docker.remove_container(id, Some(options.build()))
    });
    for removed in join_all(removals).await {
        gone(removed)?;
    }
    Ok(found.len())
}

/// Somebody else may have been faster, or be at it.
fn gone(removed: Result<(), Error>) -> Result<(), Error> {
    match removed {
        Err(Error::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        }) => Ok(()),
        other => other,
    }
}
