//! What processes have used of the CPU in the last second, and whether the kernel had stopped them:
//! as `/proc` shows it to anybody.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::throttle::PERIOD;
use crate::process::{Stat, cpu_ns};

/// What is judged.
const WINDOW: Duration = Duration::from_secs(1);

/// User and system time of a process are each cut off to a tick of 10 ms.
const ROUNDING: Duration = Duration::from_millis(20);

/// Looks that follow each other.
#[derive(Debug, Default)]
pub(super) struct Looks {
    last: VecDeque<Look>,
    /// Of one core, in any second so far.
    most: f64,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    used: Duration,
    stopped: bool,
}

/// What was seen in one second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Second {
    /// Of one core.
    pub(super) share: f64,
    /// How often it was looked at.
    pub(super) looks: usize,
    /// How often it was stopped then.
    pub(super) stopped: usize,
    processes: usize,
}

impl Looks {
    /// Looks once more: what was seen in the last second, if it was looked at for so long.
    ///
    /// # Errors
    /// In words, when one of them has ended.
    pub(super) fn look(&mut self, family: &[(u32, u64)]) -> Result<Option<Second>, &'static str> {
        let stats = family.iter().map(|(pid, started)| {
            Stat::of(*pid).filter(|stat| stat.started == *started && stat.state != 'Z')
        });
        let stats: Option<Vec<Stat>> = stats.collect();
        let stats = stats.ok_or("has ended")?;
        let ticks = stats.iter().map(|stat| stat.own_ticks).sum();
        self.add(Look {
            at: Instant::now(),
            used: Duration::from_nanos(cpu_ns(ticks)),
            stopped: stats.iter().any(|stat| stat.state == 'T'),
        });
        let second = self.second(family.len());
        self.most = second.map_or(self.most, |second| self.most.max(second.share));
        Ok(second)
    }

    /// The most that was used in a second, of one core.
    pub(super) const fn most(&self) -> f64 {
        self.most
    }

    /// Those that are older than what begins the second are forgotten.
    fn add(&mut self, look: Look) {
        self.last.push_back(look);
        let is_old = |other: &Look| look.at.duration_since(other.at) >= WINDOW;
        while self.last.get(1).is_some_and(is_old) {
            self.last.pop_front();
        }
    }

    fn second(&self, processes: usize) -> Option<Second> {
        let (first, last) = (self.last.front()?, self.last.back()?);
        let window = last.at.duration_since(first.at);
        if window < WINDOW {
            return None;
        }
        let used = last.used.saturating_sub(first.used);
        let looks = self.last.iter().skip(1);
        Some(Second {
            share: used.as_secs_f64() / window.as_secs_f64(),
            looks: looks.clone().count(),
            stopped: looks.filter(|look| look.stopped).count(),
            processes,
        })
    }
}

impl Second {
    /// Whether it was kept at or below a share, and had to be. The second may hold the beginning of
    /// one period more than fit into it.
    pub(super) fn is_throttled(&self, share: f64) -> bool {
        let periods = (WINDOW + PERIOD).as_secs_f64() / WINDOW.as_secs_f64();
        let rounding = ROUNDING.as_secs_f64() / WINDOW.as_secs_f64();
        let allowed = share * periods + rounding * self.processes as f64;
        self.stopped > 0 && self.share <= allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks that are 100 ms apart: what was used between two of them, in milliseconds, and whether
    /// it was stopped.
    fn seen(looks: &[(u64, bool)]) -> Option<Second> {
        let (begin, mut used) = (Instant::now(), 0);
        let mut seen = Looks::default();
        for (at, (spent, stopped)) in (0..).zip(looks) {
            used += spent;
            seen.add(Look {
                at: begin + Duration::from_millis(100 * at),
                used: Duration::from_millis(used),
                stopped: *stopped,
            });
        }
        seen.second(1)
    }

    #[test]
    fn only_who_was_stopped_and_kept_below_the_share_was_throttled() {
        let table = [
            (
                "half of the time stopped",
                vec![(20, true), (20, false)],
                0.2,
                true,
            ),
            ("never reached it", vec![(3, false)], 0.2, false),
            (
                "stopped by somebody else, and works on",
                vec![(60, true)],
                0.2,
                false,
            ),
            (
                "at the share, and never stopped",
                vec![(20, false)],
                0.2,
                false,
            ),
            ("a smaller share than a tick", vec![(1, true)], 0.01, true),
        ];
        for (row, pattern, share, throttled) in table {
            let looks: Vec<_> = pattern.iter().copied().cycle().take(15).collect();
            let second = seen(&looks).expect(row);
            assert_eq!(second.looks, 10, "{row}");
            assert_eq!(second.is_throttled(share), throttled, "{row}: {second:?}");
        }
    }

    #[test]
    fn less_than_a_second_says_nothing() {
        assert_eq!(seen(&[]), None);
        assert_eq!(seen(&[(20, true); 10]), None);
        assert!(seen(&[(20, true); 11]).is_some());
    }

    #[test]
    fn one_that_is_gone_is_not_looked_at() {
        let looked = Looks::default().look(&[(u32::MAX >> 1, 1)]);
        assert_eq!(looked, Err("has ended"));
    }
}
