//! A segment by itself: what it counted, and whether it ran well. What it claims needs all segments.

use super::{Assembled, Judge};
use crate::check::Finding;
use crate::exit::Exit;
use crate::report::Judged;
use crate::run::fault_guard::FaultDoubts;
use crate::run::guard::{Interrupted, doubts, exhausted};
use crate::verdict::Verdict;

impl Judge<'_> {
    /// The verdict is always unknown, as every claim is one about all segments; the exit code says
    /// whether there is something to merge.
    pub(super) fn alone(&self) -> Assembled {
        let segment = self.plan.segment;
        let (number, of) = (segment.number(), segment.of());
        let why = format!("segment {number} of {of}: `fcfs-bench merge` of all {of} judges them");
        let end = self.end();
        let mut doubts = doubts(self.plan, &self.files.totals, self.files.generator, &end);
        doubts.extend(exhausted(&self.files.events));
        let FaultDoubts { not_healed, .. } = self.of_faults(&end);
        let exit = if end.interrupted != Interrupted::No {
            Exit::Interrupted
        } else if !not_healed.is_empty() {
            Exit::NotHealed
        } else if !doubts.is_empty() {
            Exit::Unknown
        } else {
            Exit::Segment
        };
        let reasons = not_healed
            .iter()
            .cloned()
            .chain(doubts)
            .chain([why.clone()]);
        let findings = self.plan.invariants.iter().map(|invariant| Finding {
            checker: invariant.to_string(),
            verdict: Verdict::Unknown,
            headline: why.clone(),
            parts: Vec::new(),
        });
        let thresholds = self.plan.thresholds.iter().map(|threshold| Judged {
            name: threshold.name.clone(),
            verdict: Verdict::Unknown,
            detail: why.clone(),
        });
        let (findings, thresholds) = (findings.collect(), thresholds.collect());
        let reasons = reasons.collect();
        let mut summary = self.summary(Verdict::Unknown, exit, reasons, findings, thresholds);
        summary.not_healed = not_healed;
        for text in summary.texts() {
            *text = self.plan.mask.hide(text);
        }
        Assembled { summary, exit }
    }
}
