//! What a threshold over windows says of a load that is told second by second.

use super::super::tests::plan;
use super::*;
use crate::measure::{Trend, aborts};

const ISSUED: u8 = 0;

/// In the plan of these tests `opening` lasts from 0 to 30 s, `browse` from 20 to 50 s, and the
/// drain phase is the fifth.
const CLIMB: u16 = 0;
const DRAIN: u16 = 4;

fn windowed(key: &str, assertion: &str, over_s: u64, in_a_row: u64) -> Plan {
    let mut plan = plan(&[(key, assertion)]);
    plan.thresholds[0].windows = Some(Windowed { over_s, in_a_row });
    plan
}

/// One attempt of so many milliseconds in each second, `None` for a second without an answer.
fn load(plan: &Plan, phase: u16, times_ms: &[Option<u64>]) -> Windows {
    let mut windows = Windows::new(plan);
    for (t, ms) in times_ms.iter().enumerate() {
        second(&mut windows, plan, phase, t as u64, *ms, 1.0);
    }
    windows
}

fn second(windows: &mut Windows, plan: &Plan, phase: u16, t: u64, ms: Option<u64>, length_s: f64) {
    let id = SeriesId {
        trend: Trend::Duration,
        phase,
        step: 0,
        label: ISSUED,
    };
    if let Some(ms) = ms {
        let mut histogram = Histogram::new(3).expect("valid digits");
        histogram.record(ms * 1000).expect("it grows");
        windows.add(plan, Duration::from_secs(t), id, &histogram);
    }
    let line = Second {
        t,
        length_s,
        vus: 7,
        ..Second::default()
    };
    windows.second(plan, &line);
}

fn told(plan: &Plan, windows: &Windows) -> (Verdict, String) {
    let result = windows.result(0, &plan.thresholds[0]);
    let result = result.expect("it is over windows");
    (result.verdict, result.detail)
}

#[test]
#[rustfmt::skip] // A row a line.
fn a_threshold_fails_when_windows_enough_are_broken_in_a_row() {
    const BAD: Option<u64> = Some(800);
    const GOOD: Option<u64> = Some(100);
    for (seconds, in_a_row, verdict, detail) in [
        // One bad window is enough by default.
        (&[GOOD, BAD, GOOD][..], 1, Verdict::Fail, "max = 800.25 ms over 1 samples in 1s..2s, limit < 500 ms"),
        // Two apart are not two in a row, together they are; the first of them is named.
        (&[BAD, GOOD, BAD], 2, Verdict::Pass, "3 windows of 1s, 2 broken, never 2 in a row, limit < 500 ms"),
        (&[GOOD, BAD, BAD], 2, Verdict::Fail, "max = 800.25 ms over 1 samples in 1s..2s, 2 windows in a row, limit < 500 ms"),
        // A system that hangs between two bad windows has not recovered between them.
        (&[BAD, None, BAD], 2, Verdict::Fail, "max = 800.25 ms over 1 samples in 0s..1s, 2 windows in a row, limit < 500 ms"),
        // Nor is a window without an answer a bad one.
        (&[BAD, None, None], 2, Verdict::Pass, "1 window of 1s, 1 broken, never 2 in a row, 2 without data, limit < 500 ms"),
        (&[GOOD, GOOD], 1, Verdict::Pass, "2 windows of 1s, none broken, limit < 500 ms"),
        (&[None, None], 1, Verdict::Fail, "no data (no window of 1s had any), limit < 500 ms"),
        (&[], 1, Verdict::Fail, "no data (no window of 1s had any), limit < 500 ms"),
    ] {
        let plan = windowed("http_req_duration", "max<500", 1, in_a_row);
        let windows = load(&plan, CLIMB, seconds);
        assert_eq!(told(&plan, &windows), (verdict, detail.to_owned()));
    }
}

#[test]
fn a_window_puts_its_seconds_together() {
    let plan = windowed("http_req_duration", "avg<500", 2, 1);
    // 0..2 has 100 and 800, whose mean is below the limit; 2..4 has 300 and 800.
    let windows = load(&plan, CLIMB, &[Some(100), Some(800), Some(300), Some(800)]);
    let (verdict, detail) = told(&plan, &windows);
    assert_eq!(verdict, Verdict::Fail);
    assert!(detail.contains("over 2 samples in 2s..4s"), "{detail}");
}

#[test]
fn the_last_window_counts_although_the_load_did_not_fill_it() {
    let plan = windowed("http_req_duration", "max<500", 10, 1);
    let mut windows = load(&plan, CLIMB, &[Some(800)]);
    assert_eq!(told(&plan, &windows).0, Verdict::Fail, "no window yet");
    assert!(!windows.has_failed(0));
    windows.finish(&plan);
    let (_, detail) = told(&plan, &windows);
    assert!(detail.contains("in 0s..10s"), "{detail}");
}

