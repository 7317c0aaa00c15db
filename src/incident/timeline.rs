//! What happened when, from the start of the load to its end, and from when something was noticed
//! until all was as before.

use super::evidence::{Evidence, moment};
use super::figure::{Figures, How, Source};
use super::phenomenon::{Kind, Phenomenon};
use crate::messages::{Said, code, said};

/// Moments in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// By time.
    pub entries: Vec<Entry>,
    /// When something was noticed first: a fault, or the onset of what nobody expected.
    pub detected_s: Option<f64>,
    /// When all of it was as before; `None`: not as long as the load ran, or nothing was noticed.
    pub recovered_s: Option<f64>,
}

/// One moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Seconds since the start of the load.
    pub at_s: f64,
    /// What happened.
    pub what: Said,
}

pub(super) fn of(
    evidence: &Evidence<'_>,
    phenomena: &[Phenomenon],
    figures: &mut Figures,
) -> Timeline {
    let mut timeline = Timeline::default();
    let entries = &mut timeline.entries;
    of_run(evidence, entries, figures);
    of_faults(evidence, entries, figures);
    let mut ends = Vec::new();
    for phenomenon in phenomena {
        if let Kind::Alert(name) = &phenomenon.kind {
            of_alert(name, phenomenon, entries);
        }
        of_phenomenon(evidence, phenomenon, entries, figures);
        let troubles = !phenomenon.expected.is() || matches!(phenomenon.kind, Kind::Fault(_));
        if let Some(onset) = phenomenon.onset.filter(|_| troubles) {
            let earlier = timeline.detected_s.is_none_or(|at_s| onset.at_s < at_s);
            timeline.detected_s = if earlier {
                Some(onset.at_s)
            } else {
                timeline.detected_s
            };
            ends.push(match phenomenon.kind {
                // Healed is not recovered.
                Kind::Fault(_) if !phenomenon.expected.is() => None,
                Kind::Invariant(_) => None,
                _ => phenomenon.until_s,
            });
        }
    }
    let ends: Option<Vec<f64>> = ends.into_iter().collect();
    timeline.recovered_s = ends.and_then(|ends| ends.into_iter().max_by(f64::total_cmp));
    timeline
        .entries
        .sort_by(|one, two| one.at_s.total_cmp(&two.at_s));
    timeline
}

fn of_run(evidence: &Evidence<'_>, entries: &mut Vec<Entry>, figures: &mut Figures) {
    let moments = evidence.moments;
    let mut event =
        |at_s: f64, name: &str| figures.cite(moment(at_s), Source::Event(format!("{name}: at_ns")));
    if moments.start_ns.is_some() {
        let fig = event(0.0, "load_started");
        entries.push(Entry {
            at_s: 0.0,
            what: said!("timeline.load_started"; fig),
        });
    }
    if let Some(at_s) = moments.interrupted_s {
        let fig = event(at_s, "interrupted");
        entries.push(Entry {
            at_s,
            what: said!("timeline.interrupted"; fig),
        });
    }
    if let Some((at_s, threshold)) = &moments.aborted {
        let fig = event(*at_s, "aborted");
        entries.push(Entry {
            at_s: *at_s,
            what: said!("timeline.aborted", name = code(threshold.clone()); fig),
        });
    }
    if let Some(at_s) = moments.load_ended_s {
        let fig = event(at_s, "load_ended");
        entries.push(Entry {
            at_s,
            what: said!("timeline.load_ended"; fig),
        });
    } else if !evidence.seconds.is_empty() {
        let last = evidence.seconds.len();
        let source = evidence.lines(last - 1, last, How::Value, "t");
        let at_s = evidence.end_s();
        let fig = figures.cite(moment(at_s), source);
        entries.push(Entry {
            at_s,
            what: said!("timeline.evidence_ends"; fig),
        });
    }
}

fn of_faults(evidence: &Evidence<'_>, entries: &mut Vec<Entry>, figures: &mut Figures) {
    for (number, fault) in evidence.summary.faults.iter().enumerate() {
        let after = |ms: Option<f64>| Some(fault.applied_s? + ms? / 1e3);
        let moments = [
            (fault.applied_s, "applied_s", "timeline.fault_applied"),
            (after(fault.effect_ms), "effect_ms", "timeline.fault_bites"),
            (
                after(fault.first_bad_ms),
                "first_bad_ms",
                "timeline.fault_felt",
            ),
            (
                after(fault.detected_ms),
                "detected_ms",
                "timeline.fault_detected",
            ),
            (fault.healed_s, "healed_s", "timeline.fault_healed"),
            (fault.recovered_s, "recovered_s", "timeline.fault_recovered"),
        ];
        for (at_s, field, key) in moments {
            let Some(at_s) = at_s else { continue };
            let source = Source::Summary(format!("/faults/{number}/{field}"));
            entries.push(Entry {
                at_s,
                what: Said {
                    key,
                    values: vec![("name", code(fault.fault.clone()))],
                    figures: vec![figures.cite(moment(at_s), source)],
                },
            });
        }
    }
}

fn of_alert(name: &str, phenomenon: &Phenomenon, entries: &mut Vec<Entry>) {
    let figures = |at: usize| phenomenon.period.get(at).map(|said| said.figures.clone());
    let Some(until_s) = phenomenon.until_s else {
        return;
    };
    entries.push(Entry {
        at_s: until_s,
        what: Said {
            figures: figures(1).unwrap_or_default(),
            ..said!("timeline.alert_cleared", name = code(name))
        },
    });
}

/// When it began and, if it was to be feared, when it ended.
fn of_phenomenon(
    evidence: &Evidence<'_>,
    phenomenon: &Phenomenon,
    entries: &mut Vec<Entry>,
    figures: &mut Figures,
) {
    let Some(onset) = phenomenon.onset else {
        return;
    };
    if matches!(phenomenon.kind, Kind::Fault(_)) {
        return;
    }
    let first = phenomenon.period.first();
    let figs = first.map(|said| said.figures.clone()).unwrap_or_default();
    entries.push(Entry {
        at_s: onset.at_s,
        what: Said {
            figures: figs,
            ..said!("timeline.begins", what = phenomenon.title.clone())
        },
    });
    let lasts = matches!(phenomenon.kind, Kind::Outcome { .. } | Kind::Latency { .. });
    if let Some(until_s) = phenomenon.until_s.filter(|_| lasts) {
        let last = evidence.index(until_s);
        let source = evidence.lines(last, last + 1, How::Value, "t");
        let fig = figures.cite(moment(until_s), source);
        entries.push(Entry {
            at_s: until_s,
            what: said!("timeline.ends", what = phenomenon.title.clone(); fig),
        });
    }
}
