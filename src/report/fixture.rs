//! Summaries for the tests of the reports: a pass, a fail, an interrupted and an empty run.

mod faults;
mod findings;
mod hostile;
mod metrics;
mod resources;
mod scaled;

use std::collections::BTreeMap;

use super::{
    Drain, Environment, FaultState, Judged, Latency, LoadSummary, PhaseSummary, Sample, Summary,
    UnknownShape,
};
use crate::check::{Finding, Part};
use crate::verdict::Verdict;
use faults::faults;
pub(crate) use findings::explanation;
use findings::{OVERSOLD, oversold, part};
pub(crate) use hostile::hostile;
use metrics::metrics;
pub(crate) use metrics::trend;
use resources::resources;
pub(in crate::report) use scaled::scaled;

/// Every fixture.
pub(crate) fn all() -> [Summary; 7] {
    [
        passed(),
        failed(),
        not_healed(),
        interrupted(),
        empty(),
        hostile(),
        scaled(),
    ]
}

fn map<T: Clone>(entries: &[(&str, T)]) -> BTreeMap<String, T> {
    let owned = |(name, value): &(&str, T)| ((*name).to_owned(), value.clone());
    entries.iter().map(owned).collect()
}

fn judged(name: &str, verdict: Verdict, detail: &str) -> Judged {
    Judged {
        name: name.to_owned(),
        verdict,
        detail: detail.to_owned(),
    }
}

fn latency(count: u64, p50: f64) -> Latency {
    Latency {
        count,
        mean: p50 * 1.2,
        min: p50 / 20.0,
        p50,
        p90: p50 * 2.0,
        p95: p50 * 3.5,
        p99: p50 * 9.0,
        p999: p50 * 30.0,
        max: p50 * 55.5,
    }
}

fn phase(name: &str, from_s: f64, to_s: f64, requests: u64, p50: f64) -> PhaseSummary {
    PhaseSummary {
        phase: name.to_owned(),
        load: "opening".to_owned(),
        from_s,
        to_s,
        requests,
        outcomes: map(&[
            ("issued", requests / 3),
            ("sold_out", requests - requests / 3),
        ]),
        response_ms: BTreeMap::new(),
        latency_ms: map(&[
            ("all", latency(requests, p50)),
            ("issue", latency(requests, p50)),
        ]),
    }
}

/// A run that left something broken.
pub(crate) fn not_healed() -> Summary {
    let mut summary = failed();
    let why = "it was started 3 times and did not answer".to_owned();
    let said = format!("the fault `redis-down` could not be healed at redis-1: {why}");
    let down = &mut summary.faults[0];
    (down.state, down.why) = (FaultState::NotHealed, Some(why));
    (down.healed_s, down.recovered_s, down.recovery_ms) = (None, None, None);
    down.open_after_heal_ms = None;
    summary.reasons.insert(0, said.clone());
    summary.not_healed = vec![said];
    summary
}

/// A minute of ramping up and down with a slow spell in the middle.
pub(crate) fn samples(count: u32) -> Vec<Sample> {
    (0..count)
        .map(|index| {
            let at = f64::from(index) / f64::from(count);
            let vus = (500.0 * (1.0 - (at * 2.0 - 1.0).abs())).round();
            let wave = (f64::from(index) * 0.7).sin();
            let rps = vus * 4.0 + wave * 30.0 + 30.0;
            let slow = if (0.4..0.5).contains(&at) { 12.0 } else { 1.0 };
            let issued = if at < 0.35 { rps } else { 0.0 };
            let p50 = (6.0 + vus / 40.0 + wave) * slow;
            // Nothing was answered for a while.
            let answered = |times: f64| (!(0.7..0.74).contains(&at)).then_some(p50 * times);
            Sample {
                t_s: at * 60.0,
                rps,
                vus: vus as u64,
                p50_ms: answered(1.0),
                p95_ms: answered(3.0),
                p99_ms: answered(7.5),
                outcomes: map(&[
                    ("issued", issued),
                    ("sold_out", (rps - issued) * 0.9),
                    ("duplicate", (rps - issued) * 0.1),
                    ("unknown", if slow > 1.0 { 60.0 } else { 0.0 }),
                ]),
                remaining: Some((5_000.0 * (1.0 - at / 0.35).max(0.0)) as i64),
                stock_minus_confirmed: None,
            }
        })
        .collect()
}

