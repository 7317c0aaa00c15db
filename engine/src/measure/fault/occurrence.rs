//! The moments of each occurrence of a fault, from the marks that a run left.

use std::collections::BTreeMap;

use crate::history::{FaultMark, Moment};

/// One occurrence of a fault. Times are nanoseconds since the run's origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occurrence {
    /// Index into the plan's faults.
    pub fault: usize,
    /// From 1.
    pub number: u32,
    /// What was broken, by name.
    pub victims: Vec<String>,
    /// When the timeline wanted it.
    pub due_ns: Option<u64>,
    /// When it was asked for.
    pub asked_ns: Option<u64>,
    /// When it was injected.
    pub applied_ns: Option<u64>,
    /// Why it could not be injected.
    pub not_applied: Option<String>,
    /// When it was seen to bite, and what was seen.
    pub effect_seen: Option<(u64, String)>,
    /// It was never seen to bite; what was seen instead.
    pub effect_not_seen: Option<String>,
    /// When it was over.
    pub healing_ns: Option<u64>,
    /// When the victims answered as before.
    pub healed_ns: Option<u64>,
    /// Why they do not.
    pub not_healed: Option<String>,
    /// The load ended before it was due.
    pub never_due: bool,
}

/// Every occurrence that has a mark, by fault and number. A later mark of healing counts more than
/// an earlier one: what could not be healed at first may have been healed at last.
pub fn occurrences<'a>(marks: impl Iterator<Item = &'a FaultMark>) -> Vec<Occurrence> {
    let mut known: BTreeMap<(u16, u32), Occurrence> = BTreeMap::new();
    for mark in marks {
        let place = (mark.fault, mark.occurrence);
        let occurrence = known.entry(place).or_insert_with(|| Occurrence {
            fault: usize::from(mark.fault),
            number: mark.occurrence,
            ..Occurrence::default()
        });
        occurrence.take(mark.at_ns, &mark.moment);
    }
    known.into_values().collect()
}

impl Occurrence {
    fn take(&mut self, at_ns: u64, moment: &Moment) {
        match moment {
            Moment::Asked { victims, due_ns } => {
                self.asked_ns = Some(at_ns);
                self.victims.clone_from(victims);
                self.due_ns = *due_ns;
            }
            Moment::Applied => {
                self.applied_ns.get_or_insert(at_ns);
            }
            Moment::NotApplied { why } => self.not_applied = Some(why.clone()),
            Moment::EffectSeen { what } => {
                self.effect_seen.get_or_insert((at_ns, what.clone()));
            }
            Moment::EffectNotSeen { what } => self.effect_not_seen = Some(what.clone()),
            Moment::Healing => {
                self.healing_ns.get_or_insert(at_ns);
            }
            Moment::Healed => (self.healed_ns, self.not_healed) = (Some(at_ns), None),
            Moment::NotHealed { why } => {
                (self.healed_ns, self.not_healed) = (None, Some(why.clone()));
            }
            Moment::NeverDue => self.never_due = true,
        }
    }

    /// Whether it was seen to bite, and nothing says otherwise.
    pub fn is_proved(&self) -> bool {
        self.effect_seen.is_some() && self.effect_not_seen.is_none()
    }

    /// When it was active: from applied to healed, and without an end if it was never healed.
    pub fn active_ns(&self) -> Option<(u64, u64)> {
        let applied = self.applied_ns?;
        let healed = self.healed_ns.unwrap_or(u64::MAX);
        Some((applied, healed.max(applied)))
    }
}
