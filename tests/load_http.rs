//! What becomes of an attempt when the server answers well, badly, late or not at all.
//!
//! In every case each attempt is recorded exactly once: what the server has read is what the
//! history holds, but for the attempts that were not sent.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::collections::HashSet;
use std::time::Duration;

use bench::{Bench, Ran};
use fcfs_bench::history::{Cause, OutcomeKind};
use target::{FullListener, Reply, Request, Target};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Twelve iterations of two VUs.
fn twelve() -> Bench {
    Bench::load("per_vu_iterations: { vus: 2, iterations: 6 }")
}

#[track_caller]
fn assert_all_recorded(ran: &Ran, target: &Target) {
    assert_eq!(ran.sent().len(), target.seen().len(), "{}", ran.errors);
    let summary = ran.summary();
    let counted: u64 = summary.outcomes.values().sum();
    assert_eq!(counted, summary.requests);
    assert_eq!(summary.requests, ran.operations().len() as u64);
}

/// Runs against this program; every attempt is recorded once.
#[track_caller]
fn run(
    bench: &Bench,
    program: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Ran, Target) {
    let target = Target::start(program);
    let ran = bench.run(&target.url());
    assert_all_recorded(&ran, &target);
    (ran, target)
}

fn connections_used(target: &Target) -> usize {
    let seen = target.seen();
    let used: HashSet<_> = seen.iter().map(|seen| seen.request.connection).collect();
    used.len()
}

/// A sixth of the requests: the third of each VU.
fn is_third(request: &Request, per_connection: u64) -> bool {
    request.on_connection == per_connection
}

