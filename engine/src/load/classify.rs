//! Which outcome an answer is: the first rule that matches.

mod explain;

use memchr::memmem::Finder;
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::http::Answer;
use super::json::{Found, Pointers};
use crate::history::{Cause, Key, OutcomeKind};
use crate::plan::{JsonMatch, Label, Rule, Step};

pub use explain::Explained;

/// A step's rules, made ready for many answers.
#[derive(Debug)]
pub struct Classifier {
    rules: Vec<CompiledRule>,
    pointers: Pointers,
}

#[derive(Debug)]
struct CompiledRule {
    rule: Rule,
    text: Option<Finder<'static>>,
    /// The numbers of pointers, and what is to stand there.
    json: Vec<(usize, JsonMatch)>,
    coupon: Option<usize>,
    kind: OutcomeKind,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// The kind of its outcome.
    pub kind: OutcomeKind,
    /// Index into [`crate::plan::Plan::labels`].
    pub label: u8,
    /// The coupon that it names.
    pub coupon: Key,
    /// [`Cause::Undeclared`] if no rule matches.
    pub cause: Cause,
}

impl Class {
    const fn plain(kind: OutcomeKind, cause: Cause) -> Self {
        // The first labels of a plan are the kinds themselves.
        Self {
            kind,
            label: kind as u8,
            coupon: Key::NONE,
            cause,
        }
    }
}

impl Classifier {
    /// The rules of this step.
    pub fn new(step: &Step, labels: &[Label]) -> Self {
        Self::of(&step.rules, labels)
    }

    /// These rules.
    pub fn of(rules: &[Rule], labels: &[Label]) -> Self {
        let mut pointers = Pointers::default();
        let compile = |rule: &Rule| CompiledRule::new(rule, labels, &mut pointers);
        let rules = rules.iter().map(compile).collect();
        Self { rules, pointers }
    }

    /// Whether one of the rules matches.
    pub fn is_match(&self, answer: &Answer) -> bool {
        let mut json = LazyJson::new(answer.body(), &self.pointers);
        self.rules
            .iter()
            .any(|rule| rule.matches(answer, &mut json))
    }

    /// The answer's outcome. A step without rules takes 2xx and 3xx as `ok`, the rest as `error`.
    pub fn classify(&self, answer: &Answer) -> Class {
        if self.rules.is_empty() {
            let fine = (200..400).contains(&answer.status);
            return Class::plain(
                if fine {
                    OutcomeKind::Ok
                } else {
                    OutcomeKind::Error
                },
                Cause::None,
            );
        }
        let mut json = LazyJson::new(answer.body(), &self.pointers);
        let matching = self
            .rules
            .iter()
            .find(|rule| rule.matches(answer, &mut json));
        matching.map_or(
            Class::plain(OutcomeKind::Unknown, Cause::Undeclared),
            |rule| Class {
                kind: rule.kind,
                label: rule.rule.label,
                coupon: rule.coupon(&mut json),
                cause: if rule.kind == OutcomeKind::Unknown {
                    Cause::Undeclared
                } else {
                    Cause::None
                },
            },
        )
    }
}

impl CompiledRule {
    fn new(rule: &Rule, labels: &[Label], pointers: &mut Pointers) -> Self {
        let mut pointer = |text: &String| pointers.add(text);
        let label = labels.get(usize::from(rule.label));
        Self {
            text: rule
                .body
                .as_ref()
                .map(|text| Finder::new(text.as_bytes()).into_owned()),
            json: rule
                .json
                .iter()
                .map(|(at, wanted)| (pointer(at), wanted.clone()))
                .collect(),
            coupon: rule.coupon.as_ref().map(&mut pointer),
            kind: label.map_or(OutcomeKind::Unknown, |label| label.kind),
            rule: rule.clone(),
        }
    }

    /// Cheapest conditions first.
    fn matches(&self, answer: &Answer, json: &mut LazyJson<'_>) -> bool {
        let status = &self.rule.status;
        (status.is_empty() || status.iter().any(|status| status.matches(answer.status)))
            && self
                .rule
                .headers
                .iter()
                .all(|wanted| has_header(answer, wanted))
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.find(answer.body()).is_some())
            && (self.rule.empty).is_none_or(|empty| answer.body().is_empty() == empty)
            && (self.rule.matches.as_ref()).is_none_or(|pattern| pattern.is_match(answer.body()))
            && self
                .json
                .iter()
                .all(|(pointer, wanted)| wanted_json(json.at(*pointer), wanted))
    }

    fn coupon(&self, json: &mut LazyJson<'_>) -> Key {
        let found = self.coupon.and_then(|pointer| json.at(pointer));
        found.map_or(Key::NONE, key)
    }
}

