//! What a run has of each sign that playbooks look at; `None` where it was not measured.

use super::super::cause::{NO_CONNECTION, sustained};
use super::super::evidence::{Evidence, counted};
use super::super::figure::{Figures, How, Source};
use super::{Measured, lasts};
use crate::history::OutcomeKind;
use crate::measure::{Quantity, ResourceKind, Unit};
use crate::messages::{Said, code, said};
use crate::playbook::{Sign, Symptom};
use crate::verdict::Verdict;

/// Measures a sign, and says its value beside the limit.
pub(super) fn of(
    evidence: &Evidence<'_>,
    symptom: &Symptom,
    playbook: &str,
    figures: &mut Figures,
) -> Option<Measured> {
    let summary = evidence.summary;
    let (value, source, unit) = match &symptom.of {
        Sign::Response => {
            let values: Vec<_> = evidence.seconds.iter().map(|one| one.p95_ms).collect();
            let value = sustained(&values, lasts(symptom))?;
            let how = How::Sustained(symptom.lasts_s);
            let source = evidence.lines(0, evidence.seconds.len(), how, "p95_ms");
            (value, source, Unit::Time)
        }
        Sign::Outcome(name) => {
            let count = *summary.outcomes.get(name)?;
            let source = of_summary(&format!("/outcomes/{name} of /requests"));
            (of_requests(evidence, count)?, source, Unit::Share)
        }
        Sign::Failed => {
            let of_kind = |name: &str| {
                evidence
                    .kind(name)
                    .is_some_and(OutcomeKind::is_failed_request)
            };
            let failed = summary.outcomes.iter().filter(|(name, _)| of_kind(name));
            let count = failed.map(|(_, count)| count).sum();
            let source = of_summary("/outcomes/*, those that failed, of /requests");
            (of_requests(evidence, count)?, source, Unit::Share)
        }
        Sign::ConnectFailures => {
            let shapes = summary.unknown_shapes.iter();
            let of_connection = shapes.filter(|shape| {
                NO_CONNECTION
                    .iter()
                    .any(|cause| cause.words() == shape.cause)
            });
            let count: u64 = of_connection.map(|shape| shape.count).sum();
            let source = Source::Summary("/unknown_shapes/*/count".to_owned());
            (count as f64, source, Unit::Count)
        }
        Sign::Cpu => {
            let cores = evidence.cores()? as f64;
            let value = together(evidence, Quantity::CpuNs, lasts(symptom))? / cores;
            (
                value,
                of_processes(evidence, "cpu_ns", symptom),
                Unit::Share,
            )
        }
        Sign::Memory => {
            let machine = summary.environment.memory_bytes;
            let used = together(evidence, Quantity::MemoryBytes, lasts(symptom))?;
            let value = (machine > 0).then(|| used / machine as f64)?;
            (
                value,
                of_processes(evidence, "memory_bytes", symptom),
                Unit::Share,
            )
        }
        Sign::Connections => connections(evidence, symptom)?,
        Sign::RowLockWaits => of_any(evidence, Quantity::RowLockWaits, symptom, Unit::CountRate)?,
        Sign::ConsumerLag => of_any(evidence, Quantity::ConsumerLag, symptom, Unit::Count)?,
        Sign::Fault(party) => return Some(fault(evidence, party, figures)),
        Sign::Invariant(name) => return invariant(evidence, name, figures),
    };
    let (shown, limit) = (unit.show(value), unit.show(symptom.above));
    let value_fig = figures.cite(shown.clone(), source);
    let limit_fig = figures.cite(limit.clone(), Source::Playbook(playbook.to_owned()));
    let said = match &symptom.of {
        Sign::Outcome(name) => said!("symptom.outcome",
            name = code(name.clone()), value = shown, limit = limit; value_fig, limit_fig),
        of => Said {
            key: words(of),
            values: vec![
                ("value", shown.into()),
                ("limit", limit.into()),
                ("lasts", symptom.lasts_s.to_string().into()),
            ],
            figures: vec![value_fig, limit_fig],
        },
    };
    Some(Measured { value, said })
}

const fn words(sign: &Sign) -> &'static str {
    match sign {
        Sign::Response => "symptom.response",
        Sign::Outcome(_) => "symptom.outcome",
        Sign::Failed => "symptom.failed",
        Sign::ConnectFailures => "symptom.connect_failures",
        Sign::Cpu => "symptom.cpu",
        Sign::Memory => "symptom.memory",
        Sign::Connections => "symptom.connections",
        Sign::RowLockWaits => "symptom.row_lock_waits",
        Sign::ConsumerLag => "symptom.consumer_lag",
        Sign::Fault(_) => "symptom.fault",
        Sign::Invariant(_) => "symptom.invariant",
    }
}

/// Worked out of several fields.
fn of_summary(what: &str) -> Source {
    Source::Test {
        file: "summary.json",
        what: what.to_owned(),
    }
}

