//! The settings of the distributed locks, as the command line gives them.

use std::time::Duration;

use clap::ArgAction;
use tracing_subscriber::filter::LevelFilter;

use super::work::Work;

/// How the locks of `redlock` and `redisson` behave.
#[derive(clap::Args, Clone, Debug)]
pub struct LockOptions {
    /// Time to live of a lock in each Redis, in milliseconds (redlock)
    #[arg(long, value_name = "MS", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(10..))]
    pub lock_ttl_ms: u32,

    /// Tries after the first that failed (redlock)
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub lock_retry_count: u32,

    /// Pause between two tries, in milliseconds (redlock)
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pub lock_retry_delay_ms: u32,

    /// Most that chance adds to a pause or takes from it, in milliseconds (redlock)
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub lock_retry_jitter_ms: u32,

    /// Part of the time to live by which clocks may differ, from 0 to below 1 (redlock)
    #[arg(long, value_name = "PART", default_value_t = 0.01, value_parser = part)]
    pub lock_drift_factor: f64,

    /// A lock that is valid for less than this is extended while it is held; 0: never (redlock)
    #[arg(long, value_name = "MS", default_value_t = 500)]
    pub lock_extend_below_ms: u32,

    /// Take a database lock on the coupon's row where the lock in Redis fails (redlock)
    #[arg(long, value_name = "true|false", action = ArgAction::Set, default_value_t = false)]
    pub lock_fallback_database: bool,

    /// Longest wait for a lock, in milliseconds (redisson)
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    pub lock_wait_ms: u32,

    /// Time after which Redis takes a lock back, in milliseconds (redisson)
    #[arg(long, value_name = "MS", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..))]
    pub lock_lease_ms: u32,

    /// How long a holder works between reading and writing, in milliseconds (redlock, redisson)
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub lock_work_ms: u32,

    /// Log level of a refused lock: off, error, warn, info, debug or trace (redlock, redisson)
    #[arg(long, value_name = "LEVEL", default_value_t = LevelFilter::DEBUG)]
    pub lock_log_level: LevelFilter,
}

impl LockOptions {
    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_millis(self.lock_ttl_ms.into())
    }

    pub(crate) fn retry_delay(&self) -> Duration {
        Duration::from_millis(self.lock_retry_delay_ms.into())
    }

    pub(crate) fn retry_jitter(&self) -> Duration {
        Duration::from_millis(self.lock_retry_jitter_ms.into())
    }

    pub(crate) fn extend_below(&self) -> Duration {
        Duration::from_millis(self.lock_extend_below_ms.into())
    }

    pub(crate) fn work(&self) -> Work {
        Work::new(Duration::from_millis(self.lock_work_ms.into()))
    }

    pub(crate) fn wait(&self) -> Duration {
        Duration::from_millis(self.lock_wait_ms.into())
    }
}

fn part(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if (0.0..1.0).contains(&part) => Ok(part),
        _ => Err("write a number from 0 to below 1, as in 0.01".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_part_is_a_number_from_zero_to_below_one() {
        for (text, expected) in [("0", 0.0), ("0.01", 0.01), ("0.999", 0.999)] {
            assert_eq!(part(text), Ok(expected), "{text}");
        }
        for text in ["1", "-0.1", "NaN", "inf", "1 %", ""] {
            assert!(part(text).is_err(), "{text}");
        }
    }
}
