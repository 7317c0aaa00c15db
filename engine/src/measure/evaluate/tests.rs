//! A plan with two loads, and what its thresholds say of what was measured.

use super::*;
use crate::measure::{CustomMetric, MetricKind, parse_assertion, parse_key};
use crate::plan::{
    BaseUrl, Body, By, Executor, Flow, Label, Load, Phase, Step, Target, Template, Users,
};

const STEPS: [&str; 2] = ["issue", "pay"];
const ISSUED: u8 = 0;
const SOLD_OUT: u8 = 2;
const ERROR: u8 = 6;
const NOT_SENT: u8 = 8;
const UNKNOWN: u8 = 9;
const LOCK_FAILED: u8 = 10;
const RANK: u8 = 0;
const TRIES: u8 = 1;

/// `opening` has the phases `climb` (0 to 10 s) and `hold` (10 to 30 s), `browse` has `browse`
/// (20 to 40 s) and a `hold` of its own (40 to 50 s); the last phase is the drain phase.
pub(super) fn plan(thresholds: &[(&str, &str)]) -> Plan {
    let phase = |name: &str, load, from, to| Phase {
        name: name.to_owned(),
        load,
        from: Duration::from_secs(from),
        to: Duration::from_secs(to),
    };
    let load = |name: &str, phases| Load {
        name: name.to_owned(),
        flow: 0,
        start_after: Duration::ZERO,
        graceful_stop: Duration::ZERO,
        executor: Executor::ConstantVus {
            vus: 1,
            duration: Duration::from_secs(1),
        },
        phases,
    };
    let step = |name: &str| Step {
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
        attempts_subject: true,
    };
    let mut labels = Label::built_in();
    labels.push(Label {
        name: "lock_failed".to_owned(),
        kind: OutcomeKind::Refused,
    });
    Plan {
        name: "test".to_owned(),
        profile: None,
        about: None,
        seed: 1,
        engine: crate::plan::EngineKind::Native,
        segment: crate::plan::Segment::WHOLE,
        target: Target::Urls {
            urls: vec![BaseUrl {
                https: false,
                host: "localhost".to_owned(),
                port: 80,
                prefix: String::new(),
            }],
            ready: None,
            http2: false,
            by: By::Turn,
            ca: None,
            parts: Vec::new(),
        },
        subject: None,
        users: Users::numbered(1),
        slots: Vec::new(),
        setup: crate::plan::Setup::default(),
        loads: vec![load("opening", 0..2), load("browse", 2..4)],
        phases: vec![
            phase("climb", Some(0), 0, 10),
            phase("hold", Some(0), 10, 30),
            phase("browse", Some(1), 20, 40),
            phase("hold", Some(1), 40, 50),
            phase("drain", None, 50, 60),
        ],
        flows: vec![Flow {
            name: "flow".to_owned(),
            actions: Vec::new(),
            captured: Vec::new(),
        }],
        steps: STEPS.map(step).to_vec(),
        labels,
        metrics: metrics(),
        resources: Vec::new(),
        alerts: None,
        outputs: crate::plan::Outputs::default(),
        faults: Vec::new(),
        truth: None,
        details: Box::default(),
        invariants: Vec::new(),
        queue: None,
        thresholds: thresholds.iter().map(threshold).collect(),
        warnings: Vec::new(),
        mask: crate::plan::Mask::default(),
    }
}

/// `rank` is a trend and `tries` a counter.
fn metrics() -> Vec<CustomMetric> {
    let metric = |name: &str, kind, number| CustomMetric {
        name: name.to_owned(),
        kind,
        capture: name.to_owned(),
        number,
    };
    vec![
        metric("rank", MetricKind::Trend, RANK),
        metric("tries", MetricKind::Counter, TRIES),
    ]
}

/// Judges thresholds over the whole run.
fn judged(plan: &Plan, totals: &Totals) -> Vec<ThresholdResult> {
    evaluate(
        plan,
        totals,
        &Windows::new(plan),
        &Resources::default(),
        &[],
    )
}

fn threshold((key, assertion): &(&str, &str)) -> Threshold {
    let (metric, tags) = parse_key(key, &metrics()).expect(key);
    let (aggregate, comparison, limit) = parse_assertion(&metric, assertion).expect(assertion);
    Threshold {
        name: format!("{key}: {assertion}"),
        metric,
        tags,
        aggregate,
        comparison,
        limit,
        abort: None,
        allow_empty: false,
        windows: None,
    }
}