fn of_requests(evidence: &Evidence<'_>, count: u64) -> Option<f64> {
    let requests = evidence.summary.requests;
    (requests > 0).then(|| count as f64 / requests as f64)
}

/// All processes but the harness, added up second by second; a second without any of them has none.
fn together(evidence: &Evidence<'_>, quantity: Quantity, lasts: usize) -> Option<f64> {
    let mut sum: Vec<Option<f64>> = vec![None; evidence.seconds.len()];
    let systems = evidence.series_of(quantity);
    for series in systems.filter(|one| one.source != crate::plan::HARNESS) {
        for (sum, value) in sum.iter_mut().zip(series.by_second(evidence.seconds)) {
            if let Some(value) = value {
                *sum = Some(sum.unwrap_or_default() + value);
            }
        }
    }
    sustained(&sum, lasts)
}

fn of_processes(evidence: &Evidence<'_>, field: &str, symptom: &Symptom) -> Source {
    Source::Resources {
        source: "*".to_owned(),
        kind: "process".to_owned(),
        field: field.to_owned(),
        from: 0.0,
        to: evidence.end_s(),
        how: How::Sustained(symptom.lasts_s),
    }
}

/// The source with the highest level that lasts.
fn of_any(
    evidence: &Evidence<'_>,
    quantity: Quantity,
    symptom: &Symptom,
    unit: Unit,
) -> Option<(f64, Source, Unit)> {
    let all = evidence.series_of(quantity).filter_map(|series| {
        let values = series.by_second(evidence.seconds);
        Some((series, sustained(&values, lasts(symptom))?))
    });
    let (series, value) = all.max_by(|one, two| one.1.total_cmp(&two.1))?;
    let how = How::Sustained(symptom.lasts_s);
    Some((value, series.source(0.0, evidence.end_s(), how), unit))
}

/// Connections at work in a database, of what the pools of the bundled server allow, else of what
/// the database takes.
fn connections(evidence: &Evidence<'_>, symptom: &Symptom) -> Option<(f64, Source, Unit)> {
    let mut active = evidence.series_of(Quantity::ActiveConnections);
    let active = active.find(|one| one.kind == ResourceKind::Sql)?;
    let pool = evidence.count_setting("database_pool");
    let limit = if let Some(pool) = pool {
        (pool * evidence.issuing_processes().max(1)) as f64
    } else {
        let mut limits = evidence.series_of(Quantity::MaxConnections);
        let limits = limits.find(|one| one.source == active.source)?;
        limits.most(f64::NEG_INFINITY, f64::INFINITY)?
    };
    let values = active.by_second(evidence.seconds);
    let value = sustained(&values, lasts(symptom))?;
    let how = How::Sustained(symptom.lasts_s);
    let source = active.source(0.0, evidence.end_s(), how);
    (limit > 0.0).then_some((value / limit, source, Unit::Share))
}

/// How many faults of a party, or of one kind of it, were injected.
fn fault(evidence: &Evidence<'_>, wanted: &str, figures: &mut Figures) -> Measured {
    let (party, kind) = match wanted.split_once('.') {
        Some((party, kind)) => (party, Some(kind)),
        None => (wanted, None),
    };
    let of_party = |name: &str| {
        let mut faults = evidence.plan.faults.iter();
        faults.any(|fault| {
            fault.name == name
                && is_of(fault.victim.party.name(), party)
                && kind.is_none_or(|kind| fault.injection.kind() == kind)
        })
    };
    let faults = evidence.summary.faults.iter().enumerate();
    let mut injected = faults.filter(|(_, one)| one.applied_s.is_some() && of_party(&one.fault));
    let Some((at, first)) = injected.next() else {
        let fig = figures.cite("0", Source::Summary("/faults".to_owned()));
        let said = said!("symptom.fault", party = code(wanted), count = "0"; fig);
        return Measured { value: 0.0, said };
    };
    let count = 1 + injected.count() as u64;
    let source = Source::Summary(format!("/faults/{at}/what"));
    let fig = figures.cite(first.what.clone(), source);
    Measured {
        value: count as f64,
        said: said!("symptom.fault", party = code(wanted), count = counted(count); fig),
    }
}

/// Every role of the server is the server.
fn is_of(name: &str, party: &str) -> bool {
    let others = ["redis", "database", "kafka", "client"];
    name == party || (party == "server" && !others.contains(&name))
}

fn invariant(evidence: &Evidence<'_>, name: &str, figures: &mut Figures) -> Option<Measured> {
    let invariants = &evidence.summary.invariants;
    let at = invariants.iter().position(|one| one.name == name)?;
    let verdict = invariants[at].verdict;
    let source = Source::Summary(format!("/invariants/{at}/verdict"));
    let fig = figures.cite(verdict.to_string(), source);
    Some(Measured {
        value: f64::from(u8::from(verdict == Verdict::Fail)),
        said: said!("symptom.invariant", name = code(name); fig),
    })
}
