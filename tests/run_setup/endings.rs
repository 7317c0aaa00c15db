//! Steps that fail, and runs that end before their time: what is done afterwards all the same.

use rustix::process::Signal;

use super::{bench, harness, scenario, shop, step, steps};

#[test]
fn after_is_done_when_a_threshold_has_ended_the_load() {
    let target = shop();
    let more = "thresholds:
  issued: [ { threshold: count<5, abort: true } ]
after:
  - { shell: { run: echo done > after.txt } }
";
    let scenario = scenario(&target, "/coupons/17/issue", more);
    let long = "constant_vus: { vus: 2, for: 10m }";
    let scenario = scenario.replace("shared_iterations: { vus: 2, iterations: 20 }", long);
    let bench = bench(&scenario.replace("- post", "- think: 20ms\n    - post"));
    let ended = bench.run_scenario(&[]).expect(99);
    assert_eq!(bench.read("after.txt"), "done\n", "{}", ended.all());
}

#[test]
fn a_step_that_fails_ends_the_run_before_its_load_and_after_is_done() {
    let target = shop();
    // The step that fails, and what is said of it.
    let table = [
        (
            "{ name: bad, post: /unknown, headers: { authorization: \"${SECRET}\" } }",
            "it was answered 409 instead of 2xx: {\"message\":\"not with ${SECRET}\"}",
        ),
        (
            "{ name: bad, post: /admin/coupons, expect: 201, capture: { id: /id } }",
            "the answer has nothing at /id",
        ),
        (
            "{ name: bad, get: /slow, timeout: 200ms }",
            "no answer within 200ms",
        ),
        (
            "{ name: bad, sql: { url: \"sqlite:missing.db\", run: DELETE FROM x } }",
            "unable to open database file",
        ),
        (
            "{ name: bad, sql: { url: \"mysql://root:${SECRET}@127.0.0.1:9/x\", run: DELETE FROM x } }",
            "Connection refused",
        ),
        (
            "{ name: bad, redis: { url: \"redis://:${SECRET}@127.0.0.1:9\", run: DEL x } }",
            "Connection refused",
        ),
        (
            "{ name: bad, shell: { run: \"echo one; echo the ${SECRET} is wrong >&2; exit 3\" } }",
            "it ended with exit status: 3\n    one\n    the ${SECRET} is wrong",
        ),
        (
            "{ name: bad, shell: { run: [no-such-program] } }",
            "it could not be started: No such file",
        ),
        (
            "{ name: bad, shell: { run: sleep 1000, timeout: 200ms } }",
            "no answer within 200ms",
        ),
        (
            "{ name: bad, shell: { run: \"true\", capture: { line } } }",
            "it wrote nothing to capture to stdout",
        ),
    ];
    for (step_text, problem) in table {
        let asked = target.seen().len();
        let more = format!(
            "before:\n  - {step_text}\n  - {{ name: never, post: /admin/users }}\n\
             after:\n  - {{ name: wrong, post: /unknown, headers: {{ authorization: \"${{SECRET}}\" }} }}\n  - {{ name: tidy, post: /admin/users }}\n"
        );
        let bench = bench(&scenario(&target, "/coupons/17/issue", &more));
        let out = bench.path("run").display().to_string();
        let arguments = ["run", "scenario.yaml", "--out", &out];
        let running = bench.start_with(&arguments, |command| {
            command.env("SECRET", "p4ssw0rd");
        });
        let ended = running.wait().expect(113);
        let words =
            format!("error: the step `bad` before the load failed (scenario.yaml:12): {problem}");
        assert!(ended.stderr.contains(&words), "{words}\n{}", ended.all());
        assert!(!ended.all().contains("p4ssw0rd"), "{}", ended.all());
        let events = bench.read("run/events.jsonl");
        assert!(!events.contains("p4ssw0rd"), "{events}");
        let expected = [
            step("before", "bad", true),
            step("after", "wrong", true),
            step("after", "tidy", false),
        ];
        assert_eq!(steps(&bench), expected, "{step_text}");
        let asked = target.seen().split_off(asked);
        let issued = asked
            .iter()
            .any(|seen| seen.request.path.ends_with("/issue"));
        assert!(!issued, "{step_text}: the load has begun");
        assert_eq!(bench.processes(), Vec::<String>::new(), "{step_text}");
    }
}

#[test]
fn a_failure_afterwards_is_a_warning_and_no_verdict() {
    let target = shop();
    let more = "after:
  - { name: wrong, post: /unknown }
  - { shell: { run: echo done > after.txt } }
";
    let bench = bench(&scenario(&target, "/coupons/17/issue", more));
    let ended = bench.run_scenario(&[]).expect(0);
    assert_eq!(bench.read("after.txt"), "done\n");
    let summary = bench.summary();
    let warning = summary["warnings"][0].as_str().unwrap();
    let words = "after: `wrong` (scenario.yaml:12) failed after ";
    assert!(warning.starts_with(words), "{warning}\n{}", ended.all());
}

#[test]
fn after_is_done_when_the_load_was_interrupted() {
    let target = shop();
    let more = "after:\n  - { shell: { run: echo done > after.txt } }\n";
    let scenario = scenario(&target, "/coupons/17/issue", more);
    let long = "constant_vus: { vus: 2, for: 10m }";
    let scenario = scenario.replace("shared_iterations: { vus: 2, iterations: 20 }", long);
    let bench = bench(&scenario.replace("- post", "- think: 20ms\n    - post"));
    let mut running = bench.start_scenario(&[]);
    running.wait_until_it_says(" VUs ");
    running.signal(Signal::INT);
    let ended = running.wait().expect(105);
    assert_eq!(bench.read("after.txt"), "done\n", "{}", ended.all());
}

#[test]
fn interrupting_before_the_load_lets_the_step_finish_and_does_after() {
    let target = shop();
    let more = "before:
  - { shell: { run: \"echo here > begun.txt; sleep 2; echo done > before.txt\" } }
  - { shell: { run: echo never > second.txt } }
after:
  - { shell: { run: echo done > after.txt } }
";
    let bench = bench(&scenario(&target, "/coupons/17/issue", more));
    let running = bench.start_scenario(&[]);
    harness::wait_until("the step is under way", || bench.path("begun.txt").exists());
    running.signal(Signal::INT);
    let ended = running.wait().expect(105);
    assert_eq!(bench.read("before.txt"), "done\n", "{}", ended.all());
    assert_eq!(bench.read("after.txt"), "done\n", "{}", ended.all());
    assert!(!bench.path("second.txt").exists());
}

#[test]
fn interrupting_twice_cuts_the_step_with_all_that_it_started_and_skips_after() {
    let target = shop();
    let more = "before:
  - { shell: { run: \"sh -c 'echo $$ > child.txt; sleep 1000' & wait\", timeout: 1h } }
after:
  - { shell: { run: echo done > after.txt } }
";
    let bench = bench(&scenario(&target, "/coupons/17/issue", more));
    let mut running = bench.start_scenario(&[]);
    let child = || std::fs::read_to_string(bench.path("child.txt")).unwrap_or_default();
    harness::wait_until("the program is under way", || child().ends_with('\n'));
    running.signal(Signal::INT);
    running.wait_until_it_says("once more cuts it and skips `after`");
    running.signal(Signal::INT);
    let ended = running.wait().expect(105);
    assert!(!bench.path("after.txt").exists(), "{}", ended.all());
    let child = child();
    let place = format!("/proc/{}/cmdline", child.trim());
    let is_gone = || std::fs::read(&place).map_or(true, |line| line.is_empty());
    harness::wait_until("the program has ended", is_gone);
}
