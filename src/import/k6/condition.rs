//! Conditions on an answer: which answers does the script tell apart?

use std::collections::BTreeSet;

use serde_json::Value as Json;
use tree_sitter::Node;

use super::flow::Case;
use super::script::Script;
use super::syntax::{children, field};
use super::value::Val;

impl<'t> Script<'t> {
    /// The answers for which the condition holds, as alternatives; `None` if it is about something
    /// else, or says only what an answer is not.
    pub(super) fn cases(&mut self, node: Node<'t>) -> Option<Vec<Case>> {
        match node.kind() {
            "parenthesized_expression" => self.cases(*children(node).first()?),
            "binary_expression" => self.compared(node),
            "call_expression" => self.contained(node).map(|case| vec![case]),
            "member_expression" | "subscript_expression" | "identifier" => match self.eval(node) {
                Val::Pointer(request, pointer) => Some(vec![Case {
                    json: vec![(pointer, None)],
                    ..Case::any(request)
                }]),
                _ => None,
            },
            _ => None,
        }
    }

    /// Of a function's body: the condition that it returns.
    pub(super) fn returned_cases(&mut self, block: Node<'t>) -> Option<Vec<Case>> {
        let mut cases = None;
        for statement in children(block) {
            if statement.kind() == "return_statement" {
                cases = self.cases(*children(statement).first()?);
            } else {
                self.statement(statement);
            }
        }
        cases
    }

    fn compared(&mut self, node: Node<'t>) -> Option<Vec<Case>> {
        let (left, right) = (field(node, "left")?, field(node, "right")?);
        match self.source(field(node, "operator")?) {
            "||" => Some([self.cases(left)?, self.cases(right)?].concat()),
            "&&" => match (self.cases(left), self.cases(right)) {
                (Some(left), Some(right)) => {
                    let pairs = left
                        .iter()
                        .flat_map(|one| right.iter().map(move |other| one.and(other)));
                    pairs.collect()
                }
                // `body && body.code === ...`: the part that is understood.
                (left, right) => left.or(right),
            },
            "===" | "==" => {
                let (left, right) = (self.eval(left), self.eval(right));
                equal(&left, &right)
                    .or_else(|| equal(&right, &left))
                    .map(|case| vec![case])
            }
            operator => {
                let (left, right) = (self.eval(left), self.eval(right));
                let (Val::Status(request), Val::Number(limit)) = (left, right) else {
                    return None;
                };
                let holds = |status: &u16| match operator {
                    ">=" => f64::from(*status) >= limit,
                    ">" => f64::from(*status) > limit,
                    "<" => f64::from(*status) < limit,
                    "<=" => f64::from(*status) <= limit,
                    _ => false,
                };
                let status: BTreeSet<u16> = (100..600).filter(holds).collect();
                (!status.is_empty()).then(|| {
                    vec![Case {
                        status: Some(status),
                        ..Case::any(request)
                    }]
                })
            }
        }
    }

    /// `[200, 409].includes(r.status)` and `r.body.includes('...')`.
    fn contained(&mut self, node: Node<'t>) -> Option<Case> {
        let function =
            field(node, "function").filter(|function| function.kind() == "member_expression")?;
        if self.source(field(function, "property")?) != "includes" {
            return match self.eval(node) {
                Val::Pointer(request, pointer) => Some(Case {
                    json: vec![(pointer, None)],
                    ..Case::any(request)
                }),
                _ => None,
            };
        }
        let object = self.eval(field(function, "object")?);
        let wanted = self.eval(*children(field(node, "arguments")?).first()?);
        match (object, wanted) {
            (Val::List(items), Val::Status(request)) => {
                let numbers = items
                    .iter()
                    .filter_map(|item| item.as_number().map(|number| number as u16));
                Some(Case {
                    status: Some(numbers.collect()),
                    ..Case::any(request)
                })
            }
            (Val::Body(request), wanted) => Some(Case {
                body: Some(wanted.as_text()?),
                ..Case::any(request)
            }),
            _ => None,
        }
    }
}

/// The answers in which the first value equals the second.
pub(super) fn equal(found: &Val<'_>, wanted: &Val<'_>) -> Option<Case> {
    match (found, wanted) {
        (Val::Status(request), Val::Number(status)) => {
            let status = BTreeSet::from([*status as u16]);
            Some(Case {
                status: Some(status),
                ..Case::any(*request)
            })
        }
        (Val::Pointer(request, pointer), wanted) => {
            let json = vec![(pointer.clone(), Some(literal(wanted)?))];
            Some(Case {
                json,
                ..Case::any(*request)
            })
        }
        (Val::Body(request), wanted) => {
            let body = wanted.as_text().filter(|text| !text.is_empty())?;
            Some(Case {
                body: Some(body),
                ..Case::any(*request)
            })
        }
        _ => None,
    }
}

fn literal(value: &Val<'_>) -> Option<Json> {
    match value {
        Val::Bool(value) => Some(Json::from(*value)),
        Val::Number(number) if number.fract() == 0.0 => Some(Json::from(*number as i64)),
        Val::Number(number) => Some(Json::from(*number)),
        Val::Text(_) => value.as_text().map(Json::from),
        _ => None,
    }
}
