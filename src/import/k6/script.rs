//! Walks through the script's statements without running them: every branch once, every loop once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tree_sitter::Node;

use super::flow::{Action, Case, Flow, Request, Told};
use super::records::{Source, Taken};
use super::syntax::{children, field, line, shortened};
use super::users::Users;
use super::value::{Found, Opaque, Place, Val};
use crate::import::Note;

/// Functions that call each other deeper than this are not followed.
const DEEPEST: usize = 16;

/// After so many calls a script is taken to call itself.
const MOST_CALLS: usize = 10_000;

/// As many statuses as two classes have; a condition on more, such as `status < 500`, excludes.
const TWO_CLASSES: usize = 200;

/// The script under way: names with their values, and what was found so far.
pub(super) struct Script<'t> {
    pub(super) text: &'t str,
    scopes: Vec<HashMap<String, Val<'t>>>,
    depth: usize,
    calls: usize,
    pub(super) requests: Vec<Request<'t>>,
    pub(super) actions: Vec<Action>,
    pub(super) users: Users<'t>,
    /// The file that the users come from.
    pub(super) records: Option<Taken>,
    /// What the script makes of each record of a file.
    pub(super) shapes: Vec<(Source, Val<'t>)>,
    /// Whether the script looks at cookies.
    pub(super) cookies: bool,
    /// What the script calls the values of answers.
    pub(super) names: BTreeMap<(usize, Found), String>,
    /// Columns of the users' file that requests use.
    pub(super) columns: Vec<String>,
    pub(super) notes: BTreeSet<Note>,
}

