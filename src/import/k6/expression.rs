//! What the script's expressions come to.

use tree_sitter::Node;

use super::records::column;
use super::script::Script;
use super::syntax::{children, field, line, unescaped};
use super::value::{Opaque, Piece, Place, Val, Written, arithmetic, joined};

impl<'t> Script<'t> {
    pub(super) fn eval(&mut self, node: Node<'t>) -> Val<'t> {
        match node.kind() {
            "identifier" => self.identifier(node),
            "number" => number(self.source(node)).map_or_else(|| self.opaque(node), Val::Number),
            "string" | "template_string" => self.string(node),
            "true" => Val::Bool(true),
            "false" => Val::Bool(false),
            "null" => Val::Null,
            "undefined" => Val::Undefined,
            "object" => self.object(node),
            "array" => Val::List(
                children(node)
                    .into_iter()
                    .map(|item| self.eval(item))
                    .collect(),
            ),
            "parenthesized_expression" | "await_expression" | "sequence_expression" => {
                let inner = children(node);
                inner
                    .into_iter()
                    .map(|one| self.eval(one))
                    .last()
                    .unwrap_or(Val::Undefined)
            }
            "arrow_function" | "function_expression" => Val::Function(node),
            "member_expression" | "subscript_expression" => self.access(node),
            "call_expression" => self.call(node),
            "new_expression" => self.construct(node),
            "binary_expression" => self.binary(node),
            "unary_expression" => self.unary(node),
            "ternary_expression" => self.ternary(node),
            "assignment_expression" => self.assignment(node),
            _ => self.opaque(node),
        }
    }

    fn identifier(&self, node: Node<'t>) -> Val<'t> {
        let name = self.source(node);
        let known = self.lookup(name).cloned();
        known
            .or_else(|| of_k6(name))
            .unwrap_or_else(|| Val::Name(name.to_owned()))
    }

    fn string(&mut self, node: Node<'t>) -> Val<'t> {
        let mut pieces = Vec::new();
        for part in children(node) {
            match part.kind() {
                "escape_sequence" => pieces.push(Piece::Literal(unescaped(self.source(part)))),
                "template_substitution" => {
                    let value = children(part).first().map(|inner| self.named(*inner));
                    pieces.extend(value.unwrap_or(Val::Undefined).pieces());
                }
                _ => pieces.push(Piece::Literal(self.source(part).to_owned())),
            }
        }
        Val::Text(joined(pieces))
    }

    /// The value; what cannot be followed keeps the words and the line of its place here.
    pub(super) fn named(&mut self, node: Node<'t>) -> Val<'t> {
        match self.eval(node) {
            Val::Unknown(opaque) if opaque.line > 0 => Val::Unknown(opaque),
            Val::Undefined if node.kind() == "undefined" => Val::Undefined,
            Val::Name(_) | Val::Undefined | Val::Unknown(_) => self.opaque(node),
            value => value,
        }
    }

    fn object(&mut self, node: Node<'t>) -> Val<'t> {
        let mut members = Vec::new();
        for part in children(node) {
            match part.kind() {
                "pair" => members.extend(self.pair(part)),
                "shorthand_property_identifier" => {
                    let value = self.identifier(part);
                    members.push((self.source(part).to_owned(), value));
                }
                "spread_element" => {
                    let inner = children(part).first().map(|inner| self.eval(*inner));
                    members.extend_from_slice(inner.as_ref().map_or(&[], Val::members));
                }
                _ => {}
            }
        }
        Val::Map(members)
    }

    fn pair(&mut self, node: Node<'t>) -> Option<(String, Val<'t>)> {
        let (key, value) = (field(node, "key")?, field(node, "value")?);
        let name = match key.kind() {
            "string" => self.string(key).as_text()?,
            "computed_property_name" => self.eval(*children(key).first()?).as_text()?,
            _ => self.source(key).to_owned(),
        };
        let value = self.named(value);
        if key.kind() == "property_identifier" {
            self.called(&name, &value);
        }
        let value = self.users.seen(&name, value, line(node), &mut self.notes);
        Some((name, value))
    }

    fn access(&mut self, node: Node<'t>) -> Val<'t> {
        let Some(object) = field(node, "object") else {
            return self.opaque(node);
        };
        let object = self.eval(object);
        if let Some(name) = field(node, "property") {
            self.cookies |= self.source(name) == "cookies" && matches!(object, Val::Answer(_));
            return self.member(&object, self.source(name), node);
        }
        if let (Val::Records(source), Some(index)) = (&object, field(node, "index")) {
            return self.record(source, index);
        }
        let Some(index) = field(node, "index").map(|index| self.eval(index)) else {
            return self.opaque(node);
        };
        match (&object, index.as_number(), index.as_text()) {
            (Val::List(items), Some(at), _) => {
                items.get(at as usize).cloned().unwrap_or(Val::Undefined)
            }
            (_, Some(at), _) => self.member(&object, &at.to_string(), node),
            (_, None, Some(name)) => self.member(&object, &name, node),
            _ => self.opaque(node),
        }
    }

    pub(super) fn member(&self, object: &Val<'t>, name: &str, node: Node<'t>) -> Val<'t> {
        match object {
            Val::Map(_) => object.get(name).cloned().unwrap_or(Val::Undefined),
            Val::List(items) if name == "length" => Val::Number(items.len() as f64),
            Val::Name(before) => {
                let path = format!("{before}.{name}");
                of_k6(&path).unwrap_or(Val::Name(path))
            }
            Val::Answer(request) => match name {
                "status" => Val::Status(*request),
                "body" => Val::Body(*request),
                "headers" => Val::Header(*request, String::new()),
                "cookies" => Val::Cookie(*request, String::new()),
                _ => self.opaque(node),
            },
            Val::Header(request, _) => Val::Header(*request, name.to_lowercase()),
            Val::Cookie(request, before) if before.is_empty() => {
                Val::Cookie(*request, name.to_owned())
            }
            // `res.cookies.SID[0].value`
            Val::Cookie(..) => object.clone(),
            // Its length depends on the file; anything else is a part of it that holds the records.
            Val::Records(_) if name != "length" => object.clone(),
            Val::Record(kind) => column(*kind, name).unwrap_or_else(|| self.opaque(node)),
            Val::Pointer(request, pointer) => {
                let name = name.replace('~', "~0").replace('/', "~1");
                Val::Pointer(*request, format!("{pointer}/{name}"))
            }
            Val::Unknown(Opaque { line: 0, .. }) => self.opaque(node),
            // What is not known stays what it is called where it comes from.
            Val::Unknown(opaque) => {
                let source = format!("{}.{name}", opaque.source);
                Val::Unknown(Opaque {
                    line: opaque.line,
                    source,
                })
            }
            _ => self.opaque(node),
        }
    }

    fn binary(&mut self, node: Node<'t>) -> Val<'t> {
        let parts = (
            field(node, "left"),
            field(node, "operator"),
            field(node, "right"),
        );
        let (Some(left), Some(operator), Some(right)) = parts else {
            return self.opaque(node);
        };
        let left = self.eval(left);
        let operator = self.source(operator);
        let missing = matches!(
            left,
            Val::Undefined | Val::Null | Val::Place(Place::Environment(_), _)
        );
        // What is not known without running it is taken to be there.
        let takes_right = match operator {
            "||" => Some(left.is_falsy() == Some(true)),
            "&&" => left.is_falsy().map(|falsy| !falsy),
            "??" => Some(missing),
            _ => None,
        };
        match takes_right {
            Some(true) => return self.eval(right),
            Some(false) => return left,
            None => {}
        }
        let right = self.eval(right);
        if let Some(same) = compared(&left, &right) {
            match operator {
                "===" | "==" => return Val::Bool(same),
                "!==" | "!=" => return Val::Bool(!same),
                _ => {}
            }
        }
        self.computed(operator, &left, &right, node)
    }

    fn computed(
        &mut self,
        operator: &str,
        left: &Val<'t>,
        right: &Val<'t>,
        node: Node<'t>,
    ) -> Val<'t> {
        let Some(value) = arithmetic(operator, left, right) else {
            return self.opaque(node);
        };
        // A random number is known by its limits; of the others only the order gets lost.
        let renumbered = matches!(&value, Val::Place(place, _) if place.identifies()
            && !matches!(place, Place::Random(..)) || matches!((left, right), (Val::Place(..), Val::Place(..))));
        if renumbered {
            let source = super::syntax::shortened(self.source(node));
            self.note(
                line(node),
                format!("`{source}` is not computed: users are numbered from 1"),
            );
        }
        value
    }

    fn unary(&mut self, node: Node<'t>) -> Val<'t> {
        let (Some(operator), Some(argument)) = (field(node, "operator"), field(node, "argument"))
        else {
            return self.opaque(node);
        };
        let value = self.eval(argument);
        match (self.source(operator), value.as_number()) {
            ("-", Some(number)) => Val::Number(-number),
            ("+", Some(number)) => Val::Number(number),
            ("+", None) => value,
            ("!", _) => value
                .is_falsy()
                .map_or_else(|| self.opaque(node), Val::Bool),
            _ => self.opaque(node),
        }
    }

    fn ternary(&mut self, node: Node<'t>) -> Val<'t> {
        let condition = field(node, "condition").map(|condition| self.eval(condition));
        let side = match condition.as_ref().and_then(Val::is_falsy) {
            Some(true) => "alternative",
            _ => "consequence",
        };
        field(node, side).map_or(Val::Undefined, |side| self.eval(side))
    }

    fn assignment(&mut self, node: Node<'t>) -> Val<'t> {
        let value = field(node, "right").map_or(Val::Undefined, |right| self.eval(right));
        match field(node, "left") {
            Some(left) if left.kind() == "identifier" => {
                self.assign(self.source(left), value.clone(), line(node));
            }
            Some(left) => self.assign_member(left, &value),
            None => {}
        }
        value
    }

    /// `params.headers['X'] = value`, for names that are maps.
    fn assign_member(&mut self, left: Node<'t>, value: &Val<'t>) {
        let Some((name, path)) = self.path(left) else {
            return;
        };
        let Some(mut map) = self.lookup(&name).cloned() else {
            return;
        };
        let mut place = &mut map;
        for key in path {
            let Val::Map(members) = place else { return };
            let at = members
                .iter()
                .position(|(name, _)| *name == key)
                .unwrap_or_else(|| {
                    members.push((key.clone(), Val::Map(Vec::new())));
                    members.len() - 1
                });
            place = &mut members[at].1;
        }
        *place = value.clone();
        self.assign(&name, map, line(left));
    }

    fn path(&mut self, node: Node<'t>) -> Option<(String, Vec<String>)> {
        if node.kind() == "identifier" {
            return Some((self.source(node).to_owned(), Vec::new()));
        }
        let (name, mut path) = self.path(field(node, "object")?)?;
        let key = match field(node, "property") {
            Some(property) => self.source(property).to_owned(),
            None => self.eval(field(node, "index")?).as_text()?,
        };
        path.push(key);
        Some((name, path))
    }
}

fn unset<'t>(value: &Val<'t>) -> Val<'t> {
    match value {
        Val::Place(Place::Environment(_), _) => Val::Undefined,
        value => value.clone(),
    }
}

/// Whether the two are the same, where that is known without running the script; environment
/// variables are taken to be unset.
fn compared(left: &Val<'_>, right: &Val<'_>) -> Option<bool> {
    let (left, right) = (unset(left), unset(right));
    let known = |value: &Val<'_>| {
        let plain = matches!(
            value,
            Val::Undefined | Val::Null | Val::Bool(_) | Val::Number(_)
        );
        plain || value.as_text().is_some()
    };
    (known(&left) && known(&right)).then(|| left == right)
}

/// The values that k6 gives to its scripts.
fn of_k6(name: &str) -> Option<Val<'static>> {
    let place = match name.strip_prefix("exec.").unwrap_or(name) {
        "__VU" | "vu.idInTest" | "vu.idInInstance" => Place::Vu,
        "__ITER" | "vu.iterationInScenario" | "vu.iterationInInstance" => Place::Iteration,
        "scenario.iterationInTest" | "scenario.iterationInInstance" => Place::Sequence,
        _ => {
            let variable = name.strip_prefix("__ENV.")?.to_owned();
            return Some(Val::Place(Place::Environment(variable), Written::AsText));
        }
    };
    Some(Val::Place(place, Written::AsNumber))
}

fn number(source: &str) -> Option<f64> {
    let plain = source.replace('_', "");
    let hexadecimal = plain
        .strip_prefix("0x")
        .or_else(|| plain.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16)
            .ok()
            .map(|number| number as f64),
        None => plain.parse().ok(),
    }
}
