//! One request of each step, by one user whom no run has used: what does the system answer?

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{RunError, failed_to};
use super::interrupt::Interrupts;
use crate::feeder;
use crate::history::Cause;
use crate::load::http::{Answer, Connection, Endpoint};
use crate::load::{CompiledStep, Cookies, Explained, Identities, RunClock, Scratch, Taking};
use crate::plan::{Action, Plan, SetupStep, SlotValues, Values};
use crate::setup::{self, Site};
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

/// Performs each flow once, without its pauses, between `before` and `after`. A bundled system is
/// brought up for it and thrown away. `scenario` is the directory of its files; `say` tells the one
/// who waits.
///
/// # Errors
/// When the users cannot be read, the target is not ready, a step before it failed, or the asking
/// was interrupted.
pub async fn ask(plan: &Plan, scenario: &Path, say: &dyn Fn(&str)) -> Result<Vec<Asked>, RunError> {
    let mut plan = plan.clone();
    let records = feeder::read(&plan, scenario).await?.map(Arc::new);
    if let Some(records) = &records {
        plan.users.found(records.count());
    }
    let mut interrupts = Interrupts::listen().map_err(failed_to("listen to signals"))?;
    let room = Room::make().map_err(failed_to("make a temporary directory"))?;
    let start = Ready::start(&plan, &room.0, scenario, say);
    let ready = interrupts.unless(1, start).await;
    let ready = ready.ok_or(RunError::Interrupted)??;
    let visit = Visit {
        users: Identities::new(&plan, records),
        plan: &plan,
        endpoints: &ready.endpoints,
        clock: RunClock::start(),
        say,
    };
    let mut slots = vec![None; plan.slots.len()];
    let asked = interrupts.unless(1, Box::pin(visit.all(&mut slots))).await;
    interrupts
        .unless(2, Box::pin(visit.tidy_up(&mut slots)))
        .await;
    ready.stop().await;
    asked.unwrap_or(Err(RunError::Interrupted))
}

/// A target that is ready, and who asks it.
struct Visit<'a> {
    plan: &'a Plan,
    endpoints: &'a [Endpoint],
    users: Identities,
    clock: RunClock,
    say: &'a dyn Fn(&str),
}

impl Visit<'_> {
    async fn all(&self, slots: &mut SlotValues) -> Result<Vec<Asked>, RunError> {
        for step in &self.plan.setup.before {
            let done = self.perform(step, slots).await;
            done.map_err(|failure| RunError::Before {
                step: step.name.clone(),
                place: step.place.clone(),
                problem: failure.to_string(),
            })?;
        }
        ask_all(self, slots).await
    }

    /// Each step after it is tried.
    async fn tidy_up(&self, slots: &mut SlotValues) {
        for step in &self.plan.setup.after {
            if let Err(failure) = self.perform(step, slots).await {
                (self.say)(&format!("after: {}: {failure}", step.name));
            }
        }
    }

    async fn perform(
        &self,
        step: &SetupStep,
        slots: &mut SlotValues,
    ) -> Result<u64, setup::Failure> {
        let site = Site {
            plan: self.plan,
            endpoints: self.endpoints,
            clock: self.clock,
            users: &self.users,
        };
        setup::perform(step, site, slots, &|_| {}).await
    }
}

async fn ask_all(visit: &Visit<'_>, slots: &SlotValues) -> Result<Vec<Asked>, RunError> {
    let plan = visit.plan;
    let Some(endpoint) = visit.endpoints.first() else {
        return Ok(Vec::new());
    };
    let compiled = CompiledStep::all(plan, endpoint);
    let compiled =
        compiled.map_err(|error| failed_to("write the requests")(io::Error::other(error)))?;
    let mut visitor = Visitor::new(visit, endpoint, slots.clone());
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
    /// Where users keep them.
    cookies: Option<Cookies>,
}

impl<'a> Visitor<'a> {
    fn new(visit: &Visit<'_>, endpoint: &'a Endpoint, mut slots: SlotValues) -> Self {
        let (plan, users) = (visit.plan, &visit.users);
        // The first user behind the pool and a VU behind all of the load are nobody else. Where
        // users are known to the system, it is the last of them.
        let seeded = plan.setup.before.iter().any(|step| step.each.is_some());
        let are_known = seeded || plan.users.records.is_some();
        let place = plan.users.pool.saturating_sub(u64::from(are_known));
        let vu = plan
            .loads
            .iter()
            .map(|load| load.executor.max_vus())
            .sum::<u64>()
            + 1;
        let mut user = String::new();
        let taking = Taking {
            place,
            vu,
            iteration: 0,
            unix_s: visit.clock.unix_s(),
        };
        let taken = users.write(taking, &mut user, &mut slots);
        Self {
            endpoint,
            clock: visit.clock,
            connection: None,
            user,
            number: taken.number,
            vu,
            random: users.random(place),
            slots,
            cookies: plan.users.cookies.then(Cookies::default),
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
        let url = compiled.url(self.endpoint, &values);
        if let (Some(cookies), Some(url), Ok(answer)) = (&mut self.cookies, &url, &answered) {
            cookies.keep(answer, url);
        }
        self.user = user;
        self.slots = slots;
        match &answered {
            Ok(answer) => compiled.captures.fill(answer, &mut self.slots, |_, _| {}),
            Err(_) => compiled.captures.clear(&mut self.slots),
        }
        Asked {
            step,
            path: self.without_secrets(plan, path),
            replied: replied.map(|replied| Replied {
                body: self.without_secrets(plan, replied.body),
                ..replied
            }),
        }
    }

    /// A token may be in what was sent, and in what came back.
    fn without_secrets(&self, plan: &Plan, text: String) -> String {
        let slots = std::iter::zip(&plan.slots, &self.slots);
        let secrets = slots.filter(|(slot, _)| slot.secret);
        let secrets = secrets.filter_map(|(_, value)| value.as_deref());
        let secrets = secrets.filter(|value| value.len() > 2);
        secrets.fold(text, |text, secret| text.replace(secret, "***"))
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
        let url = step.url(self.endpoint, values);
        let cookies = match (&self.cookies, &url) {
            (Some(cookies), Some(url)) if step.takes_cookies() => cookies.header(url),
            _ => String::new(),
        };
        let request = step.request(values, &cookies, &mut scratch);
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
