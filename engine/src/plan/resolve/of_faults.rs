//! Thresholds on faults: the fault must be one of the plan's, and is judged when the load has ended.

use crate::measure::fault::{Detector, is_meant};
use crate::measure::{Metric, Tag, Threshold};
use crate::plan::Invariant;
use crate::plan::fault::Fault;
use crate::scenario::{Alerts, At, Given, Report, Scenario, Threshold as Written, did_you_mean};

/// Neither windows nor an early end fit what is known only afterwards.
pub(super) fn check_threshold(threshold: &Threshold, written: &Written, report: &mut Report<'_>) {
    let metric = &threshold.metric;
    if !metric.is_of_faults() {
        return;
    }
    if let Some(windows) = &written.windows {
        report.error_hint(
            windows.over.position,
            format!("`{metric}` is of a whole fault, and cannot be judged over windows"),
            "leave `over` out: of a fault that happens several times, the worst counts",
        );
    }
    if threshold.abort.is_some() {
        report.error_hint(
            written.assertion.position,
            format!("`{metric}` is known when the load has ended, and cannot end it"),
            "leave `abort` out: a threshold on `http_req_failed` can end the load",
        );
    }
}

/// There must be a fault to recover from.
pub(super) fn check_claims(scenario: &Scenario, faults: &[Fault], report: &mut Report<'_>) {
    let names = scenario.invariants.iter().map(|written| &written.name);
    let recovery = |name: &str| matches!(Invariant::named(name), Some(Invariant::Recovery(_)));
    for name in names.filter(|name| recovery(&name.value) && faults.is_empty()) {
        report.error_hint(
            name.position,
            "the invariant `recovery` is of faults, and the scenario has none",
            "write one under `faults`, or remove the invariant",
        );
    }
}

/// There must be a fault to judge.
pub(super) fn check_key(
    key: &At<String>,
    metric: &Metric,
    tags: &[(Tag, String)],
    faults: &[Fault],
    report: &mut Report<'_>,
) {
    if faults.is_empty() {
        report.error_hint(
            key.position,
            format!("`{metric}` is of faults, and the scenario has none"),
            "write one under `faults`, or remove the threshold",
        );
        return;
    }
    for (_, name) in tags.iter().filter(|(tag, _)| *tag == Tag::Fault) {
        if faults.iter().any(|fault| is_meant(fault, name)) {
            continue;
        }
        let names: Vec<&str> = names(faults);
        report.error_hint(
            key.position,
            format!("there is no fault `{name}`"),
            did_you_mean(name, &names),
        );
    }
}

/// Who noticed must be somebody who can.
pub(super) fn check_who(
    key: &At<String>,
    tags: &[(Tag, String)],
    alerts: &Given<Alerts>,
    report: &mut Report<'_>,
) {
    let Some((_, name)) = tags.iter().find(|(tag, _)| *tag == Tag::By) else {
        return;
    };
    let names = Detector::ALL.map(Detector::name);
    if !names.contains(&name.as_str()) {
        report.error_hint(
            key.position,
            format!("nobody notices faults as `{name}`"),
            did_you_mean(name, &names),
        );
    } else if name == Detector::Alert.name() && alerts.is_absent() {
        report.error_hint(
            key.position,
            "no alerts are watched that could notice a fault",
            "say whose: `alerts: { prometheus: \"http://127.0.0.1:9090\" }`",
        );
    }
}

/// What a tag may say: every fault, and before those that have numbers what they have in common.
fn names(faults: &[Fault]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for fault in faults {
        let common = fault.name.rsplit_once('-').map(|(common, _)| common);
        let common = common.filter(|common| is_meant(fault, common));
        for name in common.into_iter().chain([fault.name.as_str()]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use crate::plan::{Overrides, load};

    const FAULTS: &str = "faults:
- { name: slow-way, client: { delay: 50ms }, after: 5s, for: 5s }
- { name: storm, chaos: { pick: [{ client: reset }, { client: refuse }] }, after: 12s, every: 5s, for: 1s }
";

    fn errors(faults: &str, threshold: &str) -> Option<String> {
        let text = format!(
            "
name: faults
target: {{ url: \"http://127.0.0.1:3000\" }}
load: {{ rush: {{ constant_vus: {{ vus: 1, for: 30s }} }} }}
flows: {{ issue: [{{ post: /issue, outcomes: {{ issued: 201 }} }}] }}
thresholds: {{ {threshold} }}
{faults}"
        );
        let plan = load("faults.yaml", &text, &Overrides::default(), &|_| None);
        plan.err().map(|errors| errors.to_string())
    }

    #[test]
    fn faults_are_meant_by_name_chaos_as_a_whole_and_all_without_a_tag() {
        for key in [
            "recovery",
            "recovery{fault:slow-way}",
            "recovery{fault:storm}",
            "recovery{fault:storm-2}",
            "detection{fault:storm}",
        ] {
            assert_eq!(
                errors(FAULTS, &format!("\"{key}\": \"value<30s\"")),
                None,
                "{key}"
            );
        }
        assert_eq!(errors(FAULTS, "\"rate{fault:storm}\": \"rate<5%\""), None);
    }

    #[test]
    #[rustfmt::skip] // A row a line.
    fn what_cannot_be_judged_of_a_fault_is_refused_with_what_would_be_right() {
        for (faults, threshold, message, hint) in [
            (FAULTS, "\"recovery{fault:slow-wya}\": \"value<30s\"", "there is no fault `slow-wya`", "did you mean `slow-way`?"),
            (FAULTS, "\"recovery{fault:strom}\": \"value<30s\"", "there is no fault `strom`", "did you mean `storm`?"),
            (FAULTS, "\"recovery{fault:storm-9}\": \"value<30s\"", "there is no fault `storm-9`", "did you mean `storm-"),
            ("", "recovery: \"value<30s\"", "`recovery` is of faults, and the scenario has none", "write one under `faults`"),
            (FAULTS, "recovery: \"p(95)<30s\"", "`recovery` is a gauge and has no `p(95)`", "its aggregates: value"),
            (FAULTS, "recovery: \"value<5%\"", "unit `%` does not fit here", "units: us"),
            (FAULTS, "rate: \"rate<5ms\"", "unit `ms` does not fit here", "a share is written"),
            (FAULTS, "recovery: { threshold: \"value<30s\", over: 5s }", "`recovery` is of a whole fault", "leave `over` out"),
            (FAULTS, "recovery: { threshold: \"value<30s\", abort: true }", "known when the load has ended", "leave `abort` out"),
            (FAULTS, "\"http_req_failed{fault:storm}\": \"rate<5%\"", "`http_req_failed` is not measured by fault", "`rate{fault:NAME}`"),
            (FAULTS, "\"recovery{phase:rush}\": \"value<5s\"", "`recovery` is not measured by phase", "its tags: fault"),
        ] {
            let errors = errors(faults, threshold).unwrap_or_else(|| panic!("{threshold}"));
            assert!(errors.contains(message), "{threshold}: {errors}");
            assert!(errors.contains(hint), "{threshold}: {errors}");
        }
    }
}
