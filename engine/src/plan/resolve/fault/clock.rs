//! How far a clock is set, and whose clock can be.

use crate::plan::fault::Injection;
use crate::plan::{Provider, Target};
use crate::scenario::value::Span;
use crate::scenario::{Blow, Report};

use super::settings::Settings;

/// Less could not be told from a clock that is asked late.
const LEAST_MS: i64 = 1_000;

/// `30s` is ahead, `-30s` is behind.
pub(super) fn skew(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Option<Injection> {
    let by = settings.text("by")?;
    let (sign, length) = match by.value.trim().strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, by.value.trim().trim_start_matches('+')),
    };
    let span = match length.parse::<Span>() {
        Ok(span) => span,
        Err(error) => {
            let hint = error.hint.unwrap_or_default();
            settings.refuse(by, &error.message, &hint, report);
            return None;
        }
    };
    let by_ms = sign * span.0.as_millis() as i64;
    if by_ms.abs() < LEAST_MS {
        let hint = "write at least `1s`, or `-1s`";
        settings.refuse(by, "nobody would notice so little", hint, report);
    }
    Some(Injection::ClockSkew { by_ms })
}

/// A program must be started with a clock that can be set, which only `local` does.
pub(super) fn check(
    blow: &Blow,
    injection: &Injection,
    target: Option<&Target>,
    report: &mut Report<'_>,
) -> Option<()> {
    if !matches!(injection, Injection::ClockSkew { .. }) {
        return Some(());
    }
    let (what, hint) = match target {
        Some(Target::Stack(stack)) if stack.provider == Provider::Local => return Some(()),
        None => return Some(()),
        Some(Target::Stack(_)) => (
            "only `local` starts programs whose clock can be set",
            "write `provider: local`",
        ),
        Some(Target::Urls { .. }) => (
            "the clock of a program that already runs cannot be set",
            "let the bundled system be the target: `stack: { provider: local }`",
        ),
    };
    report.error_hint(blow.kind.position, what, hint);
    None
}
