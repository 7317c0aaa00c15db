//! Judges thresholds on scalability by the steps of a run, when the load has ended.

use super::{NoData, Observed, judge};
use crate::measure::scalability::{Fit, Scaling, ScalingStep, efficiency, fit_steps, load_of};
use crate::measure::unit::grouped;
use crate::measure::{Aggregate, Threshold, ThresholdResult};

/// Judges a threshold on scalability.
pub fn evaluate_scalability(threshold: &Threshold, scaling: &Scaling) -> ThresholdResult {
    let steps = scaling.steps(load_of(&threshold.tags));
    let observed = match threshold.aggregate {
        Aggregate::Efficiency => least_efficient(steps),
        Aggregate::Contention => fitted(steps, |fit| fit.law.alpha),
        Aggregate::Coherency => fitted(steps, |fit| fit.law.beta),
        // The parser lets no other through.
        _ => fitted(steps, |fit| fit.law.peak().unwrap_or(f64::INFINITY)),
    };
    judge(threshold, observed)
}

/// Of all steps the worst counts.
fn least_efficient(steps: &[ScalingStep]) -> Result<Observed, NoData> {
    let first = steps.first().map_or(0, |step| step.vus);
    if steps.iter().all(|step| step.vus == first) {
        let why = "two steps with different numbers of VUs are needed";
        return Err(NoData(why.to_owned()));
    }
    let shares = efficiency(steps);
    let known = steps.iter().zip(&shares);
    let known: Option<Vec<_>> = known.map(|(step, share)| Some((step, (*share)?))).collect();
    // A step that says nothing may be the worst.
    let known = known.ok_or_else(|| NoData("a step has no throughput".to_owned()))?;
    let worst = known
        .into_iter()
        .min_by(|one, other| one.1.total_cmp(&other.1));
    let (step, share) = worst.ok_or_else(|| NoData("no step".to_owned()))?;
    Ok(Observed {
        value: share,
        over: format!(
            "at {} VUs (`{}`), of what each of {first} gets",
            grouped(step.vus as f64, 0),
            step.name
        ),
    })
}

fn fitted(steps: &[ScalingStep], figure: impl Fn(&Fit) -> f64) -> Result<Observed, NoData> {
    let fit = fit_steps(steps).map_err(NoData)?;
    Ok(Observed {
        value: figure(&fit),
        over: format!("fitted over {} steps", fit.steps),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Second;
    use crate::plan::{Overrides, load};
    use crate::verdict::Verdict;

    /// Three steps of 10, 20 and 40 VUs with this throughput, judged by this assertion.
    fn judged(throughput: [u64; 3], assertion: &str, more: &str) -> (Verdict, String) {
        let text = format!(
            "
name: steps
target: {{ url: \"http://127.0.0.1:3000\" }}
load:
  steps:
    flow: issue
    ramping_vus:
      start: 10
      stages:
        - {{ name: ten, for: 10s, to: 10 }}
        - {{ name: up, for: 0s, to: 20 }}
        - {{ name: twenty, for: 10s, to: 20 }}
        - {{ name: on, for: 0s, to: 40 }}
        - {{ name: forty, for: 10s, to: 40 }}
flows: {{ issue: [{{ post: /issue, outcomes: {{ issued: 201 }} }}] }}
thresholds: {{ \"scalability{{load:steps}}\": {{ threshold: \"{assertion}\"{more} }} }}
"
        );
        let plan = load("steps.yaml", &text, &Overrides::default(), &|_| None).expect("valid");
        assert_eq!(plan.warnings, Vec::<String>::new());
        let mut scaling = Scaling::new(&plan);
        for (at, count) in throughput.iter().enumerate() {
            for t in 0..10 {
                scaling.second(&Second {
                    t: 10 * at as u64 + t,
                    length_s: 1.0,
                    vus: 10 << at,
                    requests: *count,
                    outcomes: [("issued".to_owned(), *count)].into(),
                    ..Second::default()
                });
            }
        }
        let result = evaluate_scalability(&plan.thresholds[0], &scaling);
        (result.verdict, result.detail)
    }

    #[test]
    #[rustfmt::skip] // A row a line.
    fn the_worst_step_and_the_fitted_law_are_judged() {
        let (pass, fail) = (Verdict::Pass, Verdict::Fail);
        // Twice the users for 1.8 times as much, and then for no more.
        let bends = [100, 180, 180];
        let linear = [100, 200, 400];
        for (throughput, assertion, verdict, detail) in [
            (bends, "efficiency > 0.8", fail, "efficiency = 45.00 % at 40 VUs (`forty`), of what each of 10 gets, limit > 80 %"),
            (bends, "efficiency>40%", pass, "efficiency = 45.00 % at 40 VUs (`forty`), of what each of 10 gets, limit > 40 %"),
            (linear, "efficiency>=100%", pass, "efficiency = 100.00 % at 10 VUs (`ten`), of what each of 10 gets, limit >= 100 %"),
            (linear, "contention<1%", pass, "contention = 0.00 % fitted over 3 steps, limit < 1 %"),
            (linear, "coherency<0.0001", pass, "coherency = 0 fitted over 3 steps, limit < 0.0001"),
            (linear, "peak>1000", pass, "peak = ∞ fitted over 3 steps, limit > 1,000"),
            (bends, "peak>1000", fail, "peak = 32.593 fitted over 3 steps, limit > 1,000"),
            ([100, 0, 100], "contention<1%", fail, "no data (nothing was answered at 20 VUs), limit < 1 %"),
            ([0, 0, 0], "efficiency>1%", fail, "no data (a step has no throughput), limit > 1 %"),
        ] {
            assert_eq!(judged(throughput, assertion, ""), (verdict, detail.to_owned()));
        }
        let (verdict, _) = judged([0, 0, 0], "peak>1", ", allow_empty: true");
        assert_eq!(verdict, pass);
    }
}
