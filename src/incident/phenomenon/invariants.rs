//! Claims about what was issued that are refuted: never expected.

use super::super::evidence::{Evidence, counted, moment};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::{Example, Expected, Kind, Onset, Phenomenon};
use crate::check::{Finding, Part};
use crate::messages::{Said, Value, code, said};
use crate::verdict::Verdict;

pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Vec<Phenomenon> {
    let findings = evidence.summary.findings.iter().enumerate();
    let broken = findings.filter(|(_, finding)| finding.verdict == Verdict::Fail);
    broken
        .map(|(at, finding)| of_finding(evidence, at, finding, figures))
        .collect()
}

fn of_finding(
    evidence: &Evidence<'_>,
    at: usize,
    finding: &Finding,
    figures: &mut Figures,
) -> Phenomenon {
    let mut cite = |field: &str, value: String| {
        figures.cite(value, Source::Summary(format!("/findings/{at}/{field}")))
    };
    let headline = cite("headline", finding.headline.clone());
    let mut effect = vec![said!("invariant.headline",
        text = Value::Foreign(finding.headline.clone()); headline)];
    let broken = finding.parts.iter().enumerate();
    let broken = broken.filter(|(_, part)| part.verdict == Verdict::Fail);
    for (number, part) in broken.clone() {
        let fig = cite(&format!("parts/{number}/count"), counted(part.count));
        effect.push(said!("invariant.part",
            part = code(part.name.clone()), count = counted(part.count),
            what = Value::Foreign(part.detail.clone()); fig));
    }
    let start_ns = evidence.moments.start_ns;
    let first = broken.filter_map(|(number, part)| {
        let (case, at_ns) = earliest(part)?;
        Some((number, case, at_ns))
    });
    let first = first.min_by_key(|(_, _, at_ns)| *at_ns).zip(start_ns);
    let (onset, period): (Option<Onset>, Vec<Said>) = match first {
        Some(((number, case, at_ns), start_ns)) => {
            let at_s = (at_ns as f64 - start_ns as f64) / 1e9;
            let fig = cite(
                &format!("parts/{number}/cases/{case}/inv_ns"),
                format!("{at_ns} ns"),
            );
            let vus = evidence.vus(evidence.index(at_s), figures);
            let mut period = vec![said!("invariant.first", at = moment(at_s); fig)];
            period.extend(vus.map(|(vus, fig)| said!("fault.vus", vus = counted(vus); fig)));
            let onset = Onset {
                at_s,
                vus: vus.map(|(vus, _)| vus),
            };
            (Some(onset), period)
        }
        None => (None, vec![said!("period.unknown"; headline)]),
    };
    Phenomenon {
        kind: Kind::Invariant(finding.checker.clone()),
        title: said!("invariant.title", name = code(finding.checker.clone())),
        example: Example::Sentence(finding.headline.clone()),
        onset,
        until_s: None,
        period,
        effect,
        severity: Severity::P0,
        severity_why: said!("invariant.because"; headline),
        expected: Expected::No(said!("invariant.not_expected"; headline)),
    }
}

/// The case of a part that was sent first, with its place in the list.
fn earliest(part: &Part) -> Option<(usize, u64)> {
    let cases = part.cases.iter().enumerate();
    let with_time = cases.filter_map(|(at, case)| Some((at, case.inv_ns?)));
    with_time.min_by_key(|(_, at_ns)| *at_ns)
}
