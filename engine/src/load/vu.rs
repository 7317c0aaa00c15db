//! A virtual user: its connections, its identity, and one iteration of its flow.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::RunClock;
use super::batch::{Parts, Shape};
use super::cookies::Cookies;
use super::deadline::Deadline;
use super::detail::About;
use super::http::{Answer, ConnectError, Connection, Endpoint, Outgoing, Pace};
use super::identity::{Identities, Taken, Taking};
use super::iteration::Turn;
use super::recorder::Recorder;
use super::request::{CompiledStep, Scratch};
use crate::history::{Cause, Key, Operation, OutcomeKind};
use crate::plan::{By, Executor, Per, Plan, SlotValues, Target, Values, mix};

/// What all VUs of one load on one thread share.
pub(super) struct Shared {
    /// What is run.
    pub plan: Arc<Plan>,
    /// Index into [`Plan::loads`].
    pub load: usize,
    /// The run's time.
    pub clock: RunClock,
    /// When the load part began, on that clock.
    pub start_ns: u64,
    /// The instances of the target.
    pub endpoints: Arc<[Endpoint]>,
    /// How fast connections are opened, of all loads of the thread.
    pub pace: Pace,
    /// The plan's steps, for each endpoint.
    pub steps: Rc<[Vec<CompiledStep>]>,
    /// Where the thread's measurements go.
    pub recorder: Rc<RefCell<Recorder>>,
    /// What every VU knows from the start, by slot.
    pub slots: Arc<[Option<String>]>,
    /// Who asks.
    pub users: Identities,
    /// The next place in the sequence of users, of all threads and loads; of the places that are the
    /// plan's segment's.
    pub next_place: Arc<AtomicU64>,
    /// Skip pauses and count for this phase: the drain.
    pub only_phase: Option<u16>,
}

impl Shared {
    /// The phase that an iteration starting now belongs to.
    pub(super) fn phase_at(&self, at_ns: u64) -> u16 {
        if let Some(phase) = self.only_phase {
            return phase;
        }
        let elapsed = Duration::from_nanos(at_ns.saturating_sub(self.start_ns));
        self.plan.phase_of(self.load, elapsed)
    }

    /// Whether users are released together, once.
    fn is_stampede(&self) -> bool {
        let executor = &self.plan.loads[self.load].executor;
        matches!(executor, Executor::Stampede { .. }) && self.only_phase.is_none()
    }

    fn take_place(&self) -> u64 {
        let place = self.next_place.fetch_add(1, Ordering::Relaxed);
        self.plan.segment.place(place)
    }
}

/// The first pause of a VU whose attempt could not be sent; it doubles up to the longest.
const SHORTEST_REST: Duration = Duration::from_millis(1);
const LONGEST_REST: Duration = Duration::from_millis(100);

/// A virtual user.
pub(super) struct Vu {
    pub(super) shared: Rc<Shared>,
    pub(super) index: u64,
    iteration: u64,
    /// One for each endpoint; the VU's requests go to the endpoints in turn.
    connections: Vec<Option<Connection>>,
    requests: u64,
    place: Option<u64>,
    user: String,
    /// Nobody before the first iteration. Where it is not known, nothing is sent.
    taken: Taken,
    /// What captures and the user's own data have brought.
    pub(super) slots: SlotValues,
    /// Room for requests and answers, kept between them.
    scratch: Scratch,
    pub(super) answer: Answer,
    deadline: Deadline,
    /// Of this user, where users keep them.
    pub(super) cookies: Option<Box<Cookies>>,
    /// Attempts in a row that could not be sent.
    not_sent: u32,
    /// The iteration under way.
    pub(super) turn: Turn,
    /// Who does parts of an iteration at the same time; kept for the next one.
    pub(super) branches: Vec<Self>,
}

/// What came of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) label: u8,
    /// It was not sent, since a value that it needs was not there.
    pub(super) missing: bool,
    /// The answer is what the step's poll waits for.
    pub(super) awaited: bool,
}

