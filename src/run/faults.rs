//! What happens to faults, for the one who watches the run.

use crate::history::{FaultMark, Moment};
use crate::plan::Plan;

/// One line for one moment.
pub(super) fn in_words(mark: &FaultMark, plan: &Plan) -> String {
    let fault = plan.faults.get(usize::from(mark.fault));
    let name = fault.map_or("?", |fault| fault.name.as_str());
    let number = match fault {
        Some(fault) if fault.times > 1 => format!(" (number {})", mark.occurrence),
        _ => String::new(),
    };
    let what = match &mark.moment {
        Moment::Asked { victims, .. } => format!("due, at {}", victims.join(", ")),
        Moment::Applied => "applied".to_owned(),
        Moment::NotApplied { why } => format!("NOT applied: {why}"),
        Moment::EffectSeen { what } => format!("bites: {what}"),
        Moment::EffectNotSeen { what } => format!("does NOT bite: {what}"),
        Moment::Healing => "is over, healing".to_owned(),
        Moment::Healed => "healed".to_owned(),
        Moment::NotHealed { why } => format!("NOT healed: {why}"),
        Moment::NeverDue => "was never due".to_owned(),
    };
    format!("fault {name}{number}: {what}")
}
