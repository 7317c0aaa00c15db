//! A user of Goose as one of our VUs: who it is, and one iteration of its flow over Goose's client.
//!
//! It does what [`crate::load::vu::Vu`] does, as far as plans for Goose ask for it, on tasks that may
//! move between threads.

use std::time::Duration;

use goose::goose::{GooseRequest, GooseUser, TransactionError};
use http_body_util::{BodyExt as _, Collected};
use tokio::time::sleep;

use super::Shared;
use super::client;
use crate::history::{Cause, Key, Operation, OutcomeKind};
use crate::load::batch::Shape;
use crate::load::http::{Answer, Message, Outgoing};
use crate::load::identity::Taking;
use crate::load::request::{CompiledStep, Scratch};
use crate::load::vu::{hidden, share_of_pause};
use crate::plan::{Action, By, Per, SlotValues, Target, Values};

/// The first pause of a VU whose attempt could not be sent; it doubles up to the longest.
const SHORTEST_REST: Duration = Duration::from_millis(1);
const LONGEST_REST: Duration = Duration::from_millis(100);

/// A virtual user.
#[derive(Debug)]
pub(super) struct User {
    /// Counted from 0.
    pub(super) index: u64,
    iteration: u64,
    requests: u64,
    place: Option<u64>,
    /// The user's number.
    number: u64,
    name: String,
    slots: SlotValues,
    scratch: Scratch,
    answer: Answer,
    /// Attempts in a row that could not be sent.
    not_sent: u32,
}

/// Whether the iteration goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Yes,
    /// It was not sent, since a value that it needs was not there.
    Missing,
}

impl User {
    pub(super) fn new(shared: &Shared, index: u64) -> Self {
        Self {
            index,
            iteration: 0,
            requests: 0,
            place: None,
            number: 0,
            name: String::new(),
            slots: shared.job.slots.to_vec(),
            scratch: Scratch::default(),
            answer: Answer::default(),
            not_sent: 0,
        }
    }

    /// Performs the flow once.
    pub(super) async fn iterate(&mut self, shared: &Shared, goose: &mut GooseUser) {
        let plan = &shared.job.plan;
        let started_ns = shared.job.clock.now_ns();
        let phase = shared.phase_at(started_ns);
        let flow = &plan.flows[plan.loads[super::LOAD].flow];
        self.take_user(shared, &flow.captured);
        shared.recorder().started(phase, 0);
        let (mut due_ns, mut pauses) = (Some(started_ns), 0);
        for action in &flow.actions {
            match action {
                Action::Request(step) => {
                    let asked = self.request(shared, goose, phase, *step, due_ns.take());
                    if asked.await == Asked::Missing {
                        break;
                    }
                }
                Action::Think(from, to) => {
                    due_ns = None;
                    let turn = (self.index, self.iteration);
                    let share = share_of_pause(plan.seed, super::LOAD, turn, pauses);
                    pauses += 1;
                    sleep(*from + to.saturating_sub(*from).mul_f64(share)).await;
                }
                // Planning has refused them.
                Action::When(_) | Action::Each(_) | Action::Parallel(_) => {}
            }
        }
        self.iteration += 1;
        let ended_ns = shared.job.clock.now_ns();
        shared.recorder().iterated(phase, ended_ns - started_ns);
    }

    /// Pauses after an attempt that could not be sent, as every closed model does here.
    pub(super) async fn rest(&self) {
        if let Some(doublings) = self.not_sent.checked_sub(1) {
            let pause = SHORTEST_REST * 2_u32.pow(doublings.min(7));
            sleep(pause.min(LONGEST_REST)).await;
        }
    }

