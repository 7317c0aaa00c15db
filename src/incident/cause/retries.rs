//! Requests that wait for a lock until their retries are used up: the time that they take is then
//! the number of retries times the delay between them.

use super::super::evidence::lasting;
use super::super::figure::{Figures, How, Source};
use super::super::stats::median;
use super::{Context, Hypothesis, Weighed, nowhere};
use crate::measure::Unit;
use crate::messages::said;
use crate::scenario::value::Span;

/// How near the time must come to that of all retries.
const NEAR: f64 = 0.2;

/// Only where the settings of the lock are known: of the bundled server, as they were written.
pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    let evidence = context.evidence;
    let count = evidence.count_setting("lock_retry_count");
    let delay = evidence.setting("lock_retry_delay");
    let delay: Option<Span> = delay.and_then(|delay| delay.parse().ok());
    let (Some(count), Some(Span(delay)), false) = (count, delay, context.is_invariant()) else {
        return Weighed::Beside;
    };
    let jitter = evidence.setting("lock_retry_jitter");
    let jitter: Option<Span> = jitter.and_then(|jitter| jitter.parse().ok());
    let jitter = jitter.map_or(0.0, |Span(jitter)| jitter.as_secs_f64() * 1e3);
    let delay_ms = delay.as_secs_f64() * 1e3;
    let least = count as f64 * delay_ms;
    let most = count as f64 * (delay_ms + jitter);
    let seconds = &evidence.seconds[context.from..context.to];
    let Some(p95) = median(seconds.iter().filter_map(|one| one.p95_ms)) else {
        let fig = nowhere("p95_ms", figures);
        return Weighed::NotMeasured(said!("cause.retries.not_measured"; fig));
    };
    let source = evidence.lines(context.from, context.to, How::Median, "p95_ms");
    let (shown, all) = (Unit::Time.show(p95), lasting(most / 1e3));
    let p95_fig = figures.cite(shown.clone(), source);
    let setting = format!("{count} × {}", lasting(delay_ms / 1e3));
    let plan = Source::Plan("lock_retry_count, lock_retry_delay, lock_retry_jitter".to_owned());
    let plan_fig = figures.cite(setting.clone(), plan);
    if p95 < least * (1.0 - NEAR) || p95 > most * (1.0 + NEAR) {
        return Weighed::NotSeen(said!("cause.retries.not_seen",
            value = shown, setting = setting, all = all; p95_fig, plan_fig));
    }
    let wait = nowhere("waiting time for locks inside of the server", figures);
    Weighed::Seen(Hypothesis {
        title: said!("cause.retries.title"; p95_fig, plan_fig),
        points: 4,
        support: vec![said!("cause.retries.support",
            value = shown, setting = setting, all = all; p95_fig, plan_fig)],
        missing: vec![said!("cause.retries.missing"; wait)],
    })
}