impl Vu {
    /// The VU with this index, counted from 0 within its load.
    pub(super) fn new(shared: Rc<Shared>, index: u64) -> Self {
        let connections = shared.endpoints.iter().map(|_| None).collect();
        let slots = shared.slots.to_vec();
        let cookies = shared.plan.users.cookies.then(Box::default);
        let turn = Turn::new(shared.plan.steps.len());
        Self {
            shared,
            index,
            iteration: 0,
            connections,
            requests: 0,
            place: None,
            user: String::new(),
            taken: Taken {
                number: 0,
                is_known: true,
            },
            slots,
            scratch: Scratch::default(),
            answer: Answer::default(),
            deadline: Deadline::default(),
            cookies,
            not_sent: 0,
            turn,
            branches: Vec::new(),
        }
    }

    /// Opens the connection that the first request will use, so that it need not wait for it.
    ///
    /// # Errors
    /// When it cannot be opened; the first request will try again.
    pub(super) async fn connect(&mut self) -> Result<(), ConnectError> {
        let at = self.endpoint();
        let opening = self.shared.endpoints[at].connect(self.shared.clock);
        let opened = self.shared.pace.keep(opening).await?;
        self.connections[at] = Some(opened.connection);
        Ok(())
    }

    /// Closes its connections: whoever is no longer wanted leaves.
    pub(super) fn hang_up(&mut self) {
        self.connections.fill_with(|| None);
        self.branches.clear();
    }

    /// Pauses after an attempt that could not be sent, longer each time until one is. The closed
    /// model needs it: a refusal takes no time, and a VU would do nothing but collect refusals.
    pub(super) async fn rest(&self) {
        if let Some(doublings) = self.not_sent.checked_sub(1) {
            let pause = SHORTEST_REST * 2_u32.pow(doublings.min(7));
            tokio::time::sleep(pause.min(LONGEST_REST)).await;
        }
    }

    /// Whether no record was left for its user.
    pub(super) const fn is_nobody(&self) -> bool {
        !self.taken.is_known
    }

    fn endpoint(&self) -> usize {
        let turn = match &self.shared.plan.target {
            Target::Urls { by: By::Vu, .. } => self.index,
            _ => self.index + self.requests,
        };
        (turn % self.shared.endpoints.len() as u64) as usize
    }

    /// Performs the flow once. `intended_ns` is when it was due; `None` in the closed model, where
    /// it is due when it starts.
    pub(super) async fn iterate(&mut self, intended_ns: Option<u64>) -> OutcomeKind {
        let started_ns = self.shared.clock.now_ns();
        let intended_ns = intended_ns.unwrap_or(started_ns);
        let phase = self.shared.phase_at(intended_ns);
        let shared = Rc::clone(&self.shared);
        let flow = &shared.plan.flows[shared.plan.loads[shared.load].flow];
        let number = self.take_user(&flow.captured);
        shared
            .recorder
            .borrow_mut()
            .started(phase, started_ns.saturating_sub(intended_ns));
        self.turn.begin(phase, number, intended_ns);
        // Where it ends early is on record: in the attempt that was not sent, or the poll.
        let _ = self.perform(&shared, &flow.actions).await;
        self.iteration += 1;
        let ended_ns = self.turn.answered_ns;
        let ended_ns = ended_ns.unwrap_or_else(|| shared.clock.now_ns());
        shared
            .recorder
            .borrow_mut()
            .iterated(phase, ended_ns - started_ns);
        self.turn.subject
    }

    /// Takes the next user of the sequence if it is time for one, and renders the id. Somebody new
    /// knows nothing of what the one before has `captured`.
    fn take_user(&mut self, captured: &[u8]) -> u64 {
        let shared = &self.shared;
        let place = match (shared.plan.users.per, self.place) {
            (Per::Vu, Some(place)) if shared.only_phase.is_none() => place,
            // The drain phase asks as users who have certainly not asked before.
            _ if shared.only_phase.is_some() => {
                shared.users.sequence.place_of_new(shared.take_place())
            }
            _ => shared.take_place(),
        };
        if self.place != Some(place) {
            for slot in captured {
                self.slots[usize::from(*slot)] = None;
            }
            if let Some(cookies) = &mut self.cookies {
                **cookies = Cookies::default();
            }
            // A repeat is the same person: also an id that holds a UUID must come out the same.
            let original = shared.users.sequence.original(place);
            let taking = Taking {
                place: original,
                vu: self.index + 1,
                iteration: self.iteration,
                unix_s: shared.clock.unix_s(),
            };
            let (user, slots) = (&mut self.user, &mut self.slots);
            self.taken = shared.users.write(taking, user, slots);
        }
        self.place = Some(place);
        self.taken.number
    }

