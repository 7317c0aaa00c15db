//! One container of a run, with a service that answers: it can be frozen, killed, stopped and started
//! again, always at the same address.

use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::query_parameters::{
    KillContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
    WaitContainerOptions,
};
use testcontainers::{ContainerAsync, GenericImage};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, sleep, timeout};

use super::Place;
use super::launch::says_port_taken;
use super::limits::Limits;
use super::log::{Following, Log};
use super::pause;
use crate::plan::Process;
use crate::stack::NotReady;
use crate::stack::local::free_port;

/// How long its service may take to answer for the first time: `MySQL` makes its data first.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(2);

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// How long the service may take to stop in good order, in seconds.
const STOP_WITHIN: i32 = 20;

/// While a container is down, its port can be the other end of somebody's connection, for so long as
/// that lasts.
const PORT_WITHIN: Duration = Duration::from_secs(20);

/// A kind of service.
pub(super) trait Kind: Send + Sync {
    /// As errors and directories call it.
    fn name(&self) -> &str;

    /// Where it listens in its container.
    fn port(&self) -> u16;

    /// Where others find it.
    fn address(&self) -> &Address;

    fn environment(&self) -> Vec<(String, String)>;

    /// What the image's entrypoint gets.
    fn command(&self) -> Vec<String>;

    /// Asks it once in its own protocol, at its port of this machine.
    fn ask(&self) -> BoxFuture<'_, Result<(), String>>;

    /// What must not be in a log.
    fn secret(&self) -> Option<&str>;

    /// The ports in its container, each with the one of this machine where it is published.
    fn published(&self) -> Vec<(u16, u16)> {
        vec![(self.port(), self.address().port)]
    }
}

/// How a container can be reached, chosen before it starts. A port that the engine finds would be
/// another one when the container starts again, and nobody would know it.
#[derive(Debug)]
pub(super) struct Address {
    /// Of the container, which is its host name in its network.
    pub(super) name: String,
    /// Of this machine, where its port is published.
    pub(super) port: u16,
    /// One of the run, where others look for it by name.
    pub(super) network: Option<String>,
}

impl Address {
    /// A free port, and no network.
    pub(super) fn new(place: &Place<'_>, name: &str) -> io::Result<Self> {
        Ok(Self {
            name: place.container(name),
            port: free_port()?,
            network: None,
        })
    }

    #[cfg(test)]
    pub(super) fn of_a_test() -> Self {
        Self {
            name: "one".to_owned(),
            port: 12345,
            network: None,
        }
    }
}

/// A service that answers. Dropping it does nothing: the destructor of the handle would block the
/// thread, and the keeper removes what was not stopped.
pub(in crate::stack) struct Container {
    kind: Box<dyn Kind>,
    docker: Docker,
    id: String,
    /// `None` when it is removed.
    handle: Mutex<Option<ManuallyDrop<ContainerAsync<GenericImage>>>>,
    log: Log,
    /// `None` while it does not run.
    following: AsyncMutex<Option<Following>>,
    /// Of the process with which it began.
    pid: Option<u32>,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.kind.name(), self.kind.address())
    }
}

impl Container {
    pub(super) fn new(
        kind: Box<dyn Kind>,
        docker: Docker,
        handle: ManuallyDrop<ContainerAsync<GenericImage>>,
        (log, following): (Log, Following),
        pid: Option<u32>,
    ) -> Self {
        Self {
            kind,
            docker,
            id: handle.id().to_owned(),
            handle: Mutex::new(Some(handle)),
            log,
            following: AsyncMutex::new(Some(following)),
            pid,
        }
    }

    /// As errors and figures call it.
    pub(in crate::stack) fn name(&self) -> &str {
        self.kind.name()
    }

    /// Of this machine.
    pub(in crate::stack) fn port(&self) -> u16 {
        self.kind.address().port
    }

    /// As the engine calls it.
    pub(in crate::stack) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn process(&self) -> Option<Process> {
        self.pid.map(Process::Pid)
    }

