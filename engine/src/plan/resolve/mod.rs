//! Scenario and overrides become a plan: names are resolved, defaults filled in, claims checked.

mod alerts;
mod auth;
mod body;
mod bugs;
mod condition;
mod contradiction;
mod delivery;
mod details;
mod engine;
pub(super) mod expect;
mod fairness;
mod fault;
mod flow;
mod load;
mod metric;
mod narrowing;
mod of_faults;
mod outcome;
mod outputs;
mod overrides;
mod parts;
mod prometheus;
mod queue;
mod reachable;
mod read_only;
mod records;
mod releases;
mod resource;
mod scalability;
mod segment;
mod servers;
mod services;
mod setup;
mod standby;
mod statement;
mod step;
mod tables;
mod target;
mod template;
#[cfg(test)]
mod testing;
mod threshold;
mod token;
mod truth;
mod users;
mod worries;

#[cfg(test)]
mod tests;

pub use overrides::{Overrides, Scale};
pub use read_only::is_redis_read;

use super::slots::SlotTable;
use super::{Duplicates, Identity, Invariant, Plan, Subject};
use crate::scenario::{
    self, At, Diagnostics, Environment, Given, Invariant as WrittenInvariant, Mask, Position,
    Report, Scenario, Severity, Written, did_you_mean, unsupported,
};

/// The seed of a scenario that names none: runs repeat unless somebody asks for another.
pub const DEFAULT_SEED: u64 = 42;

/// Histograms that may exist by phase, step and outcome or metric: each load thread keeps a place for each.
const MAX_SERIES: usize = 100_000;

/// Resolves a scenario that was parsed without an error; `overrides.set` was applied there.
///
/// # Errors
/// Everything that does not fit together, at once.
pub fn resolve(scenario: &Scenario, overrides: &Overrides) -> Result<Plan, Diagnostics> {
    let mut report = Report::new(&scenario.source);
    let plan = plan(scenario, overrides, &mut report);
    finish(plan, report)
}

/// The text of a scenario that includes nothing to its plan.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn load(
    file_name: &str,
    text: &str,
    overrides: &Overrides,
    environment: &Environment<'_>,
) -> Result<Plan, Diagnostics> {
    let written = Written {
        file_name: file_name.to_owned(),
        text: text.to_owned(),
        included: Vec::new(),
    };
    load_written(&written, overrides, environment)
}

/// Texts to plan in one step, with the errors of reading and of planning together.
///
/// # Errors
/// Everything that is wrong, in the order of the files.
pub fn load_written(
    written: &Written,
    overrides: &Overrides,
    environment: &Environment<'_>,
) -> Result<Plan, Diagnostics> {
    let source = scenario::source(written, &overrides.set, overrides.profile.as_deref());
    let mut report = Report::new(&source);
    let scenario = scenario::parse_partly(&source, environment, &mut report);
    let plan = scenario.and_then(|scenario| plan(&scenario, overrides, &mut report));
    finish(plan, report)
}

/// Like [`load_written`], and the profiles that were not chosen are looked at too.
///
/// # Errors
/// Everything that is wrong with the scenario as it was chosen, then with every other profile.
pub fn validate(
    written: &Written,
    overrides: &Overrides,
    environment: &Environment<'_>,
) -> Result<Plan, Diagnostics> {
    let chosen = load_written(written, overrides, environment);
    let (mut plan, mut wrong) = match chosen {
        Ok(plan) => (Some(plan), Diagnostics::default()),
        Err(wrong) => (None, wrong),
    };
    let source = scenario::source(written, &[], None);
    for name in scenario::profiles(&source) {
        if overrides.profile.as_ref() == Some(&name) {
            continue;
        }
        // A `--set` is meant for the profile that was chosen with it.
        let other = Overrides {
            set: Vec::new(),
            profile: Some(name.clone()),
            ..overrides.clone()
        };
        match load_written(written, &other, environment) {
            Ok(other) => {
                let Some(plan) = &mut plan else { continue };
                let news = other.warnings.into_iter();
                let news: Vec<_> = news.filter(|text| !plan.warnings.contains(text)).collect();
                let named = news.iter().map(|text| format!("profile `{name}`: {text}"));
                plan.warnings.extend(named);
            }
            Err(other) => wrong.add_of_profile(&name, other),
        }
    }
    match plan {
        Some(plan) if !wrong.has_errors() => Ok(plan),
        _ => Err(wrong),
    }
}