    /// Takes the next user of the sequence if it is time for one. Somebody new knows nothing of what
    /// the one before has `captured`.
    fn take_user(&mut self, shared: &Shared, captured: &[u8]) {
        let plan = &shared.job.plan;
        let place = match (plan.users.per, self.place) {
            (Per::Vu, Some(place)) => place,
            _ => shared.take_place(),
        };
        self.number = shared.users.sequence.number(place);
        if self.place != Some(place) {
            for slot in captured {
                self.slots[usize::from(*slot)] = None;
            }
            let taking = Taking {
                place: shared.users.sequence.original(place),
                vu: self.index + 1,
                iteration: self.iteration,
                unix_s: shared.job.clock.unix_s(),
            };
            // There are no records, of which one could be missing.
            let _ = shared.users.write(taking, &mut self.name, &mut self.slots);
        }
        self.place = Some(place);
    }

    fn endpoint(&self, shared: &Shared) -> usize {
        let turn = match &shared.job.plan.target {
            Target::Urls { by: By::Vu, .. } => self.index,
            _ => self.index + self.requests,
        };
        (turn % shared.job.endpoints.len() as u64) as usize
    }

    /// Sends the request of this step once.
    async fn request(
        &mut self,
        shared: &Shared,
        goose: &mut GooseUser,
        phase: u16,
        step: u8,
        due_ns: Option<u64>,
    ) -> Asked {
        let endpoint = self.endpoint(shared);
        let compiled = &shared.steps[endpoint][usize::from(step)];
        let request = self.rendered(shared, compiled);
        let user = Key::of(&self.name);
        if user.number().is_none() && compiled.names_users() {
            shared.recorder().name(user, &self.name);
        }
        self.requests += 1;
        let begun_ns = shared.job.clock.now_ns();
        let due_ns = due_ns.unwrap_or(begun_ns);
        let operation = Operation {
            user,
            coupon: Key::NONE,
            inv_ns: begun_ns,
            ret_ns: 0,
            lag_us: (begun_ns.saturating_sub(due_ns) / 1_000).min(u64::from(u32::MAX)) as u32,
            status: 0,
            // Until it is known better: whoever is cut may have been sent.
            kind: OutcomeKind::Unknown,
            label: OutcomeKind::Unknown as u8,
            step,
            cause: Cause::Cut,
            phase,
            vu: self.index as u32,
        };
        self.answer.clear();
        let mut attempt = Attempt {
            shared,
            slots: &self.slots,
            answer: &mut self.answer,
            operation,
            head_ns: None,
            sent: 0,
            ended: false,
        };
        let base = &shared.bases[endpoint];
        let exchanged = match request {
            Err(cause) => Err((OutcomeKind::NotSent, cause)),
            Ok(request) => attempt.exchange(goose, base, request, compiled).await,
        };
        match exchanged {
            Ok(()) => attempt.answered(compiled),
            Err((kind, cause)) => attempt.end(kind, cause),
        }
        let operation = attempt.operation;
        drop(attempt);
        if exchanged.is_ok() {
            let measure = |metric: u8, text: &str| {
                shared.recorder().captured(phase, step, metric, text);
            };
            compiled
                .captures
                .fill(&self.answer, &mut self.slots, measure);
        } else {
            compiled.captures.clear(&mut self.slots);
        }
        let missing = operation.cause == Cause::ValueMissing;
        self.not_sent = match operation.kind {
            // The target is not to blame, and need not be left in peace.
            OutcomeKind::NotSent if !missing => self.not_sent.saturating_add(1),
            _ => 0,
        };
        if missing { Asked::Missing } else { Asked::Yes }
    }

    fn rendered(&mut self, shared: &Shared, compiled: &CompiledStep) -> Result<Message, Cause> {
        if !compiled.is_ready(&self.slots) {
            return Err(Cause::ValueMissing);
        }
        let sequence = &shared.users.sequence;
        let place = sequence.original(self.place.unwrap_or_default());
        let values = Values {
            user: &self.name,
            number: self.number,
            vu: self.index + 1,
            iteration: self.iteration,
            random: shared.users.random(place),
            slots: &self.slots,
        };
        match compiled.request(&values, "", &mut self.scratch) {
            Some(Outgoing::Message(message)) => Ok(*message),
            _ => Err(Cause::ValueUnfit),
        }
    }
}