impl<'t> Script<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            scopes: vec![HashMap::new()],
            depth: 0,
            calls: 0,
            requests: Vec::new(),
            actions: Vec::new(),
            users: Users::default(),
            records: None,
            shapes: Vec::new(),
            cookies: false,
            names: BTreeMap::new(),
            columns: Vec::new(),
            notes: BTreeSet::new(),
        }
    }

    pub(super) fn source(&self, node: Node<'t>) -> &'t str {
        &self.text[node.byte_range()]
    }

    pub(super) fn note(&mut self, line: usize, text: impl Into<String>) {
        let text = text.into();
        self.notes.insert(Note { line, text });
    }

    pub(super) fn opaque(&self, node: Node<'t>) -> Val<'t> {
        let source = shortened(self.source(node));
        Val::Unknown(Opaque {
            line: line(node),
            source,
        })
    }

    pub(super) fn lookup(&self, name: &str) -> Option<&Val<'t>> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    pub(super) fn declare(&mut self, name: &str, value: Val<'t>, line: usize) {
        self.called(name, &value);
        let value = self.users.seen(name, value, line, &mut self.notes);
        let scope = self
            .scopes
            .last_mut()
            .expect("the script's own scope is never left");
        scope.insert(name.to_owned(), value);
    }

    /// The value of the name where it was declared.
    pub(super) fn assign(&mut self, name: &str, value: Val<'t>, line: usize) {
        self.called(name, &value);
        let value = self.users.seen(name, value, line, &mut self.notes);
        let mut scopes = self.scopes.iter_mut().rev();
        match scopes.find_map(|scope| scope.get_mut(name)) {
            Some(place) => *place = value,
            None => self.declare(name, value, line),
        }
    }

    /// Everything at the top level, functions first.
    pub(super) fn globals(&mut self, root: Node<'t>) {
        let statements: Vec<_> = children(root).into_iter().map(unexported).collect();
        self.hoist(&statements);
        for statement in statements {
            self.statement(statement);
        }
    }

    fn hoist(&mut self, statements: &[Node<'t>]) {
        for node in statements {
            if matches!(
                node.kind(),
                "function_declaration" | "generator_function_declaration"
            ) && let Some(name) = field(*node, "name")
            {
                self.declare(self.source(name), Val::Function(*node), line(*node));
            }
        }
    }

    /// Remembers the first name of a value of an answer.
    pub(super) fn called(&mut self, name: &str, value: &Val<'t>) {
        if let Some(Place::Captured { step, found }) = value.captured() {
            let named = self.names.entry((step, found));
            named.or_insert_with(|| name.to_owned());
        }
    }

    /// What one iteration does that performs this function, with the data of `setup`.
    pub(super) fn flow(&mut self, name: &str, function: Node<'t>, data: Option<&Val<'t>>) -> Flow {
        let first = self.requests.len();
        let nothing = || {
            Val::Unknown(Opaque {
                line: line(function),
                source: "the data of setup()".to_owned(),
            })
        };
        self.invoke(function, &[data.cloned().unwrap_or_else(nothing)]);
        let actions = std::mem::take(&mut self.actions);
        Flow {
            name: name.to_owned(),
            actions,
            requests: first..self.requests.len(),
        }
    }

    /// Follows a call.
    pub(super) fn invoke(&mut self, function: Node<'t>, arguments: &[Val<'t>]) -> Val<'t> {
        self.calls += 1;
        if self.depth >= DEEPEST || self.calls > MOST_CALLS {
            return self.opaque(function);
        }
        self.depth += 1;
        self.scopes.push(HashMap::new());
        self.bind_parameters(function, arguments);
        let body = field(function, "body");
        let value = body.map_or(Val::Undefined, |body| {
            if body.kind() == "statement_block" {
                self.block(body).map_or(Val::Undefined, Val::certain)
            } else {
                self.eval(body)
            }
        });
        self.scopes.pop();
        self.depth -= 1;
        value
    }

    fn bind_parameters(&mut self, function: Node<'t>, arguments: &[Val<'t>]) {
        let single = field(function, "parameter");
        let several = field(function, "parameters").map(children);
        let parameters = single.map(|one| vec![one]).or(several).unwrap_or_default();
        for (at, parameter) in parameters.into_iter().enumerate() {
            let value = arguments.get(at).cloned().unwrap_or(Val::Undefined);
            self.bind(parameter, value);
        }
    }

    /// Gives the names of a pattern their values.
    pub(super) fn bind(&mut self, pattern: Node<'t>, value: Val<'t>) {
        match pattern.kind() {
            "identifier" => self.declare(self.source(pattern), value, line(pattern)),
            "assignment_pattern" | "object_assignment_pattern" => {
                let default = field(pattern, "right");
                let value = match (value, default) {
                    (Val::Undefined, Some(default)) => self.eval(default),
                    (value, _) => value,
                };
                if let Some(left) = field(pattern, "left") {
                    self.bind(left, value);
                }
            }
            "array_pattern" => {
                // The tree has no node for a place that is left out: then none is certain.
                let source: String = self.source(pattern).split_whitespace().collect();
                let holes = source.contains("[,") || source.contains(",,");
                for (at, part) in children(pattern).into_iter().enumerate() {
                    let member = match &value {
                        _ if holes => self.opaque(part),
                        Val::List(items) => items.get(at).cloned().unwrap_or(Val::Undefined),
                        value => self.member(value, &at.to_string(), part),
                    };
                    self.bind(part, member);
                }
            }
            "object_pattern" => {
                for part in children(pattern) {
                    self.bind_member(part, &value);
                }
            }
            _ => {}
        }
    }

    fn bind_member(&mut self, part: Node<'t>, value: &Val<'t>) {
        let (name, target) = match part.kind() {
            "shorthand_property_identifier_pattern" => (part, part),
            "pair_pattern" => match (field(part, "key"), field(part, "value")) {
                (Some(key), Some(target)) => (key, target),
                _ => return,
            },
            "object_assignment_pattern" => match field(part, "left") {
                Some(left) => (left, left),
                None => return,
            },
            _ => return,
        };
        let member = self.member(value, self.source(name), part);
        if target.kind() == "shorthand_property_identifier_pattern" {
            self.declare(self.source(target), member, line(part));
        } else {
            self.bind(target, member);
        }
    }

    /// The value that it returns, if it does.
    fn block(&mut self, block: Node<'t>) -> Option<Val<'t>> {
        let statements = children(block);
        self.hoist(&statements);
        let mut returned = None;
        for statement in statements {
            match self.statement(statement) {
                None => {}
                Some(Val::Perhaps(value)) => returned = Some(Val::Perhaps(value)),
                certain => return certain,
            }
        }
        returned
    }

    pub(super) fn statement(&mut self, node: Node<'t>) -> Option<Val<'t>> {
        match node.kind() {
            "lexical_declaration" | "variable_declaration" => {
                for one in children(node) {
                    self.declarator(one);
                }
                None
            }
            "expression_statement" => {
                for one in children(node) {
                    self.eval(one);
                }
                None
            }
            "return_statement" => {
                let value = children(node).first().map(|value| self.eval(*value));
                Some(value.unwrap_or(Val::Undefined))
            }
            "statement_block" | "else_clause" | "finally_clause" => self.block(node),
            "if_statement" => self.branch(node),
            "switch_statement" => self.switch(node),
            "for_statement" | "for_in_statement" | "while_statement" | "do_statement" => {
                self.repeat(node)
            }
            "try_statement" => {
                let value = field(node, "body").and_then(|body| self.block(body));
                field(node, "finalizer").map(|last| self.block(last));
                value
            }
            _ => None,
        }
    }

    fn declarator(&mut self, node: Node<'t>) {
        let value = field(node, "value").map_or(Val::Undefined, |value| self.eval(value));
        if let Some(name) = field(node, "name") {
            self.bind(name, value);
        }
    }

    fn branch(&mut self, node: Node<'t>) -> Option<Val<'t>> {
        let condition = field(node, "condition")?;
        let consequence = field(node, "consequence")?;
        let alternative = field(node, "alternative");
        // What depends on variables that are not set is decided.
        match self.eval(condition) {
            Val::Bool(true) => {
                let before = self.requests.len();
                let value = self.statement(consequence);
                if self.requests.len() > before && self.is_for_the_first(condition) {
                    let condition = shortened(self.source(condition));
                    let text = format!("requests that wait for `{condition}` are sent each time");
                    self.note(line(node), text);
                }
                return value;
            }
            Val::Bool(false) => return alternative.and_then(|other| self.statement(other)),
            _ => {}
        }
        self.told_by(condition, self.source(consequence));
        let before = self.requests.len();
        let value = self.statement(consequence);
        let otherwise = alternative.and_then(|other| self.statement(other));
        if self.requests.len() > before {
            let condition = shortened(self.source(condition));
            let text = format!("requests that depend on `{condition}` are always sent");
            self.note(line(node), text);
        }
        // One that may or may not be taken does not end the function.
        otherwise
            .or(value)
            .map(|value| Val::Perhaps(Box::new(value)))
    }

    /// `if (!token)`: what is nothing at first is something in the next iteration of the VU.
    fn is_for_the_first(&self, condition: Node<'t>) -> bool {
        let unset = condition.kind() == "identifier"
            && matches!(
                self.lookup(self.source(condition)),
                // It may have been set by what was decided.
                Some(value) if value.captured().is_some()
            );
        unset
            || children(condition)
                .into_iter()
                .any(|part| self.is_for_the_first(part))
    }

    fn switch(&mut self, node: Node<'t>) -> Option<Val<'t>> {
        let value = field(node, "value").map(|value| self.eval(value))?;
        for case in field(node, "body").map(children).unwrap_or_default() {
            let wanted = field(case, "value").map(|wanted| self.eval(wanted));
            if let Some(found) = wanted.and_then(|wanted| super::condition::equal(&value, &wanted))
            {
                self.told(vec![found], self.source(case), line(case));
            }
            let skip = usize::from(field(case, "value").is_some());
            children(case)
                .into_iter()
                .skip(skip)
                .for_each(|one| drop(self.statement(one)));
        }
        None
    }

    fn repeat(&mut self, node: Node<'t>) -> Option<Val<'t>> {
        let before = self.requests.len();
        if let Some(first) = field(node, "initializer") {
            self.statement(first);
        }
        field(node, "body").and_then(|body| self.statement(body));
        if self.requests.len() > before {
            self.note(line(node), "a loop: its requests are sent once");
        }
        None
    }

    /// Remembers what a condition says about an answer.
    fn told_by(&mut self, condition: Node<'t>, words: &str) {
        let cases = self.cases(condition).unwrap_or_default();
        self.told(cases, words, line(condition));
    }

    pub(super) fn told(&mut self, cases: Vec<Case>, words: &str, line: usize) {
        for case in cases {
            if case
                .status
                .as_ref()
                .is_some_and(|status| status.len() > TWO_CLASSES)
            {
                self.note(
                    line,
                    "a condition says only what an answer is not: it is left out",
                );
                continue;
            }
            let (request, words) = (case.request, words.to_owned());
            let told = Told { line, case, words };
            self.requests[request].answers.push(told);
        }
    }

    /// Runs something with one more name.
    pub(super) fn with<T>(
        &mut self,
        name: &str,
        value: Val<'t>,
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.scopes.push(HashMap::from([(name.to_owned(), value)]));
        let result = run(self);
        self.scopes.pop();
        result
    }
}

/// A declaration without its `export`.
fn unexported(node: Node<'_>) -> Node<'_> {
    field(node, "declaration")
        .filter(|_| node.kind() == "export_statement")
        .unwrap_or(node)
}
