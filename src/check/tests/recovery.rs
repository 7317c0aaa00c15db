//! Whether all was as before again behind each fault.

use std::time::Duration;

use super::{Story, has_part, part, verdict_of};
use crate::check::{After, Broken, Finding};
use crate::history::OutcomeKind::Issued;
use crate::plan::Invariant;
use crate::verdict::Verdict::{self, Fail, Pass, Unknown};

const MS: u64 = 1_000_000;

/// Faults that were active from 10 to 20 ms each, and what was seen behind them.
fn judged(within_ms: Option<u64>, after: &[After]) -> Finding {
    let mut story = Story::of_stock(3)
        .told("ann", Issued, 0, 10)
        .finally(&["ann"]);
    let fault = |(number, after): (usize, &After)| Broken {
        fault: format!("fault-{number}"),
        from_ns: 10 * MS,
        to_ns: 20 * MS,
        after: after.clone(),
    };
    story.faults = after.iter().enumerate().map(fault).collect();
    story.finding(Invariant::Recovery(within_ms.map(Duration::from_millis)))
}

fn recovered(after_ms: u64) -> After {
    After::Recovered {
        at_ns: (20 + after_ms) * MS,
    }
}

fn still_bad(bad_ms: u64) -> After {
    After::StillBad {
        bad_ns: bad_ms * MS,
        why: "not enough good windows".to_owned(),
    }
}

fn not_seen() -> After {
    After::NotSeen {
        why: "was not healed".to_owned(),
    }
}

#[test]
fn each_fault_must_be_recovered_from_in_time() {
    let cases: [(Option<u64>, &[After], Verdict); 11] = [
        (None, &[recovered(5), recovered(900)], Pass),
        (Some(900), &[recovered(5), recovered(900)], Pass),
        (Some(899), &[recovered(5), recovered(900)], Fail),
        // Within the run it was not.
        (None, &[recovered(5), still_bad(1)], Fail),
        // The load ended before the time that is allowed was over.
        (Some(10), &[still_bad(10)], Unknown),
        (Some(10), &[still_bad(11)], Fail),
        (None, &[not_seen()], Unknown),
        (Some(10), &[not_seen(), recovered(1)], Unknown),
        // What is proved is not made less certain by what is not known.
        (Some(10), &[not_seen(), recovered(11)], Fail),
        (None, &[], Unknown),
        (Some(10), &[], Unknown),
    ];
    for (within, after, expected) in cases {
        let finding = judged(within, after);
        assert_eq!(
            finding.verdict, expected,
            "{within:?} {after:?}: {finding:#?}"
        );
    }
}

#[test]
fn the_slowest_is_named_with_its_times() {
    let finding = judged(Some(100), &[recovered(200), recovered(50), recovered(300)]);
    assert_eq!(verdict_of(&finding, "not_recovered"), (Fail, 2));
    let cases = &part(&finding, "not_recovered").cases;
    let worst = cases.iter().find(|case| case.text.contains("fault-2"));
    let worst = worst.unwrap_or_else(|| panic!("{cases:#?}"));
    assert_eq!((worst.inv_ns, worst.ret_ns), (Some(10 * MS), Some(20 * MS)));
    assert!(
        worst.text.ends_with("100.000 ms are allowed"),
        "{}",
        worst.text
    );
    assert_eq!(verdict_of(&finding, "recovered"), (Pass, 3));
}

#[test]
fn a_run_without_a_fault_shows_no_recovery() {
    let finding = judged(None, &[]);
    assert!(has_part(&finding, "vacuous") && !has_part(&finding, "not_recovered"));
}
