//! Redis: connections that it refuses, and those that the system opens beside the phenomenon.

use super::super::figure::{Figures, How, Source};
use super::beside::beside;
use super::{Context, Hypothesis, Weighed, nowhere};
use crate::measure::{Quantity, ResourceKind, Unit};
use crate::messages::{code, said};

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let evidence = context.evidence;
    let of_redis = |quantity| {
        let all = evidence.series_of(quantity);
        all.filter(|one| one.kind == ResourceKind::Redis)
    };
    let (from, to) = context.span();
    let most = |one: &&super::super::evidence::Series| one.most(from, to).unwrap_or_default();
    let by_most = |one: &&super::super::evidence::Series, two: &&_| most(one).total_cmp(&most(two));
    let Some(open) = of_redis(Quantity::Connections).max_by(by_most) else {
        let fig = nowhere("connections (redis)", figures);
        return Weighed::NotMeasured(said!("cause.redis.not_measured"; fig));
    };
    let beside = beside(context, open, figures);
    let (mut points, mut support) = (beside.points, beside.said);
    let refused = of_redis(Quantity::RejectedConnections).max_by(by_most);
    let refused = refused
        .map(|one| (one, most(&one)))
        .filter(|one| one.1 > 0.0);
    if let Some((series, rate)) = refused {
        let fig = figures.cite(series.show(rate), series.source(from, to, How::Max));
        support.insert(
            0,
            said!("cause.redis.refused",
            source = code(series.source.clone()), rate = series.show(rate); fig),
        );
        points += 3;
    }
    let value = most(&open);
    let fig = figures.cite(Unit::Number.show(value), open.source(from, to, How::Max));
    if points == 0 {
        return Weighed::NotSeen(said!("cause.redis.not_seen",
            source = code(open.source.clone()), most = Unit::Number.show(value); fig));
    }
    let wait = nowhere("waiting time for a Redis connection", figures);
    let mut missing = vec![said!("cause.redis.missing"; wait)];
    if let Some(pool) = evidence.setting("redis_pool") {
        let fig = figures.cite(pool, Source::Plan("redis_pool".to_owned()));
        missing.push(said!("cause.redis.pool", pool = pool; fig));
    }
    Weighed::Seen(Hypothesis {
        title: said!("cause.redis.title"; fig),
        points,
        support,
        missing,
    })
}
