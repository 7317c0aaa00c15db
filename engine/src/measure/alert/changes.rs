//! From what fires at each reading to what has changed since the one before.
//!
//! Bounded: at most [`MOST`] alerts of a run are noted, each with a few short labels. Beyond that
//! nobody can tell what began to fire, so such a reading counts as one without an answer.

use std::collections::BTreeMap;

use crate::history::{AlertChange, AlertMark};

/// The label that holds an alert's name.
pub const NAME: &str = "alertname";

/// How many alerts of one run are noted.
const MOST: u32 = 1_000;

/// How many labels of each are kept, in the order of their names.
const MOST_LABELS: usize = 16;

/// Characters of a name or a value that are kept.
const LONGEST: usize = 120;

/// All labels of an alert, its name among them: what tells it apart from others.
pub type Labels = BTreeMap<String, String>;

/// Follows what fires.
#[derive(Debug, Default)]
pub struct Changes {
    /// The number of each.
    firing: BTreeMap<Labels, u32>,
    next: u32,
    readings: u64,
    missed: u64,
    /// Of them since the last answer.
    in_a_row: u64,
}

impl Changes {
    /// What the next reading tells: all that fires, or why nobody says so.
    pub fn take(&mut self, at_ns: u64, reading: Result<Vec<Labels>, String>) -> Vec<AlertMark> {
        let changes = match reading.and_then(|firing| self.few_enough(firing)) {
            Ok(firing) => self.answered(firing),
            Err(why) => self.unanswered(&why),
        };
        let marked = |change| AlertMark { at_ns, change };
        changes.into_iter().map(marked).collect()
    }

    /// After the last reading.
    pub const fn end(&self, at_ns: u64) -> AlertMark {
        AlertMark {
            at_ns,
            change: AlertChange::Ended {
                readings: self.readings,
                missed: self.missed,
            },
        }
    }

    fn few_enough(&self, firing: Vec<Labels>) -> Result<Vec<Labels>, String> {
        let new = firing.iter().filter(|one| !self.firing.contains_key(*one));
        if self.next as usize + new.count() > MOST as usize {
            return Err(format!(
                "more than {MOST} alerts have begun to fire: name those that matter under `only`"
            ));
        }
        Ok(firing)
    }

    fn answered(&mut self, firing: Vec<Labels>) -> Vec<AlertChange> {
        let mut changes = Vec::new();
        if self.readings == 0 {
            changes.push(AlertChange::Watched);
        }
        self.readings += 1;
        if self.in_a_row > 0 {
            let missed = std::mem::take(&mut self.in_a_row);
            changes.push(AlertChange::Heard { missed });
        }
        let mut before = std::mem::take(&mut self.firing);
        let mut began = Vec::new();
        for labels in firing {
            if self.firing.contains_key(&labels) {
                continue;
            }
            let number = before.remove(&labels).unwrap_or_else(|| {
                began.push(begun(self.next, &labels));
                self.next += 1;
                self.next - 1
            });
            self.firing.insert(labels, number);
        }
        let mut cleared: Vec<u32> = before.into_values().collect();
        cleared.sort_unstable();
        let cleared = cleared.into_iter();
        changes.extend(cleared.map(|alert| AlertChange::Cleared { alert }));
        changes.extend(began);
        changes
    }

    fn unanswered(&mut self, why: &str) -> Vec<AlertChange> {
        self.missed += 1;
        self.in_a_row += 1;
        match self.in_a_row {
            1 => vec![AlertChange::Silent { why: cut(why) }],
            _ => Vec::new(),
        }
    }
}

