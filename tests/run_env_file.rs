//! `--env-file`: variables that lie in a file instead of the environment.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::scenario::Scenario;
use harness::{Bench, Ended};

/// A scenario whose number of iterations is a variable.
fn bench() -> Bench {
    let load = "shared_iterations: { vus: 5, iterations: \"${FCFS_TEST_ITERATIONS}\" }";
    Bench::with(&Scenario::short().stock(10).load(load))
}

fn plan_with(bench: &Bench, of_the_environment: Option<&str>) -> Ended {
    let args = ["plan", "scenario.yaml", "--env-file", "vars.env"];
    let planning = bench.start_with(&args, |command| {
        if let Some(value) = of_the_environment {
            command.env("FCFS_TEST_ITERATIONS", value);
        }
    });
    planning.wait()
}

#[test]
fn variables_come_from_the_file_and_those_of_the_environment_win() {
    let bench = bench();
    bench.write(
        "vars.env",
        "# how often they ask\nexport FCFS_TEST_ITERATIONS='300'\n",
    );
    let iterations = |ended: Ended, count: &str| {
        let ended = ended.expect(0);
        let shown = format!("{count} iterations together");
        assert!(ended.stdout.contains(&shown), "{}", ended.all());
    };
    iterations(plan_with(&bench, None), "300");
    iterations(plan_with(&bench, Some("40")), "40");
}

#[test]
fn a_run_with_variables_of_a_file_is_judged_with_them() {
    let bench = bench();
    bench.write("vars.env", "FCFS_TEST_ITERATIONS=300\n");
    let ended = bench.run_scenario(&["--env-file", "vars.env"]).expect(0);
    let summary = bench.summary();
    assert_eq!(summary["loads"][0]["iterations"], 300, "{}", ended.all());
    let repeat = "fcfs-bench run scenario.yaml --env-file vars.env";
    assert_eq!(summary["environment"]["repeat"], repeat);
    bench
        .run(&["check", "run", "--env-file", "vars.env"])
        .expect(0);
    // A number has no stand-in: without the file it is said which variable is meant.
    let ended = bench.run(&["check", "run"]).expect(104);
    ended.complains("what `${FCFS_TEST_ITERATIONS}` holds is not valid here");
}

#[test]
fn a_mistake_in_the_file_is_named_by_its_line_and_never_repeated() {
    let bench = bench();
    for (text, place, message) in [
        ("A=1\nhunter2\n", "vars.env:2\n", "the line is no variable"),
        ("A='hunter2\n", "vars.env:1\n", "the quote ' is not closed"),
        (
            "FCFS_TEST_ITERATIONS=hunter2",
            "scenario.yaml:10:",
            "holds is not valid here",
        ),
        (
            "",
            "scenario.yaml:10:",
            "the environment variable `FCFS_TEST_ITERATIONS` is not set",
        ),
    ] {
        bench.write("vars.env", text);
        let ended = plan_with(&bench, None).expect(104);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.all());
        ended.complains(message);
        ended.complains(&format!("--> {place}"));
    }
    bench.write("vars.env", b"A=\xff");
    plan_with(&bench, None)
        .expect(104)
        .complains("byte 2 is not UTF-8");
    std::fs::remove_file(bench.path("vars.env")).expect("removed");
    plan_with(&bench, None)
        .expect(104)
        .complains("failed to read the variables: No such file");
}
