//! What the report comes to, in a few sentences.

use super::cause::Cause;
use super::evidence::{Evidence, counted};
use super::figure::{Figures, Source};
use super::phenomenon::Phenomenon;
use super::playbook::Match;
use crate::messages::{Said, code, said};

pub(super) fn of(
    evidence: &Evidence<'_>,
    phenomena: &[Phenomenon],
    causes: &[Cause],
    matches: &[Match],
    figures: &mut Figures,
) -> Vec<Said> {
    let summary = evidence.summary;
    let verdict = Source::Summary("/verdict".to_owned());
    let verdict = figures.cite(summary.verdict.to_string(), verdict);
    let requests = Source::Summary("/requests".to_owned());
    let requests = figures.cite(counted(summary.requests), requests);
    let mut sentences = vec![said!("conclusion.verdict",
        verdict = code(summary.verdict.to_string()),
        requests = counted(summary.requests); verdict, requests)];
    if !evidence.has_seconds() {
        let source = Source::NotMeasured("seconds.jsonl".to_owned());
        let fig = figures.cite(super::NO_DATA, source);
        sentences.push(said!("conclusion.no_seconds"; fig));
    }
    let Some(gravest) = phenomena.first() else {
        sentences.push(said!("conclusion.nothing"; requests));
        return sentences;
    };
    let unexpected = phenomena.iter().filter(|one| !one.expected.is()).count();
    let basis = phenomena
        .iter()
        .filter_map(|one| one.severity_why.figures.first());
    let basis: Vec<_> = basis.copied().collect();
    sentences.push(Said {
        figures: basis,
        ..said!(
            "conclusion.count",
            count = counted(phenomena.len() as u64),
            unexpected = counted(unexpected as u64)
        )
    });
    let of_gravest = gravest.severity_why.figures.clone();
    sentences.push(Said {
        figures: of_gravest,
        ..said!(
            "conclusion.gravest",
            severity = gravest.severity.to_string(),
            what = gravest.title.clone()
        )
    });
    for cause in causes {
        let Some(phenomenon) = phenomena.get(cause.phenomenon) else {
            continue;
        };
        let what = phenomenon.title.clone();
        sentences.push(match cause.hypotheses.first() {
            Some(first) => Said {
                figures: first.title.figures.clone(),
                ..said!("conclusion.cause", what = what, cause = first.title.clone())
            },
            None => Said {
                figures: phenomenon.severity_why.figures.clone(),
                ..said!("conclusion.no_cause", what = what)
            },
        });
    }
    let quoted = matches.iter().filter_map(|one| one.shown.first());
    let quoted: Vec<_> = quoted
        .flat_map(|shown| shown.said.figures.clone())
        .collect();
    sentences.push(if matches.is_empty() {
        said!("conclusion.no_playbook"; requests)
    } else {
        Said {
            figures: quoted,
            ..said!(
                "conclusion.playbooks",
                count = counted(matches.len() as u64)
            )
        }
    });
    sentences
}
