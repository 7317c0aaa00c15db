//! The tests by which phenomena are found: pure functions of numbers, each with its source.

mod cusum;
mod rank;
mod scan;
mod steps;

pub(super) use cusum::onset;
pub(super) use rank::correlation;
pub(super) use scan::{Elevated, elevated};
pub(super) use steps::{MOST, Step, steps};

/// The middle of some values; `None` without one.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], upper),
        _ => upper,
    })
}

/// The arithmetic mean; `None` without a value.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// Numbers that follow from a seed (`SplitMix64`).
pub(super) struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next number below `below`, which is above zero. The bias of the product is far below
    /// what any test here could show.
    pub(super) fn below(&mut self, below: usize) -> usize {
        self.drawn += 1;
        let number = crate::plan::mix(self.seed ^ crate::plan::mix(self.drawn));
        ((u128::from(number) * below as u128) >> 64) as usize
    }

    /// 0 to 1.
    #[cfg(test)]
    pub(super) fn share(&mut self) -> f64 {
        self.below(1 << 53) as f64 / (1_u64 << 53) as f64
    }

    /// A number around zero with deviation one (Box and Muller, 1958).
    #[cfg(test)]
    pub(super) fn normal(&mut self) -> f64 {
        let (one, two) = (self.share().max(1e-12), self.share());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
    }

    /// Puts the items in another order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
