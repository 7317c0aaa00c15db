//! One request of each step, by one user whom no run has used: what does the system answer?

use std::io;
use std::path::{Path, PathBuf};

use super::error::{RunError, failed_to};
use super::interrupt::Interrupts;
use crate::history::Cause;
use crate::load::http::{Answer, Connection, Endpoint};
use crate::load::{CompiledStep, Explained, RunClock, Scratch};
use crate::plan::{Action, Plan, SlotValues, UserSequence, Values};
use crate::stack::Ready;

/// A step, and what came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Index into [`Plan::steps`].
    pub step: usize,
    /// The path with its values.
    pub path: String,
    /// `Err`: there was no answer.
    pub replied: Result<Replied, Cause>,
}

/// An answer, and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replied {
    /// As received.
    pub status: u16,
    /// The first MiB.
    pub body: String,
    /// By which rule, or why by none.
    pub explained: Explained,
}

/// Performs each flow once, without its pauses. A bundled system is brought up for it and thrown
/// away. `say` tells the one who waits.
///
/// # Errors
/// When the target is not ready, or the asking was interrupted.
pub async fn ask(plan: &Plan, say: &dyn Fn(&str)) -> Result<Vec<Asked>, RunError> {
    let mut interrupts = Interrupts::listen().map_err(failed_to("listen to signals"))?;
    let room = Room::make().map_err(failed_to("make a temporary directory"))?;
    let ready = interrupts.unless(1, Ready::start(plan, &room.0, say)).await;
    let ready = ready.ok_or(RunError::Interrupted)??;
    let asked = interrupts.unless(1, ask_all(plan, &ready.endpoints)).await;
    ready.stop().await;
    asked.unwrap_or(Err(RunError::Interrupted))
}

async fn ask_all(plan: &Plan, endpoints: &[Endpoint]) -> Result<Vec<Asked>, RunError> {
    let Some(endpoint) = endpoints.first() else {
        return Ok(Vec::new());
    };
    let compiled = CompiledStep::all(plan, endpoint);
    let compiled =
        compiled.map_err(|error| failed_to("write the requests")(io::Error::other(error)))?;
    let mut visitor = Visitor::new(plan, endpoint);
    let mut asked = Vec::new();
    for flow in &plan.flows {
        let mut steps = Vec::new();
        // Both branches of a condition, and once what is repeated: each step is asked.
        Action::requests(&flow.actions, &mut |step| steps.push(usize::from(step)));
        for step in steps {
            asked.push(visitor.ask(plan, step, &compiled[step]).await);
        }
    }
    Ok(asked)
}

/// The one user, with a connection.
struct Visitor<'a> {
    endpoint: &'a Endpoint,
    clock: RunClock,
    connection: Option<Connection>,
    user: String,
    number: u64,
    vu: u64,
    random: u128,
    /// What the answers have brought so far.
    slots: SlotValues,
}

impl<'a> Visitor<'a> {
    fn new(plan: &Plan, endpoint: &'a Endpoint) -> Self {
        let users = UserSequence::new(&plan.users, plan.seed);
        // The first user behind the pool, and a VU behind all of the load: both are nobody else.
        let place = plan.users.pool;
        let (number, random) = (place + 1, users.random(place));
        let vu = plan
            .loads
            .iter()
            .map(|load| load.executor.max_vus())
            .sum::<u64>()
            + 1;
        let mut user = String::new();
        users.write_id(number, vu, 0, place, &mut user);
        let (clock, connection) = (RunClock::start(), None);
        Self {
            endpoint,
            clock,
            connection,
            user,
            number,
            vu,
            random,
            slots: vec![None; plan.slots.len()],
        }
    }

    async fn ask(&mut self, plan: &Plan, step: usize, compiled: &CompiledStep) -> Asked {
        let user = std::mem::take(&mut self.user);
        let slots = std::mem::take(&mut self.slots);
        let values = Values {
            user: &user,
            number: self.number,
            vu: self.vu,
            iteration: 0,
            random: self.random,
            slots: &slots,
        };
        let exchange = self.exchange(compiled, &values);
        let answered = tokio::time::timeout(compiled.timeout, exchange).await;
        let answered = answered.unwrap_or(Err(Cause::Timeout));
        if answered.is_err() {
            self.connection = None;
        }
        let replied = answered
            .as_ref()
            .map_err(|cause| *cause)
            .map(|answer| Replied {
                status: answer.status,
                body: String::from_utf8_lossy(answer.body()).into_owned(),
                explained: compiled.classifier.explain(answer),
            });
        let path = plan.steps[step].path.to_text(&values);
        self.user = user;
        self.slots = slots;
        match &answered {
            Ok(answer) => compiled.captures.fill(answer, &mut self.slots),
            Err(_) => compiled.captures.clear(&mut self.slots),
        }
        Asked {
            step,
            path,
            replied,
        }
    }

    async fn exchange(
        &mut self,
        step: &CompiledStep,
        values: &Values<'_>,
    ) -> Result<Answer, Cause> {
        let mut scratch = Scratch::default();
        if !step.is_ready(values.slots) {
            return Err(Cause::ValueMissing);
        }
        let request = step.request(values, "", &mut scratch);
        let request = request.ok_or(Cause::ValueUnfit)?;
        let usable = match &mut self.connection {
            Some(connection) => connection.is_usable().await,
            None => false,
        };
        if !usable {
            let opened = self
                .endpoint
                .connect(self.clock)
                .await
                .map_err(|error| error.cause)?;
            self.connection = Some(opened.connection);
        }
        let Some(connection) = &mut self.connection else {
            return Err(Cause::ConnectFailed);
        };
        connection.trace().begin(self.clock.now_ns());
        let mut answer = Answer::default();
        connection.send(request, &mut answer).await?;
        Ok(answer)
    }
}

/// A directory for a bundled system, which goes with this value.
struct Room(PathBuf);

impl Room {
    fn make() -> io::Result<Self> {
        let name = format!("fcfs-bench-probe-{}", std::process::id());
        let path: &Path = &std::env::temp_dir().join(name);
        std::fs::create_dir_all(path)?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
