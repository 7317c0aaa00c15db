//! Which engine runs the load, and what the other one cannot do of a plan.

use std::time::Duration;

use super::Overrides;
use crate::measure::Metric;
use crate::plan::{Action, EngineKind, Executor, Load, Plan};
use crate::scenario::value::Span;
use crate::scenario::{
    At, Executor as Written, Load as WrittenLoad, Position, Report, Scenario, did_you_mean,
};

/// What Goose has a call for.
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

const NATIVE: &str = "or run it with `engine: native`";

/// The engine that was asked for; everything of the plan that it cannot do is reported.
pub(super) fn resolve(
    scenario: &Scenario,
    overrides: &Overrides,
    plan: &Plan,
    report: &mut Report<'_>,
) -> EngineKind {
    let chosen = chosen(scenario.engine.as_ref(), overrides, report);
    if chosen == EngineKind::Goose {
        let place = match &overrides.engine {
            Some(_) => None,
            None => scenario.engine.as_ref().map(|engine| engine.position),
        };
        let mut refused = Refused { place, report };
        loads(scenario, plan, &mut refused);
        flows(scenario, plan, &mut refused);
        users(plan, &mut refused);
        measured(scenario, plan, &mut refused);
        if overrides.segment.is_some_and(|segment| !segment.is_whole()) {
            let problem = "Goose runs the whole load in one process, never one of several segments";
            refused.whole(problem, "leave `--segment` away");
        }
    }
    chosen
}

fn chosen(
    written: Option<&At<String>>,
    overrides: &Overrides,
    report: &mut Report<'_>,
) -> EngineKind {
    let known = EngineKind::ALL.map(|(name, _)| name);
    let of_name = |wanted: &str| {
        let found = EngineKind::ALL.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, kind)| *kind)
    };
    if let Some(written) = written
        && of_name(&written.value).is_none()
    {
        let problem = format!("unknown engine `{}`", written.shown());
        report.error_hint(
            written.position,
            problem,
            did_you_mean(&written.value, &known),
        );
    }
    if let Some(name) = &overrides.engine
        && of_name(name).is_none()
    {
        let hint = did_you_mean(name, &known);
        report.argument(
            format!("--engine {name}"),
            "unknown engine".to_owned(),
            Some(hint),
        );
    }
    let name = overrides.engine.as_ref();
    let name = name.or(written.map(|written| &written.value));
    name.and_then(|name| of_name(name)).unwrap_or_default()
}

/// What cannot be done, and where that is said.
struct Refused<'r, 's> {
    /// Of the key `engine`; `None`: the command line has asked for it.
    place: Option<Position>,
    report: &'r mut Report<'s>,
}

impl Refused<'_, '_> {
    fn at(&mut self, position: Position, problem: &str, hint: &str) {
        let hint = format!("{hint}, {NATIVE}");
        self.report.error_hint(position, problem, hint);
    }

    /// What is not at one place of the scenario.
    fn whole(&mut self, problem: &str, hint: &str) {
        match self.place {
            Some(position) => self.at(position, problem, hint),
            None => self.report.argument(
                "--engine goose".to_owned(),
                problem.to_owned(),
                Some(format!("{hint}, {NATIVE}")),
            ),
        }
    }
}

fn loads(scenario: &Scenario, plan: &Plan, refused: &mut Refused<'_, '_>) {
    if let Some(second) = scenario.loads.get(1) {
        refused.at(
            second.name.position,
            "Goose runs one load, and cannot run several side by side",
            "keep one of them",
        );
    }
    for load in &plan.loads {
        let mut all = scenario.loads.iter();
        let written = all.find(|written| written.name.value.as_str() == load.name);
        if let Some(written) = written {
            one_load(written, load, refused);
        }
    }
}

fn one_load(written: &WrittenLoad, load: &Load, refused: &mut Refused<'_, '_>) {
    let position = written.name.position;
    match &load.executor {
        Executor::ConstantArrivalRate { .. } | Executor::RampingArrivalRate { .. } => refused.at(
            position,
            "Goose has no open model: its users ask again when they have been answered, and no \
             clock starts iterations",
            "use `constant_vus` or `ramping_vus`",
        ),
        Executor::Stampede { .. } => refused.at(
            position,
            "Goose has no stampede: it cannot hold users with open connections and release all of \
             them at one instant",
            "use `per_vu_iterations` with one iteration for each VU",
        ),
        Executor::SharedIterations { .. } => refused.at(
            position,
            "Goose counts the iterations of each user, and has no number that all of them share",
            "use `per_vu_iterations`",
        ),
        Executor::ConstantVus { duration, .. } => whole_seconds(position, [*duration], refused),
        Executor::RampingVus { stages, .. } => {
            let durations = stages.iter().map(|stage| stage.duration);
            whole_seconds(position, durations, refused);
            if let Some(Written::RampingVus {
                graceful_ramp_down: Some(_),
                ..
            }) = &written.executor
            {
                refused.at(
                    position,
                    "Goose lets a user that it takes away finish its iteration, however long that \
                     takes: `graceful_ramp_down` would say nothing",
                    "remove `graceful_ramp_down`",
                );
            }
        }
        Executor::PerVuIterations { .. } => {}
    }
}

