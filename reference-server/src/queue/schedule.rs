//! Admits those who wait and drops those who are gone, again and again until told to stop.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::Queue;
use super::meters::QueueMeters;
use super::options::QueueOptions;

/// The running schedulers. Dropping the sender is what ends them.
pub(super) struct Schedulers {
    stop: watch::Sender<()>,
    tasks: [JoinHandle<()>; 2],
}

impl Schedulers {
    pub(super) fn start(
        queue: Arc<Queue>,
        meters: Arc<QueueMeters>,
        options: &QueueOptions,
    ) -> Self {
        let (stop, stopped) = watch::channel(());
        let admission = Admission {
            every: options.transfer_interval(),
            queue: Arc::clone(&queue),
            meters: Arc::clone(&meters),
        };
        let removal = Removal {
            every: options.expire_interval(),
            waiting_ms: options.waiting_timeout_ms.get(),
            running_ms: options.running_timeout_ms.get(),
            queue,
            meters,
        };
        let tasks = [
            tokio::spawn(until(stopped.clone(), admission.run())),
            tokio::spawn(until(stopped, removal.run())),
        ];
        Self { stop, tasks }
    }

    /// Every step is one script, so there is nothing to finish.
    pub(super) async fn stop(self) {
        drop(self.stop);
        for task in self.tasks {
            // A panic was reported by the runtime when it happened.
            let _ = task.await;
        }
    }
}

async fn until(mut stopped: watch::Receiver<()>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        // An error: the sender is gone, and nothing is ever sent.
        _ = stopped.changed() => {}
    }
}

/// A round that is late is not made up for: its successor does the same.
fn rounds(every: Duration) -> tokio::time::Interval {
    let mut rounds = tokio::time::interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    rounds
}

struct Admission {
    every: Duration,
    queue: Arc<Queue>,
    meters: Arc<QueueMeters>,
}

impl Admission {
    async fn run(self) {
        let mut rounds = rounds(self.every);
        loop {
            rounds.tick().await;
            if let Err(error) = self.round().await {
                tracing::warn!(event = "admission_failed", %error);
            }
        }
    }

    async fn round(&self) -> Result<(), RedisError> {
        let events = self.queue.events().await?;
        self.meters.keep_only(&events);
        for event in events {
            let transfer = self.queue.transfer(event, self.alone_ms()).await?;
            self.meters.transferred(event, transfer);
            if transfer.moved > 0 {
                let (moved, waiting, running) =
                    (transfer.moved, transfer.waiting, transfer.running);
                tracing::debug!(
                    event = "users_admitted",
                    coupon = event,
                    moved,
                    waiting,
                    running
                );
            }
        }
        Ok(())
    }

    /// Somewhat less than the interval, or a timer that is a little early would lose its round.
    fn alone_ms(&self) -> u64 {
        (self.every.as_millis() as u64 * 9 / 10).max(1)
    }
}

struct Removal {
    every: Duration,
    waiting_ms: u32,
    running_ms: u32,
    queue: Arc<Queue>,
    meters: Arc<QueueMeters>,
}

impl Removal {
    async fn run(self) {
        let mut rounds = rounds(self.every);
        loop {
            rounds.tick().await;
            if let Err(error) = self.round().await {
                tracing::warn!(event = "removal_failed", %error);
            }
        }
    }

    async fn round(&self) -> Result<(), RedisError> {
        for event in self.queue.events().await? {
            let (waiting, running) = self
                .queue
                .expire(event, self.waiting_ms, self.running_ms)
                .await?;
            self.meters.dropped(waiting, running);
            if waiting + running > 0 {
                tracing::info!(event = "users_dropped", coupon = event, waiting, running);
            }
        }
        Ok(())
    }
}
