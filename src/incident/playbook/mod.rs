//! Which playbooks a run matches: each symptom is measured and held against its limit.

mod measured;
mod shipped;

use std::time::Duration;

pub use shipped::shipped;

use super::evidence::Evidence;
use super::figure::Figures;
use crate::messages::Said;
use crate::playbook::{Playbook, Symptom};

/// A playbook whose symptoms are there.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The playbook.
    pub playbook: Playbook,
    /// Each symptom that is there, with its value and its limit.
    pub shown: Vec<Shown>,
    /// How many of its symptoms could not be measured.
    pub not_measured: usize,
}

/// A symptom that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its value beside its limit.
    pub said: Said,
}

/// When a measure is due, as the report groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Within a day.
    Now,
    /// Within two weeks.
    Weeks,
    /// Later.
    Months,
}

impl Part {
    /// The parts, in order.
    pub(super) const ALL: [Self; 3] = [Self::Now, Self::Weeks, Self::Months];

    /// Where a measure with this time belongs: a guide for minutes and hours is all done "now" when
    /// a document for months looks at it, and its weeks are that document's weeks.
    pub(super) fn of(within: Duration) -> Self {
        const DAY: Duration = Duration::from_hours(24);
        match within {
            now if now <= DAY => Self::Now,
            weeks if weeks <= 14 * DAY => Self::Weeks,
            _ => Self::Months,
        }
    }
}

/// All playbooks that match, in their order.
pub(super) fn find(
    evidence: &Evidence<'_>,
    playbooks: &[Playbook],
    figures: &mut Figures,
) -> Vec<Match> {
    let matching = playbooks.iter().filter(|one| is_about(one, evidence));
    matching
        .filter_map(|playbook| {
            let mut tried = figures.clone();
            let found = of(evidence, playbook, &mut tried)?;
            *figures = tried;
            Some(found)
        })
        .collect()
}

/// Whether some step of the run has what the playbook is for in its name or its path.
fn is_about(playbook: &Playbook, evidence: &Evidence<'_>) -> bool {
    let Some(wanted) = &playbook.steps else {
        return true;
    };
    evidence.plan.steps.iter().any(|step| {
        let literals = step.path.parts.iter().filter_map(|part| match part {
            crate::plan::Part::Literal(text) => Some(text.as_str()),
            crate::plan::Part::Value(..) => None,
        });
        let path: String = literals.collect();
        wanted.is_match(step.name.as_bytes()) || wanted.is_match(path.as_bytes())
    })
}

fn of(evidence: &Evidence<'_>, playbook: &Playbook, figures: &mut Figures) -> Option<Match> {
    let (mut shown, mut not_measured) = (Vec::new(), 0);
    for symptom in &playbook.symptoms {
        match measured::of(evidence, symptom, &playbook.id, figures) {
            None => not_measured += 1,
            Some(measured) if measured.value > symptom.above => {
                let said = measured.said;
                shown.push(Shown { said });
            }
            Some(_) => {}
        }
    }
    (shown.len() >= playbook.needs).then(|| Match {
        playbook: playbook.clone(),
        shown,
        not_measured,
    })
}

/// What a symptom came to.
struct Measured {
    value: f64,
    /// The value beside the limit.
    said: Said,
}

/// How long a symptom must last, in seconds.
fn lasts(symptom: &Symptom) -> usize {
    symptom.lasts_s.max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_hours_and_weeks_belong_where_a_plan_for_months_has_them() {
        let hours = Duration::from_hours;
        // By when; where it belongs.
        let table = [
            (Duration::from_mins(20), Part::Now),
            (hours(2), Part::Now),
            (hours(7 * 24), Part::Weeks),
            (hours(14 * 24), Part::Weeks),
            (hours(90 * 24), Part::Months),
        ];
        for (within, part) in table {
            assert_eq!(Part::of(within), part, "{within:?}");
        }
    }
}