fn begun(alert: u32, labels: &Labels) -> AlertChange {
    let name = labels.get(NAME).map_or("", String::as_str);
    let kept = labels.iter().filter(|(label, _)| *label != NAME);
    let kept = kept.take(MOST_LABELS);
    AlertChange::Firing {
        alert,
        name: cut(name),
        labels: kept.map(|(name, value)| (cut(name), cut(value))).collect(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlertChange::{Cleared, Ended, Heard, Silent, Watched};

    fn alert(name: &str, instance: &str) -> Labels {
        let pairs = [(NAME, name), ("instance", instance)];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn began(number: u32, name: &str, instance: &str) -> AlertChange {
        AlertChange::Firing {
            alert: number,
            name: name.to_owned(),
            labels: [("instance".to_owned(), instance.to_owned())].into(),
        }
    }

    fn taken(changes: &mut Changes, reading: Result<Vec<Labels>, &str>) -> Vec<AlertChange> {
        let marks = changes.take(7, reading.map_err(str::to_owned));
        assert!(marks.iter().all(|mark| mark.at_ns == 7));
        marks.into_iter().map(|mark| mark.change).collect()
    }

    #[test]
    fn an_alert_is_told_once_when_it_begins_and_once_when_it_has_cleared() {
        let mut changes = Changes::default();
        let (one, other) = (alert("Down", "a"), alert("Down", "b"));
        for (reading, told) in [
            (vec![], vec![Watched]),
            (vec![one.clone()], vec![began(0, "Down", "a")]),
            // Twice in one answer is once.
            (vec![one.clone(), one.clone()], vec![]),
            (vec![other.clone(), one], vec![began(1, "Down", "b")]),
            (vec![other], vec![Cleared { alert: 0 }]),
            // Again is another one.
            (
                vec![alert("Down", "a")],
                vec![Cleared { alert: 1 }, began(2, "Down", "a")],
            ),
        ] {
            let shown = format!("{reading:?}");
            assert_eq!(taken(&mut changes, Ok(reading)), told, "{shown}");
        }
        let (readings, missed) = (6, 0);
        assert_eq!(changes.end(9).change, Ended { readings, missed });
    }

    #[test]
    fn a_silence_is_told_when_it_begins_and_what_has_changed_in_it_when_it_ends() {
        let mut changes = Changes::default();
        taken(&mut changes, Ok(vec![alert("Down", "a")]));
        let why = "refused".to_owned();
        assert_eq!(taken(&mut changes, Err("refused")), [Silent { why }]);
        assert_eq!(taken(&mut changes, Err("refused")), []);
        let told = taken(&mut changes, Ok(vec![alert("Slow", "b")]));
        let wanted = [
            Heard { missed: 2 },
            Cleared { alert: 0 },
            began(1, "Slow", "b"),
        ];
        assert_eq!(told, wanted);
        let (readings, missed) = (2, 2);
        assert_eq!(changes.end(9).change, Ended { readings, missed });
    }

    #[test]
    fn more_alerts_than_are_noted_are_a_silence_and_not_forgotten() {
        let mut changes = Changes::default();
        let many = |count: u32| (0..count).map(|number| alert("Down", &number.to_string()));
        assert_eq!(taken(&mut changes, Ok(many(MOST).collect())).len(), 1_001);
        let told = taken(&mut changes, Ok(many(MOST + 1).collect()));
        assert!(
            matches!(&told[..], [Silent { why }] if why.contains("more than 1000 alerts")),
            "{told:?}"
        );
        assert_eq!(
            taken(&mut changes, Ok(many(MOST).collect())),
            [Heard { missed: 1 }]
        );
    }

    #[test]
    fn long_texts_are_cut_and_tell_alerts_apart_all_the_same() {
        let long = "쿠".repeat(500);
        let mut changes = Changes::default();
        let pair = vec![
            alert(&long, &format!("{long}1")),
            alert(&long, &format!("{long}2")),
        ];
        let told = taken(&mut changes, Ok(pair));
        let texts: Vec<usize> = told
            .iter()
            .filter_map(|change| match change {
                AlertChange::Firing { name, labels, .. } => {
                    Some(name.chars().count().max(labels["instance"].chars().count()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(texts, [LONGEST + 3, LONGEST + 3]);
    }
}
