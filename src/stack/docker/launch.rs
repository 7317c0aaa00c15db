//! Makes one container, and waits until its service answers in its own protocol.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::bollard::query_parameters::{
    InspectContainerOptions, RemoveContainerOptionsBuilder,
};
use testcontainers::core::IntoContainerPort as _;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt as _};

use super::container::{Address, Container, Kind, ready};
use super::log::{Following, Log};
use super::{Place, images};
use crate::plan::Image;
use crate::stack::NotReady;
use crate::stack::local::PORTS;

/// How long a container may take to be made and started.
const START_WITHIN: Duration = Duration::from_mins(1);

/// Why a container was not started.
#[derive(Debug)]
pub(super) enum Failed {
    /// The port was free when it was chosen.
    PortTaken(NotReady),
    Otherwise(NotReady),
}

impl From<Failed> for NotReady {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::PortTaken(error) | Failed::Otherwise(error) => error,
        }
    }
}

/// A container that runs, whose service may not answer yet. Dropping it does nothing, as with
/// [`Container`].
pub(super) struct Launched {
    kind: Box<dyn Kind>,
    handle: ManuallyDrop<ContainerAsync<GenericImage>>,
    log: Log,
    following: Following,
}

/// Starts a service on a free port of this machine, and waits until it answers. `make` says how it
/// is started at an address.
pub(super) async fn start<K: Kind + 'static>(
    make: impl Fn(Address) -> K,
    name: &str,
    image: Option<&Image>,
    place: &Place<'_>,
) -> Result<Container, NotReady> {
    let mut tried = 1;
    loop {
        let kind = make(Address::new(place, name)?);
        match Launched::launch(Box::new(kind), image, place).await {
            Ok(launched) => return launched.ready(place).await,
            Err(Failed::PortTaken(_)) if tried < PORTS => {
                remove(place, name).await;
                tried += 1;
            }
            Err(failed) => return Err(failed.into()),
        }
    }
}

/// Removes what was made under a name, whether it runs or not.
pub(super) async fn remove(place: &Place<'_>, name: &str) {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
    let (docker, container) = (&place.engine.docker, place.container(name));
    let removed = docker.remove_container(&container, Some(options.build()));
    // What stays makes the next try fail, which says so; and the keeper removes it.
    let _ = removed.await;
}

impl Launched {
    /// Makes a container and starts it, which takes its ports.
    pub(super) async fn launch(
        kind: Box<dyn Kind>,
        image: Option<&Image>,
        place: &Place<'_>,
    ) -> Result<Self, Failed> {
        let log = Log::of(&*kind, place.stack).map_err(|error| Failed::Otherwise(error.into()))?;
        let Some(image) = image else {
            return Err(Failed::Otherwise(log.fail(&*kind, "it has no image")));
        };
        let started = request(&*kind, image, place).start().await;
        let handle = started.map_err(|error| {
            let problem = error.to_string();
            let failed = log.fail(&*kind, &problem);
            if says_port_taken(&problem) {
                Failed::PortTaken(failed)
            } else {
                Failed::Otherwise(failed)
            }
        })?;
        let handle = ManuallyDrop::new(handle);
        let following = log.follow(&place.engine.docker, handle.id());
        Ok(Self {
            following: following.map_err(|error| Failed::Otherwise(error.into()))?,
            kind,
            handle,
            log,
        })
    }

    /// Waits until its service answers.
    pub(super) async fn ready(self, place: &Place<'_>) -> Result<Container, NotReady> {
        let docker = &place.engine.docker;
        let Self {
            kind,
            handle,
            log,
            following,
        } = self;
        if let Err(problem) = ready(&*kind, docker, handle.id()).await {
            // Nobody waits for more of a log than there is.
            let _ = handle.stop_with_timeout(Some(0)).await;
            following.end().await;
            return Err(log.fail(&*kind, &problem));
        }
        let pid = pid(docker, handle.id()).await;
        let docker = docker.clone();
        Ok(Container::new(kind, docker, handle, (log, following), pid))
    }
}

/// The engine's words, and the system's, which it passes on.
pub(super) fn says_port_taken(problem: &str) -> bool {
    problem.contains("port is already allocated") || problem.contains("address already in use")
}

fn request(kind: &dyn Kind, image: &Image, place: &Place<'_>) -> ContainerRequest<GenericImage> {
    let Address { name, network, .. } = kind.address();
    let published = kind.published();
    // Only what is exposed can be published.
    let exposed = published.iter().map(|(inside, _)| inside.tcp());
    let mut request = exposed
        .fold(images::generic(image), GenericImage::with_exposed_port)
        .with_cmd(kind.command())
        .with_labels(place.labels.iter().map(|(name, value)| (*name, value)))
        .with_startup_timeout(START_WITHIN)
        .with_container_name(name)
        .with_hostname(name)
        .with_host_config_modifier(move |config| on_loopback(config, &published));
    if let Some(network) = network {
        request = request.with_network(network);
    }
    for (name, value) in kind.environment() {
        request = request.with_env_var(name, value);
    }
    request
}

/// Publishes ports of a container for this machine alone: each with the one that it has here.
fn on_loopback(config: &mut HostConfig, published: &[(u16, u16)]) {
    let binding = |(inside, here): &(u16, u16)| {
        let here = PortBinding {
            host_ip: Some("127.0.0.1".to_owned()),
            host_port: Some(here.to_string()),
        };
        (format!("{inside}/tcp"), Some(vec![here]))
    };
    let bindings: HashMap<_, _> = published.iter().map(binding).collect();
    config.publish_all_ports = Some(false);
    config.port_bindings = Some(bindings);
}

/// The first process of a container as this machine's kernel knows it, where the engine is on this
/// machine.
async fn pid(docker: &Docker, id: &str) -> Option<u32> {
    let container = docker.inspect_container(id, None::<InspectContainerOptions>);
    let pid = u32::try_from(container.await.ok()?.state?.pid?).ok()?;
    // An engine in a machine of its own counts differently: the same number is somebody else here.
    let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    group.contains(id).then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_from_other_failures() {
        let table = [
            (
                "a container of the engine has it",
                "Bind for 127.0.0.1:39100 failed: port is already allocated",
                true,
            ),
            (
                "another process has it",
                "listen tcp4 127.0.0.1:39099: bind: address already in use",
                true,
            ),
            (
                "the name is taken",
                "Conflict. The container name \"/one\" is already in use by container",
                false,
            ),
            ("nothing of the kind", "no such image", false),
        ];
        for (row, problem, taken) in table {
            assert_eq!(says_port_taken(problem), taken, "{row}");
        }
    }
}
