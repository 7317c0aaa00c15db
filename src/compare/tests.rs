//! What is a regression, and what is chance.

use super::bootstrap::Drawn;
use super::limits::{Figure, Limits};
use super::sample::{Block, Sample, Scope};
use super::{Faults, differences, judge, undecide};
use crate::plan::mix;
use crate::report::{Change, Difference, FigureChange, Judgement};

const PER_BLOCK: u64 = 200;

/// Blocks of two seconds each, whose answers take about 20 ms times `slower`: the middle of a block
/// wanders by chance, as that of neighbouring seconds does.
fn run(blocks: u64, slower: f64, seed: u64) -> Sample {
    let chance = |at: u64| mix(mix(seed) ^ at) as f64 / u64::MAX as f64;
    let blocks = (0..blocks).map(|block| {
        let middle_us = 20_000.0 * (0.97 + 0.06 * chance(1_000_000 + block)) * slower;
        let mut one = Block {
            seconds: 2.0,
            attempts: PER_BLOCK,
            ..Block::default()
        };
        for attempt in 0..PER_BLOCK {
            let spread = 0.7 + 0.6 * chance(block * PER_BLOCK + attempt);
            *one.times.entry((middle_us * spread) as u64).or_default() += 1;
        }
        one
    });
    Sample::of(blocks.collect())
}

fn judged(base: &Sample, new: &Sample, figure: Figure, limits: &Limits) -> Judgement {
    let drawn = Drawn::of(base, new, &Scope::whole(0, std::iter::once(0)));
    let (base, new, change) = drawn.change(figure).expect("both have samples");
    judge(figure, &change, (base, new), limits, drawn.says(figure))
}

fn limits(texts: &[&str]) -> Limits {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    Limits::parse(&texts).expect("valid limits")
}

#[test]
fn fifteen_percent_more_is_found_each_time_and_equal_runs_are_never_accused() {
    for seed in 0..20 {
        let (base, equal) = (run(30, 1.0, seed), run(30, 1.0, 1_000 + seed));
        let slower = run(30, 1.15, 2_000 + seed);
        for figure in [Figure::P50, Figure::P95, Figure::P99] {
            let limits = Limits::default();
            let accused = judged(&base, &equal, figure, &limits);
            assert_eq!(accused, Judgement::Within, "{seed} {figure:?}");
        }
        let found = judged(&base, &slower, Figure::P50, &Limits::default());
        assert_eq!(found, Judgement::Worse, "{seed}");
        let better = judged(&slower, &base, Figure::P50, &Limits::default());
        assert_eq!(better, Judgement::Better, "{seed}");
    }
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let base = run(15, 1.0, 7);
    let strict = limits(&["p50=+0%", "p99=+0%", "rps=-0%", "failed=+0%"]);
    for figure in [Figure::P50, Figure::P99, Figure::Rps, Figure::Failed] {
        let judgement = judged(&base, &base, figure, &strict);
        assert_eq!(judgement, Judgement::Within, "{figure:?}");
    }
}

#[test]
fn the_interval_holds_the_true_change_in_99_of_100_pairs() {
    const PAIRS: u64 = 60;
    let holds = (0..PAIRS).filter(|pair| {
        let (base, new) = (run(20, 1.0, *pair), run(20, 1.05, 10_000 + pair));
        let drawn = Drawn::of(&base, &new, &Scope::whole(0, std::iter::once(0)));
        let (_, _, Change { low, high, .. }) = drawn.change(Figure::P50).expect("samples");
        (low..=high).contains(&0.05)
    });
    // Of 60 with a chance of 0.98 fewer than 53 are less likely than one in ten thousand; the
    // percentile interval of 20 blocks is a little too short.
    let holds = holds.count();
    assert!(holds >= 53, "{holds} of {PAIRS}");
}

#[test]
fn what_reaches_over_the_limit_with_a_part_of_its_interval_is_no_regression() {
    let limits = limits(&["p50=+10%"]);
    let of = |low: f64, middle: f64, high: f64| {
        let change = Change { low, middle, high };
        judge(
            Figure::P50,
            &change,
            (20.0, 20.0 * (1.0 + middle)),
            &limits,
            true,
        )
    };
    // From clearly slower to clearly faster.
    let table = [
        (0.11, 0.15, 0.19, Judgement::Worse),
        (0.09, 0.12, 0.15, Judgement::Perhaps),
        (0.01, 0.05, 0.12, Judgement::Within),
        (-0.02, 0.0, 0.02, Judgement::Within),
        (-0.09, -0.05, -0.01, Judgement::Better),
    ];
    for (low, middle, high, judgement) in table {
        assert_eq!(of(low, middle, high), judgement, "{middle}");
    }
}

