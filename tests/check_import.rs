//! `check --import`: what k6, `JMeter` and an access log have recorded is judged like a run of our own.
//! The records are made here, of a sale that is right or has one mistake.

#[path = "support/harness/mod.rs"]
mod harness;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;

use harness::{Bench, Ended, part_of, verdict_of, wait_until};
use rustix::process::Signal;
use serde_json::{Value, json};

/// 2026-03-01T12:30:00Z in milliseconds of Unix time.
const START_MS: u64 = 1_772_368_200_000;
const STOCK: usize = 20;

/// One attempt: who, when in milliseconds since the start, how long, and the answer.
#[derive(Clone)]
struct Attempt {
    user: String,
    at_ms: u64,
    took_ms: u64,
    outcome: &'static str,
    coupon: Option<usize>,
}

impl Attempt {
    fn status(&self) -> u16 {
        match self.outcome {
            "issued" => 201,
            "unknown" => 502,
            _ => 409,
        }
    }

    fn body(&self) -> String {
        match (self.outcome, self.coupon) {
            ("issued", Some(id)) => json!({ "id": id }).to_string(),
            ("sold_out", _) => "it is sold out".to_owned(),
            ("duplicate", _) => "you have one already".to_owned(),
            _ => String::new(),
        }
    }
}

/// What the tool has recorded, and what the system holds.
#[derive(Clone)]
struct Sale {
    attempts: Vec<Attempt>,
    rows: Vec<(String, usize)>,
}

impl Sale {
    /// So many get one, one after the other; then everybody else is refused, and one who has one
    /// asks again.
    fn of(issued: usize) -> Self {
        let attempts = (0..2 * STOCK).map(|number| Attempt {
            user: format!("kim-{number}"),
            at_ms: 20 * number as u64,
            took_ms: 7,
            outcome: if number < issued {
                "issued"
            } else {
                "sold_out"
            },
            coupon: (number < issued).then_some(100 + number),
        });
        let again = Attempt {
            user: "kim-3".to_owned(),
            at_ms: 40 * STOCK as u64,
            took_ms: 4,
            outcome: "duplicate",
            coupon: None,
        };
        let attempts: Vec<_> = attempts.chain([again]).collect();
        let holds = |one: &Attempt| Some((one.user.clone(), one.coupon?));
        let rows = attempts.iter().filter_map(holds).collect();
        Self { attempts, rows }
    }

    fn right() -> Self {
        Self::of(STOCK)
    }

    fn oversold() -> Self {
        Self::of(STOCK + 1)
    }

    /// A refusal that was complete 8 ms before the last winner asked.
    fn inverted() -> Self {
        let mut sale = Self::right();
        sale.attempts.push(Attempt {
            user: "lee".to_owned(),
            at_ms: 20 * (STOCK as u64 - 1) - 10,
            took_ms: 1,
            outcome: "sold_out",
            coupon: None,
        });
        sale
    }

    fn k6(&self) -> String {
        let mut text = format!(
            "{}\n",
            json!({ "type": "Metric", "metric": "http_req_duration", "data": { "type": "trend" } })
        );
        for one in &self.attempts {
            let end_ms = START_MS + one.at_ms + one.took_ms;
            let (seconds, ms) = ((end_ms - START_MS) / 1_000, end_ms % 1_000);
            let mut tags = json!({
                "user": one.user, "outcome": one.outcome, "status": one.status().to_string(),
                "url": "http://shop/issue",
            });
            if let Some(coupon) = one.coupon {
                tags["coupon"] = json!(coupon.to_string());
            }
            for (metric, value) in [
                ("http_reqs", 1.0),
                ("http_req_duration", one.took_ms as f64),
            ] {
                let point = json!({
                    "type": "Point", "metric": metric,
                    "data": {
                        "time": format!("2026-03-01T21:30:{seconds:02}.{ms:03}000001+09:00"),
                        "value": value, "tags": tags,
                    },
                });
                writeln!(text, "{point}").expect("a text takes everything");
            }
        }
        text
    }

    fn jmeter(&self) -> String {
        let mut text = "timeStamp,elapsed,label,responseCode,user,answer\n".to_owned();
        for one in &self.attempts {
            let (at, body) = (START_MS + one.at_ms, one.body().replace('"', "\"\""));
            let (took, status, user) = (one.took_ms, one.status(), &one.user);
            writeln!(text, "{at},{took},issue,{status},{user},\"{body}\"")
                .expect("a text takes everything");
            writeln!(text, "{at},1,front page,200,,").expect("a text takes everything");
        }
        text
    }

