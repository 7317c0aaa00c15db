//! Summaries for the tests of the reports: a pass, a fail, an interrupted and an empty run.

mod findings;

use std::collections::BTreeMap;

use super::{
    CounterFigures, Drain, Environment, FaultAlert, FaultBaseline, FaultState, FaultSummary,
    IncreaseFigures, Judged, Latency, LevelFigures, LoadSummary, MetricSummary, PhaseSummary,
    ResourceSample, ResourceSummary, Sample, ScalabilityLaw, ScalabilityStep, ScalabilitySummary,
    Summary, TrendFigures, UnknownShape,
};
use crate::check::{Finding, Part};
use crate::verdict::Verdict;
pub(crate) use findings::explanation;
use findings::{OVERSOLD, oversold, part};

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

/// A metric whose values are around this one.
pub(crate) fn trend(name: &str, value: f64) -> MetricSummary {
    MetricSummary {
        metric: name.to_owned(),
        kind: "trend".to_owned(),
        values: 4_711,
        trend: Some(TrendFigures {
            avg: value * 1.07,
            min: 1.0,
            med: value,
            p90: value * 2.0,
            p95: value * 3.0,
            max: value * 4.0,
        }),
        counter: None,
        left_out: map(&[("no_number", 3)]),
    }
}

fn metrics() -> Vec<MetricSummary> {
    let nothing = MetricSummary {
        values: 0,
        trend: None,
        left_out: BTreeMap::new(),
        ..trend("position", 0.0)
    };
    let counter = |metric: &str, counter| MetricSummary {
        metric: metric.to_owned(),
        kind: "counter".to_owned(),
        counter,
        ..nothing.clone()
    };
    let retries = CounterFigures {
        count: 1_234.5,
        rate: 20.575,
    };
    vec![
        trend("queue_rank", 100.0),
        counter("retries", Some(retries)),
        nothing.clone(),
        counter("refunds", None),
    ]
}

fn resource(source: &str, kind: &str, silent: Option<usize>) -> ResourceSummary {
    let samples = (0..60).map(|second| ResourceSample {
        t_s: f64::from(second),
        values: if silent == Some(second as usize) {
            BTreeMap::new()
        } else {
            let wave = 20.0 + 10.0 * (f64::from(second) * 0.3).sin();
            map(&[
                ("cpu", wave / 25.0),
                ("connections", wave),
                ("row_lock_waits", wave * 40.0),
                ("queries", wave * 300.0),
                ("commands", wave * 900.0),
            ])
        },
    });
    ResourceSummary {
        source: source.to_owned(),
        kind: kind.to_owned(),
        readings: 62 - u64::from(silent.is_some()),
        gaps: u64::from(silent.is_some()),
        gap: silent.map(|_| "mysql://127.0.0.1:3306: no answer within 900 ms".to_owned()),
        levels: BTreeMap::new(),
        counters: BTreeMap::new(),
        samples: samples.collect(),
    }
}

/// A server whose database waits for locks, a Redis, and a process that was never found.
fn resources() -> Vec<ResourceSummary> {
    let level = |min, mean, max| LevelFigures { min, mean, max };
    let increase = |increase: u32| IncreaseFigures {
        increase: u64::from(increase),
        rate: f64::from(increase) / 61.0,
        max_rate: f64::from(increase) / 20.0,
    };
    let process = |name: &str, cores: f64| ResourceSummary {
        levels: map(&[
            ("cpu", level(0.0, cores, cores * 1.9)),
            ("memory", level(9e6, 2e7, cores * 1.5e8)),
        ]),
        ..resource(name, "process", None)
    };
    let mut gone = resource("worker", "process", None);
    (gone.readings, gone.gaps) = (0, 62);
    gone.gap = Some("/run/worker.pid: No such file or directory (os error 2)".to_owned());
    gone.samples.clear();
    vec![
        process("harness", 0.71),
        process("server", 0.94),
        process("redis-1", 0.12),
        process("mysql", 1.03),
        gone,
        ResourceSummary {
            levels: map(&[("connections", level(1.0, 8.9, 11.0))]),
            counters: map(&[("commands", increase(1_647_000))]),
            ..resource("redis-1", "redis", None)
        },
        ResourceSummary {
            levels: map(&[("connections", level(1.0, 24.2, 31.0))]),
            counters: map(&[
                ("queries", increase(427_000)),
                ("row_lock_waits", increase(12_345)),
                ("row_lock_time", increase(987_654)),
            ]),
            ..resource("mysql", "sql", Some(30))
        },
    ]
}

