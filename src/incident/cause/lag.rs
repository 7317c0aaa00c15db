//! A consumer group that falls behind.

use super::super::evidence::counted;
use super::super::figure::{Figures, How};
use super::beside::beside;
use super::{Context, Hypothesis, Weighed};
use crate::measure::Quantity;
use crate::messages::{code, said};

/// Unread events from which on a group counts as behind.
const BEHIND: f64 = 1_000.0;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    let lags = context.evidence.series_of(Quantity::ConsumerLag);
    let (from, to) = context.span();
    let most = lags.filter_map(|one| Some((one, one.most(from, to)?)));
    // Most systems have no consumer group; there is nothing to miss then.
    let Some((series, most)) = most.max_by(|one, two| one.1.total_cmp(&two.1)) else {
        return Weighed::Beside;
    };
    let shown = counted(most as u64);
    let fig = figures.cite(shown.clone(), series.source(from, to, How::Max));
    let source = code(series.source.clone());
    if most < BEHIND {
        return Weighed::NotSeen(said!("cause.lag.not_seen", source = source, most = shown; fig));
    }
    let beside = beside(context, series, figures);
    let mut support = vec![said!("cause.lag.support", source = source, most = shown; fig)];
    support.extend(beside.said);
    Weighed::Seen(Hypothesis {
        title: said!("cause.lag.title"; fig),
        points: 1 + beside.points,
        support,
        missing: vec![said!("cause.lag.missing"; fig)],
    })
}