fn add(totals: &mut Totals, trend: Trend, phase: u16, step: u8, label: u8, ms: u64, count: u64) {
    let mut histogram = Histogram::new(trend.digits()).expect("valid digits");
    histogram.record_n(ms * 1000, count).expect("it grows");
    let id = SeriesId {
        trend,
        phase,
        step,
        label,
    };
    totals.add(id, &histogram);
}

/// So many values of a custom metric.
fn say(totals: &mut Totals, phase: u16, step: u8, metric: u8, value: f64, count: u64) {
    let thousandths = (value * 1e3) as u64;
    let mut values = Histogram::new(Trend::Value.digits()).expect("valid digits");
    values.record_n(thousandths, count).expect("it grows");
    let mut sum = Histogram::new(Trend::Sum.digits()).expect("valid digits");
    sum.record_n(1, thousandths * count).expect("it grows");
    for (trend, histogram) in [(Trend::Value, values), (Trend::Sum, sum)] {
        let id = SeriesId {
            trend,
            phase,
            step,
            label: metric,
        };
        totals.add(id, &histogram);
    }
}

/// Attempts: 100 in `climb`, 200 in the first `hold`, 50 in `browse`; none in the second `hold`;
/// 1,000 in the drain phase, which nothing may count.
fn totals() -> Totals {
    let mut totals = Totals {
        dropped: vec![0, 7, 3, 0, 0],
        data_sent: 35_000,
        data_received: 70_000,
        vus: 40,
        vus_max: 50,
        elapsed: Duration::from_secs(40),
        ..Totals::default()
    };
    for trend in [Trend::Duration, Trend::ResponseTime] {
        let factor = if trend == Trend::Duration { 1 } else { 2 };
        let mut times = |phase, step, label, ms: u64, count| {
            add(&mut totals, trend, phase, step, label, ms * factor, count);
        };
        times(0, 0, ISSUED, 10, 80);
        times(0, 0, NOT_SENT, 900, 20);
        times(1, 0, ISSUED, 20, 100);
        times(1, 0, SOLD_OUT, 30, 60);
        times(1, 1, ERROR, 40, 20);
        times(1, 1, UNKNOWN, 50, 20);
        times(2, 0, LOCK_FAILED, 60, 50);
        times(4, 0, ISSUED, 5000, 1000);
    }
    add(&mut totals, Trend::Waiting, 1, 1, NO_INDEX, 25, 40);
    let iterations = Trend::IterationDuration;
    add(&mut totals, iterations, 0, NO_INDEX, NO_INDEX, 100, 90);
    add(&mut totals, iterations, 1, NO_INDEX, NO_INDEX, 200, 93);
    add(&mut totals, iterations, 4, NO_INDEX, NO_INDEX, 999, 1000);
    say(&mut totals, 0, 0, RANK, 100.0, 8);
    say(&mut totals, 1, 1, RANK, 2.5, 2);
    say(&mut totals, 4, 0, RANK, 9999.0, 50);
    say(&mut totals, 0, 0, TRIES, 3.0, 4);
    say(&mut totals, 1, 0, TRIES, 0.5, 1);
    say(&mut totals, 4, 0, TRIES, 9999.0, 50);
    totals
}

