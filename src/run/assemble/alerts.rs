//! What alerts had to say: read from the run's marks, for the faults and for the warnings.

use std::collections::BTreeMap;

use crate::measure::alert::{FiredAlert, Watched};
use crate::measure::fault::Measured;
use crate::report::FaultAlert;
use crate::run::event::Event;

/// More alerts than these are not named in a warning.
const MOST_NAMED: usize = 5;

/// `None`: no alerts were watched.
pub(super) fn read(events: &[Event]) -> Option<Watched> {
    let marks = events.iter().filter_map(|event| match event {
        Event::Alert(mark) => Some(mark),
        _ => None,
    });
    Watched::new(marks)
}

/// From the beginning of the fault until each of those noticed who did.
pub(super) fn noticed_ms(one: &Measured) -> BTreeMap<String, f64> {
    let noticed = one.noticed.iter();
    let after = |by| one.detection_by_ns(by).map(|ns| ns as f64 / 1e6);
    let named = noticed.filter_map(|who| Some((who.by.name().to_owned(), after(who.by)?)));
    named.collect()
}

/// Those that began to fire after the fault.
pub(super) fn fired(one: &Measured, watched: Option<&Watched>) -> Vec<FaultAlert> {
    let (Some(told), Some(watched)) = (&one.alerted, watched) else {
        return Vec::new();
    };
    let applied_ns = one.occurrence.applied_ns.unwrap_or_default();
    let since = |at_ns: u64| at_ns.saturating_sub(applied_ns) as f64 / 1e6;
    let of = |alert: &FiredAlert| FaultAlert {
        alert: alert.name.clone(),
        labels: alert.labels.clone(),
        fired_ms: since(alert.fired_ns),
        cleared_ms: alert.cleared_ns.map(since),
    };
    let alerts = told.fired.iter();
    alerts
        .filter_map(|at| watched.alerts.get(*at))
        .map(of)
        .collect()
}

/// What makes alerts say less than they seem to.
pub(super) fn warnings(watched: &Watched, start_ns: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut names: Vec<&str> = watched
        .at_the_start(start_ns)
        .map(|alert| alert.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        let shown = names.iter().take(MOST_NAMED);
        let shown: Vec<_> = shown.map(|name| format!("`{name}`")).collect();
        let more = match names.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = shown.join(", ");
        warnings.push(format!(
            "alerts that fired before the load notice no fault: {shown}{more}"
        ));
    }
    if let Some(silence) = watched.silences.first() {
        let (missed, all) = (watched.missed, watched.missed + watched.readings);
        let why = &silence.why;
        warnings.push(match all {
            0 => format!("alerts were not watched for a part of the run: {why}"),
            all => format!("alerts were not watched {missed} of {all} times: {why}"),
        });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{AlertChange, AlertMark};

    #[test]
    fn what_fired_before_and_what_was_not_heard_is_told_with_how_much() {
        let at = |at_ns, change| Event::Alert(AlertMark { at_ns, change });
        let firing = |at_ns, alert, name: &str| {
            let (name, labels) = (name.to_owned(), BTreeMap::new());
            at(
                at_ns,
                AlertChange::Firing {
                    alert,
                    name,
                    labels,
                },
            )
        };
        let why = "http://h/api/v1/alerts: no answer within 900 ms".to_owned();
        let events = [
            firing(1, 0, "DiskFull"),
            firing(1, 1, "DiskFull"),
            firing(30, 2, "Late"),
            at(40, AlertChange::Silent { why }),
            at(50, AlertChange::Heard { missed: 3 }),
            at(
                60,
                AlertChange::Ended {
                    readings: 17,
                    missed: 3,
                },
            ),
        ];
        let watched = read(&events).expect("they were watched");
        assert_eq!(
            warnings(&watched, 10),
            [
                "alerts that fired before the load notice no fault: `DiskFull`",
                "alerts were not watched 3 of 20 times: http://h/api/v1/alerts: no answer within \
                 900 ms",
            ]
        );
        assert_eq!(warnings(&Watched::default(), 10), [""; 0]);
    }
}
