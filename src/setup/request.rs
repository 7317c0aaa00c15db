//! Requests to the target; for many users, over several connections at once.

use std::cell::Cell;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use super::{Done, Work, quoted};
use crate::history::Cause;
use crate::load::http::{Answer, Connection, Endpoint};
use crate::load::{CompiledStep, RunClock, Scratch};
use crate::plan::{StatusMatch, Step, Values};

/// Connections that ask for many users at the same time.
const CONNECTIONS: u64 = 16;

pub(super) async fn run(
    work: &Work<'_>,
    step: &Step,
    expect: &[StatusMatch],
) -> Result<Done, String> {
    let compile = |endpoint| CompiledStep::new(step, &[], endpoint);
    let compiled: Result<Vec<_>, _> = work.site.endpoints.iter().map(compile).collect();
    let compiled = compiled.map_err(|error| error.to_string())?;
    let client = |at: u64| {
        let at = (at % compiled.len() as u64) as usize;
        Client {
            step: &compiled[at],
            endpoint: &work.site.endpoints[at],
            clock: work.site.clock,
            expect,
            connection: None,
            scratch: Scratch::default(),
            answer: Answer::default(),
        }
    };
    let Some(crowd) = &work.crowd else {
        let mut client = client(0);
        client.ask(&work.once()).await?;
        return Ok(Done {
            rows: 1,
            captured: captured(step, client.step, &client.answer)?,
        });
    };
    let (next, done) = (Cell::new(0), Cell::new(0));
    let ask = |at: u64| {
        let mut client = client(at);
        let (next, done) = (&next, &done);
        async move {
            while next.get() < crowd.count() {
                let place = next.replace(next.get() + 1);
                let member = crowd.member(place);
                client.ask(&member.values()).await?;
                done.set(done.get() + 1);
                (work.progress)(done.get());
            }
            Ok::<_, String>(())
        }
    };
    try_join_all((0..CONNECTIONS.min(crowd.count())).map(ask)).await?;
    Ok(Done {
        rows: done.get(),
        captured: Vec::new(),
    })
}

/// One connection, and the request that goes over it.
struct Client<'a> {
    step: &'a CompiledStep,
    endpoint: &'a Endpoint,
    clock: RunClock,
    expect: &'a [StatusMatch],
    connection: Option<Connection>,
    scratch: Scratch,
    answer: Answer,
}

impl Client<'_> {
    /// Asks once; any answer that is not expected is an error.
    async fn ask(&mut self, values: &Values<'_>) -> Result<(), String> {
        let limit = self.step.timeout;
        let asked = tokio::time::timeout_at(Instant::now() + limit, self.exchange(values)).await;
        match asked {
            Err(_) => return Err(format!("no answer within {limit:?}")),
            Ok(Err(cause)) => return Err(cause.words().to_owned()),
            Ok(Ok(())) => {}
        }
        let status = self.answer.status;
        if self.expect.iter().any(|expected| expected.matches(status)) {
            return Ok(());
        }
        let body = quoted(&String::from_utf8_lossy(self.answer.body()));
        let said = if body.is_empty() {
            String::new()
        } else {
            format!(": {body}")
        };
        let expected: Vec<String> = self.expect.iter().map(ToString::to_string).collect();
        let expected = expected.join(" or ");
        Err(format!(
            "it was answered {status} instead of {expected}{said}"
        ))
    }

    async fn exchange(&mut self, values: &Values<'_>) -> Result<(), Cause> {
        self.answer.clear();
        let usable = match self.connection.as_mut() {
            Some(connection) => connection.is_usable().await,
            None => false,
        };
        // Taken out, so that a connection in an unknown state is never used again.
        let connection = self.connection.take().filter(|_| usable);
        let mut connection = if let Some(connection) = connection {
            connection
        } else {
            let opened = self.endpoint.connect(self.clock).await;
            opened.map_err(|error| error.cause)?.connection
        };
        let request = self.step.request(values, "", &mut self.scratch);
        let request = request.ok_or(Cause::ValueUnfit)?;
        connection.trace().begin(self.clock.now_ns());
        connection.send(request, &mut self.answer).await?;
        self.connection = Some(connection);
        Ok(())
    }
}

/// The values of the step's captures; what the answer does not have is an error.
fn captured(step: &Step, compiled: &CompiledStep, answer: &Answer) -> Result<Vec<String>, String> {
    let most = step.captures.iter().map(|capture| capture.slot).max();
    let mut slots = vec![None; most.map_or(0, |most| usize::from(most) + 1)];
    compiled.captures.fill(answer, &mut slots, |_, _| {});
    let captured = step.captures.iter().map(|capture| {
        let value = slots[usize::from(capture.slot)].take();
        value.ok_or_else(|| format!("the answer has nothing at {}", capture.from))
    });
    captured.collect()
}
