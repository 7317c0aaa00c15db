//! The files for CI systems: they are well-formed, what they name is there, their shell parts run,
//! and what they type is understood by the program.

#[path = "support/harness/mod.rs"]
mod harness;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::Parser as _;
use fcfs_bench::cli::Cli;
use harness::scenario::Scenario;
use harness::{Bench, shipped};
use serde_json::Value;

fn yaml(path: &str) -> Value {
    let text = std::fs::read_to_string(shipped(path)).expect(path);
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All `prefix.name` within the texts of the document.
fn named(document: &Value, prefix: &str) -> BTreeSet<String> {
    let text = document.to_string();
    let places = text.match_indices(prefix);
    let name = |at: usize| -> String {
        let rest = text[at + prefix.len()..].chars();
        rest.take_while(|char| char.is_alphanumeric() || "-_".contains(*char))
            .collect()
    };
    places.map(|(at, _)| name(at)).collect()
}

fn keys(map: &Value) -> BTreeSet<String> {
    let map = map.as_object().expect("a map");
    map.keys().cloned().collect()
}

/// The shell parts of the action, by the name of their step.
fn step(action: &Value, name: &str) -> String {
    let mut steps = action["runs"]["steps"].as_array().expect("steps").iter();
    let step = steps.find(|step| step["name"] == name).expect(name);
    step["run"].as_str().expect("a script").to_owned()
}

fn gitlab(part: &str) -> String {
    let template = yaml("deploy/ci/gitlab.yml");
    let lines = template[".fcfs-bench"][part].as_array().expect(part).iter();
    let lines: Vec<_> = lines.map(|line| line.as_str().expect("a line")).collect();
    lines.join("\n")
}

fn bash(script: &str, more: &[&str], change: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new("bash");
    command.args(more).args(["-s"]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"] {
        command.env_remove(name);
    }
    change(&mut command);
    let mut child = command.spawn().expect("bash is installed");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(script.as_bytes()).expect("it reads");
    drop(input);
    child.wait_with_output().expect("it ends")
}

/// The program's folder before all others.
fn with_path(folder: &Path) -> String {
    let rest = std::env::var("PATH").expect("a path");
    format!("{}:{rest}", folder.display())
}

fn binary() -> &'static Path {
    let binary = Path::new(env!("CARGO_BIN_EXE_fcfs-bench"));
    binary.parent().expect("a folder")
}

#[test]
fn every_input_of_the_action_is_used_and_every_one_that_is_used_is_declared() {
    let action = yaml("action.yml");
    assert_eq!(keys(&action["inputs"]), named(&action["runs"], "inputs."));
    for (name, input) in action["inputs"].as_object().expect("inputs") {
        let is_required = input["required"] == true;
        assert!(is_required != input["default"].is_string(), "{name}");
        assert!(input["description"].is_string(), "{name}");
    }
}

#[test]
fn the_example_gives_the_action_only_what_it_has() {
    let inputs = yaml("action.yml")["inputs"].clone();
    let outputs = yaml("action.yml")["outputs"].clone();
    let workflow = yaml("deploy/ci/github-workflow.yml");
    let steps = workflow["jobs"]["load"]["steps"].as_array().expect("steps");
    let ours: Vec<_> = steps.iter().filter(|step| step["uses"] == "./").collect();
    assert_eq!(ours.len(), 2);
    for step in ours {
        assert!(keys(&step["with"]).is_subset(&keys(&inputs)), "{step}");
        let scenario = step["with"]["scenario"].as_str().expect("a scenario");
        assert!(Path::new(&shipped(scenario)).exists(), "{scenario}");
    }
    let used = named(&workflow, "steps.new.outputs.");
    assert!(
        used.is_subset(&keys(&outputs)) && !used.is_empty(),
        "{used:?}"
    );
}

#[test]
fn every_shell_part_is_shell() {
    let action = yaml("action.yml");
    let workflow = yaml("deploy/ci/github-workflow.yml");
    let mut scripts = vec![gitlab("before_script"), gitlab("script")];
    let jobs = &workflow["jobs"]["load"]["steps"];
    for step in [&action["runs"]["steps"], jobs] {
        let steps = step.as_array().expect("steps").iter();
        scripts.extend(steps.filter_map(|step| Some(step["run"].as_str()?.to_owned())));
    }
    assert_eq!(scripts.len(), 5);
    for script in scripts {
        let output = bash(&script, &["-n"], |_| {});
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{script}");
    }
}