/// A run in which everything held.
pub(crate) fn passed() -> Summary {
    Summary {
        name: "coupon-ramp".to_owned(),
        about: Some("The opening of an event with 5,000 coupons.".to_owned()),
        verdict: Verdict::Pass,
        reasons: vec!["every invariant and every threshold held".to_owned()],
        exit_code: 0,
        exit_meaning: "every threshold and invariant holds".to_owned(),
        requests: 61_200,
        duration_s: 60.0,
        rps: 1020.0,
        outcomes: map(&[
            ("duplicate", 1200),
            ("error", 0),
            ("issued", 5000),
            ("sold_out", 54_999),
            ("unknown", 1),
        ]),
        latency_ms: map(&[
            ("all", latency(61_200, 8.25)),
            ("issue", latency(61_200, 8.25)),
        ]),
        response_ms: map(&[
            ("all", latency(61_200, 8.5)),
            ("issue", latency(61_200, 8.5)),
        ]),
        phases: vec![
            phase("climb", 0.0, 30.0, 20_000, 6.0),
            phase("hold", 30.0, 60.0, 41_200, 9.5),
        ],
        metrics: Vec::new(),
        resources: Vec::new(),
        faults: Vec::new(),
        fairness: None,
        scalability: None,
        not_healed: Vec::new(),
        loads: vec![LoadSummary {
            load: "opening".to_owned(),
            executor: "ramping_vus".to_owned(),
            model: "closed".to_owned(),
            iterations: 61_200,
            started: Some(61_200),
            ..LoadSummary::default()
        }],
        dropped_iterations: 0,
        vus_max: 500,
        data_sent: 12_345_678,
        data_received: 9_876_543,
        invariants: vec![
            judged("stock", Verdict::Pass, "5,000 rows for a stock of 5,000"),
            judged("one_per_user", Verdict::Pass, "5,000 users hold one each"),
        ],
        thresholds: vec![judged(
            "http_req_duration{phase:hold}: p(95)<300ms",
            Verdict::Pass,
            "p(95) = 33.25 ms over 41,200 samples, limit < 300 ms",
        )],
        findings: vec![Finding {
            checker: "stock".to_owned(),
            verdict: Verdict::Pass,
            headline: "5,000 rows for a stock of 5,000".to_owned(),
            parts: vec![Part {
                name: "oversold".to_owned(),
                verdict: Verdict::Pass,
                count: 0,
                detail: "no more rows than stock".to_owned(),
                ..part()
            }],
        }],
        drain: Some(Drain {
            requests: 1,
            issued: 0,
            sold_out: true,
        }),
        unknown_shapes: Vec::new(),
        warnings: Vec::new(),
        comparison: None,
        setup: Vec::new(),
        outputs: Vec::new(),
        samples: samples(60),
        environment: environment(),
    }
}

fn environment() -> Environment {
    Environment {
        version: "0.1.0".to_owned(),
        seed: 20_250_228,
        profile: None,
        started: "2025-02-28T10:00:00Z".to_owned(),
        os: "Linux 6.8".to_owned(),
        cpu: "Some CPU, 2 cores".to_owned(),
        memory_bytes: 8_000_000_000,
        merged: None,
        engine: None,
        threads: 1,
        target: "http://127.0.0.1:3000".to_owned(),
        provider: "embedded, as nothing else was asked for".to_owned(),
        repeat: "fcfs-bench run coupon-ramp.yaml --seed 20250228".to_owned(),
        resident_max_bytes: 44_000_000,
        generator_cpu: 0.71,
    }
}

