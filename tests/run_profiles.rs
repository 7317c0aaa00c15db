//! Profiles and included files, as their users choose, run and judge them.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, shipped};

/// The short scenario, for as long as nobody waits, with profiles that make it shorter.
fn with_profiles() -> String {
    let scenario = Scenario::long().thresholds("http_req_failed: [\"rate<1%\"]");
    format!(
        "{scenario}\
profiles:
  smoke:
    subject: {{ coupon: {{ stock: 10 }} }}
    load: {{ opening: {{ shared_iterations: {{ vus: 5, iterations: 100 }} }} }}
    thresholds: {{ \"outcome{{outcome:issued}}\": [\"count==10\"] }}
  peak:
    load: {{ opening: {{ stampede: {{ users: 50 }} }} }}
"
    )
}

#[test]
fn a_chosen_profile_is_run_written_down_and_judged_again() {
    let bench = Bench::new();
    bench.write("scenario.yaml", with_profiles());
    let ended = bench.run_scenario(&["--profile", "smoke"]).expect(0);
    let summary = bench.summary();
    assert_eq!(summary["outcomes"]["issued"], 10, "{}", ended.all());
    assert_eq!(summary["loads"][0]["executor"], "shared_iterations");
    assert_eq!(summary["environment"]["profile"], "smoke");
    let thresholds = summary["thresholds"].as_array().expect("a list");
    assert_eq!(thresholds.len(), 2, "the file's own and the profile's");
    let repeat = "fcfs-bench run scenario.yaml --profile smoke";
    assert_eq!(summary["environment"]["repeat"], repeat);
    assert!(bench.read("run/report.md").contains("| Profile | smoke |"));

    let again = bench.run(&["check", "run", "--json"]).expect(0);
    let again: serde_json::Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again, summary);
}

/// The shipped profiles, what each is planned to do, and the stock and the claims it goes with.
const SHIPPED: [(&str, [&str; 3]); 5] = [
    (
        "smoke",
        [
            "shared_iterations: ",
            "stock 50\n",
            "outcome{outcome:issued}: count==50",
        ],
    ),
    (
        "load",
        [
            "hold-1000",
            "stock 300_000\n",
            "http_req_duration{phase:hold-1000}: p(95)<500ms",
        ],
    ),
    (
        "stress",
        [
            "hold-3000",
            "stock 300_000\n",
            "http_req_duration: p(95)<3s",
        ],
    ),
    (
        "spike",
        [
            "stampede: 2_000 users",
            "stock 100\n",
            "http_req_duration: p(95)<10s",
        ],
    ),
    (
        "soak",
        [
            "0s .. 30m      100/s",
            "stock 117_600\n",
            "dropped_iterations: count==0",
        ],
    ),
];

#[test]
fn each_shipped_profile_is_planned_under_its_name() {
    let bench = Bench::new();
    let scenario = shipped("scenarios/profiles.yaml");
    for (profile, words) in SHIPPED {
        let ended = bench.run(&["plan", &scenario, "--profile", profile]);
        let plan = ended.expect(0).stdout;
        let head = format!("scenario    profiles\nprofile     {profile}\nabout ");
        assert!(plan.starts_with(&head), "{plan}");
        for part in words {
            assert!(plan.contains(part), "no {part:?}: {plan}");
        }
        let ended = bench.run(&["validate", &scenario, "--profile", profile]);
        assert_eq!(ended.expect(0).stderr, "", "no warning");
    }
    let plan = bench.run(&["plan", &scenario]).expect(0).stdout;
    assert!(!plan.contains("\nprofile "), "none was chosen: {plan}");
}

#[test]
fn the_shipped_smoke_profile_passes_and_finds_a_bug() {
    let bench = Bench::new();
    let scenario = shipped("scenarios/profiles.yaml");
    for (bug, code) in [(None, 0), (Some("last-one-refused"), 111)] {
        let mut args = vec!["run", &scenario, "--profile", "smoke", "--quiet"];
        args.extend(bug.iter().flat_map(|bug| ["--bug", bug]));
        bench.run(&args).expect(code);
    }
}

#[test]
fn what_is_set_on_the_command_line_goes_over_the_profile() {
    let bench = Bench::new();
    bench.write("scenario.yaml", with_profiles());
    let plan = |more: &[&str]| {
        let mut args = vec!["plan", "scenario.yaml"];
        args.extend(more);
        bench.run(&args).expect(0).stdout
    };
    let users = "load.opening.stampede.users=70";
    assert!(plan(&[]).contains("constant_vus: 4 VUs"));
    assert!(plan(&["--profile", "peak"]).contains("stampede: 50 users"));
    assert!(plan(&["--profile", "peak", "--set", users]).contains("stampede: 70 users"));
}

#[test]
fn a_profile_that_is_not_there_names_the_nearest() {
    let bench = Bench::new();
    bench.write("scenario.yaml", with_profiles());
    for command in ["run", "validate", "plan"] {
        let ended = bench.run(&[command, "scenario.yaml", "--profile", "smok"]);
        ended.expect(104).complains(
            "error: there is no profile `smok`\n  --> --profile smok\n  = hint: did you mean `smoke`?",
        );
    }
    bench.write("plain.yaml", Scenario::short().to_string());
    let ended = bench.run(&["plan", "plain.yaml", "--profile", "smoke"]);
    ended
        .expect(104)
        .complains("hint: the scenario has no `profiles`");
}

#[test]
fn profiles_cannot_be_set_on_the_command_line() {
    let bench = Bench::new();
    bench.write("scenario.yaml", with_profiles());
    let set = "profiles.smoke.seed=1";
    let ended = bench.run(&["plan", "scenario.yaml", "--set", set]);
    ended
        .expect(104)
        .complains("`profiles` cannot be set on the command line");
}

#[test]
fn only_validate_looks_at_the_profiles_that_are_not_chosen() {
    let bench = Bench::new();
    let bad = "  wrong: { users: { pool: many } }\n";
    bench.write("scenario.yaml", with_profiles() + bad);
    bench
        .run(&["plan", "scenario.yaml", "--profile", "peak"])
        .expect(0);
    let ended = bench.run(&["validate", "scenario.yaml", "--profile", "peak"]);
    ended
        .expect(104)
        .complains("in the profile `wrong`: `many` is not a whole number");
}

#[test]
fn a_run_directory_holds_what_its_scenario_included() {
    let bench = Bench::new();
    let scenario = Scenario::short().to_string();
    let (rest, flows) = scenario.split_once("flows:\n").expect("flows");
    let (flows, truth) = flows.split_once("truth:").expect("truth");
    std::fs::create_dir(bench.path("parts")).expect("a directory");
    bench.write(
        "scenario.yaml",
        format!("include: parts/all.yaml\n{rest}truth:{truth}"),
    );
    bench.write(
        "parts/all.yaml",
        "include: [flows.yaml]\nseed: 7\nusers: { repeat: 1% }\n",
    );
    bench.write("parts/flows.yaml", format!("flows:\n{flows}"));
    bench.run_scenario(&[]).expect(0);
    let summary = bench.summary();
    assert_eq!(summary["environment"]["seed"], 7);
    let plan = bench.read("run/plan.txt");
    assert!(plan.contains("10% ask again"), "own keys win: {plan}");

    // The files may change or go; the run is judged by what it has seen.
    std::fs::remove_dir_all(bench.path("parts")).expect("removed");
    bench.write("scenario.yaml", "gone");
    let again = bench.run(&["check", "run", "--json"]).expect(0);
    let again: serde_json::Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again, summary);
}