    /// The next pause: each of a VU's pauses has its own chance.
    pub(super) fn pause(&mut self, from: Duration, to: Duration) -> Duration {
        let number = self.turn.take_pause();
        let (plan, load) = (&self.shared.plan, self.shared.load);
        let share = share_of_pause(plan.seed, load, (self.index, self.iteration), number);
        from + to.saturating_sub(from).mul_f64(share)
    }

    /// Somebody who does a part of this iteration at the same time: the same user, with
    /// connections of its own.
    pub(super) fn branch(&self, branch: &mut Self) {
        branch.iteration = self.iteration;
        branch.place = self.place;
        branch.taken = self.taken;
        branch.user.clone_from(&self.user);
        branch.slots.clone_from(&self.slots);
        branch.turn.clone_from(&self.turn);
        branch.cookies.clone_from(&self.cookies);
    }

    /// Sends the request of this step once.
    pub(super) async fn request(&mut self, shared: &Shared, step: u8) -> Asked {
        let due_ns = self.turn.take_due();
        let released = due_ns.is_some() && shared.is_stampede();
        let due_ns = due_ns.unwrap_or_else(|| shared.clock.now_ns());
        let endpoint = self.endpoint();
        let compiled = &shared.steps[endpoint][usize::from(step)];
        let place = shared
            .users
            .sequence
            .original(self.place.unwrap_or_default());
        let turn = (self.turn.number, self.index + 1, self.iteration);
        let values = values(shared, place, turn, &self.user, &self.slots);
        let url = match &self.cookies {
            None => None,
            Some(_) => compiled.url(&shared.endpoints[endpoint], &values),
        };
        let cookies = match (&self.cookies, &url) {
            (Some(cookies), Some(url)) if compiled.takes_cookies() => cookies.header(url),
            _ => String::new(),
        };
        let request = if compiled.is_ready(&self.slots) && self.taken.is_known {
            let request = compiled.request(&values, &cookies, &mut self.scratch);
            request.ok_or(Cause::ValueUnfit)
        } else {
            Err(Cause::ValueMissing)
        };
        let user = Key::of(&self.user);
        // Without an answer only what was known before it is known.
        let about = About::of(&shared.plan, step, &values, false);
        if user.number().is_none() && (compiled.names_users() || about.is_some()) {
            shared.recorder.borrow_mut().name(user, &self.user);
        }
        self.requests += 1;
        let begun_ns = shared.clock.now_ns();
        let operation = Operation {
            user,
            coupon: Key::NONE,
            inv_ns: begun_ns,
            ret_ns: 0,
            lag_us: lag_us(due_ns, begun_ns),
            status: 0,
            kind: OutcomeKind::NotSent,
            label: OutcomeKind::NotSent as u8,
            step,
            cause: Cause::Cut,
            phase: self.turn.phase,
            vu: self.index as u32,
        };
        let mut attempt = Attempt {
            shared,
            slot: &mut self.connections[endpoint],
            answer: &mut self.answer,
            values: &self.slots,
            about,
            operation,
            parts: Parts::default(),
            due_ns,
            released,
            unconnected: None,
            begun: false,
            ended: false,
        };
        let answered = match request {
            Err(cause) => {
                attempt.end(cause);
                false
            }
            Ok(request) => {
                let limit = shared.clock.instant(begun_ns) + compiled.timeout;
                let exchange = attempt.exchange(&shared.endpoints[endpoint], request);
                match self.deadline.by(limit, exchange).await {
                    Some(Ok(())) => {
                        attempt.answered(compiled);
                        true
                    }
                    Some(Err(cause)) => {
                        attempt.end(cause);
                        false
                    }
                    None => {
                        attempt.end(Cause::Timeout);
                        false
                    }
                }
            }
        };
        let operation = attempt.operation;
        drop(attempt);
        if let (true, Some(cookies), Some(url)) = (answered, &mut self.cookies, &url) {
            cookies.keep(&self.answer, url);
        }
        if answered {
            self.keep(shared, compiled, &operation);
            self.told(shared, place, operation);
        } else {
            compiled.captures.clear(&mut self.slots);
        }
        self.note(compiled, &operation, answered)
    }

