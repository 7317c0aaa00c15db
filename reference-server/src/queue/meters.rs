//! What a queue server counts about the queues.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use metrics::{Counter, counter, gauge};

use super::Transfer;
use crate::coupon::CouponId;
use crate::metrics::Metrics;

/// Counters of this server, and the lengths of queues as it saw them last.
pub(super) struct QueueMeters {
    metrics: Metrics,
    admitted: Counter,
    dropped_waiting: Counter,
    dropped_running: Counter,
    shown: Mutex<BTreeSet<CouponId>>,
}

impl QueueMeters {
    pub(super) fn new(metrics: Metrics) -> Self {
        let (admitted, dropped_waiting, dropped_running) = metrics.with(|| {
            metrics::describe_counter!("queue_admitted_total", "Users this server admitted.");
            metrics::describe_counter!("queue_dropped_total", "Silent users dropped, by queue.");
            metrics::describe_gauge!("queue_waiting_tokens", "Users who wait, by event.");
            metrics::describe_gauge!("queue_running", "Users who are admitted, by event.");
            (
                counter!("queue_admitted_total"),
                counter!("queue_dropped_total", "queue" => "waiting"),
                counter!("queue_dropped_total", "queue" => "running"),
            )
        });
        Self {
            metrics,
            admitted,
            dropped_waiting,
            dropped_running,
            shown: Mutex::default(),
        }
    }

    pub(super) fn transferred(&self, event: CouponId, transfer: Transfer) {
        self.admitted.increment(transfer.moved);
        self.show(event, transfer.waiting, transfer.running);
    }

    pub(super) fn dropped(&self, waiting: u64, running: u64) {
        self.dropped_waiting.increment(waiting);
        self.dropped_running.increment(running);
    }

    /// Shows zero for events whose queue has become empty, whichever server saw it first.
    pub(super) fn keep_only(&self, events: &[CouponId]) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<_> = shown
            .iter()
            .copied()
            .filter(|event| !events.contains(event))
            .collect();
        for event in gone {
            shown.remove(&event);
            self.set(event, 0, 0);
        }
    }

    fn show(&self, event: CouponId, waiting: u64, running: u64) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.insert(event);
        self.set(event, waiting, running);
    }

    fn set(&self, event: CouponId, waiting: u64, running: u64) {
        let label = event.to_string();
        self.metrics.with(|| {
            gauge!("queue_waiting_tokens", "event" => label.clone()).set(waiting as f64);
            gauge!("queue_running", "event" => label).set(running as f64);
        });
    }
}