    /// Asks it once whether it answers as before.
    ///
    /// # Errors
    /// In words, when it does not.
    pub(in crate::stack) async fn ask(&self) -> Result<(), String> {
        self.kind.ask().await
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
        let mut following = self.following.lock().await;
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        let killed = self.docker.kill_container(&self.id, Some(options)).await;
        killed.map_err(|error| error.to_string())?;
        ended(&self.docker, &self.id).await;
        if let Some(following) = following.take() {
            following.end().await;
        }
        Ok(())
    }

    /// Stops it in good order, and returns when it is gone; nothing if it does not run.
    ///
    /// # Errors
    /// In words, when the engine does not do it.
    pub(in crate::stack) async fn stop(&self) -> Result<(), String> {
        let Some(following) = self.following.lock().await.take() else {
            return Ok(());
        };
        let options = StopContainerOptionsBuilder::new().t(STOP_WITHIN).build();
        let stopped = self.docker.stop_container(&self.id, Some(options)).await;
        // Its last words are in the log before it is removed.
        following.end().await;
        stopped.map_err(|error| error.to_string())
    }

    /// Starts it again at its address, with the files that it has left, and returns when it answers;
    /// nothing if it runs.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub(in crate::stack) async fn start_again(&self) -> Result<(), NotReady> {
        let mut following = self.following.lock().await;
        if following.is_some() {
            return Ok(());
        }
        let fail = |problem: String| self.log.fail(&*self.kind, &problem);
        self.launch_again().await.map_err(fail)?;
        *following = Some(self.log.follow(&self.docker, &self.id)?);
        if let Err(problem) = ready(&*self.kind, &self.docker, &self.id).await {
            drop(following);
            // What is of interest is why it did not start.
            let _ = self.stop().await;
            return Err(fail(problem));
        }
        Ok(())
    }

    /// What its engine lets it have.
    pub(in crate::stack) fn limits(&self) -> Limits {
        Limits::of(&self.docker, &self.id)
    }

    /// Makes it one that can be started again, if it has ended by itself.
    ///
    /// # Errors
    /// In words, when the engine does not say whether it has.
    pub(in crate::stack) async fn forget_if_dead(&self) -> Result<(), String> {
        let mut following = self.following.lock().await;
        if self.limits().ended().await?.is_some()
            && let Some(following) = following.take()
        {
            following.end().await;
        }
        Ok(())
    }

    async fn launch_again(&self) -> Result<(), String> {
        let give_up = Instant::now() + PORT_WITHIN;
        loop {
            let options = None::<StartContainerOptions>;
            match self.docker.start_container(&self.id, options).await {
                Ok(()) => return Ok(()),
                Err(error) if !says_port_taken(&error.to_string()) || Instant::now() >= give_up => {
                    return Err(error.to_string());
                }
                Err(_) => sleep(TRY_EVERY).await,
            }
        }
    }

    /// Stops it in good order and removes it with its volumes; whether it is gone.
    pub(super) async fn remove(&self) -> bool {
        let stopped = self.stop().await;
        let handle = self.handle.lock();
        let handle = handle.unwrap_or_else(PoisonError::into_inner).take();
        match handle {
            Some(handle) => ManuallyDrop::into_inner(handle).rm().await.is_ok() && stopped.is_ok(),
            None => true,
        }
    }
}

/// Waits until a service that runs answers.
///
/// # Errors
/// In words, when it ends before or takes too long.
pub(super) async fn ready(kind: &dyn Kind, docker: &Docker, id: &str) -> Result<(), String> {
    tokio::select! {
        ended = ended(docker, id) => Err(ended),
        ready = timeout(READY_WITHIN, until_ready(kind)) => ready.map_err(|_| {
            format!("no right answer within {} s", READY_WITHIN.as_secs())
        }),
    }
}

async fn until_ready(kind: &dyn Kind) {
    while !matches!(timeout(TRY_WITHIN, kind.ask()).await, Ok(Ok(()))) {
        sleep(TRY_EVERY).await;
    }
}

/// Waits for the end of a container, and says how it ended.
pub(super) async fn ended(docker: &Docker, id: &str) -> String {
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
