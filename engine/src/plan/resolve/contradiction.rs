//! Finds thresholds of which at most one can hold, whatever is measured.

use crate::measure::{Threshold, Unit};
use crate::scenario::{At, Report};

/// Refuses a threshold that no measurement can meet together with an earlier one.
pub(super) fn check(
    threshold: &Threshold,
    written: &At<String>,
    earlier: &[Threshold],
    report: &mut Report<'_>,
) {
    let mut rivals = earlier.iter().filter(|other| same_figure(threshold, other));
    let Some(rival) = rivals.find(|other| !can_both_hold(threshold, other)) else {
        return;
    };
    report.error_hint(
        written.position,
        format!("`{}` and `{}` cannot both hold", rival.name, threshold.name),
        "no value meets both: keep one of them, or narrow them to different phases, steps or \
         outcomes",
    );
}

/// Whether both are about one and the same number.
fn same_figure(one: &Threshold, other: &Threshold) -> bool {
    let sorted = |threshold: &Threshold| {
        let mut tags = threshold.tags.clone();
        tags.sort();
        tags
    };
    // Where one broken window is forgiven, two may hold by turns.
    let forgives = |threshold: &Threshold| {
        let windows = threshold.windows;
        windows.is_some_and(|windows| windows.in_a_row > 1)
    };
    let over = |threshold: &Threshold| threshold.windows.map(|windows| windows.over_s);
    !forgives(one)
        && !forgives(other)
        && one.metric == other.metric
        && one.aggregate == other.aggregate
        && over(one) == over(other)
        && sorted(one) == sorted(other)
}

/// The values that meet one assertion are a part of the line from zero to the largest value, with
/// its ends at the limit. So if some value meets two of them, one of a few does: a limit, a value
/// between the limits, or one at either side of both.
fn can_both_hold(one: &Threshold, other: &Threshold) -> bool {
    let (low, high) = (one.limit.min(other.limit), one.limit.max(other.limit));
    let unit = Unit::of(&one.metric, one.aggregate);
    let candidates = if unit == Unit::Count {
        // Counts have no value between two neighbours.
        let (below, above) = (low.ceil() - 1.0, low.floor() + 1.0);
        [0.0, low, high, below, above, high.floor() + 1.0]
    } else {
        let beyond = if unit == Unit::Share { 1.0 } else { high + 1.0 };
        [0.0, low, high, low.midpoint(high), low / 2.0, beyond]
    };
    let whole = |value: f64| unit != Unit::Count || value.fract() == 0.0;
    candidates.into_iter().any(|value| {
        value >= 0.0
            && whole(value)
            && one.comparison.holds(value, one.limit)
            && other.comparison.holds(value, other.limit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{CustomMetric, MetricKind, Windowed, parse_assertion, parse_key};

    fn declared() -> [CustomMetric; 1] {
        [CustomMetric {
            name: "tries".to_owned(),
            kind: MetricKind::Counter,
            capture: "tries".to_owned(),
            number: 0,
        }]
    }

    fn threshold(key: &str, text: &str) -> Threshold {
        let (metric, tags) = parse_key(key, &declared()).expect(key);
        let (aggregate, comparison, limit) = parse_assertion(&metric, text).expect(text);
        Threshold {
            name: format!("{key}: {text}"),
            metric,
            tags,
            aggregate,
            comparison,
            limit,
            abort: None,
            allow_empty: false,
            windows: None,
        }
    }

    #[test]
    fn two_limits_fit_together_or_not() {
        let table = [
            ("issued", "count==1", "count==2", false),
            ("issued", "count==1", "count==1", true),
            ("issued", "count>1", "count<2", false), // no whole number lies between
            ("issued", "count>1", "count<3", true),
            ("issued", "count>=5", "count<5", false),
            ("issued", "count>=5", "count<=5", true),
            ("issued", "count==5", "count!=5", false),
            ("issued", "count<=0", "count!=0", false),
            ("issued", "count<1", "count!=0", false), // nothing is below zero
            ("issued", "count!=0", "count!=1", true),
            ("issued", "count>10", "count!=11", true),
            ("issued", "count==100", "rate>1", true), // different figures
            ("http_req_duration", "p(95)>1s", "p(95)<500", false),
            ("http_req_duration", "p(95)>1ms", "p(95)<1.5ms", true),
            ("http_req_duration", "p(95)>1s", "p(99)<500", true), // different figures
            ("http_req_failed", "rate>50%", "rate<50%", false),
            ("http_req_failed", "rate!=1", "rate>=0.99", true),
            ("http_req_failed", "rate!=1", "rate>=1", false), // nothing is above 100 %
            ("tries", "count>1", "count<2", true),            // captured numbers may have decimals
            ("tries", "count>2", "count<2", false),
        ];
        for (key, one, other, expected) in table {
            let (one, other) = (threshold(key, one), threshold(key, other));
            let fits = !same_figure(&one, &other) || can_both_hold(&one, &other);
            assert_eq!(fits, expected, "{} and {}", one.name, other.name);
            let fits = !same_figure(&other, &one) || can_both_hold(&other, &one);
            assert_eq!(fits, expected, "{} and {}", other.name, one.name);
        }
    }

    #[test]
    fn windows_are_the_same_figure_if_each_of_them_counts() {
        let over = |over_s, in_a_row| {
            let windows = Some(Windowed { over_s, in_a_row });
            Threshold {
                windows,
                ..threshold("issued", "count==1")
            }
        };
        let whole = threshold("issued", "count==1");
        assert!(same_figure(&over(10, 1), &over(10, 1)));
        assert!(!same_figure(&over(10, 1), &over(5, 1)));
        assert!(!same_figure(&over(10, 1), &whole));
        // One of two windows may break the one, and the next the other.
        assert!(!same_figure(&over(10, 2), &over(10, 2)));
    }

    #[test]
    fn the_order_of_tags_makes_no_other_figure() {
        let one = threshold("issued{phase:a,step:b}", "count==1");
        let other = threshold("issued{step:b,phase:a}", "count==2");
        let elsewhere = threshold("issued{step:b,phase:c}", "count==2");
        assert!(same_figure(&one, &other));
        assert!(!same_figure(&one, &elsewhere));
    }
}
