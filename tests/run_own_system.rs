//! A system that the harness knows nothing about: another language, other words, 200 for
//! everything. The shipped template runs against it with nothing changed but its addresses.

#[path = "support/harness/mod.rs"]
mod harness;

use harness::claims::Claims;
use harness::{Bench, Ended, shipped, verdict_of};

const STOCK: u64 = 25;

/// The shipped template against a system, made small; Python is slow, and the machine is not ours.
fn run(bench: &Bench, claims: &Claims) -> Ended {
    let template = shipped("scenarios/own-system.yaml");
    let database = bench.path("coupons.db").display().to_string();
    let truth = format!("truth.issued.sql.url=sqlite:{database}");
    let stock = format!("subject.coupon.stock={STOCK}");
    let out = bench.path("run").display().to_string();
    bench.run(&[
        "run",
        &template,
        "--url",
        &claims.url(),
        "--set",
        &truth,
        "--set",
        &stock,
        "--set",
        "truth.settle.quiet=500ms",
        "--set",
        "thresholds.http_req_duration=[p(95)<9s]",
        "--scale",
        "time=0.05,vus=0.1",
        "--out",
        &out,
    ])
}

#[test]
fn the_template_passes_a_system_that_is_right() {
    let bench = Bench::new();
    let claims = Claims::start(&bench.path("coupons.db"), STOCK, &[]);
    run(&bench, &claims).expect(0);
    let summary = bench.summary();
    assert_eq!(summary["outcomes"]["issued"], STOCK);
    assert!(summary["outcomes"]["sold_out"].as_u64() > Some(0));
    assert_eq!(summary["outcomes"]["unknown"], 0);
}

#[test]
fn the_template_finds_a_system_that_oversells() {
    let bench = Bench::new();
    let claims = Claims::start(&bench.path("coupons.db"), STOCK, &["--oversell"]);
    let ended = run(&bench, &claims).expect(111);
    assert!(
        ended.stdout.contains("  - stock: oversold by "),
        "{}",
        ended.all()
    );
    let summary = bench.summary();
    assert_eq!(
        verdict_of(&summary, "invariants", "stock")["verdict"],
        "fail"
    );
    let others = ["one_per_user", "acknowledged"];
    for name in others {
        let judged = verdict_of(&summary, "invariants", name);
        assert_eq!(judged["verdict"], "pass", "{judged}");
    }
}

#[test]
fn rows_of_an_earlier_run_are_warned_of() {
    let bench = Bench::new();
    let claims = Claims::start(&bench.path("coupons.db"), STOCK, &[]);
    run(&bench, &claims).expect(0);
    std::fs::remove_dir_all(bench.path("run")).expect("the first run");
    let ended = run(&bench, &claims);
    let ended = ended.expect(112);
    let words = format!("the truth held {STOCK} issued rows before the load, which count");
    let one_line = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(one_line.contains(&words), "{}", ended.all());
}

#[test]
fn several_instances_are_asked_in_turn() {
    let bench = Bench::new();
    let database = bench.path("coupons.db");
    let instances = [0, 1].map(|_| Claims::start(&database, STOCK, &[]));
    let [one, other] = &instances;
    let template = std::fs::read_to_string(shipped("scenarios/own-system.yaml"));
    let template = template.expect("the template");
    let urls = format!("urls: [\"{}\", \"{}\"]", one.url(), other.url());
    let scenario = template.replace("url: http://127.0.0.1:8080", &urls);
    let scenario = scenario.replace(
        "sqlite:coupons.db",
        &format!("sqlite:{}", database.display()),
    );
    bench.write("scenario.yaml", scenario);
    let stock = format!("subject.coupon.stock={STOCK}");
    let ended = bench.run_scenario(&[
        "--set",
        &stock,
        "--set",
        "truth.settle.quiet=500ms",
        "--set",
        "thresholds.http_req_duration=[p(95)<9s]",
        "--scale",
        "time=0.05,vus=0.1",
    ]);
    let ended = ended.expect(0);
    let summary = bench.summary();
    let drained = summary["drain"]["requests"].as_u64().unwrap_or(0);
    let all = summary["requests"].as_u64().expect("a number") + drained;
    let answered = instances.each_ref().map(Claims::answered);
    assert_eq!(answered[0] + answered[1], all, "{}", ended.all());
    for count in answered {
        assert!(count * 3 > all, "{answered:?} of {all} are not in turn");
    }
}
