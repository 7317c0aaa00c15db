//! `engine: goose`: the same load by Goose as by this program, with the same outcomes, the same users
//! and the same verdict; and nothing of it is left, however a run ends.
//!
//! Needs a build with the feature `goose`; without it, only that it is refused is tested.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::Bench;
use harness::scenario::Scenario;

/// What Goose can do, and over soon: as often as 20 users ask 20 times.
fn counted() -> Scenario {
    Scenario::short().load("per_vu_iterations: { vus: 20, iterations: 20, within: 2m }")
}

#[test]
fn an_open_model_is_refused_with_the_reason_and_its_line() {
    let scenario = Scenario::short().load("constant_arrival_rate: { rate: 10, for: 5s, vus: 5 }");
    let bench = Bench::with(&scenario);
    for command in ["validate", "plan", "run"] {
        let ended = bench.run(&[command, "scenario.yaml", "--engine", "goose"]);
        let ended = ended.expect(104);
        let reason = "Goose has no open model: its users ask again when they have been answered";
        ended.complains(reason);
        // The load has its line.
        ended.complains("--> scenario.yaml:7:3");
        ended.complains("hint: use `constant_vus` or `ramping_vus`, or run it with");
    }
    assert!(!bench.path("reports").exists(), "nothing was begun");
}

#[cfg(not(feature = "goose"))]
#[test]
fn a_build_without_goose_says_so_before_anything_is_started() {
    let bench = Bench::with(&counted());
    let ended = bench.run_scenario(&["--engine", "goose"]).expect(104);
    ended.complains("this program was built without Goose");
    ended.complains("--features goose");
    assert!(!bench.path("run").exists(), "nothing was begun");
    let ended = bench.run(&["validate", "scenario.yaml", "--engine", "goose"]);
    assert_eq!(
        ended.code,
        Some(0),
        "the scenario is valid: {}",
        ended.all()
    );
}

#[cfg(feature = "goose")]
mod with_goose {
    use std::collections::BTreeSet;

    use fcfs_bench::history::{History as _, HistoryFile, OutcomeKind};
    use rustix::process::Signal;
    use serde_json::Value;

    use super::counted;
    use super::harness::scenario::Scenario;
    use super::harness::shop::{Manner, Shop, TRUTH};
    use super::harness::{Bench, Ended, Running, verdict_of, wait_until};

    const ENGINES: [&str; 2] = ["native", "goose"];

    /// Runs it by this engine, and returns the summary of the run.
    #[track_caller]
    fn ran(scenario: &str, engine: &str, code: i32, more: &[&str]) -> (Bench, Ended, Value) {
        let bench = Bench::new();
        bench.write("scenario.yaml", scenario);
        let more = [&["--engine", engine], more].concat();
        let ended = bench.run_scenario(&more).expect(code);
        let summary = bench.summary();
        (bench, ended, summary)
    }

    /// Who was recorded, with what each asked for, and how often: before the drain phase.
    fn asked(bench: &Bench) -> Vec<(u64, u8, OutcomeKind)> {
        let history = HistoryFile::open(&bench.path("run")).expect("a history");
        let operations = history.operations().expect("it opens");
        let operations = operations.map(|operation| operation.expect("it is whole"));
        let of_load = operations.filter(|operation| operation.phase == 0);
        let mut asked: Vec<_> = of_load
            .map(|operation| (operation.user.0, operation.step, operation.kind))
            .collect();
        asked.sort_unstable();
        asked
    }

    fn users(asked: &[(u64, u8, OutcomeKind)]) -> BTreeSet<u64> {
        asked.iter().map(|(user, ..)| *user).collect()
    }

    #[test]
    fn both_engines_ask_as_the_same_users_and_are_told_the_same() {
        // Some of the users ask again on purpose, and everybody gets one.
        let scenario = counted().repeat(20).stock(1_000).to_string();
        let [native, goose] = ENGINES.map(|engine| {
            let (bench, _, summary) = ran(&scenario, engine, 0, &[]);
            let asked = asked(&bench);
            (summary, asked)
        });
        assert_eq!(native.1.len(), 400);
        assert!(native.0["outcomes"]["duplicate"].as_u64() > Some(0));
        assert_eq!(native.0["outcomes"], goose.0["outcomes"]);
        assert_eq!(users(&native.1), users(&goose.1));
        for (user, ..) in &native.1 {
            let of = |asked: &[(u64, u8, OutcomeKind)]| {
                asked.iter().filter(|(other, ..)| other == user).count()
            };
            assert_eq!(of(&native.1), of(&goose.1), "user {user}");
        }
        assert!(native.0["environment"].get("engine").is_none());
        let engine = &goose.0["environment"]["engine"];
        assert_eq!(engine, "Goose, in a process of its own");
    }

