//! What a run says of its faults: run directories made by hand, judged by `check`.

#[path = "support/harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::time::Duration;

use fcfs_bench::check::{IssuedRead, IssuedRow, Settled};
use fcfs_bench::history::{Cause, FaultMark, HistoryWriter, Key, Moment, Operation, OutcomeKind};
use fcfs_bench::measure::{IntervalLog, Second, SecondLog, SeriesId, Trend};
use fcfs_bench::plan::Overrides;
use fcfs_bench::probe::{TruthLog, When};
use fcfs_bench::run::{Event, RunDirectory, RunRecord};
use harness::{Bench, Ended, verdict_of};
use hdrhistogram::Histogram;
use serde_json::Value;

const S: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

/// The run's load begins so long after its origin.
const START: u64 = 2 * S;

/// Seconds that it lasts.
const SECONDS: u64 = 60;

const DOWN: &str = "{ name: down, client: { delay: 50ms }, after: 20s, for: 10s }";

/// A run that never took place.
struct Made {
    faults: Vec<&'static str>,
    more: String,
    events: Vec<Event>,
    history: Vec<Operation>,
    rows: Option<Vec<IssuedRow>>,
    interrupted: bool,
    ended: bool,
}

/// Milliseconds from the load's start.
const fn at(ms: u64) -> u64 {
    START + ms * MS
}

fn operation(user: u64, sent_ms: u64, takes_ms: u64, kind: OutcomeKind) -> Operation {
    Operation {
        user: Key(user),
        coupon: Key::NONE,
        inv_ns: at(sent_ms),
        ret_ns: at(sent_ms + takes_ms),
        lag_us: 0,
        status: 0,
        kind,
        label: kind as u8,
        step: 0,
        cause: Cause::None,
        phase: 0,
        vu: 0,
    }
}

impl Made {
    /// 50 attempts a second that take 10 ms, but for those that are sent in a time in which nothing
    /// works; milliseconds.
    fn broken(from: u64, to: u64) -> Self {
        let sent = (0..SECONDS * 1_000).step_by(20).enumerate();
        let attempt = |(user, sent): (usize, u64)| {
            let broken = (from..to).contains(&sent);
            let (takes, kind) = if broken {
                (400, OutcomeKind::Unknown)
            } else {
                (10, OutcomeKind::SoldOut)
            };
            operation(user as u64 + 100, sent, takes, kind)
        };
        Self {
            faults: vec![DOWN],
            more: String::new(),
            events: Vec::new(),
            history: sent.map(attempt).collect(),
            rows: None,
            interrupted: false,
            ended: true,
        }
    }

