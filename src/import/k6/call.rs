//! Calls: k6's own functions by what they do, the script's by following them.

use tree_sitter::Node;

use super::flow::{Action, Request};
use super::records::{self, Take};
use super::script::Script;
use super::syntax::{children, field, line, shortened};
use super::value::{Piece, Place, Range, Val, Written};

impl<'t> Script<'t> {
    pub(super) fn call(&mut self, node: Node<'t>) -> Val<'t> {
        let Some(function) = field(node, "function") else {
            return self.opaque(node);
        };
        let arguments = field(node, "arguments");
        let given = match arguments {
            Some(list) if list.kind() == "arguments" => children(list),
            // A tagged template: http.url`...`.
            Some(text) => vec![text],
            None => Vec::new(),
        };
        if function.kind() == "member_expression"
            && let (Some(object), Some(name)) =
                (field(function, "object"), field(function, "property"))
        {
            let object = self.eval(object);
            if matches!(object, Val::File(_) | Val::Records(_) | Val::Record(_)) {
                return self.method_of_file(&object, self.source(name), &given, node);
            }
            if !matches!(object, Val::Name(_) | Val::Map(_)) {
                return self.method(&object, self.source(name), &given, node);
            }
        }
        match self.eval(function) {
            Val::Function(inner) => {
                let arguments: Vec<_> = given
                    .into_iter()
                    .map(|argument| self.eval(argument))
                    .collect();
                self.invoke(inner, &arguments)
            }
            Val::Name(name) => self.builtin(&name, &given, node),
            _ => self.opaque(node),
        }
    }

    fn method(
        &mut self,
        object: &Val<'t>,
        name: &str,
        given: &[Node<'t>],
        node: Node<'t>,
    ) -> Val<'t> {
        match (object, name) {
            (Val::Answer(request), "json") => {
                let selector = given.first().map(|selector| self.eval(*selector));
                let selector = selector.and_then(|selector| selector.as_text());
                let steps = selector.iter().flat_map(|path| path.split('.'));
                Val::Pointer(*request, steps.flat_map(|step| ["/", step]).collect())
            }
            (Val::Place(place, _), "toString") => Val::Place(place.clone(), Written::AsText),
            (Val::Number(number), "toString" | "toFixed") => Val::text(number.to_string()),
            (
                value,
                "toString" | "trim" | "padStart" | "slice" | "substring" | "replace" | "toFixed"
                | "toUpperCase" | "toLowerCase",
            ) => value.clone(),
            (Val::List(_) | Val::Unknown(_), "forEach" | "map") => {
                if let Some(Val::Function(inner)) = given.first().map(|inner| self.eval(*inner)) {
                    let before = self.requests.len();
                    self.invoke(inner, &[]);
                    if self.requests.len() > before {
                        self.note(line(node), "a loop: its requests are sent once");
                    }
                }
                self.opaque(node)
            }
            _ => self.opaque(node),
        }
    }

    fn builtin(&mut self, name: &str, given: &[Node<'t>], node: Node<'t>) -> Val<'t> {
        let first = given.first().copied();
        match name {
            "JSON.stringify" => Val::Json(Box::new(self.argument(first))),
            "JSON.parse" => match self.argument(first) {
                Val::Body(request) => Val::Pointer(request, String::new()),
                Val::File(file) => self.parsed(file, None, node),
                _ => self.opaque(node),
            },
            "open" | "fs.open" => {
                let file = self.argument(first).as_text();
                file.map_or_else(|| self.opaque(node), Val::File)
            }
            "randomItem" => match self.argument(first) {
                Val::Records(source) => self.take(&source, Take::AtRandom, node),
                _ => self.opaque(node),
            },
            "Math.random" => Val::Place(
                Place::Random(Range {
                    low: 0.0,
                    high: 1.0,
                    whole: false,
                    cycles: false,
                }),
                Written::AsNumber,
            ),
            "Math.floor" | "Math.ceil" | "Math.round" | "Math.trunc" => {
                rounded(name, self.argument(first))
            }
            "Math.min" | "Math.max" => self.extreme(name, given, node),
            "parseInt" => rounded("Math.trunc", numeric(self.argument(first))),
            "parseFloat" | "Number" => numeric(self.argument(first)),
            "String" | "encodeURIComponent" | "http.url" => self.argument(first),
            "Date.now" => Val::Place(Place::Time, Written::AsNumber),
            "randomIntBetween" => self.between(given, node),
            "check" => self.check(given),
            "sleep" => self.sleep(first, node),
            "group" => match given.get(1).map(|inner| self.eval(*inner)) {
                Some(Val::Function(inner)) => self.invoke(inner, &[]),
                _ => self.opaque(node),
            },
            "http.request" | "http.asyncRequest" => {
                let method = self.argument(first).as_text().unwrap_or_default();
                let method = method.to_lowercase();
                self.request(&method, &given[1.min(given.len())..], node)
            }
            name if name.ends_with("uuidv4") || name.ends_with("randomUUID") => {
                Val::Place(Place::Uuid, Written::AsText)
            }
            name if name.rsplit('.').next() == Some("parse") => {
                let given = records::plain(self, given);
                match given.first() {
                    Some(Val::File(file)) => self.parsed(file.clone(), given.get(1), node),
                    _ => self.opaque(node),
                }
            }
            "http.cookieJar" => {
                self.cookies = true;
                self.opaque(node)
            }
            name => match name.strip_prefix("http.") {
                Some(method) => self.request(method, given, node),
                None => self.other(name, node),
            },
        }
    }

    fn argument(&mut self, node: Option<Node<'t>>) -> Val<'t> {
        node.map_or(Val::Undefined, |node| self.named(node))
    }

    /// What neither sends nor decides anything is passed over in silence.
    fn other(&mut self, name: &str, node: Node<'t>) -> Val<'t> {
        const SILENT: [&str; 5] = ["console.", "fail", "exec.test", "Object.", "Array."];
        // Where its value is used, the place of the value is noted.
        let alone = node
            .parent()
            .is_some_and(|parent| parent.kind() == "expression_statement");
        // Metrics of the script's own count what outcomes count here.
        let counts = name.rsplit('.').next() == Some("add");
        let silent = counts || SILENT.iter().any(|silent| name.starts_with(silent));
        if alone && !silent {
            let source = shortened(self.source(node));
            self.note(line(node), format!("`{source}` is not understood"));
        }
        self.opaque(node)
    }

    pub(super) fn construct(&mut self, node: Node<'t>) -> Val<'t> {
        let name = field(node, "constructor")
            .map(|name| self.source(name))
            .unwrap_or_default();
        match name {
            "Counter" | "Rate" | "Trend" | "Gauge" => Val::Name("metric".to_owned()),
            "Date" => Val::Place(Place::Time, Written::AsText),
            "SharedArray" => self.shared_array(&records::arguments(node), node),
            _ => self.opaque(node),
        }
    }

    fn extreme(&mut self, name: &str, given: &[Node<'t>], node: Node<'t>) -> Val<'t> {
        let numbers: Option<Vec<f64>> = given
            .iter()
            .map(|one| self.eval(*one).as_number())
            .collect();
        let choose = if name == "Math.min" {
            f64::min
        } else {
            f64::max
        };
        let found = numbers.and_then(|numbers| numbers.into_iter().reduce(choose));
        found.map_or_else(|| self.opaque(node), Val::Number)
    }

    fn between(&mut self, given: &[Node<'t>], node: Node<'t>) -> Val<'t> {
        let limits: Vec<_> = given
            .iter()
            .filter_map(|limit| self.eval(*limit).as_number())
            .collect();
        match limits.as_slice() {
            [low, high] => Val::Place(
                Place::Random(Range {
                    low: *low,
                    high: high + 1.0,
                    whole: true,
                    cycles: false,
                }),
                Written::AsNumber,
            ),
            _ => self.opaque(node),
        }
    }

    fn sleep(&mut self, seconds: Option<Node<'t>>, node: Node<'t>) -> Val<'t> {
        match self.argument(seconds) {
            Val::Number(seconds) => self.actions.push(Action::Think(seconds, seconds)),
            Val::Place(Place::Random(range), _) => {
                // Whole numbers end at the last, others before the limit.
                let to = if range.whole {
                    range.high - 1.0
                } else {
                    range.high
                };
                self.actions.push(Action::Think(range.low, to));
            }
            _ => {
                let source = shortened(self.source(node));
                self.note(
                    line(node),
                    format!("the length of `{source}` is not known: no pause"),
                );
            }
        }
        Val::Undefined
    }

    /// `check(res, { 'name': (r) => ... })`.
    fn check(&mut self, given: &[Node<'t>]) -> Val<'t> {
        let [answer, checks, ..] = given else {
            return Val::Undefined;
        };
        let answer = self.eval(*answer);
        let Val::Map(checks) = self.eval(*checks) else {
            return Val::Undefined;
        };
        for (name, check) in checks {
            if let Val::Function(function) = check {
                self.checked(&name, function, &answer);
            }
        }
        Val::Undefined
    }

    fn checked(&mut self, name: &str, function: Node<'t>, answer: &Val<'t>) {
        let Some(body) = field(function, "body") else {
            return;
        };
        let parameter = field(function, "parameter").or_else(|| {
            field(function, "parameters").and_then(|all| children(all).first().copied())
        });
        let parameter = parameter
            .map(|parameter| self.source(parameter))
            .unwrap_or_default();
        let answer = answer.clone();
        let cases = self.with(parameter, answer, |script| match body.kind() {
            "statement_block" => script.returned_cases(body),
            _ => script.cases(body),
        });
        if let Some(cases) = cases {
            self.told(cases, name, line(function));
        } else {
            let source = shortened(self.source(body));
            let text = format!("the check `{}` is left out: `{source}`", shortened(name));
            self.note(line(function), text);
        }
    }

    fn request(&mut self, method: &str, given: &[Node<'t>], node: Node<'t>) -> Val<'t> {
        let method = match method {
            "get" => "get",
            "post" => "post",
            "put" => "put",
            "patch" => "patch",
            "del" | "delete" => "delete",
            "head" => "head",
            _ => {
                let source = shortened(self.source(node));
                self.note(line(node), format!("`{source}` is not understood"));
                return self.opaque(node);
            }
        };
        // k6's get and head have no place for a body.
        let bodiless =
            matches!(method, "get" | "head") && !self.source(node).starts_with("http.request");
        let (body, params) = if bodiless {
            (None, given.get(1))
        } else {
            (given.get(1), given.get(2))
        };
        let url = self.argument(given.first().copied()).pieces();
        let body = self.argument(body.copied());
        let params = params.map_or(Val::Undefined, |params| self.eval(*params));
        self.actions.push(Action::Request(self.requests.len()));
        let answers = Vec::new();
        self.requests.push(Request {
            line: line(node),
            method,
            url,
            body,
            params,
            answers,
            captures: Vec::new(),
        });
        Val::Answer(self.requests.len() - 1)
    }
}

fn rounded<'t>(name: &str, value: Val<'t>) -> Val<'t> {
    match value {
        Val::Number(number) => Val::Number(match name {
            "Math.floor" => number.floor(),
            "Math.ceil" => number.ceil(),
            "Math.round" => number.round(),
            _ => number.trunc(),
        }),
        Val::Place(Place::Random(range), written) => Val::Place(
            Place::Random(Range {
                whole: true,
                ..range
            }),
            written,
        ),
        value => value,
    }
}

fn numeric(value: Val<'_>) -> Val<'_> {
    match (value.as_number(), value) {
        (Some(number), _) => Val::Number(number),
        (None, Val::Text(pieces)) => match pieces.as_slice() {
            [Piece::Place(place)] => Val::Place(place.clone(), Written::AsNumber),
            _ => Val::Text(pieces),
        },
        (None, Val::Place(place, _)) => Val::Place(place, Written::AsNumber),
        (None, value) => value,
    }
}