#[test]
#[rustfmt::skip] // A row a line.
fn what_is_counted_is_only_a_lower_bound_in_a_window_that_is_not_covered() {
    let answer = [Some(100); 8];
    for (key, assertion, over_s, verdict, detail) in [
        // 0..5 is whole, 5..10 was left at 8 s.
        ("http_reqs", "count>=5", 5, Verdict::Pass, "1 window of 5s, none broken, 1 without data, limit >= 5"),
        ("http_reqs", "count<5", 5, Verdict::Fail, "count = 5 in 5 attempts in 0s..5s, limit < 5"),
        ("http_reqs", "rate>=1", 5, Verdict::Pass, "1 window of 5s, none broken, 1 without data, limit >= 1/s"),
        // What is too many already in a part of the window stays too many.
        ("http_reqs", "count<8", 20, Verdict::Fail, "count = 8 in 8 attempts in 0s..20s, limit < 8"),
        ("http_reqs", "count==7", 20, Verdict::Fail, "count = 8 in 8 attempts in 0s..20s, limit == 7"),
        // What is too few, or just not enough, may still become more.
        ("http_reqs", "count>8", 20, Verdict::Fail, "no data (no window of 20s had any), limit > 8"),
        ("http_reqs", "count!=8", 20, Verdict::Fail, "no data (no window of 20s had any), limit != 8"),
        ("http_reqs", "count==9", 20, Verdict::Fail, "no data (no window of 20s had any), limit == 9"),
        ("http_req_duration", "count>=9", 20, Verdict::Fail, "no data (no window of 20s had any), limit >= 9"),
        // A share is a share also of a part.
        ("http_req_failed", "rate<1%", 20, Verdict::Pass, "1 window of 20s, none broken, limit < 1 %"),
        ("vus", "value<=7", 4, Verdict::Pass, "2 windows of 4s, none broken, limit <= 7"),
    ] {
        let plan = windowed(key, assertion, over_s, 1);
        let mut windows = load(&plan, CLIMB, &answer);
        windows.finish(&plan);
        assert_eq!(told(&plan, &windows), (verdict, detail.to_owned()), "{key}");
    }
}

#[test]
fn a_phase_is_not_blamed_for_the_windows_around_it() {
    // `climb` ends at 10 s; what was due in it is still answered at 11 s.
    let plan = windowed("http_reqs{phase:climb}", "rate>=1/s", 5, 1);
    let windows = load(&plan, CLIMB, &[Some(100); 15]);
    let (verdict, detail) = told(&plan, &windows);
    assert_eq!(verdict, Verdict::Pass, "{detail}");
    assert!(detail.starts_with("2 windows of 5s, none"), "{detail}");
}

#[test]
fn a_second_without_an_answer_breaks_the_least_that_must_come() {
    let seconds = [Some(100), None];
    let least = windowed("http_reqs", "count>=1", 1, 1);
    let (verdict, detail) = told(&least, &load(&least, CLIMB, &seconds));
    assert_eq!(verdict, Verdict::Fail);
    assert_eq!(detail, "count = 0 without any in 1s..2s, limit >= 1");

    let most = windowed("http_reqs", "count<=1", 1, 1);
    let (verdict, detail) = told(&most, &load(&most, CLIMB, &seconds));
    assert_eq!(verdict, Verdict::Pass);
    assert!(detail.contains("1 without data"), "{detail}");
}

#[test]
fn no_data_in_any_window_is_fine_where_it_is_allowed() {
    let mut plan = windowed("http_req_duration{phase:browse}", "max<500", 1, 1);
    plan.thresholds[0].allow_empty = true;
    let (verdict, detail) = told(&plan, &load(&plan, CLIMB, &[Some(800)]));
    assert_eq!(verdict, Verdict::Pass);
    assert!(detail.ends_with("which is allowed here"), "{detail}");
}

#[test]
fn the_drain_phase_is_in_no_window() {
    let plan = windowed("http_req_duration", "max<500", 1, 1);
    let windows = load(&plan, DRAIN, &[Some(800)]);
    assert!(told(&plan, &windows).1.starts_with("no data"));
}

#[test]
fn a_threshold_over_windows_ends_the_run_after_its_delay() {
    let mut plan = windowed("http_req_duration", "max<500", 1, 2);
    plan.thresholds[0].abort = Some(Duration::from_secs(3));
    let aborts_after = |seconds: &[Option<u64>], elapsed| {
        let windows = load(&plan, CLIMB, seconds);
        let totals = Totals {
            elapsed: Duration::from_secs(elapsed),
            ..Totals::default()
        };
        aborts(&plan, &totals, &windows).is_some()
    };
    let bad = Some(800);
    assert!(!aborts_after(&[bad], 5), "one of two");
    assert!(!aborts_after(&[bad, bad], 2), "not before the delay");
    assert!(aborts_after(&[bad, bad], 3));
    assert!(!aborts_after(&[], 5), "no data ends no run");
}

#[test]
fn no_second_makes_it_panic_or_take_long() {
    let plan = windowed("http_reqs", "count>=1", 1, 1);
    let mut windows = Windows::new(&plan);
    for t in [0, u64::MAX, 3, u64::MAX] {
        for length_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            second(&mut windows, &plan, CLIMB, t, Some(1), length_s);
        }
    }
    windows.finish(&plan);
}
