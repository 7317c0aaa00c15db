//! A history in which it was recorded what attempts were about: what the stories of seats and of
//! balances have in common.

use std::io;

use super::operation;
use crate::check::{Evidence, Finding, Observations, Settled, TableRead, TableReads, check};
use crate::history::History;
use crate::history::{Amount, Detail, Key, Operation, OutcomeKind};
use crate::plan::{Invariant, Plan};

/// What happened, and what was read from outside.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) plan: Plan,
    pub(super) details: Vec<Detail>,
    /// Attempts of which nothing more is known.
    pub(super) bare: Vec<Operation>,
    pub(super) observations: Observations,
    pub(super) gap: Option<String>,
}

impl History for Recorded {
    fn operations(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Operation>> + '_>> {
        let recorded = self.details.iter().map(|detail| detail.operation);
        Ok(Box::new(recorded.chain(self.bare.iter().copied()).map(Ok)))
    }

    fn details(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Detail>> + '_>> {
        Ok(Box::new(self.details.iter().copied().map(Ok)))
    }

    fn names(&self, _: &[Key]) -> io::Result<Vec<(Key, String)>> {
        Ok(Vec::new())
    }
}

impl Recorded {
    /// Nothing happened yet, and the system came to rest.
    pub(super) fn of(plan: Plan) -> Self {
        Self {
            plan,
            details: Vec::new(),
            bare: Vec::new(),
            observations: Observations {
                settled: Some(Settled::Quiet),
                ..Observations::default()
            },
            gap: None,
        }
    }

    pub(super) fn judge(&self, invariant: Invariant) -> Finding {
        let mut plan = self.plan.clone();
        plan.invariants = vec![invariant];
        let evidence = Evidence {
            plan: &plan,
            history: self,
            observations: &self.observations,
            faults: &[],
            gap: self.gap.as_deref(),
        };
        check(&evidence).expect("a readable history").remove(0)
    }
}

/// An attempt of this step about nothing yet.
pub(super) fn detail(step: u8, user: &str, kind: OutcomeKind, inv: u64, ret: u64) -> Detail {
    Detail {
        operation: Operation {
            step,
            ..operation(user, kind, inv, ret)
        },
        seat: Key::NONE,
        account: Key::NONE,
        key: Key::NONE,
        amount: None,
    }
}

pub(super) fn amount(text: &str) -> Option<Amount> {
    text.parse().ok()
}

/// Rows of `a:b:c`, of which the last may be missing.
pub(super) fn table<T: AsRef<str>>(rows: &[T]) -> TableRead {
    let cells = |row: &str| {
        let mut cells = row.split(':').map(str::to_owned);
        std::array::from_fn::<String, 3, _>(|_| cells.next().unwrap_or_default())
    };
    let rows: Vec<[String; 3]> = rows.iter().map(|row| cells(row.as_ref())).collect();
    let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
    TableRead {
        at_ns: 0,
        rows: rows.collect(),
    }
}

/// The table before the load, and at the end.
pub(super) fn both<T: AsRef<str>>(before: &[T], last: &[T]) -> TableReads {
    TableReads {
        before: Some(table(before)),
        last: Some(table(last)),
    }
}
