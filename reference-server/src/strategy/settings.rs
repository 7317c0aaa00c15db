//! What of the settings does not go together, found before any store is opened.

use crate::bug::{Bug, Bugs};
use crate::error::ServerError;
use crate::lock::Timing;
use crate::options::Options;
use crate::schema::UserIndex;

use super::StrategyName;

/// A bug of a part that the strategy does not have, or that its settings leave out.
pub(super) fn check_bug(options: &Options) -> Result<(), ServerError> {
    let Some(bug) = options.bug else {
        return Ok(());
    };
    if let Some(strategies) = bug.strategies()
        && !bug.fits(options.strategy)
    {
        return Err(ServerError::BugElsewhere {
            bug: bug.to_string(),
            only: any_of(strategies),
        });
    }
    if bug == Bug::StockFromCache && options.coupon_cache_s == 0 {
        return Err(ServerError::Setting {
            option: "--coupon-cache-s",
            value: "0".to_owned(),
            reason: format!("bug {bug} is one of the cache, which is off"),
            hint: "give the cache some seconds".to_owned(),
        });
    }
    if bug == Bug::QueueSkipped && !options.line.guard_issue {
        return Err(ServerError::Setting {
            option: "--guard-issue",
            value: "false".to_owned(),
            reason: format!("bug {bug} is one of the guard, which is off"),
            hint: "write --guard-issue true".to_owned(),
        });
    }
    Ok(())
}

/// As in "a, b or c".
fn any_of(strategies: &[StrategyName]) -> String {
    let names: Vec<_> = strategies.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        few => few.concat(),
    }
}

pub(super) fn check(options: &Options, bugs: &Bugs) -> Result<(), ServerError> {
    if !options.indexes && options.strategy.user_index(bugs).is_unique() {
        let strategy = options.strategy;
        return Err(ServerError::Setting {
            option: "--indexes",
            value: "false".to_owned(),
            reason: format!("strategy {strategy} relies on the unique index on user and coupon"),
            hint: "leave --indexes away, or choose a strategy that looks for earlier coupons"
                .to_owned(),
        });
    }
    if options.strategy == StrategyName::Redlock {
        check_cache(options)?;
        check_lock(options)?;
        check_instances(options)?;
    }
    Ok(())
}

/// What is to be kept in a cache that is off.
fn check_cache(options: &Options) -> Result<(), ServerError> {
    if options.coupon_cache_sold_out && options.coupon_cache_s == 0 {
        return Err(ServerError::Setting {
            option: "--coupon-cache-sold-out",
            value: "true".to_owned(),
            reason: "the cache that would say so is off".to_owned(),
            hint: "give --coupon-cache-s some seconds".to_owned(),
        });
    }
    Ok(())
}

/// A lock that is never valid, or that is to be extended all the time.
fn check_lock(options: &Options) -> Result<(), ServerError> {
    let validity = timing(options).validity();
    if validity.is_zero() {
        return Err(ServerError::Setting {
            option: "--lock-ttl-ms",
            value: options.locks.lock_ttl_ms.to_string(),
            reason: "no lock would be valid after the drift of the clocks".to_owned(),
            hint: "raise it, or lower --lock-drift-factor".to_owned(),
        });
    }
    if options.locks.extend_below() >= validity {
        return Err(ServerError::Setting {
            option: "--lock-extend-below-ms",
            value: options.locks.lock_extend_below_ms.to_string(),
            reason: format!("a new lock is valid for {} ms", validity.as_millis()),
            hint: "choose less, or 0 to extend no lock".to_owned(),
        });
    }
    Ok(())
}

/// One instance that is given twice refuses itself, and there would never be a quorum.
fn check_instances(options: &Options) -> Result<(), ServerError> {
    for (place, url) in options.redis.iter().enumerate() {
        if options.redis[..place].contains(url) {
            return Err(ServerError::Setting {
                option: "--redis",
                value: url.to_string(),
                reason: "it is given twice".to_owned(),
                hint: "a lock needs instances that are independent of each other".to_owned(),
            });
        }
    }
    Ok(())
}

pub(super) fn timing(options: &Options) -> Timing {
    Timing {
        ttl: options.locks.ttl(),
        drift_factor: options.locks.lock_drift_factor,
    }
}

pub(super) fn user_index(options: &Options, bugs: &Bugs) -> UserIndex {
    if options.indexes {
        options.strategy.user_index(bugs)
    } else {
        UserIndex::Absent
    }
}
