//! Histories in words, so that a test of a checker reads as a story.

mod acknowledged;
mod balances;
mod balances_properties;
mod bounds;
mod definitions;
mod delivery;
mod delivery_properties;
mod explain;
mod fairness;
mod first_come_first_served;
mod one_per_user;
mod order_properties;
mod properties;
mod queue;
mod queue_mutations;
mod queue_properties;
mod recorded;
mod recovery;
mod releases;
mod releases_properties;
mod seats;
mod seats_properties;
mod stock;

use std::time::Duration;

use super::{
    After, Broken, Evidence, Finding, IssuedRead, IssuedRow, Observations, Part, Reading, RowView,
    Settled, check,
};
use crate::history::{Cause, Key, Operation, OutcomeKind};
use crate::plan::{
    Body, By, Invariant, Label, Phase, Plan, Settle, Step, Subject, Target, Template, Truth, Users,
};
use crate::verdict::Verdict;

/// What happened, and what was read from outside.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) plan: Plan,
    pub(super) history: Vec<Operation>,
    pub(super) observations: Observations,
    pub(super) faults: Vec<Broken>,
    pub(super) gap: Option<String>,
}

impl Story {
    /// Nothing happened yet to a stock of this size; the store was empty before.
    pub(super) fn of_stock(stock: u64) -> Self {
        Self {
            plan: plan(stock),
            history: Vec::new(),
            observations: Observations {
                baseline: Some(IssuedRead::default()),
                settled: Some(Settled::Quiet),
                ..Observations::default()
            },
            faults: Vec::new(),
            gap: None,
        }
    }

    /// A fault that was active from one time to the other.
    pub(super) fn broken(mut self, fault: &str, from_ns: u64, to_ns: u64) -> Self {
        let fault = fault.to_owned();
        self.faults.push(Broken {
            fault,
            from_ns,
            to_ns,
            after: After::Recovered { at_ns: to_ns },
        });
        self
    }

    /// A user's attempt in the closed interval from `inv` to `ret`.
    pub(super) fn told(mut self, user: &str, kind: OutcomeKind, inv: u64, ret: u64) -> Self {
        self.history.push(operation(user, kind, inv, ret));
        self
    }

    /// An attempt whose answer names a coupon.
    pub(super) fn issued(mut self, user: &str, coupon: &str, inv: u64, ret: u64) -> Self {
        let mut operation = operation(user, OutcomeKind::Issued, inv, ret);
        operation.coupon = Key::of(coupon);
        self.history.push(operation);
        self
    }

    /// The rows before the load, each `user` or `user:coupon`.
    pub(super) fn before(mut self, rows: &[&str]) -> Self {
        self.observations.baseline = Some(read(rows));
        self
    }

    /// The final read.
    pub(super) fn finally(mut self, rows: &[&str]) -> Self {
        self.observations.last = Some(read(rows));
        self
    }

    /// The read some seconds later.
    pub(super) fn later(mut self, rows: &[&str]) -> Self {
        self.observations.second = Some(read(rows));
        self
    }

    /// The system never became quiet.
    pub(super) fn restless(mut self) -> Self {
        self.observations.settled = Some(Settled::Moving(None));
        self
    }

    /// The rows rested, but this still waited to be written.
    pub(super) fn stuck(mut self, waiting: &str) -> Self {
        self.observations.settled = Some(Settled::Stuck(waiting.to_owned()));
        self
    }

    /// The remaining stock as read during the run.
    pub(super) fn reading(mut self, value: i64, inv: u64, ret: u64) -> Self {
        self.observations.remaining.push(Reading {
            inv_ns: inv,
            ret_ns: ret,
            value,
        });
        self
    }

    pub(super) fn finding(&self, invariant: Invariant) -> Finding {
        let mut plan = self.plan.clone();
        plan.invariants = vec![invariant];
        let evidence = Evidence {
            plan: &plan,
            history: &self.history,
            observations: &self.observations,
            faults: &self.faults,
            gap: self.gap.as_deref(),
        };
        check(&evidence).expect("a readable history").remove(0)
    }

    /// Of all that a sale without events can be judged by.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let all = Invariant::ALL.into_iter();
        let of_rows = |one: &Invariant| {
            !matches!(
                one,
                Invariant::Delivery(_)
                    | Invariant::Queue
                    | Invariant::Recovery(_)
                    | Invariant::Seats
                    | Invariant::Balances
            )
        };
        let judged = all.filter(of_rows);
        judged.map(|one| self.finding(one)).collect()
    }
}

