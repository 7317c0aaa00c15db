//! The incident report, of real runs: what it finds, in which language, and what it refuses.

#[path = "support/harness/mod.rs"]
mod harness;

use std::sync::{Mutex, PoisonError};

use harness::scenario::Scenario;
use harness::{Bench, shipped};
use regex::Regex;

/// A run directory `run` of a short run.
fn bench() -> Bench {
    let bench = Bench::with(&Scenario::short());
    bench.run_scenario(&["--quiet"]).expect(0);
    bench
}

/// Runs a scenario of the incident document with a tenth of its time, and a tenth of its stock, which
/// lasts as long a part of the run then; its full number of users is what its phenomena come from.
fn document(name: &str) -> Bench {
    let tenth = ["--scale", "time=0.1", "--set", "subject.coupon.stock=500"];
    document_at(name, &tenth, 0)
}

/// The same with other arguments, to this exit code.
fn document_at(name: &str, more: &[&str], code: i32) -> Bench {
    // A thousand users beside a thousand others would measure each other.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let bench = Bench::new();
    let scenario = shipped(&format!("scenarios/documents/{name}.yaml"));
    let mut args = vec!["run", &scenario, "--provider", "local"];
    args.extend(["--out", "run", "--quiet"]);
    args.extend(more);
    bench.run(&args).expect(code);
    bench
}

fn incident(bench: &Bench, lang: &str) -> String {
    let ended = bench
        .run(&["report", "run", "--incident", "--lang", lang])
        .expect(0);
    let file = match lang {
        "ko" => "run/incident.ko.md",
        _ => "run/incident.md",
    };
    assert!(
        ended.stderr.contains(&format!("incident: {file}")),
        "{}",
        ended.all()
    );
    bench.read(file)
}

/// The section of a phenomenon, from its title to the next one.
fn found<'a>(report: &'a str, title: &str) -> Option<&'a str> {
    let mut sections = report.split("\n### ");
    sections.find(|section| {
        let head = section.lines().next().unwrap_or_default();
        section.starts_with("3.") && head.contains(title)
    })
}

#[track_caller]
fn section<'a>(report: &'a str, title: &str) -> &'a str {
    found(report, title).unwrap_or_else(|| panic!("no {title:?}: {report}"))
}

/// Every `[F1]` leads to a row of the table of figures.
#[track_caller]
fn every_reference_resolves(report: &str) {
    let reference = Regex::new(r"\[F(\d+)\]").expect("a pattern");
    let mut count = 0;
    for found in reference.captures_iter(report) {
        let row = format!("<a id=\"f{0}\"></a>F{0} |", &found[1]);
        assert!(report.contains(&row), "{} leads nowhere", &found[0]);
        count += 1;
    }
    assert!(count > 0, "{report}");
}

#[test]
fn the_document_s_load_before_its_fixes_has_its_four_phenomena() {
    let bench = document("a-redlock-before");
    let report = incident(&bench, "en");
    every_reference_resolves(&report);
    let lock = section(&report, "lock_failed");
    assert!(lock.contains("ResourceLockedError"), "{lock}");
    let onset = Regex::new(r"Since T\+\d\d:\d\d\.\d, at [\d,]+ VUs").expect("a pattern");
    assert!(onset.is_match(lock), "{lock}");
    assert!(lock.contains("**Expected**: no"), "{lock}");
    let sold_out = section(&report, "Nothing is left");
    assert!(
        sold_out.contains("(P3)") && sold_out.contains("**Expected**: yes"),
        "{sold_out}"
    );
    let duplicates = section(&report, "Users ask again");
    assert!(duplicates.contains("**Expected**: yes"), "{duplicates}");
    // The retries come after half a second each. From one run to the next, most or only the slowest
    // wait for several of them, within a few seconds or by one retry at a time: each level that changes
    // is named as it did, and one of them is a cliff in every run.
    let levels = ["95th percentile", "median"];
    let slower = levels.map(|level| found(&report, &format!("({level}) ")));
    let slower: Vec<&str> = slower.into_iter().flatten().collect();
    let is_cliff = |slower: &&str| {
        slower
            .lines()
            .next()
            .is_some_and(|head| head.ends_with(" jumps"))
    };
    assert!(slower.iter().any(is_cliff), "{report}");
    assert!(
        slower.iter().all(|slower| onset.is_match(slower)),
        "{slower:?}"
    );
    assert!(report.contains("`coupon-lock-contention`"), "{report}");
    assert!(
        report.contains("10 × 500 ms"),
        "the retries are held against the time: {report}"
    );
    let korean = incident(&bench, "ko");
    every_reference_resolves(&korean);
    assert!(
        korean.contains("# 장애 보고서") && korean.contains("## 8. 결론"),
        "{korean}"
    );
}