/// The key of a coupon's id: of a text or a number, else none.
fn key(found: &RawValue) -> Key {
    if let Some(text) = plain_text(found) {
        return Key::of(text);
    }
    match found.get().as_bytes()[0] {
        b'"' => {
            serde_json::from_str::<String>(found.get()).map_or(Key::NONE, |text| Key::of(&text))
        }
        b'-' | b'0'..=b'9' => number(found).map_or(Key::NONE, |number| {
            number
                .as_u64()
                .map_or_else(|| Key::of(&number.to_string()), plain_key)
        }),
        _ => Key::NONE,
    }
}

/// A text in which nothing is escaped.
fn plain_text(found: &RawValue) -> Option<&str> {
    let text = found.get().strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

fn number(found: &RawValue) -> Option<Number> {
    serde_json::from_str(found.get()).ok()
}

fn plain_key(number: u64) -> Key {
    if number >> 63 == 0 {
        Key(number)
    } else {
        Key::of(&number.to_string())
    }
}

fn has_header(answer: &Answer, (name, value): &(String, Option<String>)) -> bool {
    let mut found = answer.header(name);
    match value {
        None => found.next().is_some(),
        Some(value) => found.any(|found| found == value.as_bytes()),
    }
}

fn wanted_json(found: Option<&RawValue>, wanted: &JsonMatch) -> bool {
    match wanted {
        JsonMatch::Equals(value) => found.is_some_and(|found| same(found, value)),
        JsonMatch::AnyOf(values) => {
            found.is_some_and(|found| values.iter().any(|value| same(found, value)))
        }
        JsonMatch::Exists(wanted) => found.is_some_and(|found| found.get() != "null") == *wanted,
    }
}

/// Whether the text says the value. JSON has one kind of number: 1 and 1.0 are the same.
fn same(found: &RawValue, wanted: &Value) -> bool {
    match wanted {
        Value::Null => found.get() == "null",
        Value::Bool(wanted) => found.get() == if *wanted { "true" } else { "false" },
        Value::Number(wanted) => {
            number(found).is_some_and(|found| found == *wanted || found.as_f64() == wanted.as_f64())
        }
        Value::String(wanted) => match plain_text(found) {
            Some(found) => found == wanted,
            None => serde_json::from_str::<String>(found.get()).is_ok_and(|found| found == *wanted),
        },
        Value::Array(_) | Value::Object(_) => {
            serde_json::from_str::<Value>(found.get()).is_ok_and(|found| found == *wanted)
        }
    }
}

/// The body as JSON, read when the first rule asks for it.
struct LazyJson<'a> {
    body: &'a [u8],
    pointers: &'a Pointers,
    found: Option<Found<'a>>,
}

impl<'a> LazyJson<'a> {
    const fn new(body: &'a [u8], pointers: &'a Pointers) -> Self {
        Self {
            body,
            pointers,
            found: None,
        }
    }

