//! What may have caused the phenomena.

use std::fmt::Write as _;

use super::Page;
use crate::incident::cause::{Cause, NotSeen};

pub(super) fn part(page: &Page<'_>) -> String {
    let mut out = page.heading("part.causes");
    if page.incident.causes.is_empty() {
        let _ = writeln!(out, "{}", page.text("causes.none"));
        return out;
    }
    let _ = writeln!(out, "{}", page.text("causes.note"));
    for cause in &page.incident.causes {
        out.push('\n');
        out += &of(page, cause);
    }
    out
}

fn of(page: &Page<'_>, cause: &Cause) -> String {
    let phenomenon = &page.incident.phenomena[cause.phenomenon];
    let title = page.sentence(&phenomenon.title);
    let number = cause.phenomenon + 1;
    let mut out = format!("### {} 3.{number}: {title}\n\n", page.text("causes.of"));
    if cause.hypotheses.is_empty() {
        let _ = writeln!(out, "{}\n", page.text("causes.nothing_speaks"));
    }
    for (at, hypothesis) in cause.hypotheses.iter().enumerate() {
        let title = page.told(&hypothesis.title);
        let points = page.text("causes.points");
        let _ = writeln!(
            out,
            "{}. **{title}** ({points} {})",
            at + 1,
            hypothesis.points
        );
        for said in &hypothesis.support {
            let _ = writeln!(out, "   - {}: {}", page.text("causes.for"), page.told(said));
        }
        for said in &hypothesis.missing {
            let _ = writeln!(
                out,
                "   - {}: {}",
                page.text("causes.missing"),
                page.told(said)
            );
        }
    }
    let measured = cause.not_seen.iter().filter_map(|one| match one {
        NotSeen::Measured(said) => Some(("causes.not_seen", said)),
        NotSeen::NotMeasured(_) => None,
    });
    let not_measured = cause.not_seen.iter().filter_map(|one| match one {
        NotSeen::NotMeasured(said) => Some(("causes.not_measured", said)),
        NotSeen::Measured(_) => None,
    });
    let all: Vec<_> = measured.chain(not_measured).collect();
    if !all.is_empty() && !cause.hypotheses.is_empty() {
        out.push('\n');
    }
    for (key, said) in all {
        let _ = writeln!(out, "- {}: {}", page.text(key), page.told(said));
    }
    out
}
