//! How throughput grew with the users, in the summary and in the report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::document::{Block, Inline, Line, Section, Table, code, plain};
use super::format::NO_DATA;
use super::{SCALABILITY_CHART, Summary, scalability_chart};
use crate::measure::scalability::BEND;
use crate::measure::{Unit, grouped};

/// The outcome whose share is shown by step.
const LOCK_FAILED: &str = "lock_failed";

/// The steps of a run at which it held its VUs, and the law of Universal Scalability over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScalabilitySummary {
    /// By rising VUs.
    pub steps: Vec<ScalabilityStep>,
    /// VUs of the first step at which a VU gets less than 80 % of what one gets at the first step.
    pub bends_at: Option<u64>,
    /// What fits the steps best; `None`: they cannot carry it.
    pub law: Option<ScalabilityLaw>,
    /// Why there is no law.
    pub why_not: Option<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScalabilityStep {
    /// The phase's name; of several at once all of them.
    pub step: String,
    /// VUs.
    pub vus: u64,
    /// Whole seconds that were counted: without the first, and with all of its VUs.
    pub seconds: f64,
    /// Attempts per second that did not fail; `None`: too few seconds.
    pub throughput: Option<f64>,
    /// What a VU gets, as a share of what one gets at the first step (1 is as much).
    pub efficiency: Option<f64>,
    /// Throughput by the law.
    pub fitted: Option<f64>,
    /// All attempts that ended in these seconds, by outcome name.
    pub outcomes: BTreeMap<String, u64>,
}

/// The law of Universal Scalability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScalabilityLaw {
    /// Alpha: the share of the work that only one can do at a time, 0 to 1.
    pub contention: f64,
    /// Beta: what each user costs every other.
    pub coherency: f64,
    /// Gamma: throughput of one user, per second.
    pub gamma: f64,
    /// Users from whom on throughput falls; `None`: it does not.
    pub peak: Option<f64>,
    /// Users at whom each gets 80 % of what one gets at the first step; `None`: at no number.
    pub knee: Option<f64>,
    /// Share of the variance of the throughput that it explains; `None` without variance.
    pub r_squared: Option<f64>,
    /// Root of the mean square of the relative error of a step.
    pub residual: f64,
}

impl ScalabilityLaw {
    /// Throughput of so many users, per second.
    pub(super) fn throughput(&self, users: f64) -> f64 {
        let law = crate::measure::scalability::Law {
            alpha: self.contention,
            beta: self.coherency,
            gamma: self.gamma,
        };
        law.throughput(users)
    }
}

/// The section of written reports.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let scaling = summary.scalability.as_ref()?;
    let about = "Throughput is of attempts that did not fail, over the whole seconds of a step in \
                 which all of its VUs ran, without the first. Efficiency is what a VU gets, as a \
                 share of what one gets at the first step.";
    let mut blocks = vec![
        Block::plain(about),
        Block::List(in_words(scaling)),
        Block::Table(steps(scaling)),
    ];
    blocks.extend(scalability_chart(summary).map(|svg| Block::Picture {
        about: "Throughput by VUs, measured and fitted",
        file: SCALABILITY_CHART.to_owned(),
        svg,
    }));
    Some(Section::new("scalability", "Scalability", blocks))
}

fn steps(scaling: &ScalabilitySummary) -> Table {
    let locks = scaling.steps.iter();
    let locks = locks.map(|step| step.outcomes.contains_key(LOCK_FAILED));
    let with_locks = locks.reduce(|one, other| one || other).unwrap_or(false);
    let shown = |value: Option<f64>, unit: Unit| {
        plain(value.map_or_else(|| NO_DATA.to_owned(), |value| unit.show(value)))
    };
    let rows = scaling.steps.iter().map(|step| {
        let all: u64 = step.outcomes.values().sum();
        let mut row = vec![
            code(&step.step),
            plain(grouped(step.vus as f64, 0)),
            plain(format!("{} s", grouped(step.seconds, 0))),
            shown(step.throughput, Unit::CountRate),
            shown(step.efficiency, Unit::Share),
            shown(step.fitted, Unit::CountRate),
        ];
        if with_locks {
            let failed = step.outcomes.get(LOCK_FAILED).copied().unwrap_or_default();
            let share = (all > 0).then(|| failed as f64 / all as f64);
            row.push(shown(share, Unit::Share));
        }
        row
    });
    let mut head = vec![
        "Step",
        "VUs",
        "Seconds",
        "Throughput",
        "Efficiency",
        "Fitted",
    ];
    let mut align = "lrrrrr".to_owned();
    if with_locks {
        head.push(LOCK_FAILED);
        align.push('r');
    }
    Table::new(head, align, rows)
}