/// A run that oversold, with cases, under an open model with two steps.
pub(crate) fn failed() -> Summary {
    let mut summary = passed();
    summary.verdict = Verdict::Fail;
    summary.reasons = vec![
        format!("invariant `stock`: {OVERSOLD}"),
        "threshold `http_req_duration{phase:hold}: p(95)<300ms` failed".to_owned(),
    ];
    summary.exit_code = 111;
    summary.exit_meaning = "an invariant is violated".to_owned();
    summary.dropped_iterations = 1250;
    summary.outcomes.insert("unknown".to_owned(), 2112);
    summary
        .latency_ms
        .insert("pay".to_owned(), latency(640, 120.0));
    summary
        .response_ms
        .insert("pay".to_owned(), latency(640, 480.0));
    let slow = latency(640, 480.0);
    let hold = &mut summary.phases[1];
    hold.latency_ms
        .insert("pay".to_owned(), latency(640, 120.0));
    hold.response_ms = map(&[("all", slow), ("pay", slow)]);
    summary.loads[0].executor = "constant_arrival_rate".to_owned();
    summary.loads[0].model = "open".to_owned();
    summary.loads[0].dropped = 1250;
    summary.loads[0].started = Some(61_200);
    summary.loads[0].due = Some(62_450);
    summary.loads[0].lag_p50_ms = Some(0.5);
    summary.loads[0].lag_p99_ms = Some(1.375);
    summary.loads[0].lag_max_ms = Some(4.25);
    summary.invariants = vec![
        judged("stock", Verdict::Fail, OVERSOLD),
        judged(
            "one_per_user",
            Verdict::Unknown,
            "the final rows could not be read",
        ),
    ];
    summary.thresholds[0] = judged(
        "http_req_duration{phase:hold}: p(95)<300ms",
        Verdict::Fail,
        "p(95) = 1,212.3 ms over 41,200 samples, limit < 300 ms",
    );
    summary.thresholds.push(judged(
        "lock_failed: rate<1%",
        Verdict::Fail,
        "no data (no outcome is named `lock_failed`), limit < 1 %",
    ));
    summary.metrics = metrics();
    summary.resources = resources();
    summary.faults = faults();
    summary.findings = vec![oversold()];
    summary.drain = Some(Drain {
        requests: 3000,
        issued: 12,
        sold_out: false,
    });
    summary.unknown_shapes = vec![
        UnknownShape {
            step: "issue".to_owned(),
            cause: "no outcome of the step matches the answer".to_owned(),
            status: 502,
            count: 2110,
            example: "<html>\n```\nBad Gateway\n</html>".to_owned(),
        },
        UnknownShape {
            step: "issue".to_owned(),
            cause: "no answer came in time".to_owned(),
            status: 0,
            count: 1,
            example: String::new(),
        },
    ];
    summary.warnings = vec![
        "the busiest load thread used 97 % of a core: the generator was saturated, response times \
         are too high"
            .to_owned(),
    ];
    summary
}

/// A run that was stopped before the truth was read.
pub(crate) fn interrupted() -> Summary {
    let mut summary = passed();
    let why = "the run was interrupted before the final rows were read";
    summary.verdict = Verdict::Unknown;
    summary.reasons = vec![why.to_owned()];
    summary.exit_code = 105;
    summary.exit_meaning = "interrupted".to_owned();
    summary.duration_s = 31.5;
    summary.phases[1].requests = 0;
    summary.phases[1].outcomes.clear();
    summary.phases[1].latency_ms.clear();
    for judged in &mut summary.invariants {
        judged.verdict = Verdict::Unknown;
        why.clone_into(&mut judged.detail);
    }
    summary.thresholds[0].verdict = Verdict::Fail;
    "no data (no sample), limit < 300 ms".clone_into(&mut summary.thresholds[0].detail);
    summary.findings.clear();
    summary.drain = None;
    summary.samples.truncate(31);
    summary
}

/// A run in which nothing happened.
pub(crate) fn empty() -> Summary {
    Summary {
        name: "nothing".to_owned(),
        about: None,
        verdict: Verdict::Unknown,
        reasons: vec!["not a single request was made".to_owned()],
        exit_code: 112,
        exit_meaning: "inconclusive".to_owned(),
        requests: 0,
        duration_s: 0.0,
        rps: 0.0,
        outcomes: map(&[("issued", 0)]),
        latency_ms: BTreeMap::new(),
        response_ms: BTreeMap::new(),
        phases: Vec::new(),
        metrics: Vec::new(),
        resources: Vec::new(),
        faults: Vec::new(),
        fairness: None,
        scalability: None,
        not_healed: Vec::new(),
        loads: Vec::new(),
        dropped_iterations: 0,
        vus_max: 0,
        data_sent: 0,
        data_received: 0,
        invariants: Vec::new(),
        thresholds: Vec::new(),
        findings: Vec::new(),
        drain: None,
        unknown_shapes: Vec::new(),
        warnings: Vec::new(),
        comparison: None,
        setup: Vec::new(),
        outputs: Vec::new(),
        samples: Vec::new(),
        environment: Environment::default(),
    }
}