#[test]
fn less_throughput_is_worse_and_more_is_not() {
    let limits = limits(&["rps=-10%"]);
    let of = |middle: f64| {
        let change = Change {
            low: middle - 0.01,
            middle,
            high: middle + 0.01,
        };
        judge(
            Figure::Rps,
            &change,
            (100.0, 100.0 * (1.0 + middle)),
            &limits,
            true,
        )
    };
    assert_eq!(of(-0.2), Judgement::Worse);
    assert_eq!(of(-0.05), Judgement::Within);
    assert_eq!(of(0.2), Judgement::Better);
}

#[test]
fn failures_count_in_percent_points() {
    let failing = |failed: u64| {
        let block = Block {
            seconds: 1.0,
            attempts: 1_000,
            failed,
            times: [(1_000, 1_000 - failed)].into_iter().collect(),
        };
        Sample::of(vec![block; 10])
    };
    let of = |failed| {
        judged(
            &failing(0),
            &failing(failed),
            Figure::Failed,
            &Limits::default(),
        )
    };
    assert_eq!(of(9), Judgement::Within);
    assert_eq!(of(11), Judgement::Worse);
}

#[test]
fn what_is_too_short_or_has_too_few_samples_is_not_judged() {
    let limits = Limits::default();
    let short = judged(&run(4, 1.0, 1), &run(4, 2.0, 2), Figure::P50, &limits);
    assert_eq!(short, Judgement::TooLittle);
    // 5 blocks of 200: one in a hundred of them are 10, which is just enough for p99.
    let enough = judged(&run(5, 1.0, 1), &run(5, 2.0, 2), Figure::P99, &limits);
    assert_eq!(enough, Judgement::Worse);
    let drawn = judged(&run(5, 1.0, 1), &run(5, 2.0, 2), Figure::P90, &limits);
    assert_eq!(drawn, Judgement::NotJudged, "it has no limit by default");
}

#[test]
fn a_difference_that_nobody_notices_is_none() {
    let change = Change {
        low: 0.4,
        middle: 0.5,
        high: 0.6,
    };
    let of = |limits: &Limits| judge(Figure::P95, &change, (0.4, 0.6), limits, true);
    assert_eq!(of(&Limits::default()), Judgement::Within);
    assert_eq!(of(&limits(&["p95=+10%"])), Judgement::Worse);
    assert_eq!(of(&limits(&["p95=+10%,+100us"])), Judgement::Worse);
}

#[test]
fn limits_are_said_as_they_can_be_typed() {
    let shown = Limits::default().to_string();
    assert_eq!(
        shown,
        "rps=-10% failed=+1% p50=+10%,+1ms p95=+10%,+1ms p99=+10%,+1ms"
    );
    let typed: Vec<String> = shown.split(' ').map(str::to_owned).collect();
    assert_eq!(Limits::parse(&typed), Ok(Limits::default()));
}

#[test]
fn what_is_no_limit_is_refused_with_what_would_be_one() {
    let table = [
        ("p99", "it is written FIGURE=LIMIT"),
        (
            "p98=+10%",
            "the figures are rps, failed, p50, p90, p95, p99",
        ),
        ("p99=10%", "`p99` takes `+10%` or `+5ms`"),
        ("p99=-10%", "`p99` takes `+10%` or `+5ms`"),
        ("p99=+10", "`p99` takes `+10%` or `+5ms`"),
        ("p99=+x%", "`p99` takes `+10%` or `+5ms`"),
        ("p99=+NaN%", "`p99` takes `+10%` or `+5ms`"),
        ("p99=", "`p99` takes `+10%` or `+5ms`"),
        ("rps=+10%", "`rps` takes `-10%`"),
        ("rps=-5ms", "`rps` takes `-10%`"),
        ("failed=+5ms", "`failed` takes `+10%`"),
    ];
    for (text, why) in table {
        let refused = Limits::parse(&[text.to_owned()])
            .expect_err(text)
            .to_string();
        assert!(refused.contains(why) && refused.contains(text), "{refused}");
    }
    let twice = ["p99=+1%".to_owned(), "p99=+2%".to_owned()];
    assert!(Limits::parse(&twice).is_err());
}