/// One that went as it should, one that was not recovered from and was never seen to bite, and one
/// that was never due.
fn faults() -> Vec<FaultSummary> {
    let down = FaultSummary {
        fault: "redis-down".to_owned(),
        occurrence: 1,
        times: 1,
        what: "redis: kill".to_owned(),
        victims: vec!["redis-1".to_owned()],
        state: FaultState::Healed,
        due_s: Some(12.0),
        asked_s: Some(12.002),
        applied_s: Some(12.01),
        effect_seen: true,
        effect: Some("PING was refused".to_owned()),
        effect_ms: Some(8.0),
        first_bad_ms: Some(40.0),
        detected_ms: Some(8.0),
        detected_by: Some("effect".to_owned()),
        noticed_ms: map(&[("effect", 8.0), ("alert", 4_012.0)]),
        alerts: vec![FaultAlert {
            alert: "RedisDown".to_owned(),
            labels: map(&[("instance", "127.0.0.1:9121".to_owned())]),
            fired_ms: 4_012.0,
            cleared_ms: Some(14_020.0),
        }],
        alerts_watched: true,
        healed_s: Some(22.5),
        recovered_s: Some(25.75),
        recovery_ms: Some(3_250.0),
        window_ms: Some(250.0),
        baseline: Some(FaultBaseline {
            from_s: 2.0,
            to_s: 12.0,
            requests: 9_100,
            failed_share: 0.0004,
            p95_ms: Some(14.6),
        }),
        requests: 4_567,
        failed: 1_234,
        unknown: 120,
        budget_share: Some(2.41),
        open_after_heal_ms: Some(4_310.0),
        ..FaultSummary::default()
    };
    let slow = FaultSummary {
        fault: "slow-database".to_owned(),
        occurrence: 2,
        times: 2,
        what: "database: delay by 200ms".to_owned(),
        victims: vec!["mysql".to_owned()],
        applied_s: Some(20.0),
        effect_seen: false,
        effect: Some("SELECT 1 took 1 ms".to_owned()),
        effect_ms: None,
        first_bad_ms: None,
        detected_ms: None,
        detected_by: None,
        noticed_ms: BTreeMap::new(),
        alerts: Vec::new(),
        alerts_silent: Some("no answer within 900 ms".to_owned()),
        healed_s: Some(50.0),
        recovered_s: None,
        recovery_ms: None,
        not_recovered: Some(
            "not enough good windows running until the load ended, 10.0 s after the heal; the last bad window ended 9.5 s after it".to_owned(),
        ),
        baseline: None,
        unknown: 0,
        budget_share: None,
        open_after_heal_ms: None,
        beside: vec!["redis-down".to_owned()],
        ..down.clone()
    };
    let never = FaultSummary {
        fault: "late".to_owned(),
        times: 1,
        what: "client: reset".to_owned(),
        state: FaultState::NeverDue,
        ..FaultSummary::default()
    };
    vec![down, slow, never]
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
            dropped: 0,
            lag_p99_ms: None,
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
    summary.loads[0].lag_p99_ms = Some(1.375);
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

/// A run of three steps, of which the last gives hardly more than the second.
pub(super) fn scaled() -> Summary {
    let step = |name: &str, vus, throughput, efficiency, fitted, locks| ScalabilityStep {
        step: name.to_owned(),
        vus,
        seconds: 28.0,
        throughput: Some(throughput),
        efficiency: Some(efficiency),
        fitted: Some(fitted),
        outcomes: map(&[("issued", 10_000), ("lock_failed", locks)]),
    };
    let law = ScalabilityLaw {
        contention: 0.0123,
        coherency: 0.000_123_4,
        gamma: 30.1,
        peak: Some(89.46),
        knee: Some(21.2),
        r_squared: Some(0.998_7),
        residual: 0.012,
    };
    Summary {
        scalability: Some(ScalabilitySummary {
            steps: vec![
                step("users-10", 10, 270.0, 1.0, 268.0, 0),
                step("users|30", 30, 610.0, 0.753, 615.5, 12),
                step("users-200", 200, 720.0, 0.133_3, 716.0, 126),
            ],
            bends_at: Some(30),
            law: Some(law),
            why_not: None,
        }),
        ..passed()
    }
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

/// The failed run with text everywhere that tries to be markup, a control or a second column.
pub(crate) fn hostile() -> Summary {
    let evil = "a|b`c`\r\n# d\u{1b}[2J\u{202e}<script>&\"'@all ✘ FAIL \u{0}é쿠폰".to_owned();
    let mut summary = failed();
    summary.name.clone_from(&evil);
    summary.about = Some(evil.clone());
    summary.reasons.push(evil.clone());
    summary.exit_meaning.clone_from(&evil);
    summary.outcomes.insert(evil.clone(), 3);
    let times = latency(1, 1.0);
    summary.latency_ms.insert(evil.clone(), times);
    summary.phases[0].phase.clone_from(&evil);
    summary.phases[0].outcomes.insert(evil.clone(), 3);
    summary.loads[0].load.clone_from(&evil);
    summary.metrics[0].metric.clone_from(&evil);
    for fault in &mut summary.faults {
        fault.fault.clone_from(&evil);
        fault.effect = Some(evil.clone());
        fault.why = Some(evil.clone());
        fault.victims = vec![evil.clone()];
        fault.beside = vec![evil.clone()];
        fault.alerts_silent = Some(evil.clone());
        for alert in &mut fault.alerts {
            alert.alert.clone_from(&evil);
            alert.labels = map(&[(evil.as_str(), evil.clone())]);
        }
    }
    summary.not_healed = vec![evil.clone()];
    for resource in &mut summary.resources {
        resource.source.clone_from(&evil);
    }
    summary.loads[0].executor.clone_from(&evil);
    summary.invariants[0].name.clone_from(&evil);
    summary.thresholds[0].detail.clone_from(&evil);
    summary.findings[0].headline.clone_from(&evil);
    summary.findings[0].parts[0].cases[0].user.clone_from(&evil);
    summary.findings[0].parts[0].cases[0].text.clone_from(&evil);
    summary.unknown_shapes[0].cause.clone_from(&evil);
    summary.unknown_shapes[0].example = format!("{evil}\n````\n{evil}");
    summary.warnings.push(evil.clone());
    summary.environment.target.clone_from(&evil);
    summary.environment.repeat.clone_from(&evil);
    let sample = &mut summary.samples[5];
    sample.outcomes.insert(evil, f64::NAN);
    sample.p99_ms = Some(f64::INFINITY);
    summary
}
