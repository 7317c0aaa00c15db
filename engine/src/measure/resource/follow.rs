//! Makes increases and rates of figures that only grow, one line after the other.
//!
//! ```text
//! at (s)   0     1     2     3.02
//! read    100   150    gap   180
//! increase    50        30
//! rate        50/s      14.9/s     (over a gap: what it was on average)
//! ```
//! The kernel counts CPU time in hundredths of a second, so a rate over a few milliseconds would be
//! noise: a reading that comes early is one end of the next rate.

use std::collections::BTreeMap;

use super::{Nature, Quantity, ResourceKind, ResourceLine};

/// A rate over less than this has no meaning of its own.
const SHORTEST_NS: u64 = 500_000_000;

/// Nor over less than this, where there is nothing better: in a load that is over at once.
const SHORTEST_ALONE_NS: u64 = 50_000_000;

/// What a line says of one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    /// The value at a moment.
    Level {
        /// Nanoseconds since the run's origin.
        at_ns: u64,
        /// As it was read.
        value: u64,
    },
    /// What was added between two readings, one of them perhaps before a gap.
    Increase {
        /// Nanoseconds since the run's origin.
        from_ns: u64,
        /// As above.
        to_ns: u64,
        /// In the unit of the reading.
        by: u64,
        /// It began again from zero in between, so what came before that is lost.
        restarted: bool,
    },
    /// How fast it grew between two readings.
    Rate {
        /// Nanoseconds since the run's origin.
        from_ns: u64,
        /// As above.
        to_ns: u64,
        /// By second; of work, in cores.
        per_second: f64,
    },
}

impl Told {
    /// The moment that stands for the time that it is about.
    pub const fn middle_ns(self) -> u64 {
        match self {
            Self::Level { at_ns, .. } => at_ns,
            Self::Increase { from_ns, to_ns, .. } | Self::Rate { from_ns, to_ns, .. } => {
                u64::midpoint(from_ns, to_ns)
            }
        }
    }
}

/// The last readings of all sources.
#[derive(Debug, Default)]
pub struct Follow {
    growing: BTreeMap<(String, ResourceKind, Quantity), Growing>,
}

/// A figure that only grows.
#[derive(Debug)]
struct Growing {
    at_ns: u64,
    value: u64,
    /// Since when there was no rate, and what was added since.
    since_ns: u64,
    by: u64,
    has_rate: bool,
}

impl Follow {
    /// Takes the next line, in the order of the file.
    pub fn line(&mut self, line: &ResourceLine, mut take: impl FnMut(Quantity, Told)) {
        for (quantity, value) in &line.values {
            if quantity.nature() == Nature::Level {
                let (at_ns, value) = (line.at_ns, *value);
                take(*quantity, Told::Level { at_ns, value });
                continue;
            }
            let key = (line.source.clone(), line.kind, *quantity);
            match self.growing.get_mut(&key) {
                None => {
                    self.growing.insert(key, Growing::new(line.at_ns, *value));
                }
                Some(growing) => {
                    let told = growing.next(*quantity, line.at_ns, *value);
                    told.into_iter()
                        .flatten()
                        .for_each(|told| take(*quantity, told));
                }
            }
        }
    }

    /// The rates of figures that were read too few times to have one.
    pub fn finish(self, mut take: impl FnMut(&str, ResourceKind, Quantity, Told)) {
        for ((source, kind, quantity), growing) in self.growing {
            let alone = !growing.has_rate && growing.span_ns() >= SHORTEST_ALONE_NS;
            if alone {
                take(&source, kind, quantity, growing.rate(quantity));
            }
        }
    }
}

impl Growing {
    const fn new(at_ns: u64, value: u64) -> Self {
        Self {
            at_ns,
            value,
            since_ns: at_ns,
            by: 0,
            has_rate: false,
        }
    }

    fn next(&mut self, quantity: Quantity, at_ns: u64, value: u64) -> [Option<Told>; 2] {
        let restarted = value < self.value;
        let by = if restarted { value } else { value - self.value };
        let increase = Told::Increase {
            from_ns: self.at_ns,
            to_ns: at_ns,
            by,
            restarted,
        };
        (self.at_ns, self.value) = (at_ns, value);
        self.by += by;
        let rate = (self.span_ns() >= SHORTEST_NS).then(|| self.rate(quantity));
        if rate.is_some() {
            (self.since_ns, self.by, self.has_rate) = (at_ns, 0, true);
        }
        [Some(increase), rate]
    }

