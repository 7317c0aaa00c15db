//! Who asks: the users follow from the seed, and each attempt is under the name that was sent.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

use bench::{Bench, Ran};
use fcfs_bench::history::{Cause, Key, OutcomeKind};
use target::{Reply, Target};

/// The users in the order in which they asked.
fn asked(bench: &Bench) -> (Vec<String>, Ran) {
    let target = Target::start(|_| Reply::issued());
    let ran = bench.run(&target.url());
    let seen = target.seen();
    assert_eq!(ran.sent().len(), seen.len());
    (seen.iter().map(|seen| seen.request.user()).collect(), ran)
}

#[test]
fn one_seed_gives_the_same_users_in_the_same_order() {
    let bench = |seed| {
        Bench::load("per_vu_iterations: { vus: 1, iterations: 60 }")
            .users(r#"{ pool: 5000, repeat: 10%, id: "u{{ n }}-{{ uuid }}" }"#)
            .seed(seed)
    };
    let (first, _) = asked(&bench(7));
    assert_eq!(asked(&bench(7)).0, first);
    assert_ne!(asked(&bench(8)).0, first);
}

#[test]
fn the_history_holds_the_users_that_the_server_has_seen() {
    let bench = Bench::load("shared_iterations: { vus: 6, iterations: 200 }")
        .users("{ pool: 500, repeat: 10% }")
        .threads(3);
    let (users, ran) = asked(&bench);
    let mut keys: Vec<_> = users.iter().map(|user| Key::of(user)).collect();
    let mut recorded: Vec<_> = ran.operations().iter().map(|o| o.user).collect();
    keys.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(keys, recorded);
}

#[test]
fn as_many_ask_again_as_was_asked_for_and_each_has_asked_before() {
    let bench = Bench::load("per_vu_iterations: { vus: 1, iterations: 500 }")
        .users(r#"{ pool: 100000, repeat: 20%, id: "{{ uuid }}" }"#);
    let (users, _) = asked(&bench);
    let distinct: HashSet<_> = users.iter().collect();
    let repeats = users.len() - distinct.len();
    assert!((70..=130).contains(&repeats), "{repeats}");
}

#[test]
fn without_repeats_nobody_asks_twice_on_any_thread() {
    for load in [
        "shared_iterations: { vus: 9, iterations: 400 }",
        "constant_arrival_rate: { rate: 400/s, for: 1s, vus: 60 }",
    ] {
        let (users, _) = asked(&Bench::load(load).threads(3));
        let distinct: HashSet<_> = users.iter().collect();
        assert_eq!((users.len(), distinct.len()), (400, 400));
    }
}

#[test]
fn a_vu_stays_who_it_is_if_users_are_per_vu() {
    let bench = Bench::load("per_vu_iterations: { vus: 6, iterations: 8 }")
        .users(r#"{ pool: 500, per: vu, id: "vu{{ vu }}-{{ n }}" }"#)
        .threads(2);
    let (users, _) = asked(&bench);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for user in users {
        *counts.entry(user).or_default() += 1;
    }
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [8; 6]);
    for vu in 1..=6 {
        let name = format!("vu{vu}-");
        assert!(
            counts.keys().any(|user| user.starts_with(&name)),
            "{counts:?}"
        );
    }
}

#[test]
fn ids_that_are_no_numbers_are_found_by_their_text() {
    let bench = Bench::load("per_vu_iterations: { vus: 2, iterations: 10 }")
        .users(r#"{ pool: 500, id: "김 \"{{ n }}\"\\" }"#);
    let (users, ran) = asked(&bench);
    assert!(
        users
            .iter()
            .all(|user| user.starts_with("김 \"") && user.ends_with("\"\\"))
    );
    let names: HashMap<u64, String> = ran
        .file("names.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(key, text)| (u64::from_str_radix(key, 16).unwrap(), text.to_owned()))
        .collect();
    for user in users {
        assert_eq!(names[&Key::of(&user).0], user.escape_debug().to_string());
    }
}

#[test]
fn a_finding_names_the_user_as_it_was_sent() {
    // A server that gives to whoever asks, also twice.
    let rows = Mutex::new(Vec::new());
    let target = Target::start(move |request| {
        let mut rows = rows.lock().unwrap();
        if request.path == "/rows" {
            return Reply::answer(200, &serde_json::to_string(&*rows).unwrap());
        }
        rows.push(request.user());
        Reply::issued()
    });
    let ran = Bench::load("per_vu_iterations: { vus: 1, iterations: 60 }")
        .users(r#"{ pool: 500, repeat: 30%, id: "member-{{ n }}" }"#)
        .outer(
            "truth: { issued: { http: { get: /rows, at: \"\" } }, drain: false, \
             settle: { quiet: 100ms, within: 5s } }\ninvariants: [one_per_user]",
        )
        .run(&target.url());
    let findings = serde_json::to_string(&ran.summary().findings).unwrap();
    assert!(findings.contains("member-"), "{findings}");
}

#[test]
fn a_request_that_cannot_be_written_is_not_sent_whatever_went_before() {
    let target = Target::start(|_| Reply::issued());
    let ran = Bench::load("per_vu_iterations: { vus: 2, iterations: 5 }")
        .users(r#"{ pool: 500, id: "two\nlines {{ n }}" }"#)
        .more("    - { name: with-header, get: /me, headers: { x-user: \"{{ user }}\" } }")
        .run(&target.url());
    assert_eq!(ran.issued(), 10, "{}", ran.errors);
    assert_eq!(ran.ending(OutcomeKind::NotSent, Cause::ValueUnfit), 10);
    // The connection of the step before is as good as it was.
    let seen = target.seen();
    let used: HashSet<_> = seen.iter().map(|seen| seen.request.connection).collect();
    assert_eq!((seen.len(), used.len()), (10, 2));
}

#[test]
fn users_at_random_come_again_and_only_from_the_pool() {
    let bench = |seed| {
        Bench::load("per_vu_iterations: { vus: 1, iterations: 200 }")
            .users("{ pool: 20, random: true }")
            .seed(seed)
    };
    let (users, ran) = asked(&bench(3));
    let distinct: HashSet<_> = users.iter().collect();
    // Nobody of 20 is left out in 200 draws but once in thousands of runs, and the seed is fixed.
    assert_eq!((users.len(), distinct.len()), (200, 20));
    assert!(
        users
            .iter()
            .all(|user| (1..=20).contains(&user.parse::<u32>().unwrap()))
    );
    assert_eq!(asked(&bench(3)).0, users);
    let warnings = ran.summary().warnings;
    assert!(
        !warnings.iter().any(|w| w.contains("beyond it")),
        "{warnings:?}"
    );
}
