//! Which faults were active when, as the marks tell it: a list of times with the names from there on.

use std::sync::Arc;

use crate::history::{FaultMark, Moment};
use crate::plan::Plan;

/// The list; it begins with no fault.
#[derive(Debug, Clone)]
pub(super) struct Regimes {
    names: Vec<String>,
    /// Numbers of faults, sorted.
    active: Vec<u16>,
    /// From when on, and the names joined by `+`.
    list: Vec<(u64, Arc<str>)>,
}

impl Regimes {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            names: plan.faults.iter().map(|fault| fault.name.clone()).collect(),
            active: Vec::new(),
            list: vec![(0, "".into())],
        }
    }

    /// What was applied is active until it is healed.
    pub(super) fn take(&mut self, mark: &FaultMark) {
        match mark.moment {
            Moment::Applied => {
                if let Err(place) = self.active.binary_search(&mark.fault) {
                    self.active.insert(place, mark.fault);
                }
            }
            Moment::Healed => self.active.retain(|fault| *fault != mark.fault),
            _ => return,
        }
        let names = self.active.iter();
        let names = names.filter_map(|fault| self.names.get(usize::from(*fault)));
        let names: Vec<&str> = names.map(String::as_str).collect();
        // Two faults may tell of themselves in another order than they happened.
        let from_ns = self.list.last().map_or(0, |(from_ns, _)| *from_ns);
        self.list
            .push((mark.at_ns.max(from_ns), names.join("+").into()));
    }

    /// The number of the entry that holds at this time.
    pub(super) fn at(&self, ns: u64) -> usize {
        let from = self.list.iter().rposition(|(from_ns, _)| *from_ns <= ns);
        from.unwrap_or(0)
    }

    /// The names of this entry, empty for none.
    pub(super) fn name(&self, entry: usize) -> &str {
        self.list.get(entry).map_or("", |(_, names)| names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at_ns: u64, fault: u16, moment: Moment) -> FaultMark {
        FaultMark {
            at_ns,
            fault,
            occurrence: 1,
            moment,
        }
    }

    #[test]
    fn a_fault_is_active_from_its_application_to_its_healing() {
        let mut regimes = Regimes {
            names: vec!["redis".to_owned(), "slow".to_owned()],
            active: Vec::new(),
            list: vec![(0, "".into())],
        };
        regimes.take(&mark(10, 1, Moment::Applied));
        regimes.take(&mark(20, 0, Moment::Applied));
        regimes.take(&mark(25, 0, Moment::Healing));
        regimes.take(&mark(30, 1, Moment::Healed));
        regimes.take(&mark(40, 0, Moment::Healed));
        let names: Vec<&str> = [0, 9, 10, 19, 20, 29, 30, 39, 40, 99]
            .map(|ns| regimes.name(regimes.at(ns)))
            .to_vec();
        let expected = [
            "",
            "",
            "slow",
            "slow",
            "redis+slow",
            "redis+slow",
            "redis",
            "redis",
            "",
            "",
        ];
        assert_eq!(names, expected);
    }
}