/// Where it bends, and what the law says.
fn in_words(scaling: &ScalabilitySummary) -> Vec<Line> {
    let percent = 100.0 * BEND;
    let mut lines = vec![plain(match scaling.bends_at {
        Some(vus) => format!(
            "It bends at {} VUs: the first step with an efficiency below {percent:.0} %.",
            grouped(vus as f64, 0)
        ),
        None => format!("It does not bend: no step has an efficiency below {percent:.0} %."),
    })];
    match &scaling.law {
        Some(law) => lines.extend(law_in_words(law, scaling)),
        None => lines.push(vec![
            Inline::plain("No law was fitted: "),
            Inline::text(scaling.why_not.as_deref().unwrap_or("-")),
            Inline::plain("."),
        ]),
    }
    lines
}

fn law_in_words(law: &ScalabilityLaw, scaling: &ScalabilitySummary) -> [Line; 3] {
    let percent = 100.0 * BEND;
    let most = scaling.steps.iter().map(|step| step.vus).max();
    let beyond = |users: f64| match most {
        Some(most) if users > most as f64 => ", which is more than were run: an extrapolation",
        _ => "",
    };
    let coefficient = |value| Unit::Coefficient.show(value);
    let mut fit = format!(
        "By the law of Universal Scalability: contention α = {}, coherency β = {}, one user γ = {}",
        coefficient(law.contention),
        coefficient(law.coherency),
        Unit::CountRate.show(law.gamma)
    );
    let _ = match law.r_squared {
        Some(r_squared) => write!(fit, " (R² = {r_squared:.4}"),
        None => write!(fit, " (R²: {NO_DATA}, throughput was the same"),
    };
    let _ = write!(fit, ", off by {:.1} % on average).", 100.0 * law.residual);
    if scaling.steps.len() == 3 {
        fit += " Three steps for three numbers: how well it fits says nothing.";
    }
    let peak = match law.peak {
        Some(peak) => format!(
            "Throughput is highest at N* = {} users{}.",
            grouped(peak, 0),
            beyond(peak)
        ),
        None => "Throughput does not fall again (β = 0).".to_owned(),
    };
    let knee = match law.knee {
        Some(knee) => format!(
            "Fitted, the efficiency falls to {percent:.0} % at {} users{}.",
            grouped(knee, 0),
            beyond(knee)
        ),
        None => format!("Fitted, the efficiency never falls to {percent:.0} %."),
    };
    [fit, peak, knee].map(plain)
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, markdown};
    use super::*;

    /// The section as Markdown.
    fn written(summary: &Summary) -> String {
        let text = markdown(summary);
        let (_, behind) = text.split_once("## Scalability").expect("the section");
        let (section, _) = behind.split_once("\n## ").expect("a section behind it");
        section.to_owned()
    }

    #[test]
    fn steps_with_a_law_read_well() {
        insta::assert_snapshot!(written(&fixture::scaled()));
    }

    #[test]
    fn steps_that_carry_no_law_say_why() {
        let mut summary = fixture::scaled();
        let scaling = summary.scalability.as_mut().expect("it");
        scaling.law = None;
        scaling.why_not = Some("two of three | are needed".to_owned());
        scaling.bends_at = None;
        scaling.steps[1].throughput = None;
        scaling.steps[1].efficiency = None;
        for step in &mut scaling.steps {
            step.fitted = None;
            step.outcomes.clear();
        }
        insta::assert_snapshot!(written(&summary));
    }
}