    fn at(&mut self, pointer: usize) -> Option<&'a RawValue> {
        let find = || self.pointers.find(self.body);
        self.found.get_or_insert_with(find)[pointer]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Body, StatusMatch, Template};
    use serde_json::json;
    use std::time::Duration;

    fn rule(kind: OutcomeKind) -> Rule {
        Rule {
            matches: None,
            empty: None,
            label: kind as u8,
            status: vec![],
            body: None,
            json: vec![],
            headers: vec![],
            coupon: None,
        }
    }

    fn classifier(rules: Vec<Rule>) -> Classifier {
        let step = Step {
            name: "issue".to_owned(),
            method: "POST".to_owned(),
            path: Template::literal("/"),
            query: vec![],
            headers: vec![],
            body: Body::None,
            timeout: Duration::from_secs(1),
            rules,
            captures: Vec::new(),
            poll: None,
            attempts_subject: true,
        };
        Classifier::new(&step, &Label::built_in())
    }

    fn answer(status: u16, body: &str) -> Answer {
        let mut answer = Answer::default();
        answer.status = status;
        answer.push_body(body.as_bytes());
        answer
    }

    #[test]
    fn one_status_is_told_apart_by_its_text() {
        let with = |kind, text: &str| Rule {
            status: vec![StatusMatch::Exactly(400)],
            body: Some(text.to_owned()),
            ..rule(kind)
        };
        let classifier = classifier(vec![
            with(OutcomeKind::SoldOut, "stock is empty"),
            with(OutcomeKind::Duplicate, "이미 발급된"),
        ]);
        let kind = |body| classifier.classify(&answer(400, body)).kind;
        assert_eq!(kind("Coupon stock is empty"), OutcomeKind::SoldOut);
        assert_eq!(kind("이미 발급된 쿠폰입니다."), OutcomeKind::Duplicate);
        assert_eq!(kind("bad request"), OutcomeKind::Unknown);
    }

    #[test]
    fn a_200_for_everything_is_told_apart_by_json() {
        let result = |kind, value: Value| Rule {
            json: vec![("/result".to_owned(), JsonMatch::Equals(value))],
            coupon: Some("/couponId".to_owned()),
            ..rule(kind)
        };
        let classifier = classifier(vec![
            result(OutcomeKind::Issued, json!("SUCCESS")),
            result(OutcomeKind::SoldOut, json!(1.0)),
        ]);
        let issued = classifier.classify(&answer(200, r#"{"result":"SUCCESS","couponId":17}"#));
        assert_eq!((issued.kind, issued.coupon), (OutcomeKind::Issued, Key(17)));
        let sold_out = classifier.classify(&answer(200, r#"{"result":1}"#));
        assert_eq!(sold_out.kind, OutcomeKind::SoldOut);
        for body in ["", "<html>", "{\"result\":", "{}"] {
            let class = classifier.classify(&answer(200, body));
            assert_eq!(class.cause, Cause::Undeclared, "{body:?}");
        }
    }

    #[test]
    fn more_pointers_than_one_pass_follows_are_followed_all_the_same() {
        let rule = |at: u64| Rule {
            json: vec![(format!("/k{at}"), JsonMatch::Equals(json!(at)))],
            ..rule(OutcomeKind::Issued)
        };
        let classifier = classifier((0..100).map(rule).collect());
        for at in [0, 63, 64, 99] {
            let class = classifier.classify(&answer(200, &format!("{{\"k{at}\":{at}}}")));
            assert_eq!(class.kind, OutcomeKind::Issued, "{at}");
        }
        let class = classifier.classify(&answer(200, "{\"k100\":100}"));
        assert_eq!(class.kind, OutcomeKind::Unknown);
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        let classifier = classifier(vec![
            Rule {
                status: vec![StatusMatch::Class(2)],
                ..rule(OutcomeKind::Issued)
            },
            rule(OutcomeKind::Refused),
        ]);
        assert_eq!(
            classifier.classify(&answer(204, "")).kind,
            OutcomeKind::Issued
        );
        assert_eq!(
            classifier.classify(&answer(503, "")).kind,
            OutcomeKind::Refused
        );
    }

    #[test]
    fn an_expression_or_an_empty_body_can_tell() {
        let classifier = classifier(vec![
            Rule {
                empty: Some(true),
                ..rule(OutcomeKind::Issued)
            },
            Rule {
                matches: Some("(?i)sold.?out|매진".parse().expect("a pattern")),
                ..rule(OutcomeKind::SoldOut)
            },
        ]);
        let table = [
            ("", OutcomeKind::Issued),
            ("Sold-Out!", OutcomeKind::SoldOut),
            ("쿠폰 매진", OutcomeKind::SoldOut),
            ("{}", OutcomeKind::Unknown),
        ];
        for (body, kind) in table {
            assert_eq!(
                classifier.classify(&answer(200, body)).kind,
                kind,
                "{body:?}"
            );
        }
    }

    #[test]
    fn a_header_can_tell() {
        let mut queued = answer(200, "");
        queued.push_header(b"X-Result", b"SOLD");
        let with = |value: Option<&str>| {
            let header = ("x-result".to_owned(), value.map(str::to_owned));
            classifier(vec![Rule {
                headers: vec![header],
                ..rule(OutcomeKind::SoldOut)
            }])
        };
        assert_eq!(
            with(Some("SOLD")).classify(&queued).kind,
            OutcomeKind::SoldOut
        );
        assert_eq!(with(None).classify(&queued).kind, OutcomeKind::SoldOut);
        assert_eq!(
            with(Some("OK")).classify(&queued).kind,
            OutcomeKind::Unknown
        );
    }

    #[test]
    fn a_plain_request_is_judged_by_its_status() {
        let classifier = classifier(vec![]);
        assert_eq!(classifier.classify(&answer(302, "")).kind, OutcomeKind::Ok);
        assert_eq!(
            classifier.classify(&answer(404, "")).kind,
            OutcomeKind::Error
        );
    }
}