#[test]
fn only_what_was_asked_of_the_systems_must_be_the_same() {
    let plan = |text: &str| {
        let overrides = crate::plan::Overrides::default();
        crate::plan::load("test.yaml", text, &overrides, &|_| None).expect("a valid scenario")
    };
    let text = include_str!("../../scenarios/documents/a-redlock-before.yaml");
    let base = plan(text);
    let after = plan(include_str!(
        "../../scenarios/documents/a-redlock-after.yaml"
    ));
    assert_eq!(
        differences(&base, &after, Faults::Same),
        [""; 0],
        "only the server's settings differ"
    );
    let table = [
        ("to: 500", "to: 400", "the load `opening`"),
        ("timeout: 30s", "timeout: 20s", "the step `issue`"),
        ("repeat: 2%", "repeat: 3%", "the users"),
        ("stock: 5000", "stock: 4000", "the subject"),
        ("think: 1s", "think: 2s", "the flows"),
        ("lock_failed:", "not_locked:", "the outcomes"),
    ];
    for (from, to, what) in table {
        assert!(text.contains(from), "{from}");
        let different = differences(&base, &plan(&text.replacen(from, to, 1)), Faults::Same);
        assert!(
            different.iter().any(|one| one == what),
            "{from}: {different:?}"
        );
    }
}

#[test]
fn what_differs_of_the_systems_is_said_and_faults_only_when_they_may_differ() {
    let plan = |text: &str| {
        let overrides = crate::plan::Overrides::default();
        crate::plan::load("test.yaml", text, &overrides, &|_| None).expect("a valid scenario")
    };
    let before = include_str!("../../scenarios/documents/a-redlock-before.yaml");
    let after = include_str!("../../scenarios/documents/a-redlock-after.yaml");
    let told = differences::settings(&plan(before), &plan(after));
    for (name, base, new) in [
        ("redis_pool", Some("10"), "100"),
        ("lock_retry_count", Some("10"), "3"),
        ("coupon_cache", None, "5m"),
    ] {
        let setting = Difference::Setting {
            name: name.to_owned(),
            base: base.map(str::to_owned),
            new: Some(new.to_owned()),
        };
        assert!(told.contains(&setting), "{name}: {told:?}");
    }
    let same = |one: &Difference| matches!(one, Difference::Setting { name, .. } if name == "database_pool");
    assert!(!told.iter().any(same), "{told:?}");

    let delayed = |by: &str| {
        let fault =
            format!("faults: [{{ name: way, client: {{ delay: {by} }}, after: 0s, for: 9s }}]");
        plan(&format!("{before}\n{fault}\n"))
    };
    let (base, new) = (delayed("20ms"), delayed("23ms"));
    assert_eq!(differences(&base, &new, Faults::Same), ["the fault `way`"]);
    assert_eq!(differences(&base, &new, Faults::Any), [""; 0]);
    let way = Difference::Fault("way".to_owned());
    assert_eq!(differences::settings(&base, &new), [way]);
    assert_eq!(differences::settings(&base, &base), []);
}

#[test]
fn a_generator_that_did_not_keep_up_convicts_nobody_of_being_slow() {
    let of = |figure: Figure, judgement| FigureChange {
        step: "issue".to_owned(),
        phase: None,
        figure: figure.name().to_owned(),
        unit: figure.unit().to_owned(),
        base: 1.0,
        new: 2.0,
        change: Change {
            low: 0.9,
            middle: 1.0,
            high: 1.1,
        },
        judgement,
    };
    let mut figures = [
        of(Figure::P95, Judgement::Worse),
        of(Figure::Rps, Judgement::Worse),
        of(Figure::Failed, Judgement::Worse),
        of(Figure::P50, Judgement::Better),
    ];
    undecide(&mut figures);
    assert_eq!(
        figures.map(|one| one.judgement),
        [
            Judgement::Undecided,
            Judgement::Undecided,
            Judgement::Worse,
            Judgement::Better
        ]
    );
}
