//! Limits of the scenario that were missed.

use super::super::evidence::{Evidence, moment};
use super::super::figure::{Figures, Source};
use super::super::severity::Severity;
use super::{Example, Expected, Kind, Onset, Phenomenon};
use crate::measure::Metric;
use crate::messages::{Value, code, said};
use crate::verdict::Verdict;

pub(super) fn find(evidence: &Evidence<'_>, figures: &mut Figures) -> Vec<Phenomenon> {
    let thresholds = evidence.summary.thresholds.iter().enumerate();
    let missed = thresholds.filter(|(_, judged)| judged.verdict == Verdict::Fail);
    let of = |(at, judged): (usize, &crate::report::Judged)| {
        let mut cite = |field: &str, value: &str| {
            let source = Source::Summary(format!("/thresholds/{at}/{field}"));
            figures.cite(value, source)
        };
        let (detail, verdict) = (cite("detail", &judged.detail), cite("verdict", "fail"));
        let aborted = evidence.moments.aborted.as_ref();
        let aborted = aborted.filter(|(_, name)| *name == judged.name);
        let mut period = vec![said!("threshold.period"; verdict)];
        if let Some((at_s, _)) = aborted {
            let source = Source::Event("aborted: at_ns".to_owned());
            let fig = figures.cite(moment(*at_s), source);
            period = vec![said!("threshold.aborted", at = moment(*at_s); fig)];
        }
        let mut planned = evidence.plan.thresholds.iter();
        let failures = planned.find(|one| one.name == judged.name);
        let failures = failures.is_some_and(|one| one.metric == Metric::HttpReqFailed);
        Phenomenon {
            kind: Kind::Threshold(judged.name.clone()),
            title: said!("threshold.title", name = code(judged.name.clone())),
            example: Example::Sentence(judged.detail.clone()),
            onset: aborted.map(|(at_s, _)| Onset {
                at_s: *at_s,
                vus: None,
            }),
            until_s: None,
            period,
            effect: vec![said!("threshold.effect",
                text = Value::Foreign(judged.detail.clone()); detail)],
            severity: if failures { Severity::P1 } else { Severity::P2 },
            severity_why: if failures {
                said!("threshold.because_failures"; verdict)
            } else {
                said!("threshold.because"; verdict)
            },
            expected: Expected::No(said!("threshold.not_expected"; verdict)),
        }
    };
    missed.map(of).collect()
}
