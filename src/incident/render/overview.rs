//! What the report is about: the run at a glance, its scenario and its environment.

use std::fmt::Write as _;

use super::Page;
use crate::incident::NO_DATA;
use crate::incident::evidence::{counted, lasting, moment};
use crate::incident::severity::Severity;
use crate::measure::{Unit, grouped};
use crate::plan::Target;
use crate::report::escape;

pub(super) fn overview(page: &Page<'_>) -> String {
    let (incident, summary) = (page.incident, page.evidence.summary);
    let mut out = page.heading("part.overview");
    let unexpected = incident.phenomena.iter().filter(|one| !one.expected.is());
    let gravest = incident.phenomena.first().map(|one| one.severity);
    let nothing = || NO_DATA.to_owned();
    let times = &incident.timeline;
    let between = times.detected_s.zip(times.recovered_s);
    let not_recovered = || match times.detected_s {
        Some(_) => page.text("overview.not_recovered").to_owned(),
        None => page.text("overview.nothing_noticed").to_owned(),
    };
    let or_nothing = |text: &str| match text {
        "" => NO_DATA.to_owned(),
        text => escape::text(text),
    };
    let rows = [
        ("overview.run", or_nothing(&summary.name)),
        ("overview.started", or_nothing(&summary.environment.started)),
        ("overview.verdict", format!("**{}**", summary.verdict)),
        (
            "overview.load",
            format!(
                "{} / {} s / {} VU",
                counted(summary.requests),
                grouped(summary.duration_s, 1),
                counted(summary.vus_max)
            ),
        ),
        (
            "overview.phenomena",
            format!("{} ({})", incident.phenomena.len(), unexpected.count()),
        ),
        (
            "overview.severity",
            gravest.map_or_else(nothing, |one| one.to_string()),
        ),
        (
            "overview.detected",
            times.detected_s.map_or_else(not_recovered, moment),
        ),
        (
            "overview.recovered",
            times.recovered_s.map_or_else(not_recovered, moment),
        ),
        (
            "overview.took",
            between.map_or_else(|| "–".to_owned(), |(from, to)| lasting(to - from)),
        ),
    ];
    let rows = rows.map(|(key, value)| vec![page.text(key).to_owned(), value]);
    out += &page.table(&["overview.what", "overview.value"], rows.into_iter());
    if !page.evidence.moments.ended && !page.evidence.moments.imported {
        let _ = writeln!(out, "\n{}", page.text("overview.cut_off"));
    }
    if page.evidence.moments.imported {
        let _ = writeln!(out, "\n{}", page.text("overview.imported"));
    }
    let _ = writeln!(out, "\n{}\n", page.text("overview.severities"));
    let all = [Severity::P0, Severity::P1, Severity::P2, Severity::P3];
    for severity in all {
        let _ = writeln!(out, "- **{severity}**: {}", page.text(severity.meaning()));
    }
    out
}

pub(super) fn environment(page: &Page<'_>) -> String {
    let (summary, plan) = (page.evidence.summary, page.evidence.plan);
    let environment = &summary.environment;
    let mut out = page.heading("part.environment");
    let or_nothing = |text: &str| match text {
        "" => NO_DATA.to_owned(),
        text => escape::text(text),
    };
    let settings = match &plan.target {
        Target::Stack(stack) => {
            let settings = stack.settings.iter();
            let shown = settings.map(|one| format!("{} {}", one.key, one.shown));
            shown.collect::<Vec<_>>().join(", ")
        }
        Target::Urls { .. } => String::new(),
    };
    let subject = plan.subject.as_ref();
    let memory = Unit::Bytes.show(environment.memory_bytes as f64);
    let mut sources: Vec<&str> = summary
        .resources
        .iter()
        .map(|one| one.source.as_str())
        .collect();
    sources.dedup();
    sources.sort_unstable();
    sources.dedup();
    let rows = [
        (
            "environment.about",
            or_nothing(plan.about.as_deref().unwrap_or_default()),
        ),
        ("environment.target", or_nothing(&environment.target)),
        ("environment.provider", or_nothing(&environment.provider)),
        ("environment.settings", or_nothing(&settings)),
        (
            "environment.stock",
            subject.map_or_else(|| NO_DATA.to_owned(), |one| counted(one.stock)),
        ),
        (
            "environment.machine",
            or_nothing(&[environment.os.as_str(), environment.cpu.as_str(), &memory].join(", ")),
        ),
        ("environment.measured", or_nothing(&sources.join(", "))),
        ("environment.repeat", escape::cell_code(&environment.repeat)),
    ];
    let rows = rows.map(|(key, value)| vec![page.text(key).to_owned(), value]);
    out += &page.table(&["overview.what", "overview.value"], rows.into_iter());
    if summary.phases.is_empty() {
        return out;
    }
    out.push('\n');
    let rows = summary.phases.iter().map(|phase| {
        let p95 = phase
            .latency_ms
            .get("all")
            .map(|all| Unit::Time.show(all.p95));
        vec![
            escape::cell_code(&phase.phase),
            format!("{} – {}", moment(phase.from_s), moment(phase.to_s)),
            counted(phase.requests),
            p95.unwrap_or_else(|| NO_DATA.to_owned()),
        ]
    });
    let head = [
        "environment.phase",
        "environment.time",
        "environment.requests",
        "environment.p95",
    ];
    out += &page.table(&head, rows);
    out
}
