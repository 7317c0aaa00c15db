//! A request as it was written becomes a step: templates, outcome rules, captures.

use std::time::Duration;

use super::flow::Planner;
use super::target::is_path;
use super::template::{self, Place, Words};
use super::{body, outcome, reachable, releases};
use crate::history::OutcomeKind;
use crate::plan::{Capture, CaptureFrom, Escape, Part, Step, Template, Variable};
use crate::scenario::value::Name;
use crate::scenario::{At, Capture as WrittenCapture, CaptureFrom as WrittenFrom, Report, Request};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The step; `None` if something of it is wrong, which was reported.
pub(super) fn resolve(
    request: &Request,
    name: &At<Name>,
    planner: &mut Planner<'_>,
    report: &mut Report<'_>,
) -> Option<Step> {
    let words = planner.words();
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
    let rules = outcome::resolve(&request.outcomes, &mut planner.labels, report);
    let captures = captures(&request.captures, planner, report);
    let (body, content_type) = body?;
    let (mut headers, rules) = (headers?, rules?);
    reachable::check(&request.outcomes, &rules, report);
    releases::check(&request.outcomes, report);
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
        captures: captures?,
        poll: None,
    })
}

/// What the answer brings is there for the steps behind it.
fn captures(
    written: &[WrittenCapture],
    planner: &mut Planner<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<Capture>> {
    let read: Vec<_> = written
        .iter()
        .map(|capture| {
            Some(Capture {
                slot: declare(&capture.name, capture.secret, planner, report)?,
                from: match &capture.from {
                    WrittenFrom::Json(pointer) => CaptureFrom::Json(pointer.as_str().to_owned()),
                    WrittenFrom::Header(name) => CaptureFrom::Header(name.as_str().to_owned()),
                    WrittenFrom::Cookie(name) => CaptureFrom::Cookie(name.clone()),
                    WrittenFrom::Matches(pattern) => CaptureFrom::Matches(pattern.clone()),
                },
                metrics: Vec::new(),
            })
        })
        .collect();
    read.into_iter().collect()
}

/// A slot of this name, for the rest of the flow.
pub(super) fn declare(
    name: &At<Name>,
    secret: bool,
    planner: &mut Planner<'_>,
    report: &mut Report<'_>,
) -> Option<u8> {
    let text = name.value.as_str();
    let taken = Variable::ALL.iter().any(|(known, _)| *known == text);
    if taken || text == "coupon.id" || text.starts_with("user.") {
        report.error_hint(
            name.position,
            format!("`{text}` has a meaning of its own in templates"),
            "give what is captured another name",
        );
        return None;
    }
    let given = planner.slots.find(text);
    if given.is_ok_and(|slot| usize::from(slot) < planner.given) {
        report.error_hint(
            name.position,
            format!("`{text}` is there already"),
            "capture it under another name",
        );
        return None;
    }
    let slot = planner.slots.declare(text, secret);
    if slot.is_none() {
        report.error(name.position, "there are too many names for values");
    }
    planner.captured.extend(slot);
    slot
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