fn finish(plan: Option<Plan>, report: Report<'_>) -> Result<Plan, Diagnostics> {
    let failed = report.has_errors();
    let diagnostics = report.finish();
    match plan {
        Some(mut plan) if !failed => {
            let warnings = diagnostics.list.iter();
            plan.warnings = warnings
                .filter(|diagnostic| diagnostic.severity == Severity::Warning)
                .map(scenario::Diagnostic::in_one_line)
                .collect();
            Ok(plan)
        }
        _ => Err(diagnostics),
    }
}

/// Every part is resolved before any of them is given up, so that all errors are seen.
fn plan(scenario: &Scenario, overrides: &Overrides, report: &mut Report<'_>) -> Option<Plan> {
    let target = target::resolve(scenario, overrides, report);
    let subject = subject(scenario);
    if let Some(super::Target::Stack(_)) = &target {
        bundled_subject(scenario, report);
    }
    let words = template::Words {
        coupon: match &scenario.subject {
            // A broken subject was reported; its templates are not wrong as well.
            Given::Broken => Some(""),
            _ => subject.as_ref().map(|subject| subject.coupon.as_str()),
        },
        slots: None,
    };
    let mut slots = SlotTable::default();
    let users = users::resolve(&scenario.users, words.coupon, &mut slots, report);
    let of_users = slots.count();
    for name in &scenario.lost_captures {
        slots.declare(name, false);
    }
    let who = setup::Who {
        coupon: words.coupon,
        users: users.as_ref(),
        of_users,
    };
    let before = setup::resolve(&scenario.before, who, &mut slots, report);
    let given = metric::Given::new(of_users, slots.count());
    captured_subject(scenario, &slots, report);
    let mut flows = flow::resolve(&scenario.flows, words, &mut slots, report);
    let metrics = metric::resolve(&scenario.metrics, &mut flows, &slots, given, report);
    let with_slots = template::Words {
        slots: Some(&slots),
        ..words
    };
    let header = auth::header(scenario, with_slots, report);
    let loads = load::resolve(scenario, overrides.scale, report);
    let invariants = invariants(scenario, report);
    let details = details::resolve(scenario, &flows, with_slots, report).into();
    let queue = queue::resolve(&scenario.invariants, &flows, &slots, report);
    let truth = truth::resolve(
        scenario,
        (target.as_ref(), subject.as_ref()),
        &invariants,
        flows.can_sell_out(),
        with_slots,
        report,
    );
    let known = fault::Known {
        target: target.as_ref(),
        subject: subject.as_ref(),
        loads: &loads,
        seed: seed(scenario, overrides),
        scale: overrides.scale,
    };
    let faults = fault::resolve(scenario, known, report);
    let resources = resource::resolve(&scenario.resources, target.as_ref(), report);
    let after = setup::resolve(&scenario.after, who, &mut slots, report);
    let mut setup = super::Setup { before, after };
    auth::add_everywhere(header.as_ref(), of_users, &mut flows.steps, &mut setup);
    let mut plan = Plan {
        name: name_of(scenario),
        profile: overrides.profile.clone(),
        about: scenario.about.as_ref().map(|about| about.value.clone()),
        seed: known.seed,
        engine: super::EngineKind::Native,
        segment: super::Segment::WHOLE,
        target: target.unwrap_or_else(nowhere),
        subject,
        users: users?,
        slots: slots.into_slots(),
        setup,
        loads: loads.list,
        phases: loads.phases,
        flows: flows.list,
        steps: flows.steps,
        labels: flows.labels,
        metrics: metrics.list,
        resources: resources.list,
        alerts: alerts::resolve(scenario.alerts.value(), report),
        outputs: outputs::resolve(scenario.outputs.value(), overrides.metrics, report),
        faults: faults.list,
        truth,
        details,
        invariants,
        queue: queue.map(Box::new),
        thresholds: Vec::new(),
        warnings: Vec::new(),
        mask: mask(scenario, report),
    };
    few_enough_series(&plan, report);
    let known = threshold::Known {
        phases: loads.whole,
        steps: flows.whole,
        broken_metrics: &metrics.broken,
        sources: resources.whole,
        faults: faults.whole.then_some(plan.faults.as_slice()),
        truth: &scenario.truth,
        alerts: &scenario.alerts,
    };
    plan.thresholds = threshold::resolve(&scenario.thresholds, &plan, known, report);
    claims(scenario, &plan, faults.whole, report);
    Some(of_segment(scenario, plan, overrides, report))
}

