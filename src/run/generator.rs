//! Who generates the load of a run: the engine of this program, or Goose in a process of its own.

use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::collector::OtherProcess;
use super::error::RunError;
#[cfg(feature = "goose")]
use super::goose::{GooseLoad, Waiting};
use crate::load::http::Endpoint;
use crate::load::{Engine, Files, Job, RunClock, Stop};
use crate::plan::{EngineKind, Overrides, Plan};
use crate::scenario::Written;

/// What a run knows when its load may begin soon.
#[cfg_attr(
    not(feature = "goose"),
    allow(
        dead_code,
        reason = "the engine of this program needs none of it so early"
    )
)]
pub(super) struct Known<'a> {
    /// The scenario as it was written.
    pub(super) written: &'a Written,
    /// What the command line changed.
    pub(super) overrides: &'a Overrides,
    /// What both have made.
    pub(super) plan: &'a Plan,
    /// Of the run.
    pub(super) clock: RunClock,
    /// The instances of the target.
    pub(super) endpoints: &'a [Endpoint],
    /// What `https:` trusts beside the system's own.
    pub(super) roots: &'a [CertificateDer<'static>],
    /// What every VU knows from the start.
    pub(super) slots: &'a [Option<String>],
    /// Load threads.
    pub(super) threads: usize,
    /// Whose limit of open files those of the load count against.
    pub(super) files: Files,
}

/// Ready to begin.
pub(super) enum Ready {
    Native,
    #[cfg(feature = "goose")]
    Goose(Waiting),
}

/// A load under way.
pub(super) enum Generator {
    Native(Engine),
    #[cfg(feature = "goose")]
    Goose(GooseLoad),
}

/// Refuses, before anything is started, an engine that this build does not have.
///
/// # Errors
/// With what to do about it.
pub(super) const fn is_there(plan: &Plan) -> Result<(), RunError> {
    match plan.engine {
        EngineKind::Goose if cfg!(not(feature = "goose")) => Err(RunError::NoGoose),
        EngineKind::Goose | EngineKind::Native => Ok(()),
    }
}

/// How many threads hand over what they have measured.
pub(super) const fn recorders(plan: &Plan, threads: usize) -> usize {
    match plan.engine {
        EngineKind::Native => threads,
        EngineKind::Goose => 1,
    }
}

impl Ready {
    /// Starts what has to be there before the load.
    ///
    /// # Errors
    /// When it does not start.
    #[cfg_attr(
        not(feature = "goose"),
        allow(clippy::unused_async, reason = "a process is waited for")
    )]
    pub(super) async fn of(known: &Known<'_>) -> io::Result<Self> {
        match known.plan.engine {
            EngineKind::Native => Ok(Self::Native),
            #[cfg(feature = "goose")]
            EngineKind::Goose => Waiting::start(known).await.map(Self::Goose),
            #[cfg(not(feature = "goose"))]
            EngineKind::Goose => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Begins the load on so many threads, whose connections are these files; time zero of it is
    /// `start_ns`. What a process of its own takes of the machine is noted in `other`.
    ///
    /// # Errors
    /// When a thread cannot be started, or the process is gone.
    pub(super) fn begin(
        self,
        job: &Job,
        threads: usize,
        files: Files,
        start_ns: u64,
        other: Arc<OtherProcess>,
    ) -> io::Result<Generator> {
        match self {
            Self::Native => {
                drop(other);
                Engine::start(job, threads, files, start_ns).map(Generator::Native)
            }
            #[cfg(feature = "goose")]
            Self::Goose(waiting) => waiting.begin(job, start_ns, other).map(Generator::Goose),
        }
    }
}

impl Generator {
    /// Asks the load to end before its time; a later, stronger wish wins.
    pub(super) fn stop(&self, stop: Stop) {
        match self {
            Self::Native(engine) => engine.stop(stop),
            #[cfg(feature = "goose")]
            Self::Goose(load) => load.stop(stop),
        }
    }

    /// Waits until the last iteration has ended. May be cancelled and called again.
    pub(super) async fn ended(&mut self) {
        match self {
            Self::Native(engine) => engine.ended().await,
            #[cfg(feature = "goose")]
            Self::Goose(load) => load.ended().await,
        }
    }

    /// What was said at the end.
    ///
    /// # Errors
    /// When it could not run to its end.
    pub(super) fn join(self) -> io::Result<()> {
        match self {
            Self::Native(engine) => engine.join(),
            #[cfg(feature = "goose")]
            Self::Goose(load) => load.join(),
        }
    }
}
