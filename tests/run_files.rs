//! Files that cannot be used: a clear message and a clear exit code, and nothing is overwritten.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::Bench;
use harness::scenario::Scenario;

#[test]
fn a_directory_that_holds_a_run_is_not_overwritten() {
    let bench = Bench::with(&Scenario::short());
    bench.run_scenario(&[]).expect(0);
    let before = bench.read("run/run.json");
    let ended = bench.run_scenario(&[]).expect(2);
    let out = bench.path("run").display().to_string();
    ended.complains(&format!(
        "error: failed to make the run directory {out}: it holds a run already\n  hint: name another"
    ));
    assert_eq!(bench.read("run/run.json"), before);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let bench = Bench::with(&Scenario::short());
    // A file is in the way: also the administrator cannot write there.
    let ended = bench.run(&["run", "scenario.yaml", "--out", "scenario.yaml/run"]);
    let ended = ended.expect(2);
    ended.complains("error: failed to make the run directory scenario.yaml/run: Not a directory");
}

#[test]
fn a_scenario_that_is_no_text_file_is_refused() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("folder")).expect("a folder");
    bench.write("empty.yaml", "");
    bench.write("binary.yaml", [0x7f, b'E', b'L', b'F', 0xff, 0x00]);
    for (file, words) in [
        ("folder", "failed to read the scenario: it is a directory"),
        ("missing.yaml", "failed to read the scenario: No such file"),
        ("empty.yaml", "the scenario is empty"),
        (
            "binary.yaml",
            "failed to read the scenario: byte 4 is not UTF-8",
        ),
    ] {
        for command in ["run", "plan", "validate"] {
            let ended = bench.run(&[command, file]).expect(104);
            ended.complains(&format!("error: {words}"));
            ended.complains(&format!("  --> {file}"));
        }
    }
    assert!(!bench.path("reports").exists(), "nothing has run");
}