/// Who runs it, and which part. Warnings are of the whole, whatever part of it is run.
fn of_segment(
    scenario: &Scenario,
    mut plan: Plan,
    overrides: &Overrides,
    report: &mut Report<'_>,
) -> Plan {
    plan.engine = engine::resolve(scenario, overrides, &plan, report);
    if !report.has_errors() {
        worries::warn(scenario, &plan, report);
    }
    segment::narrow(&mut plan, overrides, report);
    plan
}

fn subject(scenario: &Scenario) -> Option<Subject> {
    let written = scenario.subject.value()?;
    Some(Subject {
        coupon: written.coupon.clone(),
        stock: written.stock.value.0,
        lease: written.lease.map(|lease| lease.0),
    })
}

/// An id that is not known before the run must be captured by then.
fn captured_subject(scenario: &Scenario, slots: &SlotTable, report: &mut Report<'_>) {
    let subject = scenario.subject.value();
    if let Some(subject) = subject.filter(|subject| subject.coupon.contains("{{")) {
        setup::check_subject(&subject.coupon, subject.stock.position, slots, report);
    }
}

/// What is claimed must be such that this plan can show it.
fn claims(scenario: &Scenario, plan: &Plan, faults_are_whole: bool, report: &mut Report<'_>) {
    releases::claims(scenario, plan, report);
    if faults_are_whole {
        of_faults::check_claims(scenario, &plan.faults, report);
    }
}

fn seed(scenario: &Scenario, overrides: &Overrides) -> u64 {
    let written = scenario.seed.as_ref().map(|seed| seed.value.0);
    overrides.seed.or(written).unwrap_or(DEFAULT_SEED)
}

/// A name that is missing or wrong was reported; the thresholds are looked at all the same.
fn name_of(scenario: &Scenario) -> String {
    let name = scenario.name.as_ref();
    name.map_or("", |name| name.value.as_str()).to_owned()
}

/// Stands for a target that is wrong, which was reported.
const fn nowhere() -> super::Target {
    super::Target::Urls {
        urls: Vec::new(),
        ready: None,
        http2: false,
        by: super::By::Turn,
        ca: None,
        parts: Vec::new(),
    }
}

fn few_enough_series(plan: &Plan, report: &mut Report<'_>) {
    let kept_by = plan.labels.len() + plan.metrics.len();
    let series = plan.phases.len() * plan.steps.len() * kept_by;
    if series > MAX_SERIES {
        report.error_hint(
            Position::START,
            format!(
                "phases times steps times outcomes and metrics make {series} series, at most {MAX_SERIES} are possible"
            ),
            "use fewer named stages, steps, outcomes or metrics",
        );
    }
}

