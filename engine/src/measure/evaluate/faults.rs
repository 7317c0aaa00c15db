//! Judges thresholds on faults: of all occurrences that are meant, the worst counts.
//!
//! | An occurrence | counts |
//! |---|---|
//! | was not injected | not: whether it should have been is a guard's question |
//! | was not seen to bite | as no data: its figures would be those of no fault |
//! | has not recovered while it was looked at | as at least until its last bad window: it breaks a limit below that, and is no data for others |

use super::{NoData, Observed, judge};
use crate::measure::fault::{Detector, Measured, Recovery, Until, is_meant};
use crate::measure::unit::{Unit, grouped};
use crate::measure::{Metric, Tag, Threshold, ThresholdResult};
use crate::plan::Plan;

/// The figure of one occurrence in the base unit.
enum Figure {
    Is(f64),
    /// Nobody knows how much more.
    AtLeast(f64, String),
    Unknown(String),
}

/// The answer of a threshold on faults; `None` if it is not on faults.
pub(super) fn result(
    plan: &Plan,
    faults: &[Measured],
    threshold: &Threshold,
) -> Option<ThresholdResult> {
    let metric = &threshold.metric;
    if !metric.is_of_faults() {
        return None;
    }
    let tag = |wanted: Tag| {
        let found = threshold.tags.iter().find(|(tag, _)| *tag == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let wanted = tag(Tag::Fault);
    let mut detectors = Detector::ALL.into_iter();
    let by = tag(Tag::By).and_then(|name| detectors.find(|one| one.name() == name));
    let is_wanted = |one: &&Measured| {
        let fault = plan.faults.get(one.occurrence.fault);
        let named = |fault| wanted.is_none_or(|name| is_meant(fault, name));
        one.occurrence.applied_ns.is_some() && fault.is_some_and(named)
    };
    let happened: Vec<(String, Figure)> = faults
        .iter()
        .filter(is_wanted)
        .map(|one| (named(plan, one), figure(metric, by, one)))
        .collect();
    Some(judge(threshold, worst(threshold, &happened)))
}

/// A value that breaks the limit counts more than one that nobody knows.
fn worst(threshold: &Threshold, happened: &[(String, Figure)]) -> Result<Observed, NoData> {
    let unit = Unit::of(&threshold.metric, threshold.aggregate);
    let breaks = |value: f64| !threshold.comparison.holds(value, threshold.limit);
    let mut highest: Option<(f64, &str)> = None;
    let mut unknown: Option<String> = None;
    for (name, figure) in happened {
        let value = match figure {
            Figure::Is(value) => *value,
            // Whatever it comes to is at least this, and so breaks the limit as well.
            Figure::AtLeast(value, why) if breaks(*value) && breaks(f64::INFINITY) => {
                return Ok(Observed {
                    value: *value,
                    over: format!("at least, as `{name}` {why}"),
                });
            }
            Figure::AtLeast(value, why) => {
                let seen = unit.show(*value);
                unknown.get_or_insert(format!("`{name}` {why}, which took {seen} at least"));
                continue;
            }
            Figure::Unknown(why) => {
                unknown.get_or_insert(format!("`{name}` {why}"));
                continue;
            }
        };
        if highest.is_none_or(|(known, _)| value > known) {
            highest = Some((value, name));
        }
    }
    let over = match happened.len() {
        1 => String::new(),
        several => format!(", the worst of {}", grouped(several as f64, 0)),
    };
    let observed = highest.map(|(value, name)| Observed {
        value,
        over: format!("of `{name}`{over}"),
    });
    match (observed, unknown) {
        (Some(observed), None) => Ok(observed),
        (Some(observed), Some(_)) if breaks(observed.value) => Ok(observed),
        (_, Some(why)) => Err(NoData(why)),
        (None, None) => Err(NoData("no fault was injected".to_owned())),
    }
}

fn figure(metric: &Metric, by: Option<Detector>, one: &Measured) -> Figure {
    if !one.occurrence.is_proved() {
        return Figure::Unknown("was not seen to bite".to_owned());
    }
    let ms = |ns: u64| ns as f64 / 1e6;
    match metric {
        Metric::Recovery => match one.recovery {
            Recovery::At(_) => {
                let recovery = one.recovery_ns().map(ms);
                recovery.map_or_else(|| Figure::Unknown("was not healed".to_owned()), Figure::Is)
            }
            Recovery::NotWithin { bad_ns, until, .. } => {
                let why = match until {
                    Until::TooLittle => "was followed by too few attempts to see a recovery",
                    Until::LoadEnded => "was not recovered from before the load ended",
                    Until::Kept => "was not recovered from",
                };
                match bad_ns {
                    Some(bad) => Figure::AtLeast(ms(bad), why.to_owned()),
                    None => Figure::Unknown(why.to_owned()),
                }
            }
            Recovery::NotHealed => Figure::Unknown("was not healed".to_owned()),
        },
        Metric::Detection => {
            let noticed = match by {
                Some(by) => one.detection_by_ns(by),
                None => one.detection_ns(),
            };
            noticed.map_or_else(
                || Figure::Unknown(unnoticed(by, one)),
                |ns| Figure::Is(ms(ns)),
            )
        }
        _ if one.attempts == 0 => Figure::Unknown("met no attempt".to_owned()),
        _ => Figure::Is(one.failed as f64 / one.attempts as f64),
    }
}

/// Silence is not taken for peace.
fn unnoticed(by: Option<Detector>, one: &Measured) -> String {
    match (by, &one.alerted) {
        (None, _) => "was noticed by nobody".to_owned(),
        (Some(Detector::Effect), _) => "was not noticed by the probe of its effect".to_owned(),
        (Some(Detector::Clients), _) => "was not noticed by the clients".to_owned(),
        (Some(Detector::Threshold), _) => "was not noticed by a threshold".to_owned(),
        (Some(Detector::Alert), None) => "was not seen by an alert: none was watched".to_owned(),
        (Some(Detector::Alert), Some(told)) => match &told.silent {
            Some(why) => format!("was not seen by an alert: prometheus was silent: {why}"),
            None => "was not noticed by an alert: none began to fire".to_owned(),
        },
    }
}

/// `redis-down`, or with its number where it happens several times.
fn named(plan: &Plan, one: &Measured) -> String {
    let occurrence = &one.occurrence;
    match plan.faults.get(occurrence.fault) {
        Some(fault) if fault.times > 1 => format!("{}, time {}", fault.name, occurrence.number),
        Some(fault) => fault.name.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::alert::Alerted;
    use crate::measure::fault::{Detected, Occurrence};
    use crate::measure::{parse_assertion, parse_key};
    use crate::plan::fault::{Fault, Injection, Party, Trigger, Victim, Which};
    use crate::plan::{Overrides, load};
    use crate::verdict::Verdict::{self, Fail, Pass};

    const SCENARIO: &str = "
name: faults
target: { url: \"http://127.0.0.1:3000\" }
load: { rush: { constant_vus: { vus: 1, for: 30s } } }
flows: { issue: [{ post: /issue, outcomes: { issued: 201 } }] }
";

    /// The faults `down` (twice), `storm-1` and `storm-2`.
    fn plan() -> Plan {
        let overrides = Overrides::default();
        let mut plan = load("faults.yaml", SCENARIO, &overrides, &|_| None).expect("a plan");
        let fault = |name: &str, times| Fault {
            name: name.to_owned(),
            victim: Victim {
                party: Party::Client,
                which: Which::All,
            },
            injection: Injection::Freeze,
            trigger: Trigger::At(Duration::ZERO),
            lasts: Duration::ZERO,
            times,
            every: Duration::ZERO,
        };
        plan.faults = vec![fault("down", 2), fault("storm-1", 1), fault("storm-2", 1)];
        plan
    }

    const MS: u64 = 1_000_000;

    /// Recovered after so many milliseconds, noticed after a hundredth of it, 1 of 4 failed.
    fn recovered(fault: usize, number: u32, after_ms: u64) -> Measured {
        Measured {
            occurrence: Occurrence {
                fault,
                number,
                applied_ns: Some(1_000 * MS),
                effect_seen: Some((1_001 * MS, "gone".to_owned())),
                healed_ns: Some(2_000 * MS),
                ..Occurrence::default()
            },
            first_bad_ns: None,
            noticed: vec![Detected {
                at_ns: (1_000 + after_ms / 100) * MS,
                by: Detector::Effect,
            }],
            alerted: None,
            recovery: Recovery::At((2_000 + after_ms) * MS),
            baseline: None,
            window_ns: 250 * MS,
            attempts: 4,
            failed: 1,
            unknown: 0,
            open_after_heal_ns: None,
            beside: Vec::new(),
        }
    }

    fn broken_for(bad_ms: u64, until: Until) -> Measured {
        Measured {
            recovery: Recovery::NotWithin {
                seen_ns: bad_ms * MS,
                bad_ns: Some(bad_ms * MS).filter(|bad| *bad > 0),
                until,
            },
            ..recovered(1, 1, 0)
        }
    }

    fn judged(key: &str, assertion: &str, faults: &[Measured]) -> (Verdict, String) {
        let (metric, tags) = parse_key(key, &[]).expect(key);
        let (aggregate, comparison, limit) = parse_assertion(&metric, assertion).expect(assertion);
        let threshold = Threshold {
            name: key.to_owned(),
            metric,
            tags,
            aggregate,
            comparison,
            limit,
            abort: None,
            allow_empty: false,
            windows: None,
        };
        let result = result(&plan(), faults, &threshold).expect("it is on faults");
        (result.verdict, result.detail)
    }

    #[test]
    #[rustfmt::skip] // A row a line.
    fn of_all_that_are_meant_the_worst_counts() {
        let faults = [recovered(0, 1, 800), recovered(0, 2, 3_000), recovered(1, 1, 9_000), recovered(2, 1, 100)];
        for (key, assertion, verdict, detail) in [
            ("recovery{fault:down}", "value<3s", Fail, "value = 3,000.0 ms of `down, time 2`, the worst of 2, limit < 3,000 ms"),
            ("recovery{fault:down}", "value<=3s", Pass, "value = 3,000.0 ms of `down, time 2`, the worst of 2, limit <= 3,000 ms"),
            ("recovery{fault:storm-2}", "value<1s", Pass, "value = 100.00 ms of `storm-2`, limit < 1,000 ms"),
            ("recovery{fault:storm}", "value<1s", Fail, "value = 9,000.0 ms of `storm-1`, the worst of 2, limit < 1,000 ms"),
            ("recovery", "value<8s", Fail, "value = 9,000.0 ms of `storm-1`, the worst of 4, limit < 8,000 ms"),
            ("detection{fault:down}", "value<50", Pass, "value = 30.00 ms of `down, time 2`, the worst of 2, limit < 50 ms"),
            ("rate{fault:storm-1}", "rate<5%", Fail, "rate = 25.00 % of `storm-1`, limit < 5 %"),
        ] {
            assert_eq!(judged(key, assertion, &faults), (verdict, detail.to_owned()), "{key}: {assertion}");
        }
    }

    #[test]
    fn who_noticed_is_judged_for_itself_and_silence_is_no_data() {
        let with = |told: Option<Alerted>, fired_ms: Option<u64>| {
            let mut one = recovered(1, 1, 1_000);
            one.alerted = told;
            let alert = fired_ms.map(|ms| Detected {
                at_ns: (1_000 + ms) * MS,
                by: Detector::Alert,
            });
            one.noticed.extend(alert);
            one
        };
        let fired = Alerted {
            fired: vec![0],
            silent: None,
        };
        let silent = Alerted {
            fired: Vec::new(),
            silent: Some("no answer within 900 ms".to_owned()),
        };
        for (one, key, verdict, words) in [
            (
                with(Some(fired.clone()), Some(12_000)),
                "detection{by:alert}",
                Pass,
                "value = 12,000.0 ms of `storm-1`",
            ),
            (
                with(Some(fired.clone()), Some(31_000)),
                "detection{fault:storm,by:alert}",
                Fail,
                "value = 31,000.0 ms of `storm-1`",
            ),
            (
                with(Some(fired), Some(31_000)),
                "detection",
                Pass,
                "value = 10.00 ms of `storm-1`",
            ),
            (
                with(Some(Alerted::default()), None),
                "detection{by:alert}",
                Fail,
                "no data (`storm-1` was not noticed by an alert: none began to fire)",
            ),
            (
                with(Some(silent), None),
                "detection{by:alert}",
                Fail,
                "no data (`storm-1` was not seen by an alert: prometheus was silent: no answer \
                 within 900 ms)",
            ),
            (
                with(None, None),
                "detection{by:clients}",
                Fail,
                "no data (`storm-1` was not noticed by the clients)",
            ),
        ] {
            let (found, detail) = judged(key, "value<30s", &[one]);
            assert_eq!(found, verdict, "{key}: {detail}");
            assert!(detail.starts_with(words), "{key}: {detail}");
        }
    }

    #[test]
    fn what_has_not_recovered_breaks_a_limit_that_it_was_longer_than() {
        let long = [broken_for(12_000, Until::LoadEnded), recovered(2, 1, 100)];
        let (verdict, detail) = judged("recovery", "value<10s", &long);
        assert_eq!(verdict, Fail);
        let told = "value = 12,000.0 ms at least, as `storm-1` was not recovered from before the \
                    load ended, limit < 10,000 ms";
        assert_eq!(detail, told);
        let (verdict, detail) = judged("recovery", "value<30s", &long);
        assert_eq!(verdict, Fail, "nobody knows whether it was 12 s or 31");
        assert!(
            detail.starts_with("no data (`storm-1` was not recovered from"),
            "{detail}"
        );
        let short = [broken_for(0, Until::TooLittle)];
        let (verdict, detail) = judged("recovery", "value<1ms", &short);
        assert_eq!(verdict, Fail, "without a bad window there is no least");
        assert!(detail.contains("too few attempts"), "{detail}");
    }

    #[test]
    fn no_figure_is_taken_of_what_was_not_proved_or_not_healed() {
        let mut unseen = recovered(1, 1, 10);
        unseen.occurrence.effect_not_seen = Some("PING was answered".to_owned());
        let mut unhealed = recovered(1, 1, 10);
        unhealed.recovery = Recovery::NotHealed;
        let mut unmet = recovered(1, 1, 10);
        unmet.attempts = 0;
        for (key, assertion, one, why) in [
            (
                "recovery",
                "value<1s",
                &unseen,
                "`storm-1` was not seen to bite",
            ),
            (
                "rate",
                "rate<99%",
                &unseen,
                "`storm-1` was not seen to bite",
            ),
            (
                "recovery",
                "value<1s",
                &unhealed,
                "`storm-1` was not healed",
            ),
            ("rate", "rate<99%", &unmet, "`storm-1` met no attempt"),
        ] {
            let (verdict, detail) = judged(key, assertion, std::slice::from_ref(one));
            assert_eq!(verdict, Fail, "{key}");
            assert!(detail.starts_with(&format!("no data ({why})")), "{detail}");
        }
    }

    #[test]
    fn a_fault_that_was_not_injected_is_no_data_and_not_the_worst_of_several() {
        let mut never = recovered(2, 1, 0);
        never.occurrence.applied_ns = None;
        let (verdict, detail) = judged("recovery", "value<1s", std::slice::from_ref(&never));
        assert_eq!(verdict, Fail);
        assert!(detail.contains("no fault was injected"), "{detail}");
        let both = [recovered(1, 1, 500), never];
        assert_eq!(judged("recovery{fault:storm}", "value<1s", &both).0, Pass);
    }
}
