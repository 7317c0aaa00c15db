//! Tables of keys and assertions, good and bad.

use super::*;
use crate::measure::CustomMetric;
use Aggregate::{Avg, Count, Max, Med, Min, Percentile, Rate, Value};
use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
use proptest::prelude::*;

#[test]
#[rustfmt::skip] // A row a line.
fn assertions_of_k6_and_ours_are_read() {
    use Metric::*;
    for (metric, text, expected) in [
        // As in k6's own documentation.
        (HttpReqFailed, "rate<0.01", (Rate, Less, 0.01)),
        (HttpReqDuration, "p(95)<200", (Percentile(95.0), Less, 200.0)),
        (HttpReqDuration, "p(99.99) < 2000.0", (Percentile(99.99), Less, 2000.0)),
        (HttpReqDuration, "avg<200", (Avg, Less, 200.0)),
        (HttpReqDuration, "min>=0.5", (Min, GreaterOrEqual, 0.5)),
        (HttpReqDuration, "max<=1000", (Max, LessOrEqual, 1000.0)),
        (HttpReqDuration, "med===250", (Med, Equal, 250.0)),
        (HttpReqDuration, "med==250", (Med, Equal, 250.0)),
        (HttpReqDuration, "p(0)>0", (Percentile(0.0), Greater, 0.0)),
        (HttpReqDuration, "p(100)<1e3", (Percentile(100.0), Less, 1000.0)),
        (HttpReqs, "count>100", (Count, Greater, 100.0)),
        (HttpReqs, "rate>50", (Rate, Greater, 50.0)),
        (Iterations, "count!=0", (Count, NotEqual, 0.0)),
        (Vus, "value<100", (Value, Less, 100.0)),
        // Written to have a series shown: always true, and allowed.
        (HttpReqDuration, "max>=0", (Max, GreaterOrEqual, 0.0)),
        (HttpReqFailed, "rate<=1", (Rate, LessOrEqual, 1.0)),
        // Units.
        (ResponseTime, "p(99)<200ms", (Percentile(99.0), Less, 200.0)),
        (ResponseTime, "p(99)<1s", (Percentile(99.0), Less, 1000.0)),
        (ResponseTime, "p(99)<1.5 s", (Percentile(99.0), Less, 1500.0)),
        (ResponseTime, "p(99)<2m", (Percentile(99.0), Less, 120_000.0)),
        (ResponseTime, "p(99)<250us", (Percentile(99.0), Less, 0.25)),
        (ResponseTime, "p(99)<250µs", (Percentile(99.0), Less, 0.25)),
        (HttpReqFailed, "rate<1%", (Rate, Less, 0.01)),
        (HttpReqFailed, "rate < 7 %", (Rate, Less, 0.07)),
        (UnknownRate, "rate==0%", (Rate, Equal, 0.0)),
        (HttpReqs, "rate>=1_000/s", (Rate, GreaterOrEqual, 1000.0)),
        (Issued, "count==5_000", (Count, Equal, 5000.0)),
        (DataSent, "count<10MB", (Count, Less, 1e7)),
        (DataReceived, "count<1MiB", (Count, Less, 1_048_576.0)),
        (DataReceived, "rate<1.5kB/s", (Rate, Less, 1500.0)),
        (DataReceived, "rate<2 KiB /s", (Rate, Less, 2048.0)),
        (DataReceived, "rate<2GB", (Rate, Less, 2e9)),
        // Whitespace anywhere between the parts.
        (HttpReqDuration, "  p( 95 )  <  500  ", (Percentile(95.0), Less, 500.0)),
    ] {
        assert_eq!(parse_assertion(&metric, text), Ok(expected), "{text}");
    }
}

#[test]
#[rustfmt::skip] // A row a line.
fn what_is_no_assertion_is_refused_with_what_would_be_right() {
    use Metric::*;
    for (metric, text, message, hint) in [
        (HttpReqs, "", "`` has no comparison", "write aggregate"),
        (HttpReqs, "count", "`count` has no comparison", "write aggregate"),
        (HttpReqs, "count=5", "`count=5` has no comparison that is known", "comparisons: <"),
        (HttpReqs, "count!5", "`count!5` has no comparison that is known", "comparisons: <"),
        (HttpReqs, "<5", "there is no aggregate before the comparison", "aggregates: count"),
        (HttpReqs, "cuont<5", "unknown aggregate `cuont`", "did you mean `count`?"),
        (HttpReqDuration, "p95<5", "unknown aggregate `p95`", "a percentile is written p(95)"),
        (HttpReqDuration, "p(101)<5", "`p(101)` is no percentile", "a percentile is p(0)"),
        (HttpReqDuration, "p(-1)<5", "`p(-1)` is no percentile", "a percentile is p(0)"),
        (HttpReqDuration, "p(NaN)<5", "`p(NaN)` is no percentile", "a percentile is p(0)"),
        (HttpReqDuration, "p()<5", "`p()` is no percentile", "a percentile is p(0)"),
        // The wrong aggregate for the kind.
        (HttpReqs, "p(95)<5", "`http_reqs` is a counter and has no `p(95)`", "its aggregates: count, rate"),
        (Vus, "count<5", "`vus` is a gauge and has no `count`", "its aggregates: value"),
        (HttpReqFailed, "count<5", "`http_req_failed` is a rate and has no `count`", "its aggregates: rate"),
        (HttpReqDuration, "rate<5", "`http_req_duration` is a trend and has no `rate`", "its aggregates: avg, min, max, med, p(N), count"),
    ] {
        assert_refused(&metric, text, message, hint);
    }
}

