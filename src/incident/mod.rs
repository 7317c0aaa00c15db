//! The incident report of a run: which phenomena its data shows, since when, with what effect; what
//! may have caused them; what is done about it. Pure functions of what the run has left: no clock, no
//! files. Nothing is said that does not rest on a figure, and each figure says where it stands.
//!
//! ```text
//! Evidence --rules--> phenomena --hypotheses--> causes
//!          --playbooks' symptoms--> measures            all of it --messages--> Markdown
//! ```

mod cause;
mod conclusion;
mod evidence;
mod figure;
mod phenomenon;
mod playbook;
mod prevention;
mod render;
mod severity;
mod stats;
#[cfg(test)]
mod tests;
mod timeline;

pub use cause::{Cause, Hypothesis, NotSeen};
pub use evidence::{Evidence, FiredAt, Moments, Series};
pub use figure::{Figure, Figures, How, Source};
pub use phenomenon::{Example, Expected, Kind, Onset, Phenomenon, Quantile};
pub use playbook::{Match, Shown, shipped};
pub use render::markdown;
pub use severity::Severity;
pub use timeline::{Entry, Timeline};

use crate::messages::Said;
use crate::playbook::Playbook;

/// What stands where nothing was measured: never a zero.
const NO_DATA: &str = "no data";

/// Everything that the report says, before it is said in some language.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Gravest first, then by onset.
    pub phenomena: Vec<Phenomenon>,
    /// For each phenomenon that was not expected and has an onset, what may have caused it.
    pub causes: Vec<Cause>,
    /// Playbooks whose symptoms are there.
    pub matches: Vec<Match>,
    /// What happened when.
    pub timeline: Timeline,
    /// What would keep it from coming again, of what the run itself shows.
    pub prevention: Vec<Said>,
    /// What it comes to.
    pub conclusion: Vec<Said>,
    /// What all of it rests on.
    pub figures: Figures,
}

/// Looks for all that the report tells.
pub fn find(evidence: &Evidence<'_>, playbooks: &[Playbook]) -> Incident {
    let mut figures = Figures::default();
    let phenomena = phenomenon::find(evidence, &mut figures);
    let causes = cause::find(evidence, &phenomena, &mut figures);
    let matches = playbook::find(evidence, playbooks, &mut figures);
    let timeline = timeline::of(evidence, &phenomena, &mut figures);
    let prevention = prevention::of(evidence, &phenomena, &mut figures);
    let conclusion = conclusion::of(evidence, &phenomena, &causes, &matches, &mut figures);
    Incident {
        phenomena,
        causes,
        matches,
        timeline,
        prevention,
        conclusion,
        figures,
    }
}
