//! What faults do to a verdict, told by what is known of them.

use std::time::Duration;

use super::*;
use crate::plan::fault::{Injection, Party, Trigger, Victim, Which};
use crate::plan::{Overrides, load};

const SCENARIO: &str = "
name: faults
target: { url: \"http://127.0.0.1:3000\" }
load: { rush: { constant_vus: { vus: 1, for: 30s } } }
flows: { issue: [{ post: /issue, outcomes: { issued: 201 } }] }
";

/// A plan with one fault that happens so often.
fn plan(times: u32) -> Plan {
    let overrides = Overrides::default();
    let mut plan = load("faults.yaml", SCENARIO, &overrides, &|_| None).expect("a plan");
    plan.faults = vec![Fault {
        name: "down".to_owned(),
        victim: Victim {
            party: Party::Client,
            which: Which::All,
        },
        injection: Injection::Freeze,
        trigger: Trigger::At(Duration::from_secs(5)),
        lasts: Duration::from_secs(5),
        times,
        every: Duration::from_secs(10),
    }];
    plan
}

fn good() -> Occurrence {
    Occurrence {
        number: 1,
        victims: vec!["redis-1".to_owned()],
        asked_ns: Some(1),
        applied_ns: Some(2),
        effect_seen: Some((3, "no answer".to_owned())),
        healing_ns: Some(4),
        healed_ns: Some(5),
        ..Occurrence::default()
    }
}

const ENDED: End = End {
    ended: true,
    interrupted: Interrupted::No,
    lost: Some(0),
    failure: None,
};

fn judged(occurrences: &[Occurrence], end: &End) -> FaultDoubts {
    fault_doubts(&plan(1), &occurrences.iter(), end)
}

#[test]
fn a_fault_that_bit_and_was_healed_leaves_no_doubt() {
    assert_eq!(judged(&[good()], &ENDED), FaultDoubts::default());
}

#[test]
fn each_way_to_prove_nothing_is_named() {
    let some = |text: &str| Some(text.to_owned());
    for (occurrence, doubt) in [
        (
            Occurrence {
                effect_not_seen: some("PING was answered"),
                ..good()
            },
            "the fault `down` was injected, but never seen to bite: PING was answered",
        ),
        (
            Occurrence {
                effect_seen: None,
                ..good()
            },
            "the fault `down` was injected, and nothing says that it was seen to bite",
        ),
        (
            Occurrence {
                applied_ns: None,
                effect_seen: None,
                not_applied: some("no such process"),
                ..good()
            },
            "the fault `down` could not be injected: no such process",
        ),
        (
            Occurrence {
                applied_ns: None,
                effect_seen: None,
                healed_ns: None,
                ..good()
            },
            "the fault `down` was due, and nothing says that it was injected",
        ),
        (
            Occurrence {
                number: 1,
                never_due: true,
                ..Occurrence::default()
            },
            "the fault `down` was never injected: the load ended before it was due",
        ),
    ] {
        let found = judged(&[occurrence], &ENDED);
        assert_eq!(
            (found.doubts, found.not_healed),
            (vec![doubt.to_owned()], vec![])
        );
    }
    let found = judged(&[], &ENDED);
    let doubt = "the fault `down` was never injected: nothing is known of it";
    assert_eq!(found.doubts, [doubt]);
}

#[test]
fn what_was_not_healed_is_told_with_its_victims() {
    let left = |not_healed: Option<&str>| Occurrence {
        healed_ns: None,
        not_healed: not_healed.map(str::to_owned),
        ..good()
    };
    for (not_healed, sentence) in [
        (
            Some("it does not start"),
            "the fault `down` could not be healed at redis-1: it does not start",
        ),
        (
            None,
            "the fault `down` was injected at redis-1, and nothing says that it was healed",
        ),
    ] {
        let found = judged(&[left(not_healed)], &ENDED);
        assert_eq!(found.not_healed, [sentence]);
        assert!(found.doubts.is_empty());
    }
}

#[test]
fn an_interrupted_run_need_not_come_to_its_faults_but_must_heal_them() {
    let end = End {
        interrupted: Interrupted::InLoad,
        ..ENDED
    };
    let short = Occurrence {
        effect_seen: None,
        ..good()
    };
    assert_eq!(judged(&[], &end), FaultDoubts::default());
    assert_eq!(judged(&[short], &end), FaultDoubts::default());
    let left = Occurrence {
        healed_ns: None,
        ..good()
    };
    assert_eq!(judged(&[left], &end).not_healed.len(), 1);
}

#[test]
fn a_run_that_was_cut_off_in_a_fault_cannot_say_whether_it_was_healed() {
    let end = End {
        ended: false,
        ..ENDED
    };
    let left = Occurrence {
        healed_ns: None,
        ..good()
    };
    let found = judged(&[left], &end);
    let doubt =
        "the fault `down` was active when the evidence ends: nothing here says that it was healed";
    assert_eq!(
        (found.doubts, found.not_healed),
        (vec![doubt.to_owned()], vec![])
    );
    assert_eq!(judged(&[], &end), FaultDoubts::default());
}

#[test]
fn a_fault_that_happened_less_often_than_it_should_is_counted() {
    let never = Occurrence {
        number: 2,
        never_due: true,
        ..Occurrence::default()
    };
    let twice =
        |occurrences: &[Occurrence]| fault_doubts(&plan(2), &occurrences.iter(), &ENDED).doubts;
    assert_eq!(
        twice(&[good(), never]),
        ["the fault `down` happened 1 of 2 times: the load ended before"]
    );
    assert_eq!(
        twice(&[good()]),
        ["the fault `down` happened 1 of 2 times: nothing is known of the rest"]
    );
    let second = Occurrence {
        number: 2,
        ..good()
    };
    assert!(twice(&[good(), second]).is_empty());
}