fn assert_refused(metric: &Metric, text: &str, message: &str, hint: &str) {
    let error = parse_assertion(metric, text).expect_err(text);
    assert_eq!(error.message, message, "{text}");
    let found = error.hint.unwrap_or_default();
    assert!(found.starts_with(hint), "{text}: {found}");
}

#[test]
#[rustfmt::skip] // A row a line.
fn limits_that_fit_no_value_are_refused() {
    use Metric::*;
    for (metric, text, message, hint) in [
        // Numbers and units.
        (HttpReqs, "count<", "`` is no number", "a number stands"),
        (HttpReqs, "count<x", "`x` is no number", "a number stands"),
        (HttpReqs, "count<1.2.3", "`1.2.3` is no number", "a number stands"),
        (HttpReqs, "count<<5", "`<5` is no number", "a number stands"),
        (HttpReqs, "count<inf", "`inf` is no number", "a number stands"),
        (HttpReqs, "count<1e999", "`1e999` is too large", "choose a number"),
        (HttpReqs, "count<5ms", "unit `ms` does not fit here", "a count has no unit"),
        (HttpReqs, "count<5/s", "unit `/s` does not fit here", "a count has no unit"),
        (HttpReqs, "rate<5%", "unit `%` does not fit here", "the only unit"),
        (HttpReqDuration, "max<5h", "unit `h` does not fit here", "units: us"),
        (HttpReqDuration, "max<5 ms and more", "unit `ms and more` does not fit here", "units: us"),
        (HttpReqFailed, "rate<5ms", "unit `ms` does not fit here", "a share is written"),
        (DataSent, "count<5mb", "unit `mb` does not fit here", "units: B"),
        // What no value can meet.
        (HttpReqDuration, "p(95)<0ms", "`p(95)<0ms` can never hold", "nothing is below zero"),
        (HttpReqDuration, "p(95)<-5", "`p(95)<-5` has a negative limit", "nothing that is measured"),
        (HttpReqs, "count>-1", "`count>-1` has a negative limit", "nothing that is measured"),
        (HttpReqFailed, "rate>100%", "`rate>100%` can never hold", "no share is above"),
        (HttpReqFailed, "rate<5", "`rate<5` has a limit above 100 %", "a share is written"),
        (Issued, "count==0.5", "`count==0.5` can never hold", "a count is a whole number"),
    ] {
        let error = parse_assertion(&metric, text).expect_err(text);
        assert_eq!(error.message, message, "{text}");
        let found = error.hint.unwrap_or_default();
        assert!(found.starts_with(hint), "{text}: {found}");
    }
}

#[test]
fn what_a_scenario_declares_has_no_time_unit_and_may_have_decimals() {
    let declared = |kind| {
        Metric::Custom(CustomMetric {
            name: "rank".to_owned(),
            kind,
            capture: "rank".to_owned(),
            number: 0,
        })
    };
    let trend = declared(MetricKind::Trend);
    let counter = declared(MetricKind::Counter);
    let half = Ok((Percentile(95.0), Less, 0.5));
    assert_eq!(parse_assertion(&trend, "p(95)<0.5"), half);
    assert_eq!(
        parse_assertion(&counter, "count==1.5"),
        Ok((Count, Equal, 1.5))
    );
    assert_eq!(parse_assertion(&counter, "rate<2/s"), Ok((Rate, Less, 2.0)));
    let bare = "this number has no unit";
    assert_refused(&trend, "max<5ms", "unit `ms` does not fit here", bare);
    assert_refused(&counter, "count<5s", "unit `s` does not fit here", bare);
    assert_refused(
        &counter,
        "max<5",
        "`rank` is a counter and has no `max`",
        "its aggregates",
    );
    assert_refused(
        &trend,
        "max<0",
        "`max<0` can never hold",
        "nothing is below zero",
    );
}