    #[test]
    fn what_an_answer_brings_is_captured_and_missed_alike() {
        // Who got a coupon looks at it; who got none has nothing to look at.
        let scenario = counted().repeat(0).stock(100).to_string();
        let scenario = scenario
            .replace("      timeout: 1m\n", "      timeout: 1m\n      capture: { mine: /id }\n")
            .replace(
                "    - think: 0ms\n",
                "    - { name: look, get: \"/health?of={{ mine }}\", headers: { x-mine: \"{{ mine }}\" } }\n    - think: { from: 0ms, to: 3ms }\n",
            );
        let scenario = scenario.replace("rate<1%", "rate<90%");
        let [native, goose] = ENGINES.map(|engine| {
            let bench = Bench::new();
            bench.write("scenario.yaml", &scenario);
            let ended = bench.run_scenario(&["--engine", engine]);
            (ended.code, bench.summary())
        });
        assert_eq!(native.0, goose.0, "the exit code");
        let (native, goose) = (native.1, goose.1);
        assert_eq!(native["outcomes"]["issued"], 100);
        assert_eq!(
            native["outcomes"]["not_sent"], 300,
            "{}",
            native["outcomes"]
        );
        assert_eq!(native["outcomes"], goose["outcomes"]);
        assert_eq!(native["unknown_shapes"], goose["unknown_shapes"]);
    }

    #[test]
    fn a_planted_bug_is_found_by_both() {
        for engine in ENGINES {
            let load = "per_vu_iterations: { vus: 30, iterations: 24, within: 2m }";
            let scenario = counted().load(load).stock(300).repeat(20).to_string();
            let (_, ended, summary) = ran(&scenario, engine, 111, &["--bug", "oversell"]);
            let judged = verdict_of(&summary, "invariants", "stock");
            assert_eq!(judged["verdict"], "fail", "{engine}: {}", ended.all());
        }
    }

    #[test]
    fn stages_are_phases_and_vus_follow_them() {
        let load = "ramping_vus: { stages: [ { name: up, for: 1s, to: 6 }, \
                    { name: hold, for: 2s, to: 6 }, { name: down, for: 1s, to: 0 } ] }";
        let scenario = Scenario::short().load(load).think("5ms");
        let (_, ended, summary) = ran(&scenario.to_string(), "goose", 0, &[]);
        let phases = summary["phases"].as_array().expect("a list");
        let names: Vec<_> = phases.iter().map(|phase| &phase["phase"]).collect();
        assert_eq!(names, ["up", "hold", "down"], "{}", ended.all());
        for phase in phases {
            assert!(phase["requests"].as_u64() > Some(0), "{phase}");
        }
        assert_eq!(summary["vus_max"], 6);
    }

    #[test]
    fn an_answer_that_does_not_come_is_unknown_in_both() {
        let of = |engine: &str| {
            let shop = Shop::open(10, Manner::Silent);
            let load = "per_vu_iterations: { vus: 3, iterations: 1, within: 1m }";
            let scenario = Scenario::short().url(&shop.url).load(load);
            let scenario = scenario.truth(&format!("{TRUTH}, drain: false"));
            let scenario = scenario
                .to_string()
                .replace("timeout: 1m", "timeout: 300ms");
            let bench = Bench::new();
            bench.write("scenario.yaml", scenario);
            let ended = bench.run_scenario(&["--engine", engine]);
            let summary = bench.summary();
            assert_eq!(
                summary["outcomes"]["unknown"],
                3,
                "{engine}: {}",
                ended.all()
            );
            summary["unknown_shapes"][0]["cause"].clone()
        };
        let [native, goose] = ENGINES.map(of);
        assert_eq!(native, "no answer came in time");
        assert_eq!(native, goose);
    }