    const fn span_ns(&self) -> u64 {
        self.at_ns.saturating_sub(self.since_ns)
    }

    fn rate(&self, quantity: Quantity) -> Told {
        let seconds = self.span_ns() as f64 / 1e9;
        let by = match quantity.nature() {
            Nature::Work => self.by as f64 / 1e9,
            Nature::Level | Nature::Total => self.by as f64,
        };
        Told::Rate {
            from_ns: self.since_ns,
            to_ns: self.at_ns,
            per_second: by / seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Quantities;
    use super::*;

    /// Moments in milliseconds, and what was read; `None` in a gap.
    fn told(readings: &[(u64, Option<u64>)]) -> (Vec<(u64, bool)>, Vec<f64>) {
        let (mut increases, mut rates) = (Vec::new(), Vec::new());
        let mut take = |told| match told {
            Told::Increase { by, restarted, .. } => increases.push((by, restarted)),
            Told::Rate { per_second, .. } => rates.push(per_second),
            Told::Level { .. } => panic!("it only grows"),
        };
        let mut follow = Follow::default();
        for (at_ms, value) in readings {
            let values = value.map(|value| (Quantity::Commands, value));
            let line = ResourceLine {
                at_ns: at_ms * 1_000_000,
                source: "redis-1".to_owned(),
                kind: ResourceKind::Redis,
                values: values.into_iter().collect::<Quantities>(),
                gap: value.is_none().then(|| "gone".to_owned()),
            };
            follow.line(&line, |_, told| take(told));
        }
        follow.finish(|_, _, _, told| take(told));
        (increases, rates)
    }

    #[test]
    fn increases_and_rates_follow_from_two_readings_each() {
        // What was read; increases, and whether it began again; rates.
        type Row<'a> = (&'a [(u64, Option<u64>)], &'a [(u64, bool)], &'a [f64]);
        let table: [Row<'_>; 7] = [
            (&[], &[], &[]),
            (&[(0, Some(100))], &[], &[]), // one reading says nothing
            (
                &[(0, Some(100)), (1000, Some(150)), (2000, Some(150))],
                &[(50, false), (0, false)],
                &[50.0, 0.0],
            ),
            (
                &[(0, Some(100)), (1000, None), (2000, Some(180))], // over a gap
                &[(80, false)],
                &[40.0],
            ),
            (
                &[(0, Some(100)), (1000, Some(20))], // it began again
                &[(20, true)],
                &[20.0],
            ),
            (
                &[(0, Some(0)), (1000, Some(10)), (1005, Some(20))], // the last one, too early
                &[(10, false), (10, false)],
                &[10.0],
            ),
            (
                &[(0, Some(0)), (200, Some(10))], // a load of a moment
                &[(10, false)],
                &[50.0],
            ),
        ];
        for (readings, increases, rates) in table {
            let told = told(readings);
            assert_eq!(told, (increases.to_vec(), rates.to_vec()), "{readings:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_between_two_readings_and_nothing_is_made_up(
            steps in prop::collection::vec((1_u64..3_000, prop::option::of(0_u64..1_000)), 1..40),
        ) {
            let (mut at_ms, mut value) = (0, 17);
            let mut readings = vec![(at_ms, Some(value))];
            for (after_ms, by) in steps {
                at_ms += after_ms;
                value += by.unwrap_or_default();
                readings.push((at_ms, by.map(|_| value)));
            }
            let last = readings.iter().rev().find_map(|(_, value)| *value);
            let (increases, rates) = told(&readings);
            let sum: u64 = increases.iter().map(|(by, _)| by).sum();
            prop_assert_eq!(Some(sum + 17), last);
            prop_assert!(increases.iter().all(|(_, restarted)| !restarted));
            prop_assert!(rates.iter().all(|rate| (0.0..=1e6).contains(rate)));
        }
    }
}