#[test]
fn a_declared_metric_is_known_by_its_name_and_by_one_that_is_near() {
    let declared = [CustomMetric {
        name: "queue_rank".to_owned(),
        kind: MetricKind::Trend,
        capture: "rank".to_owned(),
        number: 0,
    }];
    let (metric, tags) = parse_key("queue_rank{step:wait}", &declared).expect("it is declared");
    assert_eq!((metric.name(), tags.len()), ("queue_rank", 1));
    let refused = |key: &str| parse_key(key, &declared).expect_err(key);
    let hint = refused("queue_rnak").hint;
    assert_eq!(hint.as_deref(), Some("did you mean `queue_rank`?"));
    assert!(
        refused("?")
            .hint
            .is_some_and(|hint| hint.ends_with(", queue_rank"))
    );
    let message = refused("queue_rank{outcome:issued}").message;
    assert_eq!(message, "`queue_rank` is not measured by outcome");
}

#[test]
#[rustfmt::skip] // A row a line.
fn keys_are_read_with_their_tags() {
    use Metric::*;
    for (text, metric, tags) in [
        ("http_req_duration", HttpReqDuration, vec![]),
        (" http_reqs ", HttpReqs, vec![]),
        ("http_req_duration{phase:hold}", HttpReqDuration, vec![(Tag::Phase, "hold")]),
        ("response_time{ phase: hold , step:\"pay\",load:'opening'}", ResponseTime, vec![ (Tag::Phase, "hold"), (Tag::Step, "pay"), (Tag::Load, "opening"), ]),
        ("outcome{outcome:lock_failed}", Outcome, vec![(Tag::Outcome, "lock_failed")]),
        // A name may hold a colon, and in quotes a comma or a brace.
        ("http_reqs{step:get:all}", HttpReqs, vec![(Tag::Step, "get:all")]),
        ("http_reqs{step:\"a, {b}\"}", HttpReqs, vec![(Tag::Step, "a, {b}")]),
        ("iterations{load:opening}", Iterations, vec![(Tag::Load, "opening")]),
    ] {
        let tags = tags.into_iter().map(|(tag, value)| (tag, value.to_owned()));
        assert_eq!(parse_key(text, &[]), Ok((metric, tags.collect())), "{text}");
    }
}

#[test]
#[rustfmt::skip] // A row a line.
fn what_is_no_key_is_refused_with_what_would_be_right() {
    for (text, message) in [
        ("", "unknown metric ``"),
        ("http_req", "unknown metric `http_req`"),
        ("http_reqs{", "`http_reqs{` is no metric with tags"),
        ("http_reqs}", "`http_reqs}` is no metric with tags"),
        ("http_reqs{}", "`http_reqs{}` is no metric with tags"),
        ("http_reqs{phase}", "`http_reqs{phase}` is no metric with tags"),
        ("http_reqs{phase:}", "`http_reqs{phase:}` is no metric with tags"),
        ("http_reqs{phase:a}x", "`http_reqs{phase:a}x` is no metric with tags"),
        ("http_reqs{phase:a,}", "`http_reqs{phase:a,}` is no metric with tags"),
        ("http_reqs{phase:a,phase:b}", "the tag `phase` stands twice in `http_reqs{phase:a,phase:b}`"),
        ("http_reqs{fault:x}", "`http_reqs` is not measured by fault"),
        ("http_reqs{status:200}", "unknown tag `status`"),
        ("http_reqs{scenario:x}", "unknown tag `scenario`"),
        ("http_req_waiting{outcome:issued}", "`http_req_waiting` is not measured by outcome"),
        ("iterations{step:a}", "`iterations` is not measured by step"),
        ("vus{phase:a}", "`vus` is not measured by phase"),
        ("recovery{phase:a}", "`recovery` is not measured by phase"),
    ] {
        let error = parse_key(text, &[]).expect_err(text);
        assert_eq!(error.message, message, "{text}");
        assert!(error.hint.is_some(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text: String, metric in 0..Metric::ALL.len()) {
        let _ = parse_key(&text, &[]);
        let _ = parse_assertion(&Metric::ALL[metric], &text);
    }

    #[test]
    fn nothing_near_the_grammar_makes_the_parsers_panic(
        assertion in "(p\\(|count|rate| |p|med){0,3}[0-9.)]{0,4} ?[<>=!]{0,3}[-+ ]?[0-9._e]{0,6}[-+]?[0-9]{0,4} ?(ms|s|%|µs|kB/s|/s|é)?",
        key in "(http_reqs|vus|x)?[{}:,\"' ]{0,3}(phase|load|é)?[{}:,\"']{0,3}[a-z]{0,3}[{}\"']{0,2}",
        metric in 0..Metric::ALL.len(),
    ) {
        let _ = parse_key(&key, &[]);
        if let Ok((_, _, limit)) = parse_assertion(&Metric::ALL[metric], &assertion) {
            prop_assert!(limit.is_finite() && limit >= 0.0);
        }
    }
}
