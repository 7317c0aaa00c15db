//! What is counted of a distributed lock: how long it was waited for and held, and why it was not
//! got.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use crate::coupon::CouponId;
use crate::metrics::Metrics;

/// Why a lock was not got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotGot {
    /// Somebody else had it for the whole wait.
    Held,
    /// Too few instances answered.
    Unreachable,
}

/// The meters of one kind of lock. All but those of contention are there from the start, since a
/// counter that appears with its first count has not grown, as far as Prometheus can see.
pub(crate) struct LockMeter {
    metrics: Metrics,
    lock: &'static str,
    got: Histogram,
    not_got: Histogram,
    held: Counter,
    unreachable: Counter,
    hold: Histogram,
    lost: Counter,
}

impl LockMeter {
    /// `lock` is the name of the algorithm.
    pub(crate) fn new(metrics: &Metrics, lock: &'static str) -> Self {
        metrics.with(|| {
            describe();
            let wait = |result| {
                histogram!("distributed_lock_wait_duration_seconds", "lock" => lock, "result" => result)
            };
            let failed = |reason| {
                counter!("distributed_lock_acquisition_failed_total", "lock" => lock, "reason" => reason)
            };
            Self {
                metrics: metrics.clone(),
                lock,
                got: wait("acquired"),
                not_got: wait("failed"),
                held: failed("held"),
                unreachable: failed("unreachable"),
                hold: histogram!("distributed_lock_hold_duration_seconds", "lock" => lock),
                lost: counter!("distributed_lock_lost_total", "lock" => lock),
            }
        })
    }

    /// A lock was got after this long.
    pub(crate) fn got(&self, waited: Duration) {
        self.got.record(waited);
    }

    /// A lock was given up after this long.
    pub(crate) fn not_got(&self, waited: Duration, why: NotGot) {
        self.not_got.record(waited);
        match why {
            NotGot::Held => self.held.increment(1),
            NotGot::Unreachable => self.unreachable.increment(1),
        }
    }

    /// The first try did not get the lock of this coupon.
    pub(crate) fn contended(&self, coupon: CouponId) {
        self.metrics.with(|| {
            counter!("distributed_lock_contended_total",
                "lock" => self.lock, "coupon" => coupon.to_string())
            .increment(1);
        });
    }

    /// A lock was given back after this long.
    pub(crate) fn given_back(&self, held: Duration) {
        self.hold.record(held);
    }

    /// A lock ran out while its holder was still at work.
    pub(crate) fn lost(&self) {
        self.lost.increment(1);
    }
}

fn describe() {
    metrics::describe_histogram!(
        "distributed_lock_wait_duration_seconds",
        "Time from the first try to the lock, or to giving up."
    );
    metrics::describe_counter!(
        "distributed_lock_acquisition_failed_total",
        "Locks that were not got: another held them, or too few instances answered."
    );
    metrics::describe_counter!(
        "distributed_lock_contended_total",
        "Locks that the first try did not get, by what they protect."
    );
    metrics::describe_histogram!(
        "distributed_lock_hold_duration_seconds",
        "Time from the lock to giving it back."
    );
    metrics::describe_counter!(
        "distributed_lock_lost_total",
        "Locks that ran out before they were given back."
    );
}
