//! The law of Universal Scalability (N. J. Gunther, "Guerrilla Capacity Planning", 2007, chapters 4
//! and 5; "A General Theory of Computational Scalability Based on Rational Functions",
//! arXiv:0808.1431), and what fits it best.
//!
//! ```text
//!              γ N
//! X(N) = ─────────────────────────        γ  what one user gets
//!        1 + α (N - 1) + β N (N - 1)      α  contention: the share that only one can do at a time
//!                                         β  coherency: what each costs every other
//! ```
//!
//! Turned over, `N / X = a + b (N - 1) + c N (N - 1)` is linear in `a = 1 / γ`, `b = α / γ` and
//! `c = β / γ`. What is wanted are the least squares of the relative error of each step, so each is
//! weighted by its own `X / N`, under `0 <= b <= a` and `0 <= c`. That is convex: its minimum is the
//! one of some face of these limits, and there are six, so all of them are looked at and the best
//! that keeps the limits is the answer. No start value, no iterations.

/// Steps that are off by more than this on average do not follow the law.
const MOST_RESIDUAL: f64 = 0.2;

/// Of a sum of squares of relative errors.
const ROUNDING: f64 = 1e-16;

/// How throughput grows with the users.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Contention: 0 (none) to 1 (one at a time).
    pub alpha: f64,
    /// Coherency; at least 0.
    pub beta: f64,
    /// Throughput of one user, per second; above 0.
    pub gamma: f64,
}

/// A law, and how well it fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The best one.
    pub law: Law,
    /// Share of the variance of the throughput that it explains; `None` where there is none.
    pub r_squared: Option<f64>,
    /// Root of the mean square of the relative error of a step.
    pub residual: f64,
    /// Steps; with three of them the law nearly always goes through all, and the two figures above
    /// say nothing.
    pub steps: usize,
}

impl Law {
    /// Throughput of so many users, per second.
    pub fn throughput(&self, users: f64) -> f64 {
        self.gamma * users / self.cost(users)
    }

    /// What a user waits for the others, in parts of what it takes one alone.
    fn cost(&self, users: f64) -> f64 {
        1.0 + (users - 1.0) * (self.alpha + self.beta * users)
    }

    /// The users from whom on throughput falls again; `None`: it does not.
    pub fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.alpha).max(0.0) / self.beta).sqrt();
        peak.is_finite().then(|| peak.max(1.0))
    }

    /// The users at whom each gets this share of what each of `first` users gets; `None`: each gets
    /// as much, however many there are.
    pub fn knee(&self, first: f64, share: f64) -> Option<f64> {
        // β N² + (α - β) N + (1 - α - cost / share) = 0, whose one root above zero it is.
        let (square, linear) = (self.beta, self.alpha - self.beta);
        let constant = 1.0 - self.alpha - self.cost(first) / share;
        let root = (linear * linear - 4.0 * square * constant).max(0.0).sqrt();
        let knee = if linear >= 0.0 {
            -2.0 * constant / (linear + root)
        } else {
            (root - linear) / (2.0 * square)
        };
        knee.is_finite().then_some(knee)
    }
}

/// The best law for these users and their throughput.
///
/// # Errors
/// Why the steps cannot carry it.
pub fn fit(points: &[(f64, f64)]) -> Result<Fit, String> {
    if let Some((users, _)) = points.iter().find(|(_, throughput)| *throughput <= 0.0) {
        return Err(format!("nothing was answered at {users} VUs"));
    }
    let mut users: Vec<f64> = points.iter().map(|(users, _)| *users).collect();
    users.sort_by(f64::total_cmp);
    users.dedup();
    if users.len() < 3 {
        return Err(format!(
            "three steps with different numbers of VUs are needed, and there {}",
            match users.len() {
                0 => "is none".to_owned(),
                1 => "is one".to_owned(),
                count => format!("are {count}"),
            }
        ));
    }
    let fits = Face::ALL.into_iter().filter_map(|face| face.best(points));
    let residual = |law: &Law| {
        let errors = points.iter().map(|(users, throughput)| {
            // Of the linear form, which is what is minimised.
            1.0 - throughput / law.throughput(*users)
        });
        errors.map(|error| error * error).sum::<f64>()
    };
    // A factor that makes it better by no more than rounding does is none.
    let best = fits.reduce(|best, other| {
        if residual(&other) < residual(&best) - ROUNDING {
            other
        } else {
            best
        }
    });
    let law = best.ok_or("the steps lie too close together")?;
    let fit = Fit {
        law,
        r_squared: r_squared(&law, points),
        residual: relative_error(&law, points),
        steps: points.len(),
    };
    if fit.residual > MOST_RESIDUAL {
        return Err(format!(
            "the law of Universal Scalability does not describe these steps: its best fit is off \
             by {:.0} % on average",
            100.0 * fit.residual
        ));
    }
    Ok(fit)
}

