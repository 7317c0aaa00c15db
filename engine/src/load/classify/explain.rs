//! Why an answer is what it is: for a person who is writing the rules.

use serde_json::value::RawValue;

use super::{Classifier, CompiledRule, LazyJson, has_header, wanted_json};
use crate::load::http::Answer;
use crate::plan::{JsonMatch, StatusMatch};

/// How an answer stands to a step's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explained {
    /// The first rule that matches, by its place among the step's rules.
    Matched(usize),
    /// None matches: for each rule, in their order, the conditions that do not hold.
    Unmatched(Vec<Vec<String>>),
    /// The step has no rules: 2xx and 3xx are `ok`, everything else is `error`.
    NoRules,
}

impl Classifier {
    /// Which rule the answer matches, or why each does not.
    pub fn explain(&self, answer: &Answer) -> Explained {
        if self.rules.is_empty() {
            return Explained::NoRules;
        }
        let mut json = LazyJson::new(answer.body(), &self.pointers);
        let matching = self
            .rules
            .iter()
            .position(|rule| rule.matches(answer, &mut json));
        matching.map_or_else(
            || {
                Explained::Unmatched(
                    self.rules
                        .iter()
                        .map(|rule| failed(rule, answer, &mut json))
                        .collect(),
                )
            },
            Explained::Matched,
        )
    }
}

fn failed(rule: &CompiledRule, answer: &Answer, json: &mut LazyJson<'_>) -> Vec<String> {
    let status = Some(&rule.rule.status).filter(|wanted| {
        !wanted.is_empty() && !wanted.iter().any(|status| status.matches(answer.status))
    });
    let status =
        status.map(|wanted| format!("the status is {}, not {}", answer.status, statuses(wanted)));
    let headers = rule
        .rule
        .headers
        .iter()
        .filter(|wanted| !has_header(answer, wanted));
    let headers = headers.map(|(name, value)| match value {
        Some(value) => format!("the header {name} is not \"{value}\""),
        None => format!("there is no header {name}"),
    });
    let text = rule
        .text
        .as_ref()
        .filter(|text| text.find(answer.body()).is_none());
    let text = text.map(|text| {
        format!(
            "the body does not contain \"{}\"",
            String::from_utf8_lossy(text.needle())
        )
    });
    let pattern = (rule.rule.matches.as_ref()).filter(|pattern| !pattern.is_match(answer.body()));
    let pattern = pattern.map(|pattern| format!("the body does not match {pattern}"));
    let empty = (rule.rule.empty).filter(|empty| *empty != answer.body().is_empty());
    let empty = empty.map(|empty| {
        let is = if empty { "not empty" } else { "empty" };
        format!("the body is {is}")
    });
    let failed = status.into_iter().chain(headers).chain(text);
    let mut failed: Vec<String> = failed.chain(pattern).chain(empty).collect();
    for ((pointer, wanted), (text, _)) in std::iter::zip(&rule.json, &rule.rule.json) {
        let found = json.at(*pointer);
        if !wanted_json(found, wanted) {
            let found = found.map_or("not there", RawValue::get);
            failed.push(format!("{text} is {found}, not {}", values(wanted)));
        }
    }
    failed
}

fn statuses(wanted: &[StatusMatch]) -> String {
    let words = wanted.iter().map(|status| match status {
        StatusMatch::Exactly(status) => status.to_string(),
        StatusMatch::Class(class) => format!("{class}xx"),
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn values(wanted: &JsonMatch) -> String {
    match wanted {
        JsonMatch::Equals(value) => value.to_string(),
        JsonMatch::AnyOf(values) => {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            values.join(" or ")
        }
        JsonMatch::Exists(true) => "there".to_owned(),
        JsonMatch::Exists(false) => "absent".to_owned(),
    }
}
