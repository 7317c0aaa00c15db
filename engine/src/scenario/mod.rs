//! What the user wrote: a YAML text becomes typed values with positions, and everything that is
//! wrong with it is reported at once.
//!
//! ```text
//! text --yaml--> tree --include, profile, set--> tree --environment--> tree --decode--> Scenario
//! ```
//! Nothing is resolved here: names that refer to each other, defaults and sums are the plan's.

mod decode;
mod diagnostic;
mod environment;
mod fault;
mod identity;
mod include;
mod mask;
mod merge;
mod model;
pub(crate) mod node;
mod parts;
mod position;
mod profile;
pub(crate) mod read;
pub(crate) mod reader;
mod report;
mod schema;
mod server;
mod set;
mod setup;
pub mod value;
mod variables;
pub(crate) mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use environment::{Environment, PLACEHOLDER};
pub use include::{Written, gather};
pub use mask::Mask;
pub use model::Scenario;
pub use position::Included;
pub use read::read;
pub use schema::schema;
pub use variables::Variables;

pub(crate) use fault::{Blow, Fault, Start, What};
pub(crate) use identity::{Auth, Hs256, RecordSource, Token, Users};
pub(crate) use model::{
    Alerts, Answers, Backlog, BacklogOf, Balances, Body, Capture, CaptureFrom, ConsumerGroup,
    Details, Each, EventSource, Executor, FileOutput, Flow, Images, Influxdb, InfluxdbTo,
    Invariant, Items, JsonMatch, Kafka, Load, Measure, Metric, Outcome, Outputs, Pages, Poll,
    Prometheus, Query, Queue, Redis, RemoteWrite, Request, Resource, ResourceOf, Seats, Stage,
    Step, Target, TextMatch, Threshold, Truth, TruthSource, Until, When,
};
pub(crate) use node::{Kind, Node, Value};
pub(crate) use parts::{OwnFound, OwnPart};
pub(crate) use position::{At, Origin, Position, Source};
pub use reader::did_you_mean;
pub(crate) use reader::{Given, list, unsupported};
pub(crate) use report::Report;
pub(crate) use server::{Replicas, Server};
pub(crate) use setup::{SetupStep, Shell, Task};

/// Reads a scenario: the text, then each `--set`, then `${NAME}` from the environment.
///
/// # Errors
/// Everything that is wrong with the text by itself; references are checked by
/// [`crate::plan::resolve`].
pub fn parse(
    file_name: &str,
    text: &str,
    set: &[String],
    environment: &Environment<'_>,
) -> Result<Scenario, Diagnostics> {
    let source = Source {
        file_name: file_name.to_owned(),
        text: without_mark(text).to_owned(),
        set: set.to_vec(),
        ..Source::default()
    };
    let mut report = Report::new(&source);
    let scenario = parse_partly(&source, environment, &mut report);
    match scenario {
        Some(scenario) if !report.has_errors() => Ok(scenario),
        _ => Err(report.finish()),
    }
}

/// The texts that positions refer to.
pub(crate) fn source(written: &Written, set: &[String], profile: Option<&str>) -> Source {
    let Written {
        file_name,
        text,
        included,
    } = written;
    let included = included.iter().map(|file| Included {
        name: file.name.clone(),
        text: file.text.clone().map(|text| without_mark(&text).to_owned()),
    });
    Source {
        file_name: file_name.clone(),
        text: without_mark(text).to_owned(),
        included: included.collect(),
        set: set.to_vec(),
        profile: profile.map(str::to_owned),
    }
}

/// A byte order mark would count as a character of the first key.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The names of the profiles that can be chosen, as far as the texts can be read.
pub(crate) fn profiles(source: &Source) -> Vec<String> {
    let Ok(mut tree) = yaml::parse(&source.text, Origin::File, 0) else {
        return Vec::new();
    };
    include::expand(&mut tree, source, &mut Report::new(source));
    profile::names(&tree)
}

/// As much of the scenario as can be read, so that planning can report its own errors too.
pub(crate) fn parse_partly(
    source: &Source,
    environment: &Environment<'_>,
    report: &mut Report<'_>,
) -> Option<Scenario> {
    let mut tree = match yaml::parse(&source.text, Origin::File, 0) {
        Ok(tree) => tree,
        Err(error) => {
            report.error_maybe(error.position, error.message, error.hint);
            error.rest?
        }
    };
    include::expand(&mut tree, source, report);
    profile::apply(&mut tree, source, report);
    for (n, argument) in source.set.iter().enumerate() {
        set::apply(&mut tree, n, argument, report);
    }
    let known = std::cell::RefCell::new(Mask::default());
    let noted = |name: &str| {
        let value = environment(name)?;
        known.borrow_mut().add_variable(name, &value);
        Some(value)
    };
    environment::substitute(&mut tree, &noted, report);
    report.hide(known.into_inner());
    decode::scenario(&tree, source, report)
}
