//! What would keep it from coming again, as far as the run itself shows it: limits that nobody
//! watches, and what was not measured. What playbooks say about it stands beside.

use super::evidence::Evidence;
use super::figure::{Figures, Source};
use super::phenomenon::{Kind, Phenomenon, Quantile};
use crate::measure::Metric;
use crate::messages::{Said, code, said};

pub(super) fn of(
    evidence: &Evidence<'_>,
    phenomena: &[Phenomenon],
    figures: &mut Figures,
) -> Vec<Said> {
    let mut advice = Vec::new();
    let thresholds = &evidence.plan.thresholds;
    let watched = |wanted: fn(&Metric) -> bool| thresholds.iter().any(|one| wanted(&one.metric));
    let names = thresholds.iter().map(|one| one.name.as_str());
    let names: Vec<&str> = names.collect();
    let source = Source::Summary("/thresholds".to_owned());
    let fig = figures.cite(names.len().to_string(), source);
    for phenomenon in phenomena.iter().filter(|one| !one.expected.is()) {
        match &phenomenon.kind {
            Kind::Outcome {
                name,
                failed: false,
            } => {
                let named = names.iter().any(|one| one.contains(name.as_str()));
                if !named {
                    let line = format!("{name}: [\"rate<1%\"]");
                    advice.push(said!("prevention.outcome",
                        name = code(name.clone()), line = code(line); fig));
                }
            }
            Kind::Outcome { failed: true, .. } if !watched(|one| *one == Metric::HttpReqFailed) => {
                let line = code("http_req_failed: [\"rate<1%\"]");
                advice.push(said!("prevention.failures", line = line; fig));
            }
            Kind::Latency {
                of: Quantile::P95, ..
            } if !watched(|one| matches!(one, Metric::HttpReqDuration | Metric::ResponseTime)) => {
                let line = code("http_req_duration: [\"p(95)<500ms\"]");
                advice.push(said!("prevention.latency", line = line; fig));
            }
            _ => {}
        }
    }
    let troubled = phenomena.iter().any(|one| !one.expected.is());
    if troubled && evidence.plan.alerts.is_none() {
        let source = Source::NotMeasured("alerts".to_owned());
        let fig = figures.cite(super::NO_DATA, source);
        advice.push(said!("prevention.alerts"; fig));
    }
    let repeat = &evidence.summary.environment.repeat;
    let source = Source::Summary("/environment/repeat".to_owned());
    let fig = figures.cite(repeat.clone(), source);
    advice.push(said!("prevention.repeat", command = code(repeat.clone()); fig));
    advice
}