#[test]
#[rustfmt::skip] // A row a line.
fn values_are_taken_from_the_series_that_the_tags_pick() {
    for (key, assertion, detail) in [
        // Counters; the drain phase is never counted.
        ("http_reqs", "count<351", "count = 350 in 350 attempts, limit < 351"),
        ("http_reqs", "rate>8/s", "rate = 8.75/s over 40.0 s (350 attempts), limit > 8/s"),
        ("outcome{outcome:sold_out}", "count==60", "count = 60 in 350 attempts, limit == 60"),
        ("issued", "count==180", "count = 180 in 350 attempts, limit == 180"),
        ("issued{phase:hold}", "count==100", "count = 100 in 200 attempts, limit == 100"),
        ("http_reqs{load:browse}", "count==50", "count = 50 in 50 attempts, limit == 50"),
        ("http_reqs{step:pay}", "count==40", "count = 40 in 40 attempts, limit == 40"),
        // An outcome that did not occur is a figure where there were attempts.
        ("outcome{outcome:duplicate}", "count==0", "count = 0 in 350 attempts, limit == 0"),
        // A phase's rate is over its own length, as far as the run came: 10 to 30 s of one `hold`,
        // nothing yet of the other.
        ("http_reqs{phase:hold}", "rate==10", "rate = 10.00/s over 20.0 s (200 attempts), limit == 10/s"),
        ("http_reqs{load:browse}", "rate>2", "rate = 2.50/s over 20.0 s (50 attempts), limit > 2/s"),
        ("iterations", "count==183", "count = 183 in 183 iterations, limit == 183"),
        ("dropped_iterations", "count<11", "count = 10 in 193 due iterations, limit < 11"),
        ("dropped_iterations{phase:climb}", "count==0", "count = 0 in 90 due iterations, limit == 0"),
        ("data_sent", "count<36kB", "count = 35.00 kB in 350 attempts, limit < 36 kB"),
        ("data_received", "rate<2kB/s", "rate = 1.75 kB/s over 40.0 s (350 attempts), limit < 2 kB/s"),
        ("vus", "value<=40", "value = 40 over 40.0 s, limit <= 40"),
        ("vus_max", "value<=50", "value = 50 over 40.0 s, limit <= 50"),
        // Shares: not sent, error and unknown are failed requests; refusals are not.
        ("http_req_failed", "rate<18%", "rate = 17.14 % of 350 attempts, limit < 18 %"),
        ("unknown_rate{step:pay}", "rate<=50%", "rate = 50.00 % of 40 attempts, limit <= 50 %"),
        ("lock_failed{load:browse}", "rate<=1", "rate = 100.00 % of 50 attempts, limit <= 100 %"),
        // Times; attempts that were not sent have none, unless they are asked for.
        ("http_req_duration{phase:climb}", "max<11", "max = 10.01 ms over 80 samples, limit < 11 ms"),
        ("http_req_duration{outcome:not_sent}", "med>800", "med = 900.10 ms over 20 samples, limit > 800 ms"),
        ("response_time{phase:hold,step:issue}", "p(50)<41", "p(50) = 40.03 ms over 160 samples, limit < 41 ms"),
        ("http_req_duration", "count==330", "count = 330 over 330 samples, limit == 330"),
        ("http_req_waiting", "avg<26", "avg = 25.02 ms over 40 samples, limit < 26 ms"),
        // What the scenario captures: means and sums are exact, and so is a rank of 100.
        ("rank", "p(95)<=100", "p(95) = 100 over 10 values, limit <= 100"),
        ("rank", "avg<81", "avg = 80.5 over 10 values, limit < 81"),
        ("rank", "count==10", "count = 10 over 10 values, limit == 10"),
        ("rank{step:pay}", "max<3", "max = 2.5 over 2 values, limit < 3"),
        ("rank{phase:climb,load:opening}", "min>=100", "min = 100 over 8 values, limit >= 100"),
        ("tries", "count==12.5", "count = 12.5 in 5 values, limit == 12.5"),
        ("tries{phase:climb}", "rate<=1.2/s", "rate = 1.20/s over 10.0 s (4 values), limit <= 1.2/s"),
        ("iteration_duration{load:opening}", "max<201", "max = 200.06 ms over 183 samples, limit < 201 ms"),
    ] {
        let results = judged(&plan(&[(key, assertion)]), &totals());
        assert_eq!(results[0].detail, detail, "{key}");
        assert_eq!(results[0].verdict, Verdict::Pass, "{key}");
        assert_eq!(results[0].name, format!("{key}: {assertion}"));
    }
}

#[test]
fn a_limit_that_is_missed_fails() {
    let results = judged(&plan(&[("http_req_duration", "p(99)<50ms")]), &totals());
    assert_eq!(results[0].verdict, Verdict::Fail);
    assert_eq!(
        results[0].detail,
        "p(99) = 60.03 ms over 330 samples, limit < 50 ms"
    );
}