/// The part with this name; a missing one is a mistake in the test's expectation.
pub(super) fn part<'f>(finding: &'f Finding, name: &str) -> &'f Part {
    let found = finding.parts.iter().find(|part| part.name == name);
    found.unwrap_or_else(|| panic!("no part {name} in {finding:#?}"))
}

pub(super) fn verdict_of(finding: &Finding, name: &str) -> (Verdict, u64) {
    let part = part(finding, name);
    (part.verdict, part.count)
}

pub(super) fn has_part(finding: &Finding, name: &str) -> bool {
    finding.parts.iter().any(|part| part.name == name)
}

pub(super) fn operation(user: &str, kind: OutcomeKind, inv_ns: u64, ret_ns: u64) -> Operation {
    Operation {
        user: Key::of(user),
        coupon: Key::NONE,
        inv_ns,
        ret_ns,
        lag_us: 0,
        status: 0,
        kind,
        label: kind as u8,
        step: 1,
        cause: Cause::None,
        phase: 0,
        vu: 0,
    }
}

pub(super) fn read(rows: &[&str]) -> IssuedRead {
    let row = |text: &&str| {
        let (user, id) = text
            .split_once(':')
            .map_or((*text, None), |(user, id)| (user, Some(id)));
        IssuedRow {
            user: user.to_owned(),
            id: id.map(str::to_owned),
            created_us: None,
            grain_us: None,
        }
    };
    IssuedRead {
        at_ns: 0,
        rows: rows.iter().map(row).collect(),
    }
}

/// Changes the rows of a read.
pub(super) fn change(read: &mut IssuedRead, change: impl FnOnce(&mut Vec<IssuedRow>)) {
    let row = |row: RowView<'_>| IssuedRow {
        user: row.user.to_owned(),
        id: row.id.map(str::to_owned),
        created_us: row.created_us,
        grain_us: row.grain_us,
    };
    let mut rows: Vec<IssuedRow> = read.rows.iter().map(row).collect();
    change(&mut rows);
    read.rows = rows.into();
}

/// Step 0 only looks; step 1 attempts.
pub(super) fn plan(stock: u64) -> Plan {
    let phase = |name: &str, load| Phase {
        name: name.to_owned(),
        load,
        from: Duration::ZERO,
        to: Duration::from_secs(1),
    };
    Plan {
        name: "test".to_owned(),
        profile: None,
        about: None,
        seed: 1,
        engine: crate::plan::EngineKind::Native,
        segment: crate::plan::Segment::WHOLE,
        target: Target::Urls {
            urls: Vec::new(),
            ready: None,
            http2: false,
            by: By::Turn,
            ca: None,
            parts: Vec::new(),
        },
        subject: Some(Subject {
            coupon: "1".to_owned(),
            stock,
            lease: None,
        }),
        users: Users::numbered(stock + 1),
        slots: Vec::new(),
        setup: crate::plan::Setup::default(),
        loads: Vec::new(),
        phases: vec![phase("rush", Some(0)), phase("drain", None)],
        flows: Vec::new(),
        steps: vec![step("look", false), step("claim", true)],
        labels: Label::built_in(),
        metrics: Vec::new(),
        resources: Vec::new(),
        alerts: None,
        outputs: crate::plan::Outputs::default(),
        faults: Vec::new(),
        truth: Some(Truth {
            issued: None,
            stock: None,
            remaining: None,
            delivery: crate::plan::Delivery::default(),
            tables: Box::default(),
            settle: Settle {
                quiet: Duration::from_secs(1),
                within: Duration::from_secs(2),
            },
            pending: Vec::new(),
            drain: true,
        }),
        details: Box::default(),
        invariants: Invariant::ALL.to_vec(),
        queue: None,
        thresholds: Vec::new(),
        warnings: Vec::new(),
        mask: crate::plan::Mask::default(),
    }
}

pub(super) fn step(name: &str, attempts_subject: bool) -> Step {
    Step {
        name: name.to_owned(),
        method: "POST".to_owned(),
        path: Template::literal("/"),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        timeout: Duration::from_secs(1),
        rules: Vec::new(),
        captures: Vec::new(),
        poll: None,
        attempts_subject,
    }
}
