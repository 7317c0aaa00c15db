use proptest::prelude::*;

use super::*;
use crate::plan::{Overrides, load};

fn plan_of(loads: &str) -> Plan {
    let text = format!(
        "
name: steps
target: {{ url: \"http://127.0.0.1:3000\" }}
load:
{loads}
flows: {{ issue: [{{ post: /issue, outcomes: {{ issued: 201, busy: {{ status: 503, is: error }} }} }}] }}
thresholds: {{ \"scalability{{load:a}}\": {{ threshold: efficiency>80%, allow_empty: true }} }}
"
    );
    load("steps.yaml", &text, &Overrides::default(), &|_| None).expect("valid")
}

fn seen(steps: &[ScalingStep]) -> Vec<(&str, u64, u64, u64)> {
    let mut seen = Vec::new();
    for step in steps {
        let (from, to) = (step.from.as_secs(), step.to.as_secs());
        seen.push((step.name.as_str(), step.vus, from, to));
    }
    seen
}

#[test]
fn stages_that_end_as_they_begin_are_steps_and_ramps_and_pauses_are_none() {
    let plan = plan_of(
        "  a:
    flow: issue
    ramping_vus:
      stages:
        - { name: up, for: 5s, to: 40 }
        - { name: high, for: 10s, to: 40 }
        - { name: jump, for: 0s, to: 10 }
        - { name: low, for: 10s, to: 10 }
        - { name: gone, for: 0s, to: 0 }
        - { name: pause, for: 5s, to: 0 }",
    );
    let expected = [("low", 10, 15, 25), ("high", 40, 5, 15)];
    assert_eq!(seen(&steps(&plan, None)), expected);
    assert_eq!(seen(&steps(&plan, Some("a"))), expected);
    assert_eq!(seen(&steps(&plan, Some("b"))), []);
}

#[test]
fn loads_side_by_side_are_one_step_and_are_no_step_of_either() {
    let plan = plan_of(
        "  a: { flow: issue, constant_vus: { vus: 10, for: 20s } }
  b: { flow: issue, start_after: 10s, constant_vus: { vus: 5, for: 20s } }",
    );
    let all = [("a", 10, 0, 10), ("a + b", 15, 10, 20), ("b", 5, 20, 30)];
    let mut all = all.to_vec();
    all.sort_by_key(|step| step.1);
    assert_eq!(seen(&steps(&plan, None)), all);
    assert_eq!(seen(&steps(&plan, Some("a"))), [("a", 10, 0, 10)]);
}

#[test]
fn nothing_beside_an_open_model_is_a_step() {
    let plan = plan_of(
        "  a: { flow: issue, constant_vus: { vus: 10, for: 20s } }
  b: { flow: issue, start_after: 10s, constant_arrival_rate: { rate: 5, for: 5s, vus: 5 } }",
    );
    let expected = [("a", 10, 0, 10), ("a", 10, 15, 20)];
    assert_eq!(seen(&steps(&plan, None)), expected);
}

fn second(t: u64, vus: u64, outcomes: &[(&str, u64)]) -> Second {
    let outcomes = outcomes.iter();
    let outcomes: BTreeMap<_, _> = outcomes.map(|(name, n)| ((*name).to_owned(), *n)).collect();
    Second {
        t,
        length_s: 1.0,
        vus,
        requests: outcomes.values().sum(),
        outcomes,
        ..Second::default()
    }
}

#[test]
fn only_whole_seconds_with_all_vus_count_and_failures_are_no_throughput() {
    let plan = plan_of("  a: { flow: issue, constant_vus: { vus: 10, for: 6s } }");
    let mut scaling = Scaling::new(&plan);
    let answers = [("issued", 90), ("busy", 7), ("unknown", 3)];
    for (t, vus) in [(0, 10), (1, 10), (2, 11), (3, 10), (4, 9), (5, 10), (6, 10)] {
        scaling.second(&second(t, vus, &answers));
    }
    let [step] = scaling.steps(Some("a")) else {
        panic!("one step");
    };
    // 0: connections are made; 2: a straggler; 4: one is missing; 6: it is over.
    assert_eq!((step.seconds, step.answered), (3.0, 270));
    assert_eq!(step.throughput(), Some(90.0));
    assert_eq!(step.outcomes["busy"], 21);
}

#[test]
fn a_step_that_was_too_short_has_no_throughput_and_carries_no_fit() {
    let plan = plan_of("  a: { flow: issue, constant_vus: { vus: 10, for: 3s } }");
    let mut scaling = Scaling::new(&plan);
    (0..3).for_each(|t| scaling.second(&second(t, 10, &[("issued", 9)])));
    let steps = scaling.steps(None);
    assert_eq!(steps[0].throughput(), None);
    let error = fit_steps(steps).expect_err("too short");
    assert!(error.contains("`a` had too few whole seconds"), "{error}");
    assert_eq!(efficiency(steps), [None]);
}

fn of(law: Law, users: &[f64]) -> Vec<(f64, f64)> {
    let users = users.iter();
    users.map(|n| (*n, law.throughput(*n))).collect()
}

#[test]
fn known_curves_are_recognised() {
    // Alpha, beta, what of the curve is known.
    let linear = fit(&of(
        Law {
            alpha: 0.0,
            beta: 0.0,
            gamma: 50.0,
        },
        &[1.0, 4.0, 16.0],
    ))
    .expect("a line");
    assert!(linear.law.alpha < 1e-9 && linear.law.beta < 1e-9);
    assert_eq!(linear.law.peak(), None);
    assert_eq!(linear.law.knee(1.0, BEND), None);

    // One at a time: more users give nothing.
    let flat = fit(&[(10.0, 1000.0), (30.0, 1000.0), (200.0, 1000.0)]).expect("a flat line");
    assert!((flat.law.alpha - 1.0).abs() < 1e-9, "{flat:?}");
    assert_eq!(flat.r_squared, None, "there is no variance");
    assert!(flat.residual < 1e-9);

    let retrograde = Law {
        alpha: 0.05,
        beta: 0.000_1,
        gamma: 100.0,
    };
    let peak = retrograde.peak().expect("a peak");
    assert!((peak - 97.47).abs() < 0.01, "{peak}");
    let (at, beside) = (
        retrograde.throughput(peak),
        retrograde.throughput(peak * 1.3),
    );
    assert!(at > beside && at > retrograde.throughput(peak / 1.3));
}

#[test]
fn the_knee_is_where_a_user_gets_that_share_of_the_first() {
    for (alpha, beta) in [(0.02, 0.0), (0.0, 1e-4), (0.02, 1e-4), (0.001, 0.01)] {
        let law = Law {
            alpha,
            beta,
            gamma: 10.0,
        };
        let knee = law.knee(5.0, BEND).expect("it bends");
        let each = |users: f64| law.throughput(users) / users;
        let share = each(knee) / each(5.0);
        assert!(knee > 5.0 && (share - BEND).abs() < 1e-9, "{law:?} {knee}");
    }
}

#[test]
fn what_the_steps_cannot_carry_is_refused_with_the_reason() {
    let table: [(&[(f64, f64)], &str); 6] = [
        (&[], "and there is none"),
        (&[(10.0, 5.0)], "and there is one"),
        (&[(10.0, 5.0), (10.0, 6.0), (20.0, 7.0)], "and there are 2"),
        (
            &[(1.0, 5.0), (2.0, 0.0), (3.0, 1.0)],
            "nothing was answered at 2 VUs",
        ),
        // Better than linear by far: no contention below zero explains it.
        (
            &[(1.0, 1.0), (2.0, 10.0), (3.0, 100.0)],
            "does not describe these steps",
        ),
        // Up and down and up again.
        (
            &[(1.0, 100.0), (5.0, 10.0), (50.0, 900.0)],
            "does not describe these steps",
        ),
    ];
    for (points, why) in table {
        let error = fit(points).expect_err(why);
        assert!(error.contains(why), "{points:?}: {error}");
    }
}

/// Users of a run with so many steps.
fn users() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        Just(vec![1.0, 4.0, 16.0, 64.0, 256.0]),
        Just(vec![10.0, 30.0, 100.0, 200.0, 400.0, 800.0]),
        Just(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]),
    ]
}

fn law() -> impl Strategy<Value = Law> {
    (0.0_f64..0.3, -6.0_f64..-2.5, 1.0_f64..5_000.0).prop_map(|(alpha, exponent, gamma)| Law {
        alpha,
        beta: 10_f64.powf(exponent),
        gamma,
    })
}

proptest! {
    #[test]
    fn a_planted_law_is_found_again(law in law(), users in users()) {
        let found = fit(&of(law, &users)).expect("it is one").law;
        prop_assert!((found.alpha - law.alpha).abs() < 1e-6, "{law:?} {found:?}");
        prop_assert!((found.beta / law.beta - 1.0).abs() < 1e-4, "{law:?} {found:?}");
        prop_assert!((found.gamma / law.gamma - 1.0).abs() < 1e-6, "{law:?} {found:?}");
    }

    /// Two percent of noise on each step. How exactly a factor is known depends on what it does to
    /// the steps, so the noise is let through to the curve, and to the factors where they matter.
    #[test]
    fn a_planted_law_is_found_again_through_noise(
        law in law(),
        noise in prop::collection::vec(-0.02_f64..0.02, 8),
    ) {
        let users = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
        let mut points = of(law, &users);
        for (point, noise) in points.iter_mut().zip(&noise) {
            point.1 *= 1.0 + noise;
        }
        let fitted = fit(&points).expect("it is one");
        prop_assert!(fitted.residual < 0.03, "{fitted:?}");
        let found = fitted.law;
        for users in users {
            let error = found.throughput(users) / law.throughput(users) - 1.0;
            prop_assert!(error.abs() < 0.05, "{law:?} {found:?} at {users}");
        }
        prop_assert!((found.gamma / law.gamma - 1.0).abs() < 0.06, "{law:?} {found:?}");
        prop_assert!((found.alpha - law.alpha).abs() < 0.01 + 0.15 * law.alpha, "{law:?} {found:?}");
        // Where the curve falls within what was run, its peak is found.
        let (planted, peak) = (law.peak().unwrap_or(f64::MAX), found.peak().unwrap_or(f64::MAX));
        if planted < 64.0 {
            prop_assert!((peak / planted - 1.0).abs() < 0.25, "{law:?} {found:?}");
        }
    }

    /// The definition: no law that keeps the limits fits better.
    #[test]
    fn no_other_law_is_nearer(
        throughput in prop::collection::vec(50.0_f64..150.0, 5),
        other in law(),
        near in prop::collection::vec(-0.1_f64..0.1, 3),
    ) {
        let users = [1.0, 2.0, 3.0, 5.0, 8.0];
        let points: Vec<_> = users.into_iter().zip(throughput).collect();
        let squares = |law: &Law| -> f64 {
            let errors = points.iter().map(|(n, x)| 1.0 - x / law.throughput(*n));
            errors.map(|error| error * error).sum()
        };
        if let Ok(fit) = fit(&points) {
            let Law { alpha, beta, gamma } = fit.law;
            prop_assert!((0.0..=1.0).contains(&alpha) && beta >= 0.0 && gamma > 0.0);
            let near = Law {
                alpha: (alpha + near[0]).clamp(0.0, 1.0),
                beta: (beta + near[1]).max(0.0),
                gamma: gamma * (1.0 + near[2]),
            };
            for rival in [near, other] {
                prop_assert!(squares(&fit.law) <= squares(&rival) + 1e-9, "{fit:?} {rival:?}");
            }
        }
    }
}