    /// Takes what the step captures out of the answer.
    fn keep(&mut self, shared: &Shared, compiled: &CompiledStep, operation: &Operation) {
        let (phase, step) = (self.turn.phase, operation.step);
        let measure = |metric: u8, text: &str| {
            let mut recorder = shared.recorder.borrow_mut();
            recorder.captured(phase, step, metric, text);
        };
        let slots = &mut self.slots;
        compiled.captures.fill(&self.answer, slots, measure);
        if let Some(places) = &compiled.places
            && let Some(place) = places.take(operation, slots)
        {
            shared.recorder.borrow_mut().place(place);
        }
    }

    /// Records what the answered attempt was about, with what its answer has brought.
    fn told(&self, shared: &Shared, place: u64, operation: Operation) {
        if !shared.plan.details.is_recorded(operation.step) {
            return;
        }
        let turn = (self.turn.number, self.index + 1, self.iteration);
        let values = values(shared, place, turn, &self.user, &self.slots);
        if let Some(about) = About::of(&shared.plan, operation.step, &values, true) {
            about.record(operation, &mut shared.recorder.borrow_mut());
        }
    }

    fn note(&mut self, step: &CompiledStep, operation: &Operation, answered: bool) -> Asked {
        let missing = operation.cause == Cause::ValueMissing;
        self.not_sent = match operation.kind {
            // The target is not to blame, and need not be left in peace.
            OutcomeKind::NotSent if !missing => self.not_sent.saturating_add(1),
            _ => 0,
        };
        if step.attempts_subject {
            self.turn.subject = operation.kind;
        }
        self.turn.answered(operation.step, operation.label);
        self.turn.answered_ns = answered.then_some(operation.ret_ns);
        let until = step.until.as_ref();
        Asked {
            label: operation.label,
            missing,
            awaited: answered && until.is_some_and(|until| until.is_match(&self.answer)),
        }
    }
}

/// Where between its two ends a pause is, 0 to 1: its chance follows from the VU, its iteration and
/// the number of the pause in it.
pub(super) fn share_of_pause(seed: u64, load: usize, turn: (u64, u64), number: u64) -> f64 {
    let (vu, iteration) = turn;
    let place = mix(number ^ ((load as u64) << 32));
    let chance = mix(seed ^ mix(place ^ vu ^ (iteration << 32)));
    (chance >> 11) as f64 / (1_u64 << 53) as f64
}

/// The text without the environment's values and without the secrets of a user with these values.
pub(super) fn hidden(plan: &Plan, slots: &[Option<String>], text: &str) -> String {
    let mut mask = plan.mask.clone();
    for (slot, value) in std::iter::zip(&plan.slots, slots) {
        if let (true, Some(value)) = (slot.secret, value) {
            mask.add(value, &format!("{{{{ {} }}}}", slot.name));
        }
    }
    mask.hide(text)
}

/// What templates are filled with. The turn is the user's number, the VU counted from 1, and its
/// iteration.
fn values<'a>(
    shared: &Shared,
    place: u64,
    (number, vu, iteration): (u64, u64, u64),
    user: &'a str,
    slots: &'a [Option<String>],
) -> Values<'a> {
    Values {
        user,
        number,
        vu,
        iteration,
        random: shared.users.random(place),
        slots,
    }
}

/// An attempt under way. Whatever ends it, also when its VU is cut, it is recorded exactly once.
struct Attempt<'a> {
    shared: &'a Shared,
    slot: &'a mut Option<Connection>,
    answer: &'a mut Answer,
    /// The VU's slots: an answer may repeat what it was asked with.
    values: &'a [Option<String>],
    /// What it is about as far as that is known before the answer; taken by whoever records it.
    about: Option<About>,
    operation: Operation,
    parts: Parts,
    due_ns: u64,
    /// It is the first one of a user of a stampede.
    released: bool,
    /// Whether its connection was not there when it began; `None`: it has not.
    unconnected: Option<bool>,
    /// Whether the connection's trace is about this attempt and not about the one before.
    begun: bool,
    ended: bool,
}