#[test]
fn a_file_that_cannot_be_included_is_named_with_the_reason() {
    let bench = Bench::new();
    bench.write("latin.yaml", b"a: \xe9");
    bench.write("large.yaml", vec![b'#'; (1 << 20) + 1]);
    bench.write("empty.yaml", "");
    std::fs::create_dir(bench.path("folder")).expect("a directory");
    for n in 0..10 {
        bench.write(
            &format!("deep{n}.yaml"),
            format!("include: deep{}.yaml\n", n + 1),
        );
    }
    bench.write("deep10.yaml", "seed: 1\n");
    let scenario = Scenario::short();
    for (file, reason) in [
        ("latin.yaml", "byte 3 is not UTF-8"),
        ("large.yaml", "it is larger than 1 MiB"),
        ("folder", "it is a directory"),
        ("/dev/zero", "it is not a regular file"),
        ("none.yaml", "failed to read `none.yaml`: No such file"),
        ("empty.yaml", "it holds nothing"),
        ("scenario.yaml", "`scenario.yaml` includes itself"),
        (
            "deep0.yaml",
            "too many files: at most 64 can be included, and 8 by each other",
        ),
    ] {
        bench.write("scenario.yaml", format!("{scenario}include: {file}\n"));
        let ended = bench.run(&["run", "scenario.yaml"]).expect(104);
        ended.complains(reason);
        assert!(!bench.path("reports").exists(), "nothing has run");
    }
}

#[test]
fn files_that_include_each_other_crosswise_end_in_bounded_time() {
    let bench = Bench::new();
    let all: Vec<String> = (0..40).map(|n| format!("f{n}.yaml")).collect();
    let all = format!("include: [{}]\n", all.join(", "));
    for n in 0..40 {
        bench.write(&format!("f{n}.yaml"), &all);
    }
    bench.write("scenario.yaml", format!("{}{all}", Scenario::short()));
    let ended = bench.run(&["validate", "scenario.yaml"]).expect(104);
    ended.complains("includes itself");
    ended.complains("too many files");
}
