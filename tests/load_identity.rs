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

/// The claims of a token whose signature is right for this secret.
fn claims(token: &str, secret: &str) -> serde_json::Value {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let signature = BASE64.decode(signature).unwrap();
    ring::hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap()
}

#[test]
fn each_user_has_a_token_of_its_own_that_the_server_can_check() {
    let target = Target::start(|_| Reply::issued());
    let ran = Bench::load("per_vu_iterations: { vus: 2, iterations: 5 }")
        .users(
            "{ pool: 500, id: \"m-{{ n }}\", token: { hs256: { secret: \"${JWT_SECRET}\", \
             claims: { sub: \"{{ user }}\", id: \"{{ n | number }}\", roles: [buyer], exp: 1h, iat: 0s } } } }",
        )
        .target("auth: { bearer: \"{{ token }}\" }")
        .environment("JWT_SECRET", std::path::Path::new("a-secret-of-32-bytes-or-a-bit-more"))
        .run(&target.url());
    assert_eq!(ran.issued(), 10, "{}", ran.errors);
    for seen in target.seen() {
        let header = seen.request.header("authorization").unwrap();
        let token = header.strip_prefix("Bearer ").unwrap();
        let claims = claims(token, "a-secret-of-32-bytes-or-a-bit-more");
        let user = seen.request.user();
        assert_eq!(claims["sub"], user.as_str());
        assert_eq!(format!("m-{}", claims["id"]), user);
        assert_eq!(claims["roles"], serde_json::json!(["buyer"]));
        let (exp, iat) = (
            claims["exp"].as_u64().unwrap(),
            claims["iat"].as_u64().unwrap(),
        );
        assert_eq!(exp - iat, 3600);
        // Later than the day on which this was written.
        assert!(iat > 1_750_000_000, "{iat}");
    }
}

#[test]
fn a_token_can_be_a_column_and_a_steps_own_header_wins() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.csv");
    let rows: Vec<String> = (1..=20).map(|n| format!("{n},token-of-{n}")).collect();
    std::fs::write(&file, format!("id,jwt\n{}", rows.join("\n"))).unwrap();
    let target = Target::start(|_| Reply::issued());
    let users = format!(
        "{{ from: {{ csv: \"{}\" }}, token: \"{{{{ user.jwt }}}}\" }}",
        file.display()
    );
    let ran = Bench::load("per_vu_iterations: { vus: 1, iterations: 5 }")
        .users(&users)
        .target("auth: { bearer: \"{{ token }}\" }")
        .more("    - { name: own, get: /own, headers: { Authorization: none } }")
        .run(&target.url());
    assert_eq!(ran.issued(), 5, "{}", ran.errors);
    let seen = target.seen();
    let (own, common): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| seen.request.path == "/own");
    assert_eq!((own.len(), common.len()), (5, 5));
    for seen in own {
        assert_eq!(seen.request.header("authorization"), Some("none"));
    }
    for seen in common {
        let expected = format!("Bearer token-of-{}", seen.request.user());
        assert_eq!(
            seen.request.header("authorization"),
            Some(expected.as_str())
        );
    }
}

#[test]
fn basic_is_the_same_for_all() {
    let target = Target::start(|_| Reply::issued());
    let ran = Bench::load("per_vu_iterations: { vus: 1, iterations: 2 }")
        // The example of RFC 7617.
        .target("auth: { basic: { user: Aladdin, password: open sesame } }")
        .run(&target.url());
    assert_eq!(ran.issued(), 2, "{}", ran.errors);
    for seen in target.seen() {
        let expected = Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(seen.request.header("authorization"), expected);
    }
}

#[test]
fn a_vu_goes_round_the_instances_or_stays_with_one() {
    for (by, instances_of_a_vu) in [("turn", 2), ("vu", 1)] {
        let targets = [
            Target::start(|_| Reply::issued()),
            Target::start(|_| Reply::issued()),
        ];
        let text = format!(
            "name: several\ntarget: {{ urls: [\"{}\", \"{}\"], by: {by} }}\n\
             users: {{ id: \"{{{{ vu }}}}-{{{{ n }}}}\" }}\n\
             load: {{ a: {{ per_vu_iterations: {{ vus: 4, iterations: 6 }} }} }}\n\
             flows: {{ a: [ {{ post: /issue, json: {{ userId: \"{{{{ user }}}}\" }} }} ] }}\n",
            targets[0].url(),
            targets[1].url()
        );
        let directory = tempfile::tempdir().unwrap();
        let scenario = directory.path().join("scenario.yaml");
        std::fs::write(&scenario, text).unwrap();
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_fcfs-bench"))
            .args(["run", "--quiet", "--threads", "2", "--out"])
            .arg(directory.path().join("run"))
            .arg(&scenario)
            .status()
            .unwrap();
        assert!(status.success());
        let mut instances: BTreeMap<String, HashSet<usize>> = BTreeMap::new();
        for (at, target) in targets.iter().enumerate() {
            assert_eq!(target.seen().len(), 12, "{by}: the load is even");
            for seen in target.seen() {
                let user = seen.request.user();
                let vu = user.split('-').next().unwrap().to_owned();
                instances.entry(vu).or_default().insert(at);
            }
        }
        let counts: Vec<_> = instances.values().map(HashSet::len).collect();
        assert_eq!(counts, [instances_of_a_vu; 4], "{by}");
    }
}