fn whole_seconds(
    position: Position,
    durations: impl IntoIterator<Item = Duration>,
    refused: &mut Refused<'_, '_>,
) {
    let mut durations = durations.into_iter();
    if let Some(odd) = durations.find(|duration| duration.subsec_nanos() != 0) {
        let odd = Span(odd);
        refused.at(
            position,
            &format!("Goose plans its load in whole seconds, and {odd} is none"),
            "use whole seconds, also after `--scale`",
        );
    }
}

fn flows(scenario: &Scenario, plan: &Plan, refused: &mut Refused<'_, '_>) {
    let mut seen = Vec::new();
    for load in &plan.loads {
        let Some(flow) = plan.flows.get(load.flow) else {
            continue;
        };
        let mut all = scenario.flows.iter();
        let written = all.find(|written| written.name.value.as_str() == flow.name);
        let Some(written) = written.filter(|_| !seen.contains(&load.flow)) else {
            continue;
        };
        seen.push(load.flow);
        for action in &flow.actions {
            if let Some((what, hint)) = not_in_a_flow(action, plan) {
                let problem = format!(
                    "in the flow `{}` is {what}, and a user of Goose performs requests and pauses \
                     one after the other",
                    flow.name
                );
                refused.at(written.name.position, &problem, hint);
            }
        }
    }
}

/// What it is, and what to do about it.
fn not_in_a_flow(action: &Action, plan: &Plan) -> Option<(String, &'static str)> {
    let words = match action {
        Action::Think(..) => return None,
        Action::When(_) => ("a `when`".to_owned(), "write what is always done"),
        Action::Each(_) => ("an `each`".to_owned(), "write the steps one by one"),
        Action::Parallel(_) => (
            "a `parallel`".to_owned(),
            "write its branches one behind the other",
        ),
        Action::Request(step) => {
            let step = plan.steps.get(usize::from(*step))?;
            if step.poll.is_some() {
                let words = format!("the poll `{}`", step.name);
                (words, "ask once, with the answer that comes as an outcome")
            } else if METHODS.contains(&step.method.as_str()) {
                return None;
            } else {
                let words = format!("`{}` of the step `{}`", step.method, step.name);
                (
                    words,
                    "use a method that Goose has: get, post, put, patch, delete, head",
                )
            }
        }
    };
    Some(words)
}

fn users(plan: &Plan, refused: &mut Refused<'_, '_>) {
    if plan.users.cookies {
        refused.whole(
            "`users.cookies` are not kept by the users of Goose",
            "capture the cookie and send it as a header",
        );
    }
    if plan.users.records.is_some() {
        refused.whole(
            "the records of `users.from` are not handed to the process of Goose",
            "let ids follow from a number: `users: { pool: 100_000, id: \"member-{{ n }}\" }`",
        );
    }
    if let crate::plan::Target::Urls { http2: true, .. } = &plan.target {
        refused.whole("Goose asks over HTTP/1.1 here", "remove `http2`");
    }
}

