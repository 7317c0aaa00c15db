//! What every written report says, section by section, in the order in which it is read; the title
//! with the verdict is each report's own.

mod comparison;
mod evidence;
mod fault;
mod latency;
mod loads;

pub(super) use comparison::comparison;

use super::document::{Block, Section, Table, code, plain, text, verdict};
use super::format::{NO_DATA, count, drain_sentence, expectation};
use super::{Judged, Summary, metrics, outputs, resources, scalability, setup};
use crate::measure::{Unit, grouped};
use crate::messages::Lang;

/// The run over time, which a reader may want sooner.
pub(super) const OVER_TIME: &str = "over-time";

/// All sections that have something to say.
pub(super) fn sections(summary: &Summary) -> Vec<Section> {
    let sections = [
        Some(invariants(summary)),
        Some(thresholds(&summary.thresholds)),
        warnings(&summary.warnings),
        setup::section(&summary.setup),
        fault::section(&summary.faults),
        Some(outcomes(summary)),
        evidence::findings(&summary.findings, !summary.faults.is_empty()),
        Some(latency::steps(summary)),
        latency::phases(summary),
        scalability::section(summary),
        metrics(summary),
        fairness(summary),
        outside(summary),
        Some(over_time(summary)),
        compared(summary),
        loads::section(summary),
        drain(summary),
        outputs::section(&summary.outputs),
        evidence::unknown_shapes(&summary.unknown_shapes),
        Some(environment(summary)),
    ];
    sections.into_iter().flatten().collect()
}

fn invariants(summary: &Summary) -> Section {
    let block = if summary.invariants.is_empty() {
        Block::plain("None was asked for: this run says nothing about what was issued.")
    } else {
        let rows = summary.invariants.iter().map(|judged| {
            vec![
                code(&judged.name),
                plain(expectation(&judged.name)),
                text(&judged.detail),
                verdict(judged.verdict),
            ]
        });
        let head = ["Invariant", "Expected", "Actual", "Verdict"];
        Block::Table(Table::new(head, "lllc", rows))
    };
    Section::new("invariants", "Invariants", vec![block])
}

fn thresholds(thresholds: &[Judged]) -> Section {
    let block = if thresholds.is_empty() {
        Block::plain("No threshold was asked for.")
    } else {
        let rows = thresholds.iter().map(|judged| {
            vec![
                code(&judged.name),
                text(&judged.detail),
                verdict(judged.verdict),
            ]
        });
        Block::Table(Table::new(["Expected", "Actual", "Verdict"], "llc", rows))
    };
    Section::new("sla", "SLA", vec![block])
}

fn warnings(warnings: &[String]) -> Option<Section> {
    if warnings.is_empty() {
        return None;
    }
    let list = Block::Warnings(warnings.iter().map(text).collect());
    let title = "Before trusting the numbers";
    Some(Section::new("warnings", title, vec![list]))
}

fn outcomes(summary: &Summary) -> Section {
    let block = if summary.requests == 0 {
        Block::plain(format!("{NO_DATA}: nothing was asked."))
    } else {
        let all = summary.requests as f64;
        let share = |attempts: u64| plain(Unit::Share.show(attempts as f64 / all));
        let row = |(name, attempts): (&String, &u64)| {
            vec![code(name), plain(count(*attempts)), share(*attempts)]
        };
        let total = vec![
            plain("all"),
            plain(count(summary.requests)),
            share(summary.requests),
        ];
        let rows = summary.outcomes.iter().map(row).chain([total]);
        Block::Table(Table::new(["Outcome", "Attempts", "Share"], "lrr", rows))
    };
    Section::new("outcomes", "Outcomes", vec![block])
}

fn metrics(summary: &Summary) -> Option<Section> {
    let tables = metrics::tables(summary).into_iter();
    let tables: Vec<_> = tables
        .map(|metrics| Block::Table(Table::of_figures(metrics.head.to_vec(), metrics.rows)))
        .collect();
    (!tables.is_empty()).then(|| Section::new("metrics", "Metrics", tables))
}