    fn access_log(&self) -> String {
        let line = |one: &Attempt| {
            let record = json!({
                "who": { "id": one.user }, "at": (START_MS + one.at_ms) * 1_000_000,
                "until": (START_MS + one.at_ms + one.took_ms) * 1_000_000,
                "status": one.status(), "answer": one.body(),
            });
            format!("{record}\n")
        };
        self.attempts.iter().map(line).collect()
    }

    /// A bench with the three files, and a scenario whose truth shows the rows.
    fn bench(&self) -> Bench {
        let bench = Bench::new();
        bench.write("scenario.yaml", scenario(&ledger(&self.rows), ""));
        bench.write("k6.json", self.k6());
        bench.write("run.jtl", self.jmeter());
        bench.write("access.jsonl", self.access_log());
        bench
    }
}

/// Answers every request with these rows, as long as the test runs.
fn ledger(rows: &[(String, usize)]) -> String {
    let row = |(user, id): &(String, usize)| json!({ "user": user, "id": id });
    let rows: Vec<Value> = rows.iter().map(row).collect();
    let answer = json!({ "rows": rows }).to_string();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut lines = BufReader::new(stream.try_clone()?).lines();
                while let Some(line) = lines.next().transpose()? {
                    if line.is_empty() {
                        write!(
                            stream,
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                             content-length: {}\r\n\r\n{answer}",
                            answer.len()
                        )?;
                    }
                }
                Ok(())
            });
        }
    });
    url
}

fn scenario(url: &str, more: &str) -> String {
    format!(
        r#"name: imported
target: {{ url: "{url}" }}
subject: {{ coupon: {{ id: 1, stock: {STOCK} }} }}
users: {{ pool: 1000 }}
load: {{ recorded: {{ flow: issue, constant_vus: {{ vus: 1, for: 1s }} }} }}
flows:
  issue:
    - name: issue
      post: /issue
      json: {{ user: "{{{{ user }}}}" }}
      outcomes:
        issued: {{ status: 201, id: /id }}
        sold_out: {{ status: 409, body: sold out }}
        duplicate: {{ status: 409, body: one already }}
truth:
  issued: {{ http: {{ get: /issued, at: /rows, user: /user, id: /id }} }}
  settle: {{ quiet: 200ms, within: 30s }}
invariants: [stock, one_per_user, acknowledged, first_come_first_served]
{more}"#
    )
}

const K6: &[&str] = &[
    "--import",
    "k6.json",
    "--format",
    "k6",
    "--map",
    "user=user",
    "--map",
    "outcome=outcome",
    "--map",
    "coupon=coupon",
];
const JMETER: &[&str] = &[
    "--import",
    "run.jtl",
    "--format",
    "jmeter",
    "--map",
    "user=user",
    "--map",
    "body=answer",
    "--only",
    "label=issue",
];
const ACCESS_LOG: &[&str] = &[
    "--import",
    "access.jsonl",
    "--format",
    "jsonl",
    "--map",
    "user=/who/id",
    "--map",
    "start=at",
    "--map",
    "end=until",
    "--map",
    "unit=ns",
    "--map",
    "status=status",
    "--map",
    "body=answer",
];

fn check(bench: &Bench, records: &[&str], more: &[&str]) -> Ended {
    let first = ["check", "scenario.yaml", "--out", "run"];
    bench.run(&[&first, records, more].concat())
}

#[test]
fn an_oversell_is_found_in_the_records_of_every_tool() {
    for records in [K6, JMETER, ACCESS_LOG] {
        let bench = Sale::oversold().bench();
        let ended = check(&bench, records, &[]).expect(111);
        assert!(ended.stdout.contains("oversold by 1"), "{}", ended.all());
        let summary = bench.summary();
        assert_eq!(part_of(&summary, "stock", "oversold")["count"], 1);
        assert_eq!(part_of(&summary, "stock", "issued_ids")["count"], 1);
        let case = &part_of(&summary, "stock", "issued_ids")["cases"][0];
        assert_eq!(case["user"], "kim-20", "{case}");
    }
}

