//! `new`: the scenario that it writes is valid, runs, and says what to change.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::claims::Claims;
use harness::{Bench, Ended};

const CLAIM: [&str; 4] = ["--issue", "POST /api/coupons/1/claim", "--stock", "25"];
const ANSWERS: [&str; 6] = [
    "--issued",
    "200 /result=SUCCESS",
    "--sold-out",
    "200 /result=SOLD_OUT",
    "--duplicate",
    "200 /result=DUPLICATE",
];
const TRUTH: [&str; 4] = [
    "--sql",
    "sqlite:coupons.db",
    "--query",
    "SELECT user_id, id, created_at FROM claims",
];

fn new(bench: &Bench, more: &[&str]) -> Ended {
    let args = [
        &["new", "--url", "http://127.0.0.1:8080"][..],
        &CLAIM,
        &TRUTH,
        more,
    ]
    .concat();
    bench.run(&args)
}

#[test]
fn the_written_scenario_judges_a_system() {
    for (more, code) in [(&[][..], 0), (&["--oversell"], 111)] {
        let bench = Bench::new();
        let claims = Claims::start(&bench.path("coupons.db"), 25, more);
        let written = [&ANSWERS[..], &["--vus", "40", "--for", "2s"]].concat();
        new(&bench, &written).expect(0);
        let url = claims.url();
        let out = bench.path("run").display().to_string();
        let args = ["run", "my-system.yaml", "--url", &url, "--out", &out];
        let small = [
            "--set",
            "truth.settle.quiet=500ms",
            "--set",
            "thresholds.http_req_duration=p(95)<9s",
        ];
        bench.run(&[&args[..], &small].concat()).expect(code);
        assert_eq!(bench.summary()["outcomes"]["unknown"], 0);
    }
}

#[test]
fn the_comments_say_what_to_change() {
    let bench = Bench::new();
    new(&bench, &["--out", "shop.yaml"]).expect(0);
    insta::assert_snapshot!("written", bench.read("shop.yaml"));
    bench.run(&["validate", "shop.yaml"]).expect(0);
}

/// Answers the questions on a terminal: Python gives the program one, and ends as it does.
const TERMINAL: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:2] + ["new", "--vus", "3"])
os.write(terminal, sys.argv[2].encode())
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// Runs `new` on a terminal with these lines typed.
fn typed(bench: &Bench, lines: &[&str]) -> Option<i32> {
    let mut command = std::process::Command::new("python3");
    let binary = env!("CARGO_BIN_EXE_fcfs-bench");
    let text = lines.join("\n") + "\n";
    command.args(["-c", TERMINAL, binary, &text]);
    command.current_dir(bench.path("."));
    command.status().expect("python3 is installed").code()
}

#[test]
fn on_a_terminal_a_few_questions_are_asked_and_wrong_answers_again() {
    let bench = Bench::new();
    let lines = [
        "http://127.0.0.1:9",
        "no request",
        "PUT /issue",
        "",
        "7",
        "",
        "410",
        "",
        "sqlite:shop.db",
        "",
        "5s",
    ];
    assert_eq!(typed(&bench, &lines), Some(0));
    let written = bench.read("my-system.yaml");
    for line in [
        "- put: \"/issue\"",
        "stock: 7",
        "sold_out: { status: 410 }",
        "for: 5s, to: 3",
    ] {
        assert!(written.contains(line), "no {line:?} in {written}");
    }
}

#[test]
fn an_end_of_input_writes_nothing() {
    let bench = Bench::new();
    // Control-D on an empty line.
    assert_eq!(typed(&bench, &["http://127.0.0.1:9", "\u{4}"]), Some(2));
    assert!(!bench.path("my-system.yaml").exists());
}

#[test]
fn without_a_terminal_the_missing_flags_are_named() {
    let ended = Bench::new().run(&["new", "--url", "http://127.0.0.1:1", "--stock", "5"]);
    ended
        .expect(2)
        .complains("--issue, --sql, --query must be given");
}

#[test]
fn a_flag_that_is_wrong_is_named_and_nothing_is_written() {
    let table = [
        ("--issued", "yes", "--issued: `yes` is no status"),
        ("--body", "{userId}", "--body: it is no JSON"),
        ("--for", "30", "--for: `30` has no unit"),
        ("--vus", "0", "--vus: at least 1"),
    ];
    for (flag, value, words) in table {
        let bench = Bench::new();
        new(&bench, &[flag, value]).expect(2).complains(words);
        assert!(!bench.path("my-system.yaml").exists(), "{flag}");
    }
}

#[test]
fn a_query_that_writes_is_refused_before_the_file_is_written() {
    let bench = Bench::new();
    let args = [
        "new",
        "--url",
        "http://127.0.0.1:1",
        "--sql",
        "sqlite:a.db",
        "--query",
        "DELETE FROM claims",
    ];
    bench.run(&[&args[..], &CLAIM].concat()).expect(2);
    assert!(!bench.path("my-system.yaml").exists());
}

#[test]
fn a_file_that_is_there_is_kept_unless_it_is_to_be_replaced() {
    let bench = Bench::new();
    bench.write("my-system.yaml", "mine");
    new(&bench, &[])
        .expect(2)
        .complains("my-system.yaml is there already");
    assert_eq!(bench.read("my-system.yaml"), "mine");
    new(&bench, &["--force"]).expect(0);
    assert_ne!(bench.read("my-system.yaml"), "mine");
}

#[test]
fn a_password_is_not_written_down() {
    let bench = Bench::new();
    let sql = "mysql://reader:geheim@127.0.0.1/shop";
    let args = [
        "new",
        "--url",
        "http://127.0.0.1:1",
        "--sql",
        sql,
        "--query",
        "SELECT user_id FROM c",
    ];
    let ended = bench.run(&[&args[..], &CLAIM].concat()).expect(0);
    assert!(ended.stderr.contains("set DB_PASSWORD"), "{}", ended.all());
    let written = bench.read("my-system.yaml");
    assert!(
        written.contains("mysql://reader:${DB_PASSWORD}@127.0.0.1/shop"),
        "{written}"
    );
    assert!(!written.contains("geheim") && !ended.all().contains("geheim"));
}