fn measured(scenario: &Scenario, plan: &Plan, refused: &mut Refused<'_, '_>) {
    for threshold in &plan.thresholds {
        let untold = [
            Metric::HttpReqBlocked,
            Metric::HttpReqConnecting,
            Metric::HttpReqTlsHandshaking,
            Metric::HttpReqSending,
        ];
        if !untold.contains(&threshold.metric) {
            continue;
        }
        let mut all = scenario.thresholds.iter();
        let written = all.find(|written| {
            let key = &written.key.value;
            threshold.name == format!("{key}: {}", written.assertion.value)
        });
        let problem = format!(
            "Goose does not tell `{}`: its client says when an answer came, and nothing of the \
             connection",
            threshold.metric.name()
        );
        match written {
            Some(written) => refused.at(written.key.position, &problem, "remove it"),
            None => refused.whole(&problem, "remove it"),
        }
    }
    if plan.outputs.wants_operations() {
        refused.whole(
            "an output takes attempts one by one, with the parts of each that Goose does not tell",
            "use `mode: aggregate`",
        );
    }
    if plan.queue.is_some() || !plan.details.is_empty() {
        refused.whole(
            "what attempts were about beside their user, for `queue`, `seats` and `balances`, is \
             not recorded of Goose",
            "remove these invariants",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::load;

    const LOAD: &str = "constant_vus: { vus: 2, for: 5s }";
    const FLOW: &str = "{ name: buy, post: /buy, outcomes: { issued: 201 } }";

    fn planned(load_: &str, flow: &str, more: &str) -> Result<Plan, String> {
        let text = format!(
            "name: case\nengine: goose\ntarget: {{ url: \"http://127.0.0.1:1\" }}\n\
             load: {{ a: {{ {load_} }} }}\nflows: {{ f: [ {flow} ] }}\n{more}"
        );
        let plan = load("case.yaml", &text, &Overrides::default(), &|_| None);
        plan.map_err(|error| error.to_string())
    }

    #[test]
    fn what_goose_cannot_do_is_refused_by_its_reason() {
        let open = "constant_arrival_rate: { rate: 10, for: 5s, vus: 2 }";
        let ramped = "ramping_vus: { stages: [ { for: 5s, to: 2 } ], graceful_ramp_down: 1s }";
        let poll = "{ poll: { get: /q, until: { status: 200 } } }";
        let when = "{ when: { outcome: { buy: issued } }, then: [ { name: look, get: / } ] }";
        let table = [
            (open, FLOW, "", "Goose has no open model"),
            ("stampede: { users: 5 }", FLOW, "", "Goose has no stampede"),
            (
                "shared_iterations: { vus: 2, iterations: 5 }",
                FLOW,
                "",
                "has no number that all of them share",
            ),
            (
                "constant_vus: { vus: 2, for: 1500ms }",
                FLOW,
                "",
                "whole seconds, and 1.5s is none",
            ),
            (ramped, FLOW, "", "`graceful_ramp_down` would say nothing"),
            (LOAD, poll, "", "is the poll"),
            (LOAD, &format!("{FLOW}, {when}"), "", "is a `when`"),
            (
                LOAD,
                FLOW,
                "users: { pool: 9, cookies: true }",
                "`users.cookies`",
            ),
            (
                LOAD,
                FLOW,
                "thresholds: { http_req_connecting: \"p(95)<1s\" }",
                "Goose does not tell `http_req_connecting`",
            ),
            (
                LOAD,
                FLOW,
                "outputs: { json: { file: a.jsonl, mode: raw } }",
                "takes attempts one by one",
            ),
        ];
        for (load, flow, more, reason) in table {
            let error = planned(load, flow, more).expect_err(reason);
            assert!(error.contains(reason), "{reason}: {error}");
            assert!(error.contains("case.yaml:"), "it has its place: {error}");
        }
    }

    #[test]
    fn what_goose_can_do_is_planned_for_it() {
        let think = format!("{FLOW}, {{ think: 10ms }}");
        for load in [
            LOAD,
            "ramping_vus: { stages: [ { for: 5s, to: 20 }, { for: 5s, to: 0 } ] }",
            "per_vu_iterations: { vus: 3, iterations: 7, within: 1500ms }",
        ] {
            let plan = planned(load, &think, "").unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(plan.engine, EngineKind::Goose);
        }
    }

    #[test]
    fn the_command_line_wins_and_a_typing_error_is_told() {
        let overrides = |engine: &str| Overrides {
            engine: Some(engine.to_owned()),
            ..Overrides::default()
        };
        let text = format!(
            "name: case\nengine: goose\ntarget: {{ url: \"http://127.0.0.1:1\" }}\n\
             load: {{ a: {{ stampede: {{ users: 3 }} }} }}\nflows: {{ f: [ {FLOW} ] }}\n"
        );
        let planned = |engine: &str| load("case.yaml", &text, &overrides(engine), &|_| None);
        assert_eq!(
            planned("native").expect("a plan").engine,
            EngineKind::Native
        );
        let error = planned("gose").expect_err("no engine").to_string();
        assert!(error.contains("did you mean `goose`?"), "{error}");
        let error = planned("goose").expect_err("refused").to_string();
        assert!(error.contains("Goose has no stampede"), "{error}");
    }
}