fn relative_error(law: &Law, points: &[(f64, f64)]) -> f64 {
    let errors = points.iter();
    let errors = errors.map(|(users, throughput)| law.throughput(*users) / throughput - 1.0);
    let squares: f64 = errors.map(|error| error * error).sum();
    (squares / points.len() as f64).sqrt()
}

fn r_squared(law: &Law, points: &[(f64, f64)]) -> Option<f64> {
    let mean = points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64;
    let squares = |error: &dyn Fn(&(f64, f64)) -> f64| -> f64 {
        points.iter().map(|point| error(point).powi(2)).sum()
    };
    let all = squares(&|point| point.1 - mean);
    let left = squares(&|point| point.1 - law.throughput(point.0));
    // A millionth of the mean is no variance to be explained.
    (all > (1e-6 * mean).powi(2)).then(|| 1.0 - left / all)
}

/// A part of the limits: which of them are reached.
#[derive(Debug, Clone, Copy)]
struct Face {
    contention: Contention,
    coherency: bool,
}

#[derive(Debug, Clone, Copy)]
enum Contention {
    None,
    Some,
    All,
}

impl Face {
    /// The simplest first.
    const ALL: [Self; 6] = [
        Self::of(Contention::None, false),
        Self::of(Contention::All, false),
        Self::of(Contention::None, true),
        Self::of(Contention::Some, false),
        Self::of(Contention::All, true),
        Self::of(Contention::Some, true),
    ];

    const fn of(contention: Contention, coherency: bool) -> Self {
        Self {
            contention,
            coherency,
        }
    }

    /// The best law of the face; `None` where it does not keep the limits, or is not determined.
    fn best(self, points: &[(f64, f64)]) -> Option<Law> {
        let column = |basis: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let rows = points.iter();
            rows.map(|(users, throughput)| basis(*users) * throughput / users)
                .collect()
        };
        let one = if matches!(self.contention, Contention::All) {
            column(&|users| users)
        } else {
            column(&|_| 1.0)
        };
        let mut columns = vec![one];
        if matches!(self.contention, Contention::Some) {
            columns.push(column(&|users| users - 1.0));
        }
        if self.coherency {
            columns.push(column(&|users| users * (users - 1.0)));
        }
        let found = least_squares(columns, vec![1.0; points.len()])?;
        let mut found = found.into_iter();
        let a = found.next().filter(|a| *a > 0.0)?;
        let alpha = match self.contention {
            Contention::None => 0.0,
            Contention::Some => found.next()? / a,
            Contention::All => 1.0,
        };
        let beta = if self.coherency {
            found.next()? / a
        } else {
            0.0
        };
        let keeps = (0.0..=1.0).contains(&alpha) && beta >= 0.0;
        keeps.then_some(Law {
            alpha,
            beta,
            gamma: 1.0 / a,
        })
    }
}

/// The factors by which the columns come nearest to the target, by Gram and Schmidt's
/// orthogonalisation; `None` where a column is nearly made of the others.
fn least_squares(mut columns: Vec<Vec<f64>>, mut target: Vec<f64>) -> Option<Vec<f64>> {
    /// The part of a column that must be its own.
    const OWN: f64 = 1e-9;
    let dot = |one: &[f64], other: &[f64]| -> f64 {
        one.iter().zip(other).map(|(one, other)| one * other).sum()
    };
    let count = columns.len();
    let mut upper = vec![vec![0.0; count]; count];
    let mut right = vec![0.0; count];
    for at in 0..count {
        let whole = dot(&columns[at], &columns[at]).sqrt();
        for before in 0..at {
            let (done, rest) = columns.split_at_mut(at);
            let share = dot(&done[before], &rest[0]);
            upper[before][at] = share;
            for (value, base) in rest[0].iter_mut().zip(&done[before]) {
                *value -= share * base;
            }
        }
        let own = dot(&columns[at], &columns[at]).sqrt();
        if own.is_nan() || own <= OWN * whole {
            return None;
        }
        upper[at][at] = own;
        columns[at].iter_mut().for_each(|value| *value /= own);
        right[at] = dot(&columns[at], &target);
        for (value, base) in target.iter_mut().zip(&columns[at]) {
            *value -= right[at] * base;
        }
    }
    for at in (0..count).rev() {
        let known: f64 = (at + 1..count)
            .map(|next| upper[at][next] * right[next])
            .sum();
        right[at] = (right[at] - known) / upper[at][at];
    }
    Some(right)
}
