//! Flows become numbered steps with templates and outcome rules.

use std::time::Duration;

use super::outcome::Labels;
use super::target::is_path;
use super::template::{self, Place, Words};
use super::{body, outcome, reachable};
use crate::history::OutcomeKind;
use crate::plan::slots::SlotTable;
use crate::plan::{Action, Escape, Flow, Label, Part, Step, Template};
use crate::scenario::value::Name;
use crate::scenario::{At, Flow as Written, Report, Request, Step as WrittenStep};

const TIMEOUT: Duration = Duration::from_secs(10);
/// A step's number is one byte in the history; the last value means "no step".
const MAX_STEPS: usize = 250;

/// All flows with their steps.
pub(super) struct Flows {
    pub(super) list: Vec<Flow>,
    pub(super) steps: Vec<Step>,
    pub(super) labels: Vec<Label>,
    /// Whether every step is there, so that a step that is not known is a mistake.
    pub(super) whole: bool,
}

impl Flows {
    /// Whether some answer means that nothing is left.
    pub(super) fn can_sell_out(&self) -> bool {
        let sold_out = OutcomeKind::SoldOut as u8;
        let mut rules = self.steps.iter().flat_map(|step| &step.rules);
        rules.any(|rule| rule.label == sold_out)
    }
}

pub(super) fn resolve(
    written: &[Written],
    words: Words<'_>,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Flows {
    let mut all = Flows {
        list: Vec::new(),
        steps: Vec::new(),
        labels: Vec::new(),
        whole: !written.is_empty() && written.iter().all(|flow| flow.whole),
    };
    let mut labels = Labels::default();
    for flow in written {
        let requests = |step: &&WrittenStep| matches!(step, WrittenStep::Request(_));
        let count = flow.steps.iter().filter(requests).count();
        if count == 0 && flow.whole {
            report.error_hint(
                flow.name.position,
                format!("the flow `{}` has no request", flow.name.value),
                "write one: `- post: /issue`",
            );
        }
        let scope = slots.scope();
        let mut actions = Vec::new();
        for step in &flow.steps {
            match step {
                WrittenStep::Think(from, to) => actions.push(Action::Think(from.0, to.0)),
                WrittenStep::Request(request) => {
                    let name = name_of(request, flow, count, report);
                    let words = Words {
                        slots: Some(slots),
                        ..words
                    };
                    let step = step_of(request, &name, words, &mut labels, report);
                    let Some(step) = step else {
                        all.whole = false;
                        continue;
                    };
                    if all.steps.iter().any(|other| other.name == step.name) {
                        report.error_hint(
                            name.position,
                            format!("there are two steps `{}`", step.name),
                            "give each step a name of its own: `name: enter`",
                        );
                    }
                    actions.push(Action::Request(all.steps.len().min(MAX_STEPS) as u8));
                    all.steps.push(step);
                }
            }
        }
        slots.restore(scope);
        all.list.push(Flow {
            name: flow.name.value.as_str().to_owned(),
            actions,
        });
    }
    if all.steps.len() > MAX_STEPS
        && let Some(flow) = written.last()
    {
        report.error(
            flow.name.position,
            format!(
                "the flows have {} requests, at most {MAX_STEPS} are possible",
                all.steps.len()
            ),
        );
    }
    all.labels = labels.finish();
    all
}

/// The only request of a flow may do without a name of its own.
fn name_of(request: &Request, flow: &Written, count: usize, report: &mut Report<'_>) -> At<Name> {
    if request.name.is_none() && count > 1 {
        // A name that is there but wrong was reported.
        if request.whole {
            report.error_hint(
                request.position,
                format!("a request of the flow `{}` has no name", flow.name.value),
                "where a flow has several requests, each needs one: `name: enter`",
            );
        }
        // The flow's name would be a second error of its own.
        let numbered = format!("{}-{}", flow.name.value, request.position.start);
        return At {
            value: numbered.parse().unwrap_or_else(|_| flow.name.value.clone()),
            position: request.position,
            hidden: false,
        };
    }
    let own = request.name.clone();
    own.unwrap_or_else(|| At {
        position: request.position,
        ..flow.name.clone()
    })
}

pub(super) fn step_of(
    request: &Request,
    name: &At<Name>,
    words: Words<'_>,
    labels: &mut Labels,
    report: &mut Report<'_>,
) -> Option<Step> {
    let path = path_of(&request.path, words, report);
    let query: Vec<_> = request
        .query
        .iter()
        .map(|(key, value)| {
            let key = template::escaped(key, Escape::Percent);
            Some((key, template::parse(value, Place::Pair, words, report)?))
        })
        .collect();
    let body = body::resolve(&request.body, words, report);
    let headers = headers_of(request, words, report);
    let rules = outcome::resolve(&request.outcomes, labels, report);
    let (body, content_type) = body?;
    let (mut headers, rules) = (headers?, rules?);
    reachable::check(&request.outcomes, &rules, report);
    if let Some(content_type) = content_type
        && !headers.iter().any(|(name, _)| name == "content-type")
    {
        headers.push(("content-type".to_owned(), Template::literal(content_type)));
    }
    Some(Step {
        name: name.value.as_str().to_owned(),
        method: request.method.to_ascii_uppercase(),
        path: path?,
        query: query.into_iter().collect::<Option<_>>()?,
        headers,
        body,
        timeout: request
            .timeout
            .as_ref()
            .map_or(TIMEOUT, |timeout| timeout.value.0),
        attempts_subject: rules.iter().any(|rule| {
            let got = |kind: OutcomeKind| rule.label == kind as u8;
            got(OutcomeKind::Issued) || got(OutcomeKind::Pending) || got(OutcomeKind::Replay)
        }),
        rules,
    })
}

fn path_of(path: &At<String>, words: Words<'_>, report: &mut Report<'_>) -> Option<Template> {
    let template = template::parse(path, Place::Path, words, report)?;
    let literals = template.parts.iter().map(|part| match part {
        Part::Literal(text) => text.as_str(),
        Part::Value(..) => "x",
    });
    if !is_path(&literals.collect::<String>()) {
        report.error_hint(
            path.position,
            "the request has no valid path",
            "write it like `post: /coupons/1/issue`; blanks and letters outside ASCII as %XX, \
             the host under `target`",
        );
        return None;
    }
    Some(template)
}

fn headers_of(
    request: &Request,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<(String, Template)>> {
    let mut headers: Vec<(String, Template)> = Vec::new();
    let mut right = true;
    for (name, value) in &request.headers {
        if headers
            .iter()
            .any(|(other, _)| other == name.value.as_str())
        {
            report.error_hint(
                name.position,
                format!("the header `{}` is there twice", name.value.as_str()),
                "upper and lower case are the same: keep one of them",
            );
            right = false;
        }
        let value = At {
            value: value.value.as_str().to_owned(),
            position: value.position,
            hidden: value.hidden,
        };
        match template::parse(&value, Place::Raw, words, report) {
            Some(template) => headers.push((name.value.as_str().to_owned(), template)),
            None => right = false,
        }
    }
    right.then_some(headers)
}