#[test]
fn the_document_s_load_after_its_fixes_has_no_lock_errors() {
    let bench = document("a-redlock-after");
    let report = incident(&bench, "en");
    every_reference_resolves(&report);
    // While there is something to get, chance may refuse a few: too few to be a phenomenon.
    let outcomes = &bench.summary()["outcomes"];
    assert!(
        found(&report, "lock_failed").is_none(),
        "{outcomes}: {report}"
    );
    let sold_out = section(&report, "Nothing is left");
    assert!(sold_out.contains("**Expected**: yes"), "{sold_out}");
}

#[test]
fn the_document_s_second_lock_takes_the_errors_away_and_sells_too_many() {
    let more = ["--scale", "time=0.03", "--set", "subject.coupon.stock=1000"];
    let bench = document_at("a-redlock-fallback", &more, 111);
    let report = incident(&bench, "en");
    every_reference_resolves(&report);
    assert_eq!(bench.summary()["outcomes"]["lock_failed"], 0);
    let phenomena = report.lines().filter(|line| line.starts_with("### 3."));
    let phenomena: Vec<&str> = phenomena.collect();
    assert!(phenomena[0].contains("stock"), "{phenomena:?}");
    assert!(
        !phenomena.iter().any(|line| line.contains("lock_failed")),
        "{phenomena:?}"
    );
    assert!(section(&report, "stock").contains("oversold by"));
}

#[test]
fn a_run_that_kept_its_promises_has_a_report_that_says_so() {
    let bench = bench();
    let report = incident(&bench, "en");
    every_reference_resolves(&report);
    for part in 1..=8 {
        assert!(
            report.contains(&format!("\n## {part}. ")),
            "no part {part}: {report}"
        );
    }
    assert!(!report.contains("(P0)"), "{report}");
    assert!(
        !bench.path("run/incident.ko.md").exists(),
        "only what was asked for"
    );
}

#[test]
fn a_violated_invariant_heads_the_phenomena() {
    let scenario = Scenario::short().to_string();
    let bench = Bench::new();
    bench.write("scenario.yaml", scenario);
    bench
        .run_scenario(&["--bug", "double-issue", "--quiet"])
        .expect(111);
    let report = incident(&bench, "en");
    every_reference_resolves(&report);
    let first = section(&report, "one_per_user");
    assert!(
        first.contains("(P0)") && first.contains("**Expected**: no"),
        "{first}"
    );
    assert!(
        report.contains("The defect `double-issue`"),
        "the cause is known: {report}"
    );
}

#[test]
fn a_killed_run_has_a_report_as_far_as_its_data_goes() {
    let bench = bench();
    for file in ["seconds.jsonl", "resources.jsonl", "intervals.hlog"] {
        std::fs::remove_file(bench.path(&format!("run/{file}"))).expect("it was there");
    }
    let events = bench.read("run/events.jsonl");
    let cut: Vec<_> = events
        .lines()
        .filter(|line| !line.contains("\"ended\""))
        .collect();
    bench.write("run/events.jsonl", cut.join("\n"));
    let report = incident(&bench, "en");
    assert!(report.contains("There is no data by second"), "{report}");
    assert!(report.contains("did not come to its end"), "{report}");
}

#[test]
fn playbooks_of_one_s_own_are_matched_and_wrong_ones_are_refused_with_their_place() {
    let bench = bench();
    let own = "id: own\ntitle: Own playbook\nsymptoms: [{ outcome: { name: issued, above: 1% } }]\n\
               now: { within: 20m, measures: [{ do: Celebrate, owner: all }] }\n\
               short: { within: 2h, measures: [{ do: Rest }] }\n\
               long: { within: 14d, measures: [{ do: Repeat }] }\n";
    std::fs::create_dir(bench.path("mine")).expect("a folder");
    bench.write("mine/own.yaml", own);
    let args = ["report", "run", "--incident", "--playbooks", "mine"];
    bench.run(&args).expect(0);
    let report = bench.read("run/incident.md");
    assert!(
        report.contains("Own playbook") && report.contains("| Celebrate | 20 min (now) | all |"),
        "{report}"
    );
    bench.write("mine/own.yaml", own.replace("symptoms", "symptom"));
    let refused = bench.run(&args).expect(104);
    assert!(
        refused.stderr.contains("mine/own.yaml:3:1"),
        "{}",
        refused.all()
    );
    assert!(
        refused.stderr.contains("did you mean `symptoms`?"),
        "{}",
        refused.all()
    );
}

#[test]
fn language_and_playbooks_are_of_the_incident_report_alone() {
    let bench = bench();
    for args in [&["--lang", "ko"][..], &["--playbooks", "mine"]] {
        let args = [&["report", "run"][..], args].concat();
        let refused = bench.run(&args).expect(2);
        assert!(refused.stderr.contains("--incident"), "{}", refused.all());
    }
    bench
        .run(&["report", "run", "--incident", "--lang", "fr"])
        .expect(2);
}
