//! What a record means: by the name of its outcome, or by the rules of the scenario's step.

use crate::history::{Cause, Key, Operation, OutcomeKind};
use crate::load::http::Answer;
use crate::load::{Class, Classifier, Shape};
use crate::plan::{Label, Plan, Rule, Step};
use crate::records::{Record, Settings};

/// The attempts of one step.
#[derive(Debug)]
pub(super) struct Verdicts {
    step: u8,
    phase: u16,
    labels: Vec<Label>,
    classifier: Classifier,
}

impl Verdicts {
    /// The step with this name, or the only one that attempts to get something.
    pub(super) fn of(
        plan: &Plan,
        settings: &Settings,
        wanted: Option<&str>,
    ) -> Result<Self, String> {
        let attempts = plan.steps.iter().enumerate();
        let attempts: Vec<(usize, &Step)> =
            attempts.filter(|(_, step)| step.attempts_subject).collect();
        let names: Vec<&str> = attempts
            .iter()
            .map(|(_, step)| step.name.as_str())
            .collect();
        let mut found = attempts
            .iter()
            .filter(|(_, step)| wanted.is_none_or(|wanted| step.name == wanted));
        let (at, step) = match (found.next(), found.next()) {
            (Some((at, step)), None) => (*at, *step),
            (None, _) => {
                return Err(format!(
                    "no step `{}` attempts to get something; there are {}",
                    wanted.unwrap_or("?"),
                    names.join(", ")
                ));
            }
            (Some(_), Some(_)) => {
                return Err(format!(
                    "several steps attempt to get something: say with --step which of {} the \
                     records are of",
                    names.join(", ")
                ));
            }
        };
        for rule in &step.rules {
            decidable(rule, step, plan, settings)?;
        }
        let phase = plan.phases.iter().position(|phase| phase.load.is_some());
        Ok(Self {
            step: at as u8,
            phase: phase.unwrap_or_default() as u16,
            labels: plan.labels.clone(),
            classifier: Classifier::new(step, &plan.labels),
        })
    }

    /// The attempt of the record, without its times.
    pub(super) fn of_record(&self, record: &Record) -> Result<Operation, String> {
        let class = self.class(record)?;
        let named = record.coupon.as_deref().map(Key::of);
        Ok(Operation {
            user: Key::of(&record.user),
            coupon: named
                .filter(|_| class.kind.is_acknowledged())
                .unwrap_or(class.coupon),
            inv_ns: 0,
            ret_ns: 0,
            lag_us: 0,
            status: record.status,
            kind: class.kind,
            label: class.label,
            step: self.step,
            cause: class.cause,
            phase: self.phase,
            vu: 0,
        })
    }

    /// In what attempts without a certain answer are counted.
    pub(super) const fn shape(operation: &Operation) -> Shape {
        Shape {
            step: operation.step,
            cause: operation.cause,
            status: operation.status,
        }
    }

    fn class(&self, record: &Record) -> Result<Class, String> {
        let of = |label: usize, cause| Class {
            kind: self.labels[label].kind,
            label: label as u8,
            coupon: Key::NONE,
            cause,
        };
        if let Some(name) = &record.outcome {
            let label = self.labels.iter().position(|label| label.name == *name);
            let label = label.ok_or_else(|| {
                let names: Vec<&str> = self.labels.iter().map(|one| one.name.as_str()).collect();
                format!(
                    "the scenario has no outcome `{name}`; it has {}",
                    names.join(", ")
                )
            })?;
            let cause = match self.labels[label].kind {
                OutcomeKind::Unknown => Cause::Undeclared,
                _ => Cause::None,
            };
            return Ok(of(label, cause));
        }
        if let Some((kind, cause)) = record.failure {
            // The first labels are the kinds themselves.
            return Ok(of(kind as usize, cause));
        }
        let mut answer = Answer::default();
        answer.status = record.status;
        answer.push_body(record.body.as_deref().unwrap_or_default().as_bytes());
        Ok(self.classifier.classify(&answer))
    }
}

/// A rule that looks at what the records do not hold would never match, and the next one might.
fn decidable(rule: &Rule, step: &Step, plan: &Plan, settings: &Settings) -> Result<(), String> {
    if settings.has_outcomes() {
        return Ok(());
    }
    let label = plan.labels.get(usize::from(rule.label));
    let name = label.map_or("?", |label| label.name.as_str());
    let looks_at_body = rule.body.is_some()
        || rule.matches.is_some()
        || rule.empty.is_some()
        || !rule.json.is_empty();
    let (what, key) = if !rule.headers.is_empty() {
        ("a header, and records have none", "outcome")
    } else if looks_at_body && !settings.has_bodies() {
        (
            "the body, and no field of the records is mapped to it",
            "body",
        )
    } else if rule.coupon.is_some() && !settings.has_bodies() && !settings.has_coupons() {
        (
            "the body for the coupon's id, and no field of the records is mapped to it",
            "coupon",
        )
    } else {
        return Ok(());
    };
    Err(format!(
        "the outcome `{name}` of the step `{}` looks at {what}: say `--map {key}=...`, or \
         `--map outcome=...` if a field names the outcome",
        step.name
    ))
}