#[test]
fn every_way_to_frame_an_answer_is_understood() {
    let table: [(&str, &str); 7] = [
        (
            "content-length",
            "HTTP/1.1 201 C\r\ncontent-length: 2\r\n\r\n{}",
        ),
        ("empty body", "HTTP/1.1 201 C\r\ncontent-length: 0\r\n\r\n"),
        ("no content", "HTTP/1.1 204 N\r\n\r\n"),
        (
            "chunked",
            "HTTP/1.1 201 C\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        ),
        (
            "chunked with a trailer",
            "HTTP/1.1 201 C\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nx: y\r\n\r\n",
        ),
        (
            "an interim answer first",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\ncontent-length: 2\r\n\r\n{}",
        ),
        (
            "early hints first",
            "HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\nHTTP/1.1 201 C\r\ncontent-length: 0\r\n\r\n",
        ),
    ];
    for (name, answer) in table {
        let (ran, target) = run(&twelve(), move |_| Reply::raw(answer));
        assert_eq!(ran.issued(), 12, "{name}");
        assert_eq!(connections_used(&target), 2, "{name}");
    }
}

#[test]
fn an_answer_that_ends_with_its_connection_is_whole() {
    let (ran, target) = run(&twelve(), |_| {
        Reply::raw("HTTP/1.1 201 C\r\n\r\n{}").close()
    });
    assert_eq!(ran.issued(), 12);
    assert_eq!(connections_used(&target), 12);
}

#[test]
fn a_head_request_has_no_body_to_wait_for() {
    let bench = Bench::scenario(
        r#"
name: head
target: { url: "http://127.0.0.1:1" }
load: { a: { per_vu_iterations: { vus: 2, iterations: 6 } } }
flows: { f: [ { name: look, head: /coupons } ] }
"#,
    );
    let (ran, target) = run(&bench, |_| {
        Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
    });
    assert_eq!(ran.ending(OutcomeKind::Ok, Cause::None), 12);
    assert_eq!(connections_used(&target), 2);
}

#[test]
fn a_large_body_is_read_to_its_end_and_judged_by_its_beginning() {
    let (ran, target) = run(&twelve().timeout("30s"), |request| {
        let (place, status) = if request.number.is_multiple_of(2) {
            (1_000_000, 400)
        } else {
            (3_000_000, 400)
        };
        let mut body = vec![b'.'; 5_000_000];
        body[place..place + 8].copy_from_slice(b"sold out");
        Reply::answer(status, &String::from_utf8(body).unwrap())
    });
    assert_eq!(ran.ending(OutcomeKind::SoldOut, Cause::None), 6);
    assert_eq!(ran.ending(OutcomeKind::Unknown, Cause::Undeclared), 6);
    assert_eq!(connections_used(&target), 2);
    assert!(ran.summary().data_received > 60_000_000);
}

#[test]
fn an_answer_that_drips_is_whole_if_it_is_in_time() {
    let drip = |every: Duration| {
        let mut reply = Reply::raw("HTTP/1.1 201 C\r\ncontent-length: 10\r\n\r\n");
        for _ in 0..10 {
            reply = reply.wait(every).then(" ");
        }
        reply
    };
    let (ran, _target) = run(&twelve(), move |_| drip(ms(5)));
    assert_eq!(ran.issued(), 12);
    let (ran, target) = run(&twelve().timeout("100ms"), move |_| drip(ms(50)));
    assert_eq!(ran.ending(OutcomeKind::Unknown, Cause::Timeout), 12);
    assert_eq!(connections_used(&target), 12);
}

#[test]
fn an_answer_that_does_not_come_is_unknown_and_its_connection_is_not_used_again() {
    let (ran, target) = run(&twelve().timeout("150ms"), |request| {
        if is_third(request, 2) {
            Reply::silence()
        } else {
            Reply::issued()
        }
    });
    // Each VU needs three connections for six requests: the third on each is not answered.
    assert_eq!(ran.ending(OutcomeKind::Unknown, Cause::Timeout), 4);
    assert_eq!(ran.issued(), 8);
    assert!(
        target
            .seen()
            .iter()
            .all(|seen| seen.request.on_connection <= 2)
    );
    for operation in ran.operations() {
        let took = Duration::from_nanos(operation.ret_ns - operation.inv_ns);
        let late = operation.cause == Cause::Timeout;
        assert_eq!(late, took >= ms(140), "{took:?}");
    }
}

#[test]
fn an_answer_that_comes_after_the_timeout_is_nobodys() {
    let (ran, _target) = run(&twelve().timeout("100ms"), |request| {
        if is_third(request, 2) {
            Reply::answer(400, "sold out").after(ms(180))
        } else {
            Reply::issued().after(ms(60))
        }
    });
    assert_eq!(ran.ending(OutcomeKind::Unknown, Cause::Timeout), 4);
    assert_eq!(ran.issued(), 8);
}

#[test]
fn a_connection_that_breaks_in_mid_answer_is_unknown() {
    let head = "HTTP/1.1 201 C\r\ncontent-length: 20\r\n\r\nhalf";
    let chunk = "HTTP/1.1 201 C\r\ntransfer-encoding: chunked\r\n\r\n8\r\nhalf";
    let table = [
        ("closed before the head", Reply::default().close()),
        ("reset before the head", Reply::default().reset()),
        (
            "closed in the head",
            Reply::raw("HTTP/1.1 201 C\r\ncont").close(),
        ),
        ("closed in the body", Reply::raw(head).close()),
        ("closed in a chunk", Reply::raw(chunk).close()),
        ("reset in the body", Reply::raw(head).wait(ms(20)).reset()),
    ];
    for (name, reply) in table {
        let (ran, target) = run(&twelve(), move |_| reply.clone());
        let lost = ran.ending(OutcomeKind::Unknown, Cause::ConnectionLost);
        assert_eq!(lost, 12, "{name}: {:?}", ran.operations());
        assert_eq!(connections_used(&target), 12, "{name}");
    }
}

#[test]
fn an_answer_that_is_not_http_is_unknown() {
    let table = [
        ("garbage", "SSH-2.0-OpenSSH_9.6\r\n"),
        ("a status that is none", "HTTP/1.1 abc\r\n\r\n"),
        (
            "two lengths",
            "HTTP/1.1 201 C\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        ),
        (
            "a chunk without a size",
            "HTTP/1.1 201 C\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}",
        ),
    ];
    for (name, answer) in table {
        let (ran, target) = run(&twelve(), move |_| Reply::raw(answer).wait(ms(30)));
        let bad = ran.ending(OutcomeKind::Unknown, Cause::BadAnswer);
        assert_eq!(bad, 12, "{name}: {:?}", ran.operations());
        assert_eq!(connections_used(&target), 12, "{name}");
    }
}

#[test]
fn what_follows_an_answer_unasked_costs_the_connection_and_nothing_else() {
    let answer = "HTTP/1.1 201 C\r\ncontent-length: 2\r\n\r\n{}";
    let unasked = "HTTP/1.1 400 B\r\ncontent-length: 8\r\n\r\nsold out";
    let table = [
        ("at once", Reply::raw(format!("{answer}{unasked}"))),
        (
            "a little later",
            Reply::raw(answer).wait(ms(5)).then(unasked),
        ),
        ("garbage", Reply::raw(format!("{answer}garbage"))),
    ];
    for (name, reply) in table {
        let bench = twelve().more("    - think: 40ms");
        let (ran, target) = run(&bench, move |_| reply.clone());
        assert_eq!(ran.issued(), 12, "{name}: {:?}", ran.operations());
        assert_eq!(connections_used(&target), 12, "{name}");
    }
}

#[test]
fn a_connection_that_the_server_closes_between_requests_is_replaced_without_a_loss() {
    let announced = "HTTP/1.1 201 C\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let table = [
        ("announced", Reply::raw(announced).close(), ""),
        ("announced, but left open", Reply::raw(announced), ""),
        (
            "in silence",
            Reply::issued().wait(ms(5)).close(),
            "    - think: 40ms",
        ),
        (
            "with a reset",
            Reply::issued().wait(ms(5)).reset(),
            "    - think: 40ms",
        ),
    ];
    for (name, reply, more) in table {
        let (ran, target) = run(&twelve().more(more), move |_| reply.clone());
        assert_eq!(ran.issued(), 12, "{name}: {:?}", ran.operations());
        assert_eq!(connections_used(&target), 12, "{name}");
    }
}

#[test]
fn a_server_that_is_gone_gets_nothing_and_is_not_hammered() {
    let target = Target::start(|_| Reply::issued());
    let url = target.url();
    let bench = Bench::load("constant_vus: { vus: 4, for: 2s }");
    let running = bench.start(&url);
    while target.seen().len() < 100 {
        std::thread::sleep(ms(2));
    }
    drop(target);
    let ran = running.ended();
    let refused = ran.operations().len() - ran.sent().len();
    // A VU waits up to 100 ms between two tries: four VUs try at most some 80 times in 2 s.
    assert!((8..160).contains(&refused), "{refused}");
    let summary = ran.summary();
    assert_eq!(summary.outcomes["not_sent"], refused as u64);
}

#[test]
fn a_connection_that_is_not_accepted_in_time_is_not_sent() {
    // One place is taken by the first look at the target, one is left for a VU.
    let listener = FullListener::start();
    let ran = twelve().timeout("100ms").run(&listener.url);
    let not_sent = ran.ending(OutcomeKind::NotSent, Cause::ConnectTimeout);
    let not_answered = ran.ending(OutcomeKind::Unknown, Cause::Timeout);
    assert!(not_sent >= 10, "{not_sent}");
    assert_eq!(not_sent + not_answered, 12);
}
