//! Whose alerts are watched, and that there is something that they could notice.

use super::auth;
use crate::plan::{Alerts, Plan};
use crate::scenario::value::Url;
use crate::scenario::{Alerts as Written, At, Report, Scenario};

/// More names are no choice any more.
const MOST_NAMES: usize = 100;

pub(super) fn resolve(written: Option<&Written>, report: &mut Report<'_>) -> Option<Alerts> {
    let written = written?;
    let prometheus = address(&written.prometheus, report);
    let authorization = written.auth.as_ref();
    let authorization = authorization.map(|one| auth::fixed(one, report));
    let only = names(&written.only, report);
    Some(Alerts {
        prometheus: prometheus?,
        authorization: match authorization {
            None => None,
            Some(value) => Some(value?),
        },
        only: only?,
    })
}

/// The text is not repeated: it may hold a password.
fn address(written: &At<String>, report: &mut Report<'_>) -> Option<String> {
    let text = written.value.as_str();
    let behind = text.split_once("://").map_or(text, |(_, behind)| behind);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        report.error_hint(
            written.position,
            "the url of `prometheus` holds a user or a password",
            "write them apart: `auth: { basic: { user: reader, password: \"${PASSWORD}\" } }`",
        );
    } else if behind.contains(['?', '#']) {
        report.error_hint(
            written.position,
            "the url of `prometheus` holds a query or a fragment",
            "write what stands before `/api/v1/alerts`: `prometheus: \"http://127.0.0.1:9090\"`",
        );
    } else {
        match text.parse::<Url>() {
            Ok(url) => return Some(url.to_string()),
            Err(_) if written.hidden => {
                let message = format!("what `{}` holds is not valid here", written.shown());
                report.error(written.position, message);
            }
            Err(error) => report.error_maybe(written.position, error.message, error.hint),
        }
    }
    None
}

fn names(written: &[At<String>], report: &mut Report<'_>) -> Option<Vec<String>> {
    if let Some(beyond) = written.get(MOST_NAMES) {
        report.error_hint(
            beyond.position,
            format!("{} alerts are too many", written.len()),
            format!("name at most {MOST_NAMES}, or leave `only` out to watch all of them"),
        );
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    let mut right = true;
    for name in written {
        let problem = if name.value.is_empty() {
            Some("the name of an alert is empty".to_owned())
        } else if names.contains(&name.value) {
            Some(format!("the alert `{}` is there twice", name.shown()))
        } else {
            None
        };
        if let Some(problem) = problem {
            let hint = "write each name once, as its rule has it after `alert:`";
            report.error_hint(name.position, problem, hint);
            right = false;
        }
        names.push(name.value.clone());
    }
    right.then_some(names)
}

/// What is measured of alerts is measured of faults.
pub(super) fn warn(scenario: &Scenario, plan: &Plan, report: &mut Report<'_>) {
    if let Some(alerts) = scenario.alerts.value()
        && plan.faults.is_empty()
    {
        report.warning(
            alerts.position,
            "alerts are watched, but nothing is broken that they could notice",
            "write faults, or remove `alerts`: alerts that fire are kept in `events.jsonl` only",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::planned_target;
    use crate::plan::{Plan, print};

    const FAULT: &str = "faults: [ { name: it, client: { delay: 5ms }, after: 1s, for: 1s } ]\n";

    fn planned(alerts: &str, more: &str) -> Result<Plan, String> {
        let sections = format!("alerts: {alerts}\n{FAULT}{more}");
        planned_target("url: \"http://127.0.0.1:3000\"", &sections)
    }

    #[test]
    #[rustfmt::skip] // A row a line.
    fn what_cannot_be_watched_is_refused() {
        let hundred: Vec<String> = (0..101).map(|number| format!("a{number}")).collect();
        let many = format!("{{ prometheus: \"http://h\", only: [{}] }}", hundred.join(", "));
        for (alerts, words) in [
            ("{}", "the key `prometheus` is missing"),
            ("{ prometheus: \"h:9090\" }", "a url has no scheme"),
            ("{ prometheus: \"ftp://h\" }", "the scheme `ftp` is not supported"),
            ("{ prometheus: \"http://reader:s3cret@h:9090\" }", "holds a user or a password"),
            ("{ prometheus: \"http://h:9090/graph?g0=up\" }", "holds a query or a fragment"),
            ("{ prometheus: \"http://h\", auth: { bearer: \"{{ token }}\" } }", "nothing is filled in here"),
            ("{ prometheus: \"http://h\", auth: {} }", "how requests prove themselves is missing"),
            ("{ prometheus: \"http://h\", only: [] }", "`only` names no alert"),
            ("{ prometheus: \"http://h\", only: [\"\"] }", "the name of an alert is empty"),
            ("{ prometheus: \"http://h\", only: [A, A] }", "the alert `A` is there twice"),
            ("{ prometheus: \"http://h\", onlys: A }", "unknown key `onlys`"),
            (many.as_str(), "101 alerts are too many"),
        ] {
            let error = planned(alerts, "").expect_err(alerts);
            assert!(error.contains(words), "{alerts}: {error}");
            assert!(error.ends_with("\n1 error\n"), "{alerts}: {error}");
        }
    }

    #[test]
    fn what_is_watched_is_in_the_plan_without_its_credentials() {
        let alerts = "{ prometheus: \"https://h/prometheus/\", only: [RedisDown, Slow], \
                      auth: { basic: { user: reader, password: s3cret } } }";
        let plan = planned(alerts, "").unwrap_or_else(|error| panic!("{error}"));
        let text = print(&plan);
        let line = "\nalerts      prometheus https://h:443/prometheus, with credentials, only \
                    RedisDown, Slow\n";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("s3cret") && !text.contains("cmVhZGVyOnMzY3JldA"));
        let watched = plan.alerts.expect("they are watched");
        let header = watched.authorization.expect("it has credentials");
        assert_eq!(header.reveal(), "Basic cmVhZGVyOnMzY3JldA==");
    }

    #[test]
    fn a_threshold_on_alerts_needs_alerts_and_a_word_that_is_known() {
        let threshold = |by: &str| format!("thresholds: {{ \"detection{{by:{by}}}\": value<30s }}");
        let alerts = "{ prometheus: \"http://127.0.0.1:9090\" }";
        for by in ["effect", "clients", "threshold", "alert"] {
            planned(alerts, &threshold(by)).unwrap_or_else(|error| panic!("{by}: {error}"));
        }
        let error = planned(alerts, &threshold("alerts")).expect_err("no such word");
        assert!(
            error.contains("nobody notices faults as `alerts`"),
            "{error}"
        );
        assert!(error.contains("did you mean `alert`?"), "{error}");
        let sections = format!("{FAULT}{}", threshold("alert"));
        let none = planned_target("url: \"http://127.0.0.1:3000\"", &sections);
        let error = none.expect_err("no alerts");
        assert!(error.contains("no alerts are watched"), "{error}");
        // What is wrong is told once.
        let error = planned("{}", &threshold("alert")).expect_err("no url");
        assert!(error.ends_with("\n1 error\n"), "{error}");
    }

    #[test]
    fn alerts_without_a_fault_are_a_warning() {
        let alerts = "alerts: { prometheus: \"http://127.0.0.1:9090\" }\n";
        let plan = planned_target("url: \"http://127.0.0.1:3000\"", alerts).expect("a plan");
        let warned = plan.warnings.iter();
        let mut warned = warned.filter(|text| text.contains("nothing is broken"));
        assert!(warned.next().is_some(), "{:?}", plan.warnings);
    }
}
