//! How throughput grew with the users: from the steps of the run to the summary.

use crate::measure::scalability::{BEND, Scaling, ScalingStep, efficiency, fit_steps};
use crate::report::{ScalabilityLaw, ScalabilityStep, ScalabilitySummary};

/// `None` where VUs were held at fewer than two numbers: there is nothing to grow.
pub(super) fn summary(scaling: &Scaling) -> Option<ScalabilitySummary> {
    let steps = scaling.steps(None);
    let first = steps.first()?;
    if steps.iter().all(|step| step.vus == first.vus) {
        return None;
    }
    let fit = fit_steps(steps);
    let shares = efficiency(steps);
    let is_bent = |share: &Option<f64>| share.is_some_and(|share| share < BEND);
    let bent = shares.iter().position(is_bent);
    let law = fit.as_ref().ok().map(|fit| fit.law);
    let of_step = |(step, share): (&ScalingStep, Option<f64>)| ScalabilityStep {
        step: step.name.clone(),
        vus: step.vus,
        seconds: step.seconds,
        throughput: step.throughput(),
        efficiency: share,
        fitted: law.map(|law| law.throughput(step.vus as f64)),
        outcomes: step.outcomes.clone(),
    };
    Some(ScalabilitySummary {
        bends_at: bent.map(|at| steps[at].vus),
        steps: steps.iter().zip(shares).map(of_step).collect(),
        law: fit.as_ref().ok().map(|fit| ScalabilityLaw {
            contention: fit.law.alpha,
            coherency: fit.law.beta,
            gamma: fit.law.gamma,
            peak: fit.law.peak(),
            knee: fit.law.knee(first.vus as f64, BEND),
            r_squared: fit.r_squared,
            residual: fit.residual,
        }),
        why_not: fit.err(),
    })
}
