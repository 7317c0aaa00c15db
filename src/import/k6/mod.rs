//! k6 scripts: parsed as JavaScript, followed without being run, written as a scenario.

mod around;
mod call;
mod captures;
mod condition;
mod expression;
mod flow;
mod options;
mod outcomes;
mod records;
mod script;
mod steps;
mod syntax;
#[cfg(test)]
mod tests;
mod users;
mod value;
mod write;
mod yaml;

use tree_sitter::Node;

use self::captures::Order;
use self::flow::Flow;
use self::options::name_of;
use self::script::Script;
use self::syntax::{children, field};
use self::value::Val;
use super::{Imported, SyntaxError};

/// Turns the script into a scenario.
///
/// # Errors
/// When the text is not JavaScript.
pub fn import(file: &str, text: &str) -> Result<Imported, SyntaxError> {
    let tree = syntax::parse(file, text)?;
    let root = tree.root_node();
    let mut script = Script::new(text);
    script.globals(root);
    let mut options = script.options();
    let before = script.around("setup", &[]);
    let data = before.value;
    let flows = flows(&mut script, root, &mut options.loads, data.as_ref());
    let after = script.around("teardown", data.as_slice());
    let order = Order {
        before: before.requests.clone(),
        flows: flows.iter().map(|flow| flow.requests.clone()).collect(),
    };
    captures::keep(&mut script, &order);
    let in_flows = before.requests.end..after.requests.start;
    let by_cookie = steps::logs_in_by_cookie(&script.requests, &order.flows);
    let (base, steps) = steps::steps(&mut script, &in_flows);
    note_the_rest(&mut script, root, in_flows.is_empty());
    let mut users = script
        .users
        .describe(script.records.as_ref(), &script.columns);
    users.cookies = script.cookies || by_cookie;
    let coupon = script.users.coupon.clone();
    let stem = std::path::Path::new(file).file_stem().unwrap_or_default();
    let scenario = write::write(&write::Parts {
        file,
        name: name_of(&stem.to_string_lossy()),
        base,
        coupon: coupon.as_deref(),
        users,
        options,
        before: before.requests,
        flows,
        after: after.requests,
        steps,
        notes: &script.notes,
    });
    Ok(Imported {
        scenario,
        notes: script.notes.into_iter().collect(),
    })
}

/// The functions that the loads perform, each once; loads get the names of their flows.
fn flows<'t>(
    script: &mut Script<'t>,
    root: Node<'t>,
    loads: &mut [options::Load],
    data: Option<&Val<'t>>,
) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    for load in loads {
        let name = if load.exec == "default" {
            "iteration"
        } else {
            &load.exec
        };
        let name = name_of(name);
        if flows.iter().all(|flow| flow.name != name) {
            let flow = match function(script, root, &load.exec) {
                Some(function) => script.flow(&name, function, data),
                None => missing(script, load, &name),
            };
            flows.push(flow);
        }
        load.exec = name;
    }
    flows
}

fn missing(script: &mut Script<'_>, load: &options::Load, name: &str) -> Flow {
    let line = script.line_of(&load.name);
    let text = format!("the function `{}` is not in the script", load.exec);
    script.note(line, text);
    Flow {
        name: name.to_owned(),
        actions: Vec::new(),
        requests: script.requests.len()..script.requests.len(),
    }
}

fn function<'t>(script: &mut Script<'t>, root: Node<'t>, name: &str) -> Option<Node<'t>> {
    if name != "default" {
        return match script.lookup(name) {
            Some(Val::Function(function)) => Some(*function),
            _ => None,
        };
    }
    let exports = children(root)
        .into_iter()
        .filter(|node| node.kind() == "export_statement");
    let mut defaults = exports.filter(|node| script.source(*node).starts_with("export default"));
    let exported = defaults.next()?;
    let value = field(exported, "value").or_else(|| field(exported, "declaration"))?;
    match script.eval(value) {
        Val::Function(function) => Some(function),
        _ => field(value, "body").map(|_| value),
    }
}

/// Parts of the script that the importer never looks into.
fn note_the_rest<'t>(script: &mut Script<'t>, root: Node<'t>, empty: bool) {
    for node in children(root)
        .into_iter()
        .filter(|node| node.kind() == "import_statement")
    {
        let source = field(node, "source")
            .map(|source| script.source(source))
            .unwrap_or_default();
        let path = source.trim_matches(['\'', '"']);
        if path.starts_with('.') || path.starts_with('/') {
            script.note(syntax::line(node), format!("`{path}` is not read"));
        }
    }
    if empty {
        script.note(1, "no request was found: a scenario needs one");
    }
}