#[test]
fn a_right_sale_passes_in_the_records_of_every_tool() {
    for records in [K6, JMETER, ACCESS_LOG] {
        let bench = Sale::right().bench();
        let ended = check(&bench, records, &["--empty-before"]).expect(0);
        assert!(ended.stdout.contains("PASS  imported"), "{}", ended.all());
        let summary = bench.summary();
        assert_eq!(summary["requests"], 2 * STOCK + 1);
        assert_eq!(summary["outcomes"]["issued"], STOCK);
        assert_eq!(summary["outcomes"]["sold_out"], STOCK);
        assert_eq!(summary["outcomes"]["duplicate"], 1);
        for name in [
            "stock",
            "one_per_user",
            "acknowledged",
            "first_come_first_served",
        ] {
            let judged = verdict_of(&summary, "invariants", name);
            assert_eq!(judged["verdict"], "pass", "{judged}");
        }
        // Seven milliseconds, and what was not written down of them.
        let median = summary["latency_ms"]["all"]["p50"].as_f64();
        assert!(
            median.is_some_and(|ms| (6.9..9.1).contains(&ms)),
            "{summary}"
        );
    }
}

#[test]
fn the_directory_is_one_of_a_run() {
    let bench = Sale::oversold().bench();
    let ended = check(&bench, K6, &[]).expect(111);
    let report = bench.read("run/report.md");
    assert!(
        report.contains("fcfs-bench check scenario.yaml --import k6.json --format k6"),
        "{report}"
    );
    std::fs::remove_file(bench.path("run/report.md")).expect("it was there");
    // The records are not needed any more.
    std::fs::remove_file(bench.path("k6.json")).expect("it was there");
    let reported = bench.run(&["report", "run"]).expect(0);
    assert_eq!(reported.stdout, ended.stdout);
    assert_eq!(bench.read("run/report.md"), report);
    let again = bench.run(&["check", "run"]).expect(111);
    assert_eq!(again.stdout, ended.stdout);
}

#[test]
fn what_cannot_be_known_is_said_and_not_judged() {
    let bench = Sale::inverted().bench();
    let ended = check(&bench, ACCESS_LOG, &[]).expect(112);
    let order = |bench: &Bench| {
        let summary = bench.summary();
        part_of(&summary, "first_come_first_served", "order").clone()
    };
    let part = order(&bench);
    assert_eq!(
        (&part["verdict"], &part["count"]),
        (&json!("unknown"), &json!(1))
    );
    let words = "the rows before the load were not read";
    ended.says(words);
    assert!(
        bench
            .read("run/report.md")
            .contains("after the last record")
    );

    let bench = Sale::inverted().bench();
    check(&bench, ACCESS_LOG, &["--empty-before"]).expect(111);
    assert_eq!(order(&bench)["verdict"], "fail");

    // Two machines whose clocks may be 5 ms apart prove nothing by 9 ms.
    let bench = Sale::inverted().bench();
    check(&bench, ACCESS_LOG, &["--empty-before", "--skew", "5ms"]).expect(0);
}

#[test]
fn a_lost_confirmation_is_found() {
    let mut sale = Sale::right();
    sale.rows.remove(4);
    let bench = sale.bench();
    check(&bench, JMETER, &[]).expect(111);
    let summary = bench.summary();
    assert_eq!(part_of(&summary, "acknowledged", "lost")["count"], 1);
}

#[test]
fn an_output_that_was_cut_off_is_judged_and_it_is_said() {
    let sale = Sale::oversold();
    let bench = sale.bench();
    let text = sale.k6();
    bench.write("k6.json", &text[..text.len() - 20]);
    let ended = check(&bench, K6, &[]).expect(111);
    let report = bench.read("run/report.md");
    assert!(
        report.contains("the last line of the records is cut off"),
        "{}",
        ended.all()
    );
}

#[test]
fn a_bad_record_is_refused_by_file_and_line_and_leaves_nothing() {
    let sale = Sale::right();
    let bench = sale.bench();
    bench.write(
        "k6.json",
        sale.k6()
            .replacen("\"outcome\":\"sold_out\"", "\"outcome\":\"gone\"", 4),
    );
    let ended = check(&bench, K6, &[]).expect(2);
    ended.complains("error: k6.json:43: the scenario has no outcome `gone`; it has issued, ");
    bench.write("run.jtl", sale.jmeter().replacen(",201,", ",fine,", 1));
    let ended = check(&bench, JMETER, &[]).expect(2);
    ended.complains("error: run.jtl:2: `fine` is no HTTP status");
    bench.write("access.jsonl", sale.access_log() + "{\"who\":");
    let ended = check(&bench, ACCESS_LOG, &[]).expect(2);
    ended.complains("error: access.jsonl:42: it is no JSON object: ");
    assert!(!bench.path("run").exists(), "nothing is left");
}