#[test]
#[rustfmt::skip] // A row a line.
fn no_data_fails_unless_it_is_allowed() {
    for (key, assertion, detail) in [
        ("http_req_duration{step:none}", "p(95)<500", "no data (no sample), limit < 500 ms"),
        ("rank{load:browse}", "p(95)<500", "no data (no values), limit < 500"),
        ("tries{load:browse}", "count<5", "no data (no values), limit < 5"),
        ("http_req_failed{load:none}", "rate<1%", "no data (no attempts), limit < 1 %"),
        ("http_reqs{step:none}", "count==0", "no data (no attempts), limit == 0"),
        // The second load's own `hold` has not begun.
        ("issued{phase:hold,load:browse}", "count==0", "no data (no attempts), limit == 0"),
        ("iterations{load:browse}", "count==0", "no data (no iterations), limit == 0"),
        ("http_reqs{phase:drain}", "count==0", "no data (no attempts), limit == 0"),
    ] {
        let mut plan = plan(&[(key, assertion)]);
        let results = judged(&plan, &totals());
        assert_eq!(results[0].detail, detail, "{key}");
        assert_eq!(results[0].verdict, Verdict::Fail, "{key}");

        plan.thresholds[0].allow_empty = true;
        let results = judged(&plan, &totals());
        assert_eq!(results[0].verdict, Verdict::Pass, "{key}");
        assert!(results[0].detail.starts_with("no data ("), "{key}");
    }
}

#[test]
fn an_empty_run_has_no_data_at_all() {
    for metric in Metric::ALL {
        let name = metric.name();
        let assertion = match metric.kind() {
            super::super::MetricKind::Gauge => "value>=0",
            super::super::MetricKind::Trend => "max>=0",
            super::super::MetricKind::Scaling => "peak>=0",
            _ => "rate>=0",
        };
        let results = judged(&plan(&[(name, assertion)]), &Totals::default());
        assert_eq!(results[0].verdict, Verdict::Fail, "{name}");
        assert!(results[0].detail.starts_with("no data ("), "{name}");
    }
}

#[test]
fn a_share_of_an_outcome_that_is_not_declared_is_no_data() {
    let mut plan = plan(&[("lock_failed", "rate<1%")]);
    plan.labels.pop();
    let results = judged(&plan, &totals());
    assert_eq!(
        results[0].detail,
        "no data (no outcome is named `lock_failed`), limit < 1 %"
    );
    assert_eq!(results[0].verdict, Verdict::Fail);
}

#[test]
fn only_a_failure_after_its_delay_ends_the_run() {
    let aborts_with = |assertion, delay, elapsed| {
        let mut plan = plan(&[("http_reqs", "count<1"), ("http_req_duration", assertion)]);
        plan.thresholds[1].abort = delay;
        let mut totals = totals();
        totals.elapsed = elapsed;
        aborts(&plan, &totals, &Windows::new(&plan)).map(|result| result.name)
    };
    let seconds = Duration::from_secs;
    let failing = "max<1";
    assert_eq!(
        aborts_with(failing, Some(seconds(10)), seconds(10)),
        Some("http_req_duration: max<1".to_owned())
    );
    assert_eq!(aborts_with(failing, Some(seconds(10)), seconds(9)), None);
    assert_eq!(aborts_with("max<10s", Some(seconds(0)), seconds(9)), None);
    assert_eq!(
        aborts_with(failing, None, seconds(9)),
        None,
        "never asked to"
    );
}

#[test]
fn no_data_never_ends_the_run() {
    let mut plan = plan(&[("http_req_duration{phase:climb}", "max<1")]);
    plan.thresholds[0].abort = Some(Duration::ZERO);
    let empty = Totals::default();
    assert_eq!(judged(&plan, &empty)[0].verdict, Verdict::Fail);
    assert_eq!(aborts(&plan, &empty, &Windows::new(&plan)), None);
}

#[test]
fn fairness_is_judged_by_the_share_of_pairs() {
    let plan = plan(&[("fairness", "rate<1%")]);
    let judged = |measured| evaluate_fairness(&plan.thresholds[0], measured);
    let fair = judged(Ok((0.004, 4_950)));
    assert_eq!(fair.verdict, Verdict::Pass, "{fair:?}");
    let words = "rate = 0.40 % over 4,950 pairs of users who got one, limit < 1 %";
    assert_eq!(fair.detail, words);
    assert_eq!(judged(Ok((0.01, 4_950))).verdict, Verdict::Fail);
    let silent = judged(Err("there are no rows"));
    assert_eq!(silent.verdict, Verdict::Fail);
    assert_eq!(silent.detail, "no data (there are no rows), limit < 1 %");
}
