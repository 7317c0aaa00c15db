//! Memory that does not grow with refusals, and names looked up once.

use std::cell::Cell;
use std::io;

use super::{operation, plan, read};
use crate::check::digest::Digest;
use crate::check::{Evidence, IssuedRead, Observations, Settled, check};
use crate::history::History;
use crate::history::{Key, Operation, OutcomeKind};
use crate::verdict::Verdict;

/// One winner, then so many users who are told that it is sold out, made up while they are read.
struct Crowd {
    refused: u64,
    passes: Cell<u32>,
    lookups: Cell<u32>,
    /// When the winner asked.
    won_ns: u64,
}

impl Crowd {
    fn of(refused: u64, won_ns: u64) -> Self {
        Self {
            refused,
            passes: Cell::new(0),
            lookups: Cell::new(0),
            won_ns,
        }
    }
}

impl History for Crowd {
    fn operations(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Operation>> + '_>> {
        self.passes.set(self.passes.get() + 1);
        let won = operation("winner", OutcomeKind::Issued, self.won_ns, self.won_ns + 5);
        let refused = (0..self.refused).map(|number| {
            let mut one = operation("", OutcomeKind::SoldOut, 100 + number, 200 + number);
            one.user = Key(number);
            one
        });
        Ok(Box::new(std::iter::once(won).chain(refused).map(Ok)))
    }

    fn names(&self, keys: &[Key]) -> io::Result<Vec<(Key, String)>> {
        self.lookups.set(self.lookups.get() + 1);
        let names = keys.iter().map(|key| (*key, "somebody".to_owned()));
        Ok(names.collect())
    }
}

fn observed(rows: &[&str]) -> Observations {
    Observations {
        baseline: Some(IssuedRead::default()),
        last: Some(read(rows)),
        settled: Some(Settled::Quiet),
        ..Observations::default()
    }
}

#[test]
fn two_million_sold_out_answers_leave_no_trace() {
    let plan = plan(1);
    let observations = observed(&["winner"]);
    let history = Crowd::of(2_000_000, 0);
    let evidence = Evidence {
        plan: &plan,
        history: &history,
        observations: &observations,
        faults: &[],
        gap: None,
    };
    let digest = Digest::build(&evidence).expect("readable");
    assert_eq!(digest.sold_out.count, 2_000_000);
    let kept = digest.users.len() + digest.confirmed.len() + digest.takes_ns.len();
    assert_eq!(kept, 2, "the winner and the confirmation");
    assert_eq!(
        history.passes.get(),
        1,
        "no second pass where none can be early"
    );
}

#[test]
fn a_second_pass_finds_the_early_ones_and_keeps_three() {
    let plan = plan(1);
    let observations = observed(&["winner"]);
    let history = Crowd::of(1_000, 700);
    let evidence = Evidence {
        plan: &plan,
        history: &history,
        observations: &observations,
        faults: &[],
        gap: None,
    };
    let digest = Digest::build(&evidence).expect("readable");
    assert_eq!(
        digest.premature.count, 500,
        "those that returned before 700"
    );
    assert_eq!(digest.users.len(), 1);
    assert_eq!(history.passes.get(), 2);
}

#[test]
fn names_are_looked_up_once_and_only_if_rows_do_not_tell() {
    let plan = plan(1);
    let history = Crowd::of(1, 0);
    let observations = observed(&[]);
    let evidence = Evidence {
        plan: &plan,
        history: &history,
        observations: &observations,
        faults: &[],
        gap: None,
    };
    let findings = check(&evidence).expect("readable");
    assert_eq!(history.lookups.get(), 1);
    let lost = findings[2].parts.iter().find(|part| part.name == "lost");
    assert_eq!(
        lost.map(|part| part.cases[0].user.as_str()),
        Some("somebody")
    );
    assert_eq!(findings[2].verdict, Verdict::Fail);
}

#[test]
fn a_history_that_cannot_be_read_is_an_error_and_never_a_pass() {
    struct Torn;
    impl History for Torn {
        fn operations(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<Operation>> + '_>> {
            Ok(Box::new(std::iter::once(Err(io::Error::other("torn")))))
        }
        fn names(&self, _: &[Key]) -> io::Result<Vec<(Key, String)>> {
            Ok(Vec::new())
        }
    }
    let plan = plan(1);
    let observations = observed(&[]);
    let evidence = Evidence {
        plan: &plan,
        history: &Torn,
        observations: &observations,
        faults: &[],
        gap: None,
    };
    assert!(check(&evidence).is_err());
}