/// An attempt under way. Whatever ends it, also when its user is cut, it is recorded exactly once.
struct Attempt<'a> {
    shared: &'a Shared,
    /// An answer may repeat what it was asked with.
    slots: &'a [Option<String>],
    answer: &'a mut Answer,
    operation: Operation,
    /// When the head of the answer was there.
    head_ns: Option<u64>,
    sent: u64,
    ended: bool,
}

impl Attempt<'_> {
    async fn exchange(
        &mut self,
        goose: &mut GooseUser,
        base: &str,
        message: Message,
        compiled: &CompiledStep,
    ) -> Result<(), (OutcomeKind, Cause)> {
        let unfit = (OutcomeKind::NotSent, Cause::ValueUnfit);
        let (head, body) = message.into_parts();
        let body = body.collect().await.map(Collected::to_bytes);
        let body = body.unwrap_or_default();
        let url = format!("{base}{}", head.uri);
        let request = goose
            .client
            .request(head.method.clone(), url)
            .headers(head.headers.clone())
            .timeout(compiled.timeout);
        let length = body.len();
        let request = if length == 0 {
            request
        } else {
            request.body(body)
        };
        let message = Message::from_parts(head, http_body_util::Full::default());
        self.sent = client::bytes_sent(&message, length);
        self.operation.inv_ns = self.shared.job.clock.now_ns();
        let request = GooseRequest::builder().set_request_builder(request);
        let response = match goose.request(request.build()).await {
            Ok(answered) => answered.response,
            Err(error) => {
                return Err(match *error {
                    TransactionError::Reqwest(error) => client::failed(&error),
                    // Goose has not got as far as its client.
                    _ => unfit,
                });
            }
        };
        let response = response.map_err(|error| client::failed(&error))?;
        self.head_ns = Some(self.shared.job.clock.now_ns());
        let read = client::read(response, self.answer).await;
        read.map_err(|error| {
            let (_, cause) = client::failed(&error);
            (OutcomeKind::Unknown, cause)
        })
    }

    fn answered(&mut self, compiled: &CompiledStep) {
        self.operation.ret_ns = self.shared.job.clock.now_ns();
        let class = compiled.classifier.classify(self.answer);
        self.operation.status = self.answer.status;
        self.operation.kind = class.kind;
        self.operation.label = class.label;
        self.operation.coupon = class.coupon;
        self.record(class.cause);
    }

    /// Ends without a whole answer.
    fn end(&mut self, kind: OutcomeKind, cause: Cause) {
        self.operation.ret_ns = self.shared.job.clock.now_ns();
        (self.operation.kind, self.operation.label) = (kind, kind as u8);
        self.answer.clear();
        self.record(cause);
    }

    fn record(&mut self, cause: Cause) {
        self.ended = true;
        self.operation.cause = cause;
        let operation = self.operation;
        let mut recorder = self.shared.recorder();
        if operation.kind != OutcomeKind::NotSent {
            let received = match operation.status {
                0 => 0,
                _ => client::bytes_received(self.answer),
            };
            recorder.bytes(self.sent, received);
        }
        if matches!(operation.kind, OutcomeKind::Unknown | OutcomeKind::NotSent) {
            let shape = Shape {
                step: operation.step,
                cause,
                status: operation.status,
            };
            let plan = &self.shared.job.plan;
            recorder.unknown(shape, self.answer.body(), |text| {
                hidden(plan, self.slots, text)
            });
        }
        let answer = self.head_ns.map(|head_ns| {
            (
                head_ns.saturating_sub(operation.inv_ns),
                operation.ret_ns.saturating_sub(head_ns),
            )
        });
        recorder.attempt_from_outside(operation, answer);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(OutcomeKind::Unknown, Cause::Cut);
        }
    }
}
