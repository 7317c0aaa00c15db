//! Scenario and overrides become a plan: names are resolved, defaults filled in, claims checked.

mod overrides;

pub use overrides::{Overrides, Scale};

use super::Plan;
use crate::scenario::{self, Diagnostics, Environment, Report, Scenario};

/// Resolves a scenario that was parsed without an error.
///
/// # Errors
/// Everything that does not fit together, at once.
pub fn resolve(scenario: &Scenario, overrides: &Overrides) -> Result<Plan, Diagnostics> {
    let mut report = Report::new(&scenario.source);
    let plan = plan(scenario, overrides, &mut report);
    finish(plan, report)
}

/// Text to plan in one step, with the errors of reading and of planning together.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn load(
    file_name: &str,
    text: &str,
    overrides: &Overrides,
    environment: &Environment<'_>,
) -> Result<Plan, Diagnostics> {
    let source = scenario::source(file_name, text, &overrides.set);
    let mut report = Report::new(&source);
    let scenario = scenario::parse_partly(&source, environment, &mut report);
    let plan = scenario.and_then(|scenario| plan(&scenario, overrides, &mut report));
    finish(plan, report)
}

fn finish(plan: Option<Plan>, report: Report<'_>) -> Result<Plan, Diagnostics> {
    match plan {
        Some(plan) if !report.has_errors() => Ok(plan),
        _ => Err(report.finish()),
    }
}

fn plan(_scenario: &Scenario, _overrides: &Overrides, _report: &mut Report<'_>) -> Option<Plan> {
    todo!()
}
