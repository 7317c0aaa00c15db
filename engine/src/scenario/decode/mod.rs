//! The tree becomes a scenario: every key is known, every value has its type.

mod alerts;
mod auth;
mod capture;
mod fault;
mod flow;
mod invariant;
mod load;
mod metric;
mod outcome;
mod outputs;
mod parts;
mod prometheus;
mod queue;
mod resource;
mod server;
mod setup;
mod steps;
mod target;
mod threshold;
mod token;
mod truth;
mod users;

pub(super) use load::EXECUTORS;

use super::model::{Scenario, Subject};
use super::node::{Entry, Node, Value};
use super::position::{Position, Source};
use super::reader::{self, Fields, Given};
use super::report::Report;
use super::value::Span;

/// Reads the whole tree; what is wrong is reported and left out. `None` if it is no map: then
/// nothing else is worth saying.
pub(super) fn scenario(tree: &Node, source: &Source, report: &mut Report<'_>) -> Option<Scenario> {
    if tree.value == Value::Null {
        report.error_hint(
            Position::START,
            "the scenario is empty",
            "start with `name`, `target`, `load` and `flows`",
        );
        return None;
    }
    let mut fields = Fields::of(report, tree, Position::START)?;
    let mut scenario = Scenario {
        source: source.clone(),
        name: None,
        about: None,
        seed: None,
        engine: None,
        target: Given::Absent,
        subject: Given::Absent,
        users: Given::Absent,
        loads: Vec::new(),
        flows: Vec::new(),
        before: Vec::new(),
        after: Vec::new(),
        lost_captures: Vec::new(),
        metrics: Vec::new(),
        resources: Vec::new(),
        alerts: Given::Absent,
        outputs: Given::Absent,
        faults: Vec::new(),
        whole_faults: true,
        truth: Given::Absent,
        invariants: Vec::new(),
        thresholds: Vec::new(),
    };
    let hint = "give the scenario a name: `name: coupon-opening`";
    let name = fields.need(report, "name", hint);
    scenario.name = name.and_then(|entry| reader::value(report, &entry.node));
    let about = fields.get("about");
    scenario.about = about.and_then(|entry| reader::text(report, &entry.node));
    let seed = fields.get("seed");
    scenario.seed = seed.and_then(|entry| reader::value(report, &entry.node));
    let engine = fields.get("engine");
    scenario.engine = engine.and_then(|entry| reader::text(report, &entry.node));
    scenario.target = Given::read(fields.get("target"), |entry| target::read(report, entry));
    scenario.subject = Given::read(fields.get("subject"), |entry| subject(report, entry));
    scenario.users = Given::read(fields.get("users"), |entry| {
        users::read(report, entry, tree)
    });
    let hint = "say how the system is loaded: `load: { opening: { constant_vus: { vus: 10, for: 30s } } }`";
    if let Some(entry) = fields.need(report, "load", hint) {
        scenario.loads = load::read(report, entry);
    }
    let hint = "say what one user does: `flows: { issue: [ { post: /issue } ] }`";
    if let Some(entry) = fields.need(report, "flows", hint) {
        scenario.flows = flow::read(report, entry);
    }
    if let Some(entry) = fields.get("before") {
        scenario.before = setup::read(report, entry, &mut scenario.lost_captures);
    }
    if let Some(entry) = fields.get("after") {
        scenario.after = setup::read(report, entry, &mut scenario.lost_captures);
    }
    if let Some(entry) = fields.get("metrics") {
        scenario.metrics = metric::read(report, entry);
    }
    if let Some(entry) = fields.get("resources") {
        scenario.resources = resource::read(report, entry);
    }
    scenario.alerts = Given::read(fields.get("alerts"), |entry| alerts::read(report, entry));
    scenario.outputs = Given::read(fields.get("outputs"), |entry| outputs::read(report, entry));
    if let Some(entry) = fields.get("faults") {
        (scenario.faults, scenario.whole_faults) = fault::read(report, entry);
    }
    scenario.truth = Given::read(fields.get("truth"), |entry| truth::read(report, entry));
    if let Some(entry) = fields.get("invariants") {
        scenario.invariants = invariant::read(report, &entry.node);
    }
    if let Some(entry) = fields.get("thresholds") {
        scenario.thresholds = threshold::read(report, &entry.node);
    }
    for key in ["profiles", "include"] {
        from_the_command_line(report, fields.get(key));
    }
    fields.finish(report);
    Some(scenario)
}

/// What the file says under these keys is worked in before; only `--set` can bring them back.
fn from_the_command_line(report: &mut Report<'_>, entry: Option<&Entry>) {
    if let Some(entry) = entry {
        report.error_hint(
            entry.position,
            format!("`{}` cannot be set on the command line", entry.key),
            "set the value itself, as `--set load.opening.constant_vus.vus=50`: it goes over the \
             profile",
        );
    }
}

fn subject(report: &mut Report<'_>, entry: &Entry) -> Option<Subject> {
    let mut fields = Fields::behind(report, entry)?;
    let hint = "write `subject: { coupon: { id: 1, stock: 5000 } }`";
    let coupon = fields.need(report, "coupon", hint);
    fields.finish(report);
    let mut fields = Fields::behind(report, coupon?)?;
    let id = fields.need(report, "id", "its id in the system: `id: 1`");
    let id = id.and_then(|entry| reader::text(report, &entry.node));
    let stock = fields.need(report, "stock", "how many there are: `stock: 5000`");
    let stock = stock.and_then(|entry| reader::value(report, &entry.node));
    let lease = fields.get("lease");
    let lease = lease.map(|entry| reader::value::<Span>(report, &entry.node));
    fields.finish(report);
    Some(Subject {
        coupon: id?.value,
        stock: stock?,
        lease: match lease {
            None => None,
            Some(lease) => Some(lease?.value),
        },
    })
}
