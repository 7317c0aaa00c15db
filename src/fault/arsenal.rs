//! From a fault of the plan and the parts that it meets to what injects it.

use super::nemesis::{Nemesis, Trouble};
use super::process::{Down, Freeze, How, Restart};
use super::timeline;
use crate::plan::Plan;
use crate::plan::fault::{Fault, Injection};
use crate::stack::Part;

/// What faults can be done to.
#[derive(Debug, Clone)]
pub struct Arsenal {
    /// Everything that the run has brought up.
    pub parts: Vec<Part>,
}

/// One blow at one victim.
pub(super) struct Blow {
    /// As reports call it.
    pub(super) victim: String,
    /// What is done to it.
    pub(super) nemesis: Box<dyn Nemesis>,
}

impl Arsenal {
    /// Whom one occurrence of a fault meets, and how.
    ///
    /// # Errors
    /// In words, when nobody is there, or it cannot be done to them.
    pub(super) fn blows(
        &self,
        plan: &Plan,
        number: u16,
        fault: &Fault,
        occurrence: u32,
    ) -> Result<Vec<Blow>, Trouble> {
        let there = self.parts.iter();
        let there = there.filter(|part| timeline::belongs(part.party(), &fault.victim.party));
        let there: Vec<&Part> = there.collect();
        let met = timeline::chosen(&fault.victim, there.len(), plan.seed, number, occurrence);
        let met: Vec<&Part> = met.into_iter().map(|at| there[at]).collect();
        if met.is_empty() {
            let party = fault.victim.party.name();
            return Err(Trouble::new(format!(
                "the run has started no {party} that it could break"
            )));
        }
        if fault.injection == Injection::Restart {
            let victim = met
                .iter()
                .map(|part| part.name())
                .collect::<Vec<_>>()
                .join(", ");
            let parts = met.into_iter().cloned().collect();
            let nemesis = Box::new(Restart::new(parts));
            return Ok(vec![Blow { victim, nemesis }]);
        }
        met.into_iter().map(|part| blow(fault, part)).collect()
    }
}

fn blow(fault: &Fault, part: &Part) -> Result<Blow, Trouble> {
    let part = part.clone();
    let victim = part.name().to_owned();
    let nemesis: Box<dyn Nemesis> = match &fault.injection {
        Injection::Freeze => Box::new(Freeze::new(part)),
        Injection::Kill => Box::new(Down::new(part, How::Killed)),
        Injection::Stop => Box::new(Down::new(part, How::Stopped)),
        other => {
            let kind = other.kind();
            return Err(Trouble::new(format!("{kind} cannot be done to {victim}")));
        }
    };
    Ok(Blow { victim, nemesis })
}