    fn faults(mut self, faults: &[&'static str]) -> Self {
        self.faults = faults.to_vec();
        self
    }

    fn with(mut self, yaml: &str) -> Self {
        self.more += yaml;
        self.more.push('\n');
        self
    }

    fn marked(mut self, fault: u16, ms: u64, moment: Moment) -> Self {
        self.events.push(Event::Fault(FaultMark {
            at_ns: at(ms),
            fault,
            occurrence: 1,
            moment,
        }));
        self
    }

    /// Applied at 20 s; the rest is to come.
    fn applied(self) -> Self {
        let asked = Moment::Asked {
            victims: vec!["client".to_owned()],
            due_ns: Some(at(20_000)),
        };
        self.marked(0, 20_001, asked)
            .marked(0, 20_003, Moment::Applied)
    }

    fn seen(self) -> Self {
        let what = "an answer took 61 ms".to_owned();
        self.marked(0, 20_110, Moment::EffectSeen { what })
    }

    fn healed(self) -> Self {
        self.marked(0, 30_003, Moment::Healing)
            .marked(0, 30_010, Moment::Healed)
    }

    fn not_healed(self) -> Self {
        let why = "the rule is still there".to_owned();
        self.marked(0, 30_003, Moment::Healing)
            .marked(0, 32_000, Moment::NotHealed { why })
    }

    fn scenario(&self) -> String {
        let faults = self.faults.iter().map(|fault| format!("- {fault}\n"));
        let faults: String = faults.collect();
        format!(
            "name: made\ntarget: {{ url: \"http://127.0.0.1:3000\" }}\n\
             load: {{ rush: {{ constant_vus: {{ vus: 5, for: {SECONDS}s }} }} }}\n\
             flows: {{ issue: [{{ post: /issue, outcomes: {{ issued: 201, sold_out: 409 }} }}] }}\n\
             faults:\n{faults}{}",
            self.more
        )
    }

    /// Writes the directory and judges it.
    fn judged(&self) -> (Bench, Ended) {
        let bench = Bench::new();
        let directory = RunDirectory::create(Some(&bench.path("run")), "made").expect("a place");
        std::fs::write(directory.scenario_file(), self.scenario()).expect("a scenario");
        directory
            .write_record(&RunRecord {
                version: "0.1.0".to_owned(),
                scenario: "made.yaml".to_owned(),
                included: Vec::new(),
                overrides: Overrides::default(),
                records: None,
                imported: None,
                segment: None,
                merged: None,
                started: "2026-11-21T08:48:15Z".to_owned(),
                origin_unix_ns: 0,
                os: "Linux".to_owned(),
                cpu: "2 cores".to_owned(),
                memory_bytes: 1,
            })
            .expect("a record");
        self.write_events(&directory);
        let mut history = HistoryWriter::create(directory.path()).expect("a history");
        history.append(&self.history).expect("written");
        history.flush().expect("written");
        self.write_figures(&directory);
        self.write_truth(&directory);
        bench.run(&["report", "run"]).expect(0);
        let ended = bench.run(&["check", "run"]);
        (bench, ended)
    }

    fn write_events(&self, directory: &RunDirectory) {
        let mut events = vec![Event::LoadStarted {
            at_ns: START,
            threads: 1,
            provider: "a system that already runs".to_owned(),
            target: "http://127.0.0.1:3000".to_owned(),
        }];
        events.extend(self.events.iter().cloned());
        let end = at(SECONDS * 1_000);
        if self.interrupted {
            events.push(Event::Interrupted { at_ns: end - 1 });
        }
        if self.ended {
            let users_taken = self.history.len() as u64;
            events.push(Event::LoadEnded {
                at_ns: end,
                users_taken,
            });
            events.push(Event::Recorded {
                lost: 0,
                failure: None,
                unknown: Vec::new(),
            });
            events.push(Event::Ended { at_ns: end });
        }
        let lines = events.iter().map(|event| {
            let line = serde_json::to_string(event).expect("JSON");
            line + "\n"
        });
        let lines: String = lines.collect();
        std::fs::write(directory.events_file(), lines).expect("events");
    }

    /// As the collector would have written them.
    fn write_figures(&self, directory: &RunDirectory) {
        let mut seconds = SecondLog::create(&directory.seconds_file()).expect("seconds");
        let mut intervals = IntervalLog::create(&directory.intervals_file()).expect("intervals");
        for t in 0..SECONDS {
            let sent = |one: &&Operation| (one.inv_ns - START) / S == t;
            let mut labels: BTreeMap<u8, Histogram<u64>> = BTreeMap::new();
            for one in self.history.iter().filter(sent) {
                let new = || Histogram::new(3).expect("3 digits are valid");
                let times = labels.entry(one.label).or_insert_with(new);
                times
                    .record((one.ret_ns - one.inv_ns) / 1_000)
                    .expect("it grows");
            }
            for (label, times) in &labels {
                let id = SeriesId {
                    trend: Trend::Duration,
                    phase: 0,
                    step: 0,
                    label: *label,
                };
                let (start, length) = (Duration::from_secs(t), Duration::from_secs(1));
                intervals.append(start, length, id, times).expect("written");
            }
            let requests = labels.values().map(Histogram::len).sum();
            let second = Second {
                t,
                length_s: 1.0,
                vus: 5,
                requests,
                phases: vec!["rush".to_owned()],
                ..Second::default()
            };
            seconds.append(&second).expect("written");
        }
        intervals.flush().expect("written");
    }

    fn write_truth(&self, directory: &RunDirectory) {
        let Some(rows) = &self.rows else { return };
        let mut truth = TruthLog::create(directory.path()).expect("truth");
        let read = |at_ns, rows: &[IssuedRow]| IssuedRead {
            at_ns,
            rows: rows.to_vec().into(),
        };
        truth.rows(When::Baseline, &read(1, &[])).expect("written");
        truth.settled(&Settled::Quiet).expect("written");
        truth
            .rows(When::Last, &read(at(61_000), rows))
            .expect("written");
        truth
            .rows(When::Second, &read(at(62_000), rows))
            .expect("written");
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn fault(bench: &Bench, index: usize) -> Value {
    bench.summary()["faults"][index].clone()
}

/// A number of a fault, rounded to the thousandth.
fn number(fault: &Value, key: &str) -> f64 {
    let value = fault[key].as_f64();
    let value = value.unwrap_or_else(|| panic!("{key} of {fault}"));
    (value * 1e3).round() / 1e3
}

#[test]
fn a_fault_that_bit_and_was_healed_and_recovered_from_passes_with_all_its_figures() {
    let made = Made::broken(20_000, 32_000).applied().seen().healed();
    let made = made.with(
        "thresholds: { \"recovery{fault:down}\": \"value<10s\", http_req_failed: \"rate<50%\" }",
    );
    let (bench, ended) = made.judged();
    ended.expect(0);
    let fault = fault(&bench, 0);
    for (key, value) in [
        ("due_s", 20.0),
        ("asked_s", 20.001),
        ("applied_s", 20.003),
        ("effect_ms", 107.0),
        ("first_bad_ms", 47.0), // the windows begin with a whole 50 ms
        ("detected_ms", 107.0),
        ("healed_s", 30.01),
        // Windows of 500 ms from 30.05 s: that of 31.55 s is the last bad one.
        ("recovered_s", 34.05),
        ("recovery_ms", 4_040.0),
        ("window_ms", 500.0),
        ("requests", 501.0),
        ("failed", 501.0),
        ("unknown", 501.0),
        // 1,500 of 3,000 may fail.
        ("budget_share", 0.334),
        ("open_after_heal_ms", 390.0),
    ] {
        assert!(
            (number(&fault, key) - value).abs() < 0.0015,
            "{key} of {fault:#}"
        );
    }
    assert_eq!(fault["state"], "healed");
    assert_eq!(fault["what"], "client: delay by 50ms");
    assert_eq!(fault["detected_by"], "effect");
    let summary = bench.summary();
    let judged = verdict_of(&summary, "thresholds", "recovery{fault:down}: value<10s");
    assert_eq!(
        judged["detail"],
        "value = 4,040.0 ms of `down`, limit < 10,000 ms"
    );
    let report = bench.read("run/report.md");
    assert!(report.contains("## Faults"), "{report}");
    assert!(bench.read("run/chart.svg").contains("\ndown\n"));
}

#[test]
fn a_fault_that_was_never_recovered_from_breaks_its_threshold() {
    let made = Made::broken(20_000, 60_000).applied().seen().healed();
    let made = made.with("thresholds: { recovery: \"value<10s\" }");
    let (bench, ended) = made.judged();
    let ended = ended.expect(99);
    assert!(
        ended
            .stdout
            .contains("not recovered: not enough good windows running until the load ended")
    );
    assert!(fault(&bench, 0)["recovery_ms"].is_null());
    let summary = bench.summary();
    let judged = verdict_of(&summary, "thresholds", "recovery: value<10s");
    let detail = judged["detail"].as_str().expect("a text");
    assert!(
        detail.contains("at least, as `down` was not recovered from"),
        "{detail}"
    );
}

#[test]
fn the_claim_of_a_recovery_is_judged_within_the_run_or_within_its_time() {
    // Until when it was broken, what is claimed, and how the run ends; healed at 30 s.
    for (to, claim, code, words) in [
        (
            32_000,
            "recovery",
            0,
            "1 fault recovered from, the slowest after 4.040 s",
        ),
        (
            32_000,
            "{ recovery: { within: 5s } }",
            0,
            "1 fault recovered from",
        ),
        (
            32_000,
            "{ recovery: { within: 4s } }",
            111,
            "`down` was recovered from after 4.040 s, 4.000 s are allowed",
        ),
        (60_000, "recovery", 111, "`down` was still felt"),
        (
            60_000,
            "{ recovery: { within: 10s } }",
            111,
            "`down` was still felt",
        ),
        (
            60_000,
            "{ recovery: { within: 1m } }",
            112,
            "`down` was still felt",
        ),
    ] {
        let made = Made::broken(20_000, to).applied().seen().healed();
        let (bench, ended) = made.with(&format!("invariants: [{claim}]")).judged();
        ended.expect(code);
        let summary = bench.summary();
        let detail = verdict_of(&summary, "invariants", "recovery")["detail"].clone();
        let detail = detail.as_str().expect("words");
        assert!(detail.contains(words), "{claim}: {detail}");
    }
    let made = Made::broken(20_000, 32_000).applied().seen();
    let (bench, _) = made.with("invariants: [recovery]").judged();
    let summary = bench.summary();
    let judged = verdict_of(&summary, "invariants", "recovery");
    assert_eq!(judged["verdict"], "unknown", "{judged}");
}

#[test]
fn an_effect_that_was_never_seen_makes_the_run_unknown() {
    let what = "an answer took 2 ms".to_owned();
    let made = Made::broken(0, 0).applied();
    let made = made
        .marked(0, 30_000, Moment::EffectNotSeen { what })
        .healed();
    let (bench, ended) = made.judged();
    ended.expect(112);
    let reason = "the fault `down` was injected, but never seen to bite: an answer took 2 ms";
    assert_eq!(bench.summary()["reasons"][0], reason);
    assert_eq!(bench.summary()["verdict"], "unknown");
}

#[test]
fn a_fault_of_which_nothing_is_known_makes_the_run_unknown() {
    let never = Made::broken(0, 0).marked(0, 60_000, Moment::NeverDue);
    let why = "no such process".to_owned();
    let not_applied = Made::broken(0, 0).marked(0, 20_000, Moment::NotApplied { why });
    for (made, state, reason) in [
        (
            Made::broken(0, 0),
            "unknown",
            "was never injected: nothing is known of it",
        ),
        (
            never,
            "never_due",
            "was never injected: the load ended before it was due",
        ),
        (
            not_applied,
            "not_applied",
            "could not be injected: no such process",
        ),
    ] {
        let (bench, ended) = made.judged();
        ended.expect(112);
        let reasons = bench.summary()["reasons"].to_string();
        assert!(reasons.contains(reason), "{reasons}");
        assert_eq!(fault(&bench, 0)["state"], state);
    }
}

#[test]
fn what_could_not_be_healed_is_the_first_line_whatever_else_was_found() {
    let failed = "thresholds: { http_req_failed: \"rate<1%\" }";
    let plain = || Made::broken(20_000, 60_000).applied().seen().not_healed();
    let mut interrupted = plain();
    interrupted.interrupted = true;
    for (made, code) in [
        (plain(), 114),
        (plain().with(failed), 99),
        (interrupted, 105),
    ] {
        let (bench, ended) = made.judged();
        let ended = ended.expect(code);
        let sentence = "the fault `down` could not be healed at client: the rule is still there";
        let first = first_line(&ended.stdout);
        assert!(first.contains(sentence), "{first}");
        let report = bench.read("run/report.md");
        let first = first_line(&report);
        assert!(first.contains("could not be healed at client"), "{first}");
        let summary = bench.summary();
        assert_eq!(summary["reasons"][0], sentence);
        assert_eq!(summary["not_healed"][0], sentence);
        assert_ne!(summary["verdict"], "pass");
        assert_eq!(
            ended.stdout.matches("is still there").count(),
            2,
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn an_interrupted_run_that_healed_its_fault_is_only_interrupted() {
    let mut made = Made::broken(20_000, 30_000).applied().seen().healed();
    made.interrupted = true;
    let (bench, ended) = made.judged();
    ended.expect(105);
    assert_eq!(bench.summary()["reasons"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_run_that_was_killed_in_a_fault_says_that_nobody_knows_whether_it_was_healed() {
    let mut made = Made::broken(20_000, 60_000).applied().seen();
    made.ended = false;
    let (bench, ended) = made.judged();
    ended.expect(112);
    let reasons = bench.summary()["reasons"].to_string();
    assert!(
        reasons.contains("the fault `down` was active when the evidence ends"),
        "{reasons}"
    );
    assert_eq!(fault(&bench, 0)["state"], "active");
}

#[test]
fn a_case_names_the_faults_that_were_active_and_the_report_shows_them() {
    let mut made = Made::broken(20_000, 30_000).applied().seen().healed();
    // One is for sale, two get one: the second while the fault was active.
    for (user, sent_ms) in [(1, 5_000), (2, 25_000)] {
        let issued = operation(user, sent_ms, 10, OutcomeKind::Issued);
        made.history.push(issued);
    }
    made.rows = Some(
        ["1", "2"]
            .map(|user| IssuedRow {
                user: user.to_owned(),
                id: None,
                created_us: None,
                grain_us: None,
            })
            .to_vec(),
    );
    let made = made
        .with("subject: { coupon: { id: 1, stock: 1 } }")
        .with(
            "truth: { issued: { http: { get: /issued, at: /rows, user: /userId } }, drain: false }",
        )
        .with("invariants: [stock]");
    let (bench, ended) = made.judged();
    ended.expect(111);
    let parts = bench.summary()["findings"][0]["parts"].clone();
    let oversold = parts.as_array().expect("parts").iter();
    let mut oversold = oversold.filter(|part| part["name"] == "oversold");
    let oversold = oversold.next().expect("it is");
    assert_eq!(
        oversold["cases"][0]["faults"],
        serde_json::json!(["down"]),
        "{oversold:#}"
    );
    let report = bench.read("run/report.md");
    assert!(report.contains("| Phase | Faults | What |"), "{report}");
}

#[test]
fn faults_that_overlap_are_measured_each_and_say_so() {
    const LATE: &str = "{ name: late, client: black_hole, after: 25s, for: 15s }";
    let seen = || Moment::EffectSeen {
        what: "slow".to_owned(),
    };
    let asked = Moment::Asked {
        victims: vec!["client".to_owned()],
        due_ns: None,
    };
    let made = Made::broken(20_000, 40_000).applied().seen().healed();
    let made = made
        .marked(1, 25_000, asked)
        .marked(1, 25_000, Moment::Applied);
    let made = made
        .marked(1, 25_100, seen())
        .marked(1, 40_000, Moment::Healed);
    let (bench, ended) = made.faults(&[DOWN, LATE]).judged();
    let ended = ended.expect(0);
    let (down, late) = (fault(&bench, 0), fault(&bench, 1));
    assert_eq!(down["baseline"], late["baseline"]);
    assert_eq!(down["beside"], serde_json::json!(["late"]));
    assert_eq!(late["beside"], serde_json::json!(["down"]));
    let recovered_s = number(&late, "recovered_s");
    assert!((recovered_s - 42.0).abs() < 1e-6, "{}", ended.stdout);
}

#[test]
fn a_plan_without_faults_reads_as_before() {
    let made = Made::broken(0, 0);
    let scenario = made.scenario();
    let (before, _) = scenario.split_once("faults:").expect("there is one");
    let (bench, _) = made.judged();
    bench.write("run/scenario.yaml", before);
    let ended = bench.run(&["report", "run"]).expect(0);
    assert!(!ended.stdout.contains("Fault"), "{}", ended.stdout);
    assert!(!bench.read("run/report.md").contains("Fault"));
    assert_eq!(bench.summary()["faults"], serde_json::json!([]));
}
