//! Whether a share is higher in some part of a run than in the rest of it: the scan statistic of
//! Kulldorff ("A spatial scan statistic", Communications in Statistics 26, 1997) for one dimension,
//! with the Bernoulli model.
//!
//! Every interval of at most [`BINS`] bins is held against the rest by its log-likelihood ratio. The
//! chance that one interval reaches `x` by chance alone is at most about `exp(-x)` (Chernoff), so
//! over `m` intervals the limit `ln(m / ALPHA)` is reached by chance in fewer than [`ALPHA`] of all
//! runs in which nothing changes.

/// More bins would only find the same interval at a higher cost.
const BINS: usize = 60;

/// How often noise alone may be taken for a departure: less than once in a thousand series.
pub(in crate::incident) const ALPHA: f64 = 0.001;

/// A part of the series in which the share is higher than in the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::incident) struct Elevated {
    /// Index of its first point.
    pub(in crate::incident) from: usize,
    /// Index behind its last point.
    pub(in crate::incident) to: usize,
    /// Log-likelihood ratio against one share for all.
    pub(in crate::incident) ratio: f64,
    /// What the ratio had to reach.
    pub(in crate::incident) limit: f64,
}

/// The interval that departs most, if it departs by more than chance. A point is hits of tries.
pub(in crate::incident) fn elevated(points: &[(u64, u64)]) -> Option<Elevated> {
    let width = points.len().div_ceil(BINS).max(1);
    let bins: Vec<(u64, u64)> = points.chunks(width).map(total).collect();
    let all = total(&bins);
    let intervals = bins.len() * (bins.len() + 1) / 2;
    let limit = (intervals.max(1) as f64 / ALPHA).ln();
    let mut best: Option<(usize, usize, f64)> = None;
    for from in 0..bins.len() {
        let mut inside = (0, 0);
        for (to, bin) in bins.iter().enumerate().skip(from) {
            inside = (inside.0 + bin.0, inside.1 + bin.1);
            let ratio = ratio(inside, (all.0 - inside.0, all.1 - inside.1));
            if best.is_none_or(|(_, _, most)| ratio > most) {
                best = Some((from, to + 1, ratio));
            }
        }
    }
    let (from, to, ratio) = best.filter(|(_, _, ratio)| *ratio >= limit)?;
    Some(Elevated {
        from: from * width,
        to: (to * width).min(points.len()),
        ratio,
        limit,
    })
}

fn total(points: &[(u64, u64)]) -> (u64, u64) {
    let add = |sum: (u64, u64), one: &(u64, u64)| (sum.0 + one.0, sum.1 + one.1);
    points.iter().fold((0, 0), add)
}

/// How much likelier two shares are than one; 0 where the share inside is not the higher one.
fn ratio(inside: (u64, u64), outside: (u64, u64)) -> f64 {
    let share = |(hits, tries): (u64, u64)| hits as f64 / tries as f64;
    if inside.1 == 0 || outside.1 == 0 || share(inside) <= share(outside) {
        return 0.0;
    }
    let all = (inside.0 + outside.0, inside.1 + outside.1);
    likelihood(inside) + likelihood(outside) - likelihood(all)
}

/// Of the hits, under their own share.
fn likelihood((hits, tries): (u64, u64)) -> f64 {
    let part = |count: u64| match count {
        0 => 0.0,
        count => count as f64 * (count as f64 / tries as f64).ln(),
    };
    part(hits) + part(tries - hits)
}

#[cfg(test)]
mod tests {
    use super::super::Chance;
    use super::*;

    fn noise(
        seed: u64,
        seconds: usize,
        tries: u64,
        share: impl Fn(usize) -> f64,
    ) -> Vec<(u64, u64)> {
        let mut chance = Chance::new(seed);
        let hits = |second: usize, chance: &mut Chance| {
            let share = share(second);
            (0..tries).filter(|_| chance.share() < share).count() as u64
        };
        (0..seconds)
            .map(|second| (hits(second, &mut chance), tries))
            .collect()
    }

    #[test]
    fn flat_noise_is_no_departure_in_a_thousand_seeds() {
        for share in [0.002, 0.05, 0.5] {
            let alarms =
                (0..1_000).filter(|seed| elevated(&noise(*seed, 90, 40, |_| share)).is_some());
            let alarms = alarms.count();
            assert!(alarms <= 1, "{alarms} of 1,000 at {share}");
        }
    }

    #[test]
    fn a_higher_share_is_found_where_it_is() {
        let share = |second| {
            if (40..70).contains(&second) {
                0.3
            } else {
                0.01
            }
        };
        for seed in 0..100 {
            let found = elevated(&noise(seed, 90, 40, share)).expect("it is there");
            assert!(
                found.from.abs_diff(40) <= 2 && found.to.abs_diff(70) <= 2,
                "{found:?}"
            );
        }
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        assert_eq!(elevated(&[]), None);
        assert_eq!(elevated(&[(0, 0); 30]), None);
        assert_eq!(elevated(&[(0, 100); 30]), None);
        assert_eq!(elevated(&[(7, 7); 30]), None, "all of them are no part");
    }
}
