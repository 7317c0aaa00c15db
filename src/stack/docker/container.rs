//! Starts one container, and waits until its service answers in its own protocol.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt as _;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::bollard::query_parameters::{
    InspectContainerOptions, LogsOptionsBuilder, WaitContainerOptions,
};
use testcontainers::core::IntoContainerPort as _;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt as _};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Place, images};
use crate::plan::{Image, Process};
use crate::stack::NotReady;
use crate::stack::log::last_lines;

/// How long a container may take to be made and started.
const START_WITHIN: Duration = Duration::from_mins(1);

/// How long its service may take to answer for the first time: `MySQL` makes its data first.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(2);

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// How long the service may take to stop in good order, in seconds.
const STOP_WITHIN: i32 = 20;

/// How long the end of a log may take when its container has ended.
const LOG_WITHIN: Duration = Duration::from_secs(5);

/// A kind of service.
pub(super) trait Kind {
    /// Where it listens in its container.
    const PORT: u16;

    /// As errors and directories call it.
    fn name(&self) -> &str;

    fn environment(&self) -> Vec<(String, String)>;

    /// What the image's entrypoint gets.
    fn command(&self) -> Vec<String>;

    /// Asks it once in its own protocol.
    async fn ask(&self, port: u16) -> Result<(), String>;

    /// What must not be in a log.
    fn secret(&self) -> Option<&str>;

    /// Where others find it, for a kind that must know it before it starts.
    fn address(&self) -> Option<&Address> {
        None
    }
}

/// How a container can be reached, chosen before it starts.
#[derive(Debug)]
pub(super) struct Address {
    /// Of the container, which is its host name in its network.
    pub(super) name: String,
    /// Of this machine, where its port is published.
    pub(super) port: u16,
    /// One of the run, where others look for it by name.
    pub(super) network: Option<String>,
}

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
#[derive(Debug)]
pub(super) struct Launched {
    handle: ManuallyDrop<ContainerAsync<GenericImage>>,
    log: Log,
    following: JoinHandle<()>,
}

/// A service that answers. Dropping it does nothing: the destructor of the handle would block the
/// thread, and the keeper removes what was not stopped.
#[derive(Debug)]
pub(super) struct Container {
    handle: ManuallyDrop<ContainerAsync<GenericImage>>,
    log: JoinHandle<()>,
    pub(super) port: u16,
    /// Its first process as this machine's kernel knows it, where the engine is on this machine.
    pid: Option<u32>,
}

impl Container {
    pub(super) async fn start(
        kind: &impl Kind,
        image: Option<&Image>,
        place: &Place<'_>,
    ) -> Result<Self, NotReady> {
        let launched = Launched::launch(kind, image, place).await?;
        launched.ready(kind, place).await
    }

    pub(super) fn process(&self) -> Option<Process> {
        self.pid.map(Process::Pid)
    }

    /// Stops it in good order and removes it with its volumes; whether it is gone.
    pub(super) async fn stop(self) -> bool {
        let stopped = self.handle.stop_with_timeout(Some(STOP_WITHIN)).await;
        // Its last words are in the log before it is removed.
        let _ = timeout(LOG_WITHIN, self.log).await;
        let removed = ManuallyDrop::into_inner(self.handle).rm().await;
        stopped.is_ok() && removed.is_ok()
    }
}

impl Launched {
    /// Makes a container and starts it, which takes its port.
    pub(super) async fn launch(
        kind: &impl Kind,
        image: Option<&Image>,
        place: &Place<'_>,
    ) -> Result<Self, Failed> {
        let log = Log::of(kind, place.stack).map_err(|error| Failed::Otherwise(error.into()))?;
        let Some(image) = image else {
            return Err(Failed::Otherwise(log.fail(kind, "it has no image")));
        };
        let started = request(kind, image, place).start().await;
        let handle = started.map_err(|error| {
            let problem = error.to_string();
            let failed = log.fail(kind, &problem);
            if kind.address().is_some() && says_port_taken(&problem) {
                Failed::PortTaken(failed)
            } else {
                Failed::Otherwise(failed)
            }
        })?;
        let handle = ManuallyDrop::new(handle);
        let following = log.follow(&place.engine.docker, handle.id());
        Ok(Self {
            following: following.map_err(|error| Failed::Otherwise(error.into()))?,
            handle,
            log,
        })
    }

    /// Waits until its service answers.
    pub(super) async fn ready(
        self,
        kind: &impl Kind,
        place: &Place<'_>,
    ) -> Result<Container, NotReady> {
        let docker = &place.engine.docker;
        let Self {
            handle,
            log,
            mut following,
        } = self;
        match ready(kind, docker, handle.id()).await {
            Ok(port) => Ok(Container {
                pid: pid(docker, handle.id()).await,
                handle,
                log: following,
                port,
            }),
            Err(problem) => {
                // Nobody waits for more of a log than there is.
                let _ = handle.stop_with_timeout(Some(0)).await;
                let _ = timeout(LOG_WITHIN, &mut following).await;
                Err(log.fail(kind, &problem))
            }
        }
    }
}

/// The engine's words, and the system's, which it passes on.
fn says_port_taken(problem: &str) -> bool {
    problem.contains("port is already allocated") || problem.contains("address already in use")
}