    /// The processes of Goose that were started at this place.
    fn geese(bench: &Bench) -> Vec<String> {
        let here = bench.path("").canonicalize().expect("the place is there");
        let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
        let lines = entries.flatten().filter_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let at = std::fs::read_link(entry.path().join("cwd")).ok()?;
            (line.contains(" goose-load") && at == here).then_some(line)
        });
        lines.collect()
    }

    fn under_way(bench: &Bench) -> Running {
        let mut running = bench.start_scenario(&["--engine", "goose"]);
        running.wait_until_it_says(" VUs ");
        assert_eq!(geese(bench).len(), 1, "one process of Goose");
        running
    }

    #[test]
    fn ctrl_c_ends_goose_and_the_run_is_judged_as_interrupted() {
        let bench = Bench::with(&Scenario::long());
        let running = under_way(&bench);
        running.signal(Signal::INT);
        let ended = running.wait().expect(105);
        ended.says("the run was interrupted");
        let summary = bench.summary();
        assert_eq!(summary["exit_code"], 105);
        assert!(summary["requests"].as_u64() > Some(0), "{}", ended.all());
        // Nothing was cut: every iteration came to its end.
        assert_eq!(summary["outcomes"]["unknown"], 0);
        assert_eq!(geese(&bench), Vec::<String>::new());
        assert_eq!(bench.processes(), Vec::<String>::new());
    }

    #[test]
    fn a_second_ctrl_c_cuts_what_goose_has_under_way() {
        let shop = Shop::open(10, Manner::Silent);
        let scenario = Scenario::long().url(&shop.url).truth(TRUTH);
        let scenario = scenario.to_string().replace("timeout: 1m", "timeout: 1h");
        let bench = Bench::new();
        bench.write("scenario.yaml", scenario);
        let mut running = bench.start_scenario(&["--engine", "goose"]);
        wait_until("all four users are asking", || shop.asked() == 4);
        running.signal(Signal::INT);
        running.wait_until_it_says("interrupted: iterations may finish; once more cuts them");
        running.signal(Signal::INT);
        let ended = running.wait().expect(105);
        let summary = bench.summary();
        assert_eq!(summary["outcomes"]["unknown"], 4, "{}", ended.all());
        let cause = &summary["unknown_shapes"][0]["cause"];
        assert_eq!(cause, "the run ended while the request was under way");
        assert_eq!(geese(&bench), Vec::<String>::new());
    }

    #[test]
    fn a_harness_that_is_killed_takes_goose_with_it() {
        let bench = Bench::with(&Scenario::long());
        let running = under_way(&bench);
        running.signal(Signal::KILL);
        running.wait();
        wait_until("Goose has ended", || geese(&bench).is_empty());
        bench.wait_until_empty();
    }

    #[test]
    fn a_goose_that_is_killed_is_no_load_that_has_passed() {
        let bench = Bench::with(&Scenario::long());
        let running = under_way(&bench);
        let here = bench.path("").canonicalize().expect("the place is there");
        let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
        let numbers = entries.flatten().filter_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let at = std::fs::read_link(entry.path().join("cwd")).ok()?;
            let is_it = String::from_utf8_lossy(&line).contains("goose-load") && at == here;
            entry.file_name().to_str()?.parse().ok().filter(|_| is_it)
        });
        let number: i32 = numbers.last().expect("it runs");
        let number = rustix::process::Pid::from_raw(number).expect("a number");
        rustix::process::kill_process(number, Signal::KILL).expect("it is there");
        let ended = running.wait();
        assert_ne!(ended.code, Some(0));
        assert!(ended.stderr.contains("has ended early"), "{}", ended.all());
        assert_eq!(bench.processes(), Vec::<String>::new());
    }

    #[test]
    fn nothing_that_goose_prints_is_on_stdout() {
        let bench = Bench::with(&counted());
        let ended = bench
            .run_scenario(&["--engine", "goose", "--json"])
            .expect(0);
        let summary: Value = serde_json::from_str(&ended.stdout).expect("JSON and nothing else");
        assert_eq!(summary["verdict"], "pass");
        assert!(
            !ended.stderr.to_lowercase().contains("goose]"),
            "{}",
            ended.all()
        );
    }

    #[test]
    fn a_value_of_the_environment_is_in_no_argument_and_no_file() {
        let bench = Bench::new();
        let scenario = Scenario::long().to_string();
        let scenario = scenario.replace(
            "      timeout: 1m\n",
            "      timeout: 1m\n      headers: { x-key: \"${SHOP_KEY}\" }\n",
        );
        bench.write("scenario.yaml", scenario);
        bench.write("values.env", "SHOP_KEY=only-in-the-pipe-7391\n");
        let more = ["--engine", "goose", "--env-file", "values.env"];
        let mut running = bench.start_scenario(&more);
        running.wait_until_it_says(" VUs ");
        for line in geese(&bench) {
            assert!(!line.contains("7391"), "{line}");
        }
        running.signal(Signal::INT);
        let ended = running.wait().expect(105);
        assert!(!ended.all().contains("7391"), "{}", ended.all());
        for entry in std::fs::read_dir(bench.path("run"))
            .expect("a directory")
            .flatten()
        {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("7391"), "{}", entry.path().display());
        }
    }
}