/// What came from the environment, and what is made of it and sent.
fn mask(scenario: &Scenario, report: &Report<'_>) -> Mask {
    let mut mask = report.mask().clone();
    auth::hide(scenario, &mut mask);
    outputs::hide(scenario.outputs.value(), &mut mask);
    mask
}

/// The bundled server's coupons have 64-bit numbers, and its stock 32 bits.
fn bundled_subject(scenario: &Scenario, report: &mut Report<'_>) {
    let Some(subject) = scenario.subject.value() else {
        return;
    };
    if subject.coupon.parse::<i64>().is_err() {
        report.error_hint(
            subject.stock.position,
            "the bundled system's coupons have numbers",
            "write `id: 1`",
        );
    }
    if u32::try_from(subject.stock.value.0).is_err() {
        report.error_hint(
            subject.stock.position,
            "the bundled system cannot hold so large a stock",
            format!("write at most {}", u32::MAX),
        );
    }
}

fn by(invariant: Invariant, word: &At<String>, report: &mut Report<'_>) -> Invariant {
    let names = Identity::ALL.map(Identity::name);
    if let Some(at) = names.iter().position(|name| *name == word.value) {
        return Invariant::Delivery(Identity::ALL[at]);
    }
    report.error_hint(
        word.position,
        format!(
            "`{}` is nothing that events and issued rows have in common",
            word.shown()
        ),
        did_you_mean(&word.value, &names),
    );
    invariant
}

/// Claims that this version cannot judge yet.
const NOT_YET: [&str; 1] = ["stock_readings"];

fn invariants(scenario: &Scenario, report: &mut Report<'_>) -> Vec<Invariant> {
    let mut found: Vec<Invariant> = Vec::new();
    for written in &scenario.invariants {
        let name = &written.name;
        if NOT_YET.contains(&name.value.as_str()) {
            unsupported(report, name.position, &name.value);
        } else if name.value == "fairness" {
            report.error_hint(
                name.position,
                "`fairness` is a measure, and never a violation",
                "give it a limit: `thresholds: { fairness: [ \"rate<1%\" ] }`",
            );
        } else if let Some(invariant) = Invariant::named(&name.value) {
            if found.iter().any(|known| known.name() == name.value) {
                report.error_hint(
                    name.position,
                    format!("the invariant `{}` is there twice", name.value),
                    "keep one of them",
                );
            } else {
                found.push(with_options(invariant, written, report));
            }
        } else {
            report.error_hint(
                name.position,
                format!("unknown invariant `{}`", name.shown()),
                meant(&name.value),
            );
        }
    }
    found
}

/// What stands for itself is listed; what needs to be told more is named to who has nearly said it.
fn meant(word: &str) -> String {
    let near = did_you_mean(word, &Invariant::ALL.map(Invariant::name));
    if near.starts_with("did") {
        return near;
    }
    let told = |one: &Invariant| {
        matches!(
            one,
            Invariant::Queue | Invariant::Seats | Invariant::Balances
        )
    };
    let alone = Invariant::ALL.into_iter().filter(|one| !told(one));
    let alone: Vec<&str> = alone.map(Invariant::name).collect();
    did_you_mean(word, &alone)
}

/// Each option belongs to one invariant, so they are not asked for by name.
fn with_options(
    invariant: Invariant,
    written: &WrittenInvariant,
    report: &mut Report<'_>,
) -> Invariant {
    if let Some(word) = &written.by {
        return by(invariant, word, report);
    }
    if let Some(within) = &written.within {
        return Invariant::Recovery(Some(within.value.0));
    }
    let Some(word) = &written.duplicates else {
        return invariant;
    };
    let names = Duplicates::ALL.map(Duplicates::name);
    if let Some(at) = names.iter().position(|name| *name == word.value) {
        return Invariant::FirstComeFirstServed(Duplicates::ALL[at]);
    }
    report.error_hint(
        word.position,
        format!("`{}` says nothing of duplicates", word.shown()),
        did_you_mean(&word.value, &names),
    );
    invariant
}