/// Where no finding tells it.
fn fairness(summary: &Summary) -> Option<Section> {
    let mut parts = summary.findings.iter().flat_map(|finding| &finding.parts);
    let told = parts.any(|part| part.name == "fairness");
    let measured = summary.fairness.as_ref().filter(|_| !told)?;
    let detail = match (measured.share, &measured.why_not) {
        (Some(share), _) => format!(
            "{:.2} % of {} pairs of users who got one were issued against the order of asking by \
             more than the jitter of {:.3} ms, {:.3} ms at most (by {}).",
            100.0 * share,
            count(measured.pairs),
            measured.jitter_ms,
            measured.farthest_ms,
            measured.by.as_deref().unwrap_or("-")
        ),
        (None, why) => format!("Not measured: {}.", why.as_deref().unwrap_or("-")),
    };
    let detail = Block::text(detail);
    Some(Section::new("fairness", "Fairness", vec![detail]))
}

fn outside(summary: &Summary) -> Option<Section> {
    if summary.resources.is_empty() {
        return None;
    }
    let table = Table::of_figures(resources::head(summary), resources::rows(summary));
    let blocks = vec![Block::Table(table), Block::plain(resources::note(summary))];
    Some(Section::new("outside", "Measured from outside", blocks))
}

fn over_time(summary: &Summary) -> Section {
    let title = "Over time";
    if summary.samples.is_empty() {
        return Section::new(OVER_TIME, title, vec![Block::plain(NO_DATA)]);
    }
    let outside = if summary.resources.is_empty() {
        ""
    } else {
        ", and what was measured from outside,"
    };
    let about =
        format!("Requests per second by outcome, response time and VUs{outside} over the run");
    let mut blocks = vec![Block::Chart { about }];
    if summary.faults.iter().any(|fault| fault.applied_s.is_some()) {
        blocks.push(Block::plain(
            "The time in which a fault was active is shaded.",
        ));
    }
    Section::new(OVER_TIME, title, blocks)
}

/// A run's own reports are in English.
pub(super) fn compared(summary: &Summary) -> Option<Section> {
    let of_baseline = summary.comparison.as_ref();
    of_baseline.map(|one| comparison(one, Lang::En))
}

fn drain(summary: &Summary) -> Option<Section> {
    let sentence = Block::plain(drain_sentence(summary)?);
    Some(Section::new("drain", "Drain phase", vec![sentence]))
}

fn environment(summary: &Summary) -> Section {
    let it = &summary.environment;
    let bytes = |bytes: u64| match bytes {
        0 => NO_DATA.to_owned(),
        bytes => Unit::Bytes.show(bytes as f64),
    };
    let generator = if it.resident_max_bytes == 0 {
        NO_DATA.to_owned()
    } else {
        let (cores, resident) = (grouped(it.generator_cpu, 2), bytes(it.resident_max_bytes));
        format!("{cores} cores, {resident} resident at most")
    };
    let profile = it.profile.clone().unwrap_or_default();
    let (sent, received) = (summary.data_sent as f64, summary.data_received as f64);
    let rows = [
        ("fcfs-bench", text(&it.version)),
        ("Seed", plain(it.seed.to_string())),
        ("Profile", text(profile)),
        ("Started", text(&it.started)),
        ("Merged from", text(it.merged.clone().unwrap_or_default())),
        ("Target", text(&it.target)),
        ("Provider", text(&it.provider)),
        ("System", text(&it.os)),
        ("Processor", text(&it.cpu)),
        ("Memory", plain(bytes(it.memory_bytes))),
        ("Engine", text(it.engine.clone().unwrap_or_default())),
        ("Load threads", plain(count(it.threads))),
        ("Generator", plain(generator)),
        ("Sent", plain(Unit::Bytes.show(sent))),
        ("Received", plain(Unit::Bytes.show(received))),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !is_empty(value));
    let rows = rows.map(|(name, value)| vec![plain(name), value]);
    let mut blocks = vec![Block::Table(Table::new(["", ""], "ll", rows))];
    if !it.repeat.is_empty() {
        blocks.push(Block::plain("To repeat it:"));
        blocks.push(Block::Code {
            language: "sh",
            text: it.repeat.clone(),
        });
    }
    Section::new("environment", "Environment", blocks)
}

fn is_empty(value: &super::document::Line) -> bool {
    use super::document::Inline::{Plain, Text};
    let mut pieces = value.iter();
    pieces.all(|piece| matches!(piece, Plain(words) | Text(words) if words.trim().is_empty()))
}
