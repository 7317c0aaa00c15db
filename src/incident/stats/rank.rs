//! Whether two series rise and fall together: Spearman's rank correlation, and how often one of them
//! moved in time against the other is as like it.
//!
//! Series of a run are no independent draws: a ramp makes all of them rise. So the chance is that
//! among all shifts of one series round its end (surrogates that keep its own course; Theiler et
//! al., Physica D 58, 1992), not that of a table.

/// Fewer pairs say nothing.
const FEWEST: usize = 20;

/// Shifts by less than this are no other course.
const NEAR: usize = 3;

/// How like two series are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::incident) struct Correlation {
    /// -1 to 1.
    pub(in crate::incident) rank: f64,
    /// The share of shifts that are as like.
    pub(in crate::incident) chance: f64,
    /// How many pairs of values.
    pub(in crate::incident) pairs: usize,
}

/// Of values that belong together by their place; `None` for too few pairs, or without any change.
pub(in crate::incident) fn correlation(pairs: &[(f64, f64)]) -> Option<Correlation> {
    let count = pairs.len();
    if count < FEWEST {
        return None;
    }
    let one = centred(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
    let two = centred(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())?;
    let at = |shift: usize| -> f64 {
        let moved = two[shift..].iter().chain(&two[..shift]);
        std::iter::zip(&one, moved)
            .map(|(one, two)| one * two)
            .sum()
    };
    let rank = at(0).clamp(-1.0, 1.0);
    let shifts = NEAR..count.saturating_sub(NEAR);
    let all = shifts.len();
    let as_like = shifts
        .filter(|shift| at(*shift).abs() >= rank.abs())
        .count();
    Some(Correlation {
        rank,
        chance: (as_like + 1) as f64 / (all + 1) as f64,
        pairs: count,
    })
}

/// Ranks around zero with length one; equal values share theirs.
fn centred(values: &[f64]) -> Option<Vec<f64>> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, two| values[*one].total_cmp(&values[*two]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let same = |to: &usize| values[order[*to]].total_cmp(&values[order[from]]).is_eq();
        let to = (from..order.len()).take_while(same).last().unwrap_or(from);
        let rank = f64::midpoint(from as f64, to as f64);
        for at in &order[from..=to] {
            ranks[*at] = rank;
        }
        from = to + 1;
    }
    let middle = (values.len() - 1) as f64 / 2.0;
    for rank in &mut ranks {
        *rank -= middle;
    }
    let length = ranks.iter().map(|rank| rank * rank).sum::<f64>().sqrt();
    (length > 0.0).then(|| ranks.iter().map(|rank| rank / length).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Chance;
    use super::*;

    #[test]
    fn what_moves_together_is_seen_and_what_does_not_is_not() {
        let mut chance = Chance::new(7);
        let bump = |at: usize| if (60..80).contains(&at) { 5.0 } else { 0.0 };
        let together: Vec<_> = (0..100)
            .map(|at| (bump(at) + chance.normal(), bump(at) * 3.0 + chance.normal()))
            .collect();
        let found = correlation(&together).expect("enough");
        assert!(found.rank > 0.4 && found.chance < 0.05, "{found:?}");
        let apart: Vec<_> = (0..100)
            .map(|_| (chance.normal(), chance.normal()))
            .collect();
        let found = correlation(&apart).expect("enough");
        assert!(found.rank.abs() < 0.3, "{found:?}");
    }

    #[test]
    fn two_ramps_are_like_each_other_and_turned_round_too_seldom_to_be_chance() {
        let ramps: Vec<_> = (0..50)
            .map(|at| (f64::from(at), f64::from(at) * 2.0))
            .collect();
        let found = correlation(&ramps).expect("enough");
        assert!((found.rank - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn too_little_says_nothing() {
        assert_eq!(correlation(&[(1.0, 2.0); 19]), None);
        assert_eq!(correlation(&[(1.0, 2.0); 40]), None, "nothing changes");
    }
}