#[test]
fn records_without_what_the_rules_look_at_are_refused() {
    let bench = Sale::right().bench();
    let without_body = &JMETER[..6];
    let ended = check(&bench, without_body, &[]).expect(104);
    ended.complains(
        "the outcome `issued` of the step `issue` looks at the body for the coupon's id",
    );
    let coupon = ["--map", "coupon=label"];
    let ended = check(&bench, without_body, &coupon).expect(104);
    ended.complains("the outcome `sold_out` of the step `issue` looks at the body, and no field");
    let ended = check(&bench, JMETER, &["--step", "pay"]).expect(104);
    ended.complains("no step `pay` attempts to get something; there are issue");
    let ended = check(&bench, JMETER, &["--only", "label=nothing"]).expect(2);
    ended.complains("run.jtl holds no attempt: ");
    let ended = check(&bench, &["--import", "run.jtl"], &[]).expect(2);
    ended.complains("--format <NAME>");
}

#[test]
fn what_cannot_apply_is_refused() {
    let url = ledger(&[]);
    let stages = "{ flow: issue, ramping_vus: { stages: [{ name: a, for: 1s, to: 2 }, { name: b, for: 1s, to: 0 }] } }";
    let plain = "{ flow: issue, constant_vus: { vus: 1, for: 1s } }";
    let on_url = format!("target: {{ url: \"{url}\" }}");
    let on_stack = "target: { stack: { provider: embedded } }";
    // What is written instead of what, more, and the complaint.
    let table = [
        (
            (plain, stages),
            "",
            "`load`: stages and several loads are phases",
        ),
        (
            (on_url.as_str(), on_stack),
            "",
            "`target`: the bundled server is there only while",
        ),
        (
            ("", ""),
            "before: [{ shell: { run: \"true\" } }]\n",
            "`before` and `after`: nothing is done",
        ),
        (
            ("", ""),
            "alerts: { prometheus: \"http://127.0.0.1:9\" }\n",
            "`alerts`: who fired",
        ),
        (
            ("", ""),
            "thresholds: { vus: [\"value<5\"] }\n",
            "`vus: value<5`: the records do not tell it",
        ),
        (
            ("", ""),
            "thresholds: { http_req_duration: [{ threshold: \"p(95)<1s\", abort: true }] }\n",
            "there is no load that it could end",
        ),
    ];
    for ((old, new), more, complaint) in table {
        let bench = Sale::right().bench();
        bench.write("scenario.yaml", scenario(&url, more).replacen(old, new, 1));
        let ended = check(&bench, JMETER, &[]).expect(104);
        ended.complains(complaint);
        assert!(!bench.path("run").exists(), "nothing is left");
    }
}

#[test]
fn thresholds_are_judged_by_the_records() {
    let bench = Sale::right().bench();
    let url = ledger(&Sale::right().rows);
    let thresholds = "thresholds: { http_req_duration: [\"p(95)<5ms\"] }\n";
    bench.write("scenario.yaml", scenario(&url, thresholds));
    check(&bench, ACCESS_LOG, &[]).expect(99);
    let judged = bench.summary()["thresholds"][0].clone();
    assert_eq!(judged["verdict"], "fail", "{judged}");
}

#[test]
fn a_signal_ends_the_reading_of_records() {
    let sale = Sale::right();
    let bench = sale.bench();
    bench.write("access.jsonl", sale.access_log().repeat(10_000));
    let args = [&["check", "scenario.yaml"], ACCESS_LOG].concat();
    let running = bench.start(&args);
    let status = format!("/proc/{}/status", running.id());
    wait_until("it listens to signals", || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let mut lines = status.lines();
        let caught = lines.find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap_or("0").trim(), 16);
        caught.is_ok_and(|caught| caught & 1 << (Signal::INT.as_raw() - 1) != 0)
    });
    running.signal(Signal::INT);
    running.wait().expect(105).complains("interrupted");
    assert!(!bench.path("reports").exists(), "nothing is left");
}

#[test]
fn a_pipe_is_refused_because_records_are_read_twice() {
    let bench = Sale::right().bench();
    let made = std::process::Command::new("mkfifo")
        .arg(bench.path("pipe"))
        .status();
    assert!(made.expect("mkfifo starts").success());
    let args = [&["--import", "pipe"], &ACCESS_LOG[2..]].concat();
    let ended = check(&bench, &args, &[]).expect(2);
    ended.complains("error: pipe: records are read twice, so a file is needed");
    let args = [&["--import", "missing.jsonl"], &ACCESS_LOG[2..]].concat();
    let ended = check(&bench, &args, &[]).expect(2);
    ended.complains("error: missing.jsonl: No such file");
}