fn request<K: Kind>(kind: &K, image: &Image, place: &Place<'_>) -> ContainerRequest<GenericImage> {
    let chosen = kind.address().map(|address| address.port);
    let mut request = images::generic(image)
        .with_exposed_port(K::PORT.tcp())
        .with_cmd(kind.command())
        .with_labels(place.labels.iter().map(|(name, value)| (*name, value)))
        .with_startup_timeout(START_WITHIN)
        .with_host_config_modifier(move |config| on_loopback(config, K::PORT, chosen));
    if let Some(Address { name, network, .. }) = kind.address() {
        request = request.with_container_name(name).with_hostname(name);
        if let Some(network) = network {
            request = request.with_network(network);
        }
    }
    for (name, value) in kind.environment() {
        request = request.with_env_var(name, value);
    }
    request
}

/// Publishes one port for this machine alone, where nothing is chosen on a free one that the engine
/// finds.
fn on_loopback(config: &mut HostConfig, port: u16, chosen: Option<u16>) {
    let here = PortBinding {
        host_ip: Some("127.0.0.1".to_owned()),
        host_port: chosen.map(|port| port.to_string()),
    };
    config.publish_all_ports = Some(false);
    config.port_bindings = Some(HashMap::from([(name_of(port), Some(vec![here]))]));
}

fn name_of(port: u16) -> String {
    format!("{port}/tcp")
}

/// The published port, when the service answers on it.
async fn ready(kind: &impl Kind, docker: &Docker, id: &str) -> Result<u16, String> {
    tokio::select! {
        ended = ended(docker, id) => Err(ended),
        ready = timeout(READY_WITHIN, until_ready(kind, docker, id)) => ready.map_err(|_| {
            format!("no right answer within {} s", READY_WITHIN.as_secs())
        }),
    }
}

async fn until_ready<K: Kind>(kind: &K, docker: &Docker, id: &str) -> u16 {
    loop {
        if let Some(port) = published(docker, id, K::PORT).await
            && let Ok(Ok(())) = timeout(TRY_WITHIN, kind.ask(port)).await
        {
            return port;
        }
        sleep(TRY_EVERY).await;
    }
}

async fn published(docker: &Docker, id: &str, port: u16) -> Option<u16> {
    let container = docker.inspect_container(id, None::<InspectContainerOptions>);
    let mut ports = container.await.ok()?.network_settings?.ports?;
    let bindings = ports.remove(&name_of(port))??;
    bindings.first()?.host_port.as_ref()?.parse().ok()
}

async fn pid(docker: &Docker, id: &str) -> Option<u32> {
    let container = docker.inspect_container(id, None::<InspectContainerOptions>);
    let pid = u32::try_from(container.await.ok()?.state?.pid?).ok()?;
    // An engine in a machine of its own counts differently: the same number is somebody else here.
    let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    group.contains(id).then_some(pid)
}

/// Waits for the end of a container, and says how it ended.
async fn ended(docker: &Docker, id: &str) -> String {
    let mut waiting = docker.wait_container(id, None::<WaitContainerOptions>);
    match waiting.next().await {
        Some(Ok(ended)) => format!("it ended with exit status: {}", ended.status_code),
        Some(Err(Error::DockerContainerWaitError { code, .. })) => {
            format!("it ended with exit status: {code}")
        }
        Some(Err(error)) => format!("the engine lost it: {error}"),
        None => "the engine lost it".to_owned(),
    }
}

/// Where a container's words go.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    secret: Option<String>,
}

impl Log {
    fn of(kind: &impl Kind, stack: &Path) -> std::io::Result<Self> {
        let directory = stack.join(kind.name());
        std::fs::create_dir_all(&directory)?;
        Ok(Self {
            path: directory.join("log"),
            secret: kind.secret().map(str::to_owned),
        })
    }

    fn fail(&self, kind: &impl Kind, problem: &str) -> NotReady {
        NotReady::Service {
            service: kind.name().to_owned(),
            problem: self.hide(problem),
            log: self.hide(&last_lines(&self.path)),
        }
    }

    fn hide(&self, text: &str) -> String {
        hide(self.secret.as_deref(), text)
    }

    /// Writes all that the container says, until it ends.
    fn follow(&self, docker: &Docker, id: &str) -> std::io::Result<JoinHandle<()>> {
        let mut file = File::create(&self.path)?;
        let options = LogsOptionsBuilder::new()
            .follow(true)
            .stdout(true)
            .stderr(true);
        let (docker, id, secret) = (docker.clone(), id.to_owned(), self.secret.clone());
        Ok(tokio::spawn(async move {
            let mut words = std::pin::pin!(docker.logs(&id, Some(options.build())));
            // The engine gives it line by line.
            while let Some(Ok(line)) = words.next().await {
                let line = hide(secret.as_deref(), &line.to_string());
                // A full disk is told by those who write evidence.
                let _ = file.write_all(line.as_bytes());
            }
        }))
    }
}

fn hide(secret: Option<&str>, text: &str) -> String {
    match secret {
        Some(secret) => text.replace(secret, "***"),
        None => text.to_owned(),
    }
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