impl Attempt<'_> {
    async fn exchange(&mut self, endpoint: &Endpoint, request: Outgoing<'_>) -> Result<(), Cause> {
        let clock = self.shared.clock;
        self.answer.clear();
        let usable = match self.slot.as_mut() {
            Some(connection) => connection.is_usable().await,
            None => false,
        };
        self.unconnected = Some(!usable);
        if !usable {
            *self.slot = None;
            // Boxed: it is rare, and larger than all the rest of a VU.
            let opening = endpoint.connect(clock);
            let opened = Box::pin(self.shared.pace.keep(opening)).await;
            let opened = opened.map_err(|error| error.cause)?;
            self.parts.connected = Some((opened.connecting_ns, opened.handshaking_ns));
            *self.slot = Some(opened.connection);
        }
        let Some(connection) = self.slot.as_mut() else {
            return Err(Cause::ConnectFailed);
        };
        // Each look at the clock costs: where there was nothing to wait for, one serves.
        let sent_ns = if usable && connection.is_at_once() {
            self.operation.inv_ns
        } else {
            clock.now_ns()
        };
        connection.trace().begin(sent_ns);
        self.begun = true;
        self.parts.blocked = sent_ns - self.operation.inv_ns;
        self.operation.inv_ns = sent_ns;
        self.operation.lag_us = lag_us(self.due_ns, sent_ns);
        connection.send(request, self.answer).await
    }

    fn answered(&mut self, step: &CompiledStep) -> OutcomeKind {
        let whole_ns = self.slot.as_ref().and_then(Connection::whole_ns);
        self.operation.ret_ns = whole_ns.unwrap_or_else(|| self.shared.clock.now_ns());
        let class = step.classifier.classify(self.answer);
        self.operation.status = self.answer.status;
        self.operation.kind = class.kind;
        self.operation.label = class.label;
        self.operation.coupon = class.coupon;
        // The answer may say more: it is recorded when that is kept.
        self.about = None;
        self.record(class.cause)
    }

    /// Ends without an answer: unknown if anything was written, else not sent. The connection is
    /// not used again.
    fn end(&mut self, cause: Cause) -> OutcomeKind {
        self.operation.ret_ns = self.shared.clock.now_ns();
        let connection = self.slot.as_ref().filter(|_| self.begun);
        let sent = connection.is_some_and(|connection| connection.trace().sent() > 0);
        // Nothing was written because the time ran out while connecting.
        let cause = match (cause, sent) {
            (Cause::Timeout, false) => Cause::ConnectTimeout,
            (cause, _) => cause,
        };
        let kind = if sent {
            OutcomeKind::Unknown
        } else {
            OutcomeKind::NotSent
        };
        (self.operation.kind, self.operation.label) = (kind, kind as u8);
        self.answer.clear();
        let kind = self.record(cause);
        if self.begun {
            *self.slot = None;
        }
        kind
    }

    fn record(&mut self, cause: Cause) -> OutcomeKind {
        self.ended = true;
        self.operation.cause = cause;
        let mut recorder = self.shared.recorder.borrow_mut();
        if let Some(connection) = self.slot.as_ref().filter(|_| self.begun) {
            let trace = connection.trace();
            self.parts.exchange = trace.parts_ns();
            recorder.bytes(trace.sent(), trace.received());
        }
        if matches!(
            self.operation.kind,
            OutcomeKind::Unknown | OutcomeKind::NotSent
        ) {
            let shape = Shape {
                step: self.operation.step,
                cause,
                status: self.operation.status,
            };
            recorder.unknown(shape, self.answer.body(), |text| {
                hidden(&self.shared.plan, self.values, text)
            });
        }
        recorder.attempt(self.operation, self.parts);
        if let (true, Some(unconnected)) = (self.released, self.unconnected) {
            let wrote = self.operation.kind != OutcomeKind::NotSent;
            let after = self.operation.inv_ns.saturating_sub(self.due_ns);
            let phase = self.operation.phase;
            recorder.released(phase, wrote.then_some(after), unconnected);
        }
        if let Some(about) = self.about.take() {
            about.record(self.operation, &mut recorder);
        }
        self.operation.kind
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Cause::Cut);
        }
    }
}

const fn lag_us(due_ns: u64, begun_ns: u64) -> u32 {
    let lag = begun_ns.saturating_sub(due_ns) / 1_000;
    if lag > u32::MAX as u64 {
        u32::MAX
    } else {
        lag as u32
    }
}