/// A program in the place of fcfs-bench that writes down what was typed.
const RECORDER: &str = "#!/bin/bash
{ printf '%s\\0' fcfs-bench \"$@\"; echo; } >> \"$TYPED\"
if [ \"$1\" = run ]; then mkdir -p \"$4\"; echo {} > \"$4/comparison.json\"; fi
";

#[test]
fn what_the_files_type_is_understood() {
    let bench = Bench::new();
    bench.write("fcfs-bench", RECORDER);
    let mut mode = Command::new("chmod");
    let mode = mode.arg("+x").arg(bench.path("fcfs-bench")).status();
    assert!(mode.expect("chmod").success());
    let action = step(&yaml("action.yml"), "Run the scenario");
    for (script, max) in [(action, "p99=+10% rps=-5%"), (gitlab("script"), "")] {
        let output = bash(&script, &[], |command| {
            command
                .current_dir(bench.path(""))
                .env("PATH", with_path(&bench.path("")))
                .env("TYPED", bench.path("typed"))
                .env("GITHUB_OUTPUT", bench.path("output"))
                .env("SCENARIO", "a scenario.yaml")
                .env("ARGS", "--profile smoke --set a.b=*")
                .env("BASELINE", "reports/the base")
                .env("MAX", max)
                .env("DIRECTORY", "reports/new");
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    let typed = bench.read("typed");
    let lines: Vec<Vec<&str>> = typed
        .lines()
        .map(|line| line.trim_end_matches('\0').split('\0').collect())
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in &lines {
        let parsed = Cli::try_parse_from(line);
        parsed.unwrap_or_else(|error| panic!("{line:?}: {error}"));
    }
    assert!(lines[0].contains(&"a scenario.yaml") && lines[0].contains(&"a.b=*"));
    assert!(lines[0].windows(2).any(|pair| pair == ["--max", "rps=-5%"]));
    assert_eq!(lines[1][..3], ["fcfs-bench", "compare", "reports/the base"]);
    assert!(
        bench
            .read("output")
            .contains("comment=reports/new/comparison.md")
    );
}

/// The step of the action as GitHub runs it, with the real program.
fn run_step(bench: &Bench, directory: &str, change: impl FnOnce(&mut Command)) -> Output {
    let script = step(&yaml("action.yml"), "Run the scenario");
    // As `shell: bash` does it.
    bash(
        &script,
        &["--noprofile", "--norc", "-eo", "pipefail"],
        |command| {
            command
                .current_dir(bench.path(""))
                .env("PATH", with_path(binary()))
                .env("GITHUB_OUTPUT", bench.path("output"))
                .env("GITHUB_STEP_SUMMARY", bench.path("summary.md"))
                .env("SCENARIO", "scenario.yaml")
                .env("DIRECTORY", directory);
            for name in ["ARGS", "BASELINE", "MAX"] {
                command.env(name, "");
            }
            change(command);
        },
    )
}

#[test]
fn the_step_of_the_action_passes_tells_and_compares() {
    let bench = Bench::with(&Scenario::short());
    let first = run_step(&bench, "reports/base", |_| {});
    assert!(first.status.success(), "{first:?}");
    let output = bench.read("output");
    assert_eq!(
        output,
        "verdict=pass\nexit-code=0\ndirectory=reports/base\n"
    );
    let summary = bench.read("summary.md");
    assert!(summary.starts_with("## ✅ PASS: front-door\n"), "{summary}");
    assert!(
        summary.contains("| `http_req_failed: rate<1%` |"),
        "{summary}"
    );

    // The step compares again for the text of a comment, which the job's page must not show twice.
    let second = run_step(&bench, "reports/new", |command| {
        command
            .env("BASELINE", "reports/base")
            .env("MAX", "rps=-99%");
    });
    assert!(second.status.success(), "{second:?}");
    let output = bench.read("output");
    assert!(
        output.ends_with("comment=reports/new/comparison.md\n"),
        "{output}"
    );
    let comment = bench.read("reports/new/comparison.md");
    assert!(
        comment.contains("against its baseline: no regression"),
        "{comment}"
    );
    assert_eq!(bench.read("summary.md").matches("## ✅ PASS").count(), 2);
}

#[test]
fn the_step_of_the_action_fails_with_the_code_of_the_run() {
    let bench = Bench::with(&Scenario::short());
    let failed = run_step(&bench, "reports/ci", |command| {
        command.env("ARGS", "--bug last-one-refused");
    });
    assert_eq!(failed.status.code(), Some(111), "{failed:?}");
    let output = bench.read("output");
    assert!(
        output.starts_with("verdict=fail\nexit-code=111\n"),
        "{output}"
    );
    assert!(bench.read("summary.md").contains("❌ FAIL: front-door"));

    let refused = run_step(&bench, "reports/other", |command| {
        command.env("ARGS", "--set load=1");
    });
    assert_eq!(refused.status.code(), Some(104), "{refused:?}");
    let output = bench.read("output");
    assert!(
        output.ends_with("verdict=none\nexit-code=104\n"),
        "{output}"
    );
}

#[test]
fn files_that_cannot_be_written_change_nothing_of_the_end() {
    let bench = Bench::with(&Scenario::short());
    let ended = bench.start_with(
        &["run", "scenario.yaml", "--out", "run", "--quiet"],
        |command| {
            command.env("GITHUB_STEP_SUMMARY", "/dev/null/summary");
            command.env("GITHUB_OUTPUT", "/dev/null/output");
        },
    );
    let ended = ended.wait().expect(0);
    assert!(
        ended
            .stderr
            .contains("warning: failed to write the step's summary"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("warning: failed to write the step's outputs"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_template_for_gitlab_runs_a_scenario_and_its_reports_are_where_it_says() {
    let bench = Bench::with(&Scenario::short());
    let script = gitlab("before_script") + "\n" + &gitlab("script");
    let output = bash(&script, &["-eo", "pipefail"], |command| {
        command
            .current_dir(bench.path(""))
            .env("PATH", with_path(binary()))
            .env("SCENARIO", "scenario.yaml")
            .env("ARGS", "--seed 7")
            .env("DIRECTORY", "reports/ci");
    });
    assert!(output.status.success(), "{output:?}");
    let template = yaml("deploy/ci/gitlab.yml");
    let junit = &template[".fcfs-bench"]["artifacts"]["reports"]["junit"];
    let junit = junit
        .as_str()
        .expect("a path")
        .replace("$DIRECTORY", "reports/ci");
    let xml = bench.read(&junit);
    let cases = read_junit(&xml);
    let names = cases["cases"].as_array().expect("cases").iter();
    let names: Vec<_> = names
        .map(|case| case["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        [
            "stock",
            "one_per_user",
            "acknowledged",
            "http_req_failed: rate<1%",
            "completed"
        ]
    );
    assert_eq!(cases["properties"]["seed"], "7");
}

fn read_junit(xml: &str) -> Value {
    let mut command = Command::new("python3");
    command.arg(shipped("tests/support/junit.py"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python3 is installed");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(xml.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{xml}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}
