//! Connections that were not made: refused, too late, or broken off.

use super::super::evidence::counted;
use super::super::figure::{Figures, Source};
use super::{Context, Hypothesis, Weighed};
use crate::history::Cause;
use crate::messages::{Value, said};

/// How attempts end that never had a connection.
pub(in crate::incident) const NO_CONNECTION: [Cause; 4] = [
    Cause::ConnectRefused,
    Cause::ConnectTimeout,
    Cause::ConnectFailed,
    Cause::TlsFailed,
];

pub(super) fn weigh(context: &Context<'_>, figures: &mut Figures) -> Weighed {
    if context.is_invariant() {
        return Weighed::Beside;
    }
    let shapes = context.evidence.summary.unknown_shapes.iter().enumerate();
    let of_connection = shapes.filter(|(_, shape)| {
        NO_CONNECTION
            .iter()
            .any(|cause| cause.words() == shape.cause)
    });
    let mut support = Vec::new();
    for (at, shape) in of_connection {
        let source = Source::Summary(format!("/unknown_shapes/{at}/count"));
        let fig = figures.cite(counted(shape.count), source);
        support.push(said!("cause.refused.support",
            count = counted(shape.count), why = Value::Foreign(shape.cause.clone()); fig));
    }
    let Some(first) = support.first() else {
        let source = Source::Summary("/unknown_shapes".to_owned());
        let fig = figures.cite("0", source);
        return Weighed::NotSeen(said!("cause.refused.not_seen"; fig));
    };
    let fig = first.figures[0];
    Weighed::Seen(Hypothesis {
        title: said!("cause.refused.title"; fig),
        points: 3,
        support,
        missing: vec![said!("cause.refused.missing"; fig)],
    })
}
