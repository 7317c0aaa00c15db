//! What is in a point, when, and how often.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::history::{AlertChange, AlertMark, Cause, FaultMark, Key, Moment};
use crate::plan::{Overrides, load};

const SCENARIO: &str = r#"
name: points
target: { url: "http://127.0.0.1:1" }
load: { a: { constant_vus: { vus: 1, for: 1s } }, b: { constant_vus: { vus: 1, for: 2s } } }
flows: { f: [ { name: look, get: "/look?q={{ user }}" } ] }
faults: [ { name: slow, client: { delay: 5ms }, after: 200ms, for: 300ms } ]
"#;

const ORIGIN_NS: u64 = 1_700_000_000_000_000_000;

fn encoder(mode: OutputMode) -> Encoder {
    let plan = load("points.yaml", SCENARIO, &Overrides::default(), &|_| None);
    let plan = Arc::new(plan.unwrap_or_else(|error| panic!("{error}")));
    Encoder::new(Names::new(plan, ORIGIN_NS), mode, "t", &[])
}

fn attempt(ret_ns: u64, kind: OutcomeKind) -> Operation {
    Operation {
        user: Key(ret_ns),
        coupon: Key::NONE,
        inv_ns: ret_ns.saturating_sub(1_500_000),
        ret_ns,
        lag_us: 0,
        status: 200,
        kind,
        label: kind as u8,
        step: 0,
        cause: Cause::None,
        phase: 0,
        vu: 0,
    }
}

fn batch(thread: usize, operations: Vec<Operation>) -> Feed {
    Feed::Operations {
        thread,
        parts: vec![Parts::default(); operations.len()],
        operations,
    }
}

fn lines(encoder: &mut Encoder, feed: &Feed) -> Vec<String> {
    let mut lines = Vec::new();
    encoder.encode(feed, &mut |line| {
        lines.push(String::from_utf8(line.to_vec()).expect("UTF-8"));
    });
    lines
}

fn fault(at_ns: u64, moment: Moment) -> Feed {
    Feed::Fault(FaultMark {
        at_ns,
        fault: 0,
        occurrence: 1,
        moment,
    })
}

#[test]
fn attempts_that_end_at_one_instant_are_points_of_their_own() {
    let mut encoder = encoder(OutputMode::Raw);
    let mut seen = BTreeSet::new();
    let ended_ns = 5_000_000_000;
    for thread in [0, 1, 2, 0, 1] {
        // Also one that is told of later than others that ended after it.
        let mut operations = vec![attempt(ended_ns, OutcomeKind::Ok); 500];
        operations.push(attempt(ended_ns - 900, OutcomeKind::Ok));
        for line in lines(&mut encoder, &batch(thread, operations)) {
            let mut words = line.trim_end().split(' ');
            let series = words.next().expect("a series").to_owned();
            let time = words.next_back().expect("a time").to_owned();
            let ns: u64 = time.parse().expect("a number");
            assert!(ns.abs_diff(ORIGIN_NS + ended_ns) < 2_000_000, "{line}");
            assert!(seen.insert((series, time)), "{line}");
        }
    }
    assert_eq!(seen.len(), 5 * 501 * 9);
}

#[test]
fn a_point_has_the_tags_that_dashboards_filter_by() {
    let mut encoder = encoder(OutputMode::Raw);
    lines(&mut encoder, &fault(1_000_000, Moment::Applied));
    let all = lines(
        &mut encoder,
        &batch(3, vec![attempt(2_000_000, OutcomeKind::Error)]),
    );
    let duration: Vec<&String> = all
        .iter()
        .filter(|line| line.starts_with("http_req_duration,"))
        .collect();
    let time = (ORIGIN_NS + 2_000_000) / THREADS * THREADS + 3;
    assert_eq!(
        duration,
        [&format!(
            "http_req_duration,testid=t,name=look,step=look,method=GET,proto=HTTP/1.1,\
             outcome=error,expected_response=false,scenario=a,phase=a,fault=slow,status=200 \
             value=1.5,url=\"http://127.0.0.1:1/look?q={{}}\" {time}\n"
        )]
    );
    assert!(all.iter().any(|line| line.starts_with("errors,")));
    // What was never sent has no duration.
    let unsent = batch(3, vec![attempt(3_000_000, OutcomeKind::NotSent)]);
    let measurements: Vec<String> = lines(&mut encoder, &unsent)
        .iter()
        .map(|line| line.split(',').next().expect("a name").to_owned())
        .collect();
    assert_eq!(measurements, ["http_reqs", "errors", "http_req_failed"]);
}

#[test]
fn the_end_of_an_event_replaces_its_beginning() {
    let mut encoder = encoder(OutputMode::Aggregate);
    let begun = lines(&mut encoder, &fault(7_000_000, Moment::Applied));
    let ended = lines(&mut encoder, &fault(9_000_000, Moment::Healed));
    let identity = |line: &str| {
        let (series, rest) = line.split_once(" title=").expect("a title");
        let time = rest.rsplit(' ').next().expect("a time");
        (series.to_owned(), time.to_owned())
    };
    assert_eq!(identity(&begun[0]), identity(&ended[0]));
    assert_ne!(begun, ended);
    let end_ms = ORIGIN_NS / 1_000_000 + 9;
    assert!(
        ended[0].contains(&format!("time_end_ms={end_ms}i")),
        "{ended:?}"
    );
    // Two alerts of one name at one reading are two.
    let mut fires = |alert| {
        let change = AlertChange::Firing {
            alert,
            name: "Down".to_owned(),
            labels: BTreeMap::new(),
        };
        let mark = AlertMark {
            at_ns: 20_000_000,
            change,
        };
        identity(&lines(&mut encoder, &Feed::Alert(mark))[0])
    };
    assert_ne!(fires(0), fires(1));
}

#[test]
fn what_is_not_given_counts_as_many_points_as_it_would_have_made() {
    let kinds = [OutcomeKind::Ok, OutcomeKind::Unknown, OutcomeKind::NotSent];
    let attempts = |n: u64| kinds.map(|kind| attempt(n * 1_000_000, kind));
    let mut histogram = Histogram::new(3).expect("digits");
    histogram.record_n(1_500, 40).expect("a value");
    let id = |trend| SeriesId {
        trend,
        phase: 1,
        step: 0,
        label: 7,
    };
    let feeds = [
        Feed::LoadStarted { at_ns: 1 },
        batch(0, (1..200).flat_map(attempts).collect()),
        Feed::Second {
            line: Second {
                dropped: [(1, 3)].into(),
                ..Second::default()
            },
            histograms: vec![
                (id(Trend::Duration), histogram.clone()),
                (id(Trend::IterationDuration), histogram),
            ],
        },
        fault(3, Moment::Healing),
        fault(4, Moment::Healed),
        Feed::Remaining {
            at_ns: 5,
            remaining: -1,
        },
        Feed::LoadEnded {
            at_ns: 2_000_000_000,
        },
    ];
    for mode in [
        OutputMode::Raw,
        OutputMode::Sample(3),
        OutputMode::Aggregate,
    ] {
        let (mut one, mut other) = (encoder(mode), encoder(mode));
        for feed in &feeds {
            let made = lines(&mut one, feed).len() as u64;
            // Another that has not seen what came before.
            assert_eq!(encoder(mode).weigh(feed), made, "{mode}");
            assert_eq!(other.weigh(feed), made, "{mode}");
        }
    }
}
