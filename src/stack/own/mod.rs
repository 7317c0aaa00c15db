//! What faults may break of a system that the run has not started: found by what the scenario says,
//! asked in its own protocol or looked at, and given back as it was.

mod ask;
mod process;
mod start;

use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, sleep, timeout};

use self::ask::Asks;
use self::process::OwnProcess;
pub(crate) use self::start::start;
use super::docker::{self, Limits, Named};
use super::{NotReady, Part};
use crate::fault::lease::Undo;
use crate::plan::fault::{Fault, Injection};
use crate::plan::{Found, OwnPart, Plan};

/// How long a part may take to answer for the first time.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(3);

/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// A process or a container of somebody else, or only an address.
#[derive(Debug)]
pub(super) struct Own {
    asks: Asks,
    body: Option<Body>,
}

#[derive(Debug)]
enum Body {
    Process(OwnProcess),
    Container(Named),
}

/// Finds the parts that faults of the plan may meet; the others are not looked at.
pub(super) async fn find(
    plan: &Plan,
    parts: &[OwnPart],
    scenario: &Path,
    roots: &[CertificateDer<'static>],
) -> Result<Vec<Part>, NotReady> {
    let mut found = Vec::new();
    for part in parts {
        let of_it = |fault: &&Fault| part.party.belongs_to(&fault.victim.party);
        let faults: Vec<&Fault> = plan.faults.iter().filter(of_it).collect();
        if !faults.is_empty() {
            let own = Own::find(part, &faults, scenario, roots).await?;
            found.push(Part::own(part, own));
        }
    }
    Ok(found)
}

impl Own {
    async fn find(
        part: &OwnPart,
        faults: &[&Fault],
        scenario: &Path,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, NotReady> {
        let fail = |hint| {
            move |problem: String| NotReady::Part {
                part: part.name(),
                problem,
                hint,
            }
        };
        let body = match &part.found {
            None => None,
            Some(Found::Process(process)) => {
                let found = OwnProcess::find(process, part.start.as_ref(), scenario);
                let hint = "start the system first; a process is named by `pid` or `pid_file`";
                Some(Body::Process(found.map_err(fail(hint))?))
            }
            Some(container) => {
                let named = Named::find(container).await;
                let hint = "start the system first; `docker ps` shows the containers of the engine";
                let named = named.map_err(fail(hint))?;
                if faults.iter().any(|fault| ends(&fault.injection)) {
                    let hint = "let it be a container that can be started again as it was";
                    named.can_start_again().await.map_err(fail(hint))?;
                }
                Some(Body::Container(named))
            }
        };
        let asks = Asks::of(part, roots);
        let own = Self { asks, body };
        let hint = "a part that does not answer before a fault would seem to be broken by it";
        own.answers().await.map_err(fail(hint))?;
        Ok(own)
    }

    /// Waits until it does.
    async fn answers(&self) -> Result<(), String> {
        let give_up = Instant::now() + ANSWER_WITHIN;
        loop {
            let asked = timeout(TRY_WITHIN, self.ask()).await;
            let asked = asked.unwrap_or_else(|_| Err("no answer".to_owned()));
            match asked {
                Err(problem) if Instant::now() >= give_up => {
                    let limit = ANSWER_WITHIN.as_secs();
                    return Err(format!("it does not answer within {limit} s: {problem}"));
                }
                Err(_) => sleep(TRY_EVERY).await,
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Whether it answers; where nobody knows how to ask it, whether it is seen to run.
    pub(super) async fn ask(&self) -> Result<(), String> {
        if let Some(asked) = self.asks.ask().await {
            return asked;
        }
        match &self.body {
            Some(Body::Process(process)) => process.runs(),
            Some(Body::Container(container)) => container.runs().await,
            None => Ok(()),
        }
    }

    pub(super) fn undo_of_freeze(&self) -> Result<Vec<Undo>, String> {
        match self.body()? {
            Body::Process(process) => process.undo_of_freeze(),
            Body::Container(container) => Ok(vec![Undo::Unpause {
                engine: docker::engine_place(),
                container: container.id().to_owned(),
            }]),
        }
    }

    pub(super) fn processes(&self) -> Result<Vec<(u32, u64)>, String> {
        match self.body()? {
            Body::Process(process) => process.family(),
            Body::Container(_) => Err("it is a container".to_owned()),
        }
    }

    pub(super) fn limits(&self) -> Option<Limits> {
        match &self.body {
            Some(Body::Container(container)) => Some(container.limits()),
            Some(Body::Process(_)) | None => None,
        }
    }

    pub(super) fn undo_of_end(&self) -> Vec<Undo> {
        match &self.body {
            None => Vec::new(),
            Some(Body::Process(process)) => process.undo_of_end(),
            Some(Body::Container(container)) => vec![Undo::StartContainer {
                engine: docker::engine_place(),
                container: container.id().to_owned(),
            }],
        }
    }

    pub(super) async fn freeze(&self) -> Result<(), String> {
        match self.body()? {
            Body::Process(process) => process.freeze(),
            Body::Container(container) => container.pause().await,
        }
    }

    pub(super) async fn thaw(&self) -> Result<(), String> {
        match self.body()? {
            Body::Process(process) => process.thaw(),
            Body::Container(container) => container.unpause().await,
        }
    }

    pub(super) async fn kill(&self) -> Result<(), String> {
        match self.body()? {
            Body::Process(process) => process.kill().await,
            Body::Container(container) => container.kill().await,
        }
    }

    pub(super) async fn stop(&self) -> Result<(), String> {
        match self.body()? {
            Body::Process(process) => process.stop().await,
            Body::Container(container) => container.stop().await,
        }
    }

    pub(super) async fn start_again(&self) -> Result<(), String> {
        match self.body()? {
            Body::Process(process) => process.start_again().await,
            Body::Container(container) => container.start_again().await,
        }
    }

    fn body(&self) -> Result<&Body, String> {
        let only_an_address = || "it is only known by its address".to_owned();
        self.body.as_ref().ok_or_else(only_an_address)
    }
}

/// Whether the victim is gone while it lasts.
const fn ends(injection: &Injection) -> bool {
    matches!(
        injection,
        Injection::Kill
            | Injection::Stop
            | Injection::Restart
            | Injection::MemoryLimit { .. }
            | Injection::RedisLoseWrites { .. }
            | Injection::KafkaBelowMinIsr
    )
}
