//! The pool of connections to the database at its limit.

use super::super::evidence::{Series, counted};
use super::super::figure::{Figures, How, Source};
use super::beside::beside;
use super::{Context, Hypothesis, Weighed, nowhere};
use crate::measure::{Quantity, ResourceKind};
use crate::messages::{Said, code, said};

/// Of what is allowed.
const NEARLY: f64 = 0.9;

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let evidence = context.evidence;
    let all = evidence.series_of(Quantity::Connections);
    let mut of_sql = all.filter(|one| one.kind == ResourceKind::Sql);
    let Some(series) = of_sql.next() else {
        let fig = nowhere("connections (sql)", figures);
        return Weighed::NotMeasured(said!("cause.pool.not_measured"; fig));
    };
    let (from, to) = context.span();
    let Some(most) = series.most(from, to) else {
        let fig = nowhere("connections (sql)", figures);
        return Weighed::NotMeasured(said!("cause.pool.not_measured"; fig));
    };
    let most_fig = figures.cite(counted(most as u64), series.source(from, to, How::Max));
    let mut working = evidence.series_of(Quantity::ActiveConnections);
    let working = working.find(|one| one.source == series.source);
    let working = working.and_then(|one| Some((one, one.most(from, to)?)));
    let Some((active, at_work)) = working else {
        let fig = nowhere("active_connections (sql)", figures);
        return Weighed::NotMeasured(said!("cause.pool.not_measured"; fig));
    };
    let work_fig = figures.cite(counted(at_work as u64), active.source(from, to, How::Max));
    let source = code(series.source.clone());
    // A pool keeps its connections open when nobody needs them: those at work are what counts.
    let limit = limit(context, series, figures);
    let Some((limit, limit_said)) = limit.filter(|(limit, _)| at_work >= *limit * NEARLY) else {
        return Weighed::NotSeen(said!("cause.pool.not_seen",
            source = source, most = counted(most as u64),
            work = counted(at_work as u64); most_fig, work_fig));
    };
    let mut support = vec![
        said!("cause.pool.reached",
            source = source, most = counted(at_work as u64),
            limit = counted(limit as u64); work_fig),
        limit_said,
    ];
    let beside = beside(context, active, figures);
    support.extend(beside.said);
    let wait = nowhere("waiting time for a database connection", figures);
    Weighed::Seen(Hypothesis {
        title: said!("cause.pool.title"; work_fig),
        points: 3 + beside.points,
        support,
        missing: vec![said!("cause.pool.missing"; wait)],
    })
}

/// What the pools of the bundled server allow together, else what the database takes.
fn limit(context: &Context<'_>, series: &Series, figures: &mut Figures) -> Option<(f64, Said)> {
    let evidence = context.evidence;
    let pool = evidence.count_setting("database_pool");
    if let Some(pool) = pool {
        let processes = evidence.issuing_processes();
        let source = Source::Plan("database_pool".to_owned());
        let fig = figures.cite(counted(pool), source);
        let told = said!("cause.pool.limit",
            pool = counted(pool), processes = counted(processes); fig);
        return Some(((pool * processes.max(1)) as f64, told));
    }
    let mut limits = evidence.series_of(Quantity::MaxConnections);
    let limits = limits.find(|one| one.source == series.source)?;
    let most = limits.most(f64::NEG_INFINITY, f64::INFINITY)?;
    let (from, to) = context.span();
    let fig = figures.cite(counted(most as u64), limits.source(from, to, How::Max));
    let told = said!("cause.pool.server_limit", limit = counted(most as u64); fig);
    Some((most, told))
}
