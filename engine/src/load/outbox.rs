//! Batches on their way to a receiver that may be slow: it never makes the load wait.

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};

use super::batch::{Batch, Beside, SecondOfThread};
use crate::history::Operation;

/// Operations that wait at the most when the receiver does not take them: 48 MB, and 46 more where
/// each brings a place in a queue, 88 where each is recorded with what it is about, and 56 where an
/// output takes each of them.
const WAITING_LIMIT: usize = 1 << 20;

/// Operations wait here up to a limit, and what comes then is lost and counted.
#[derive(Debug)]
pub(super) struct Outbox {
    sink: SyncSender<Batch>,
    waiting: VecDeque<(Vec<Operation>, Beside)>,
    operations: usize,
    lost: u64,
}

impl Outbox {
    /// On the way to this receiver.
    pub(super) const fn new(sink: SyncSender<Batch>) -> Self {
        Self {
            sink,
            waiting: VecDeque::new(),
            operations: 0,
            lost: 0,
        }
    }

    /// Takes a batch, and hands over what the receiver takes.
    pub(super) fn post(&mut self, operations: Vec<Operation>, beside: Beside) {
        self.hand_over();
        if self.operations + operations.len() > WAITING_LIMIT {
            self.lost += operations.len() as u64;
            return;
        }
        self.operations += operations.len();
        self.waiting.push_back((operations, beside));
        self.hand_over();
    }

    /// Hands over what the receiver takes; whether nothing is left.
    pub(super) fn hand_over(&mut self) -> bool {
        while let Some((operations, beside)) = self.waiting.pop_front() {
            let count = operations.len();
            if let Err(error) = self.sink.try_send(Batch::Operations(operations, beside)) {
                let (TrySendError::Full(batch) | TrySendError::Disconnected(batch)) = error;
                if let Batch::Operations(operations, beside) = batch {
                    self.waiting.push_front((operations, beside));
                }
                return false;
            }
            self.operations -= count;
        }
        true
    }

    /// Hands over sums; whether the receiver has taken them.
    pub(super) fn hand_over_second(&self, sums: SecondOfThread) -> bool {
        self.sink.try_send(Batch::Second(Box::new(sums))).is_ok()
    }

    /// Operations lost since the last call of [`Self::lost_is_told`].
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    /// Counts from zero again.
    pub(super) const fn lost_is_told(&mut self) {
        self.lost = 0;
    }

    /// Hands over everything that waits, and waits for the receiver.
    pub(super) fn finish(&mut self) {
        for (operations, beside) in self.waiting.drain(..) {
            let count = operations.len() as u64;
            if self
                .sink
                .send(Batch::Operations(operations, beside))
                .is_err()
            {
                self.lost += count;
            }
        }
        self.operations = 0;
    }

    /// Hands over the last sums, and waits for the receiver.
    pub(super) fn finish_second(&self, sums: SecondOfThread) {
        // Without a receiver there is nobody left to tell.
        let _ = self.sink.send(Batch::Second(Box::new(sums)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::history::{Cause, Key, OutcomeKind};

    const OPERATION: Operation = Operation {
        user: Key(1),
        coupon: Key::NONE,
        inv_ns: 0,
        ret_ns: 0,
        lag_us: 0,
        status: 200,
        kind: OutcomeKind::Ok,
        label: 0,
        step: 0,
        cause: Cause::None,
        phase: 0,
        vu: 0,
    };

    #[test]
    fn what_comes_beyond_the_limit_is_lost_and_counted_and_what_waits_is_kept() {
        let (sink, batches) = sync_channel(1);
        let mut outbox = Outbox::new(sink);
        let batch = WAITING_LIMIT / 8;
        // One is taken by the channel, eight wait.
        for _ in 0..11 {
            outbox.post(vec![OPERATION; batch], Beside::default());
        }
        assert_eq!(outbox.lost(), 2 * batch as u64);
        let mut taken = 0;
        while let Ok(Batch::Operations(operations, _)) = batches.try_recv() {
            taken += operations.len();
            outbox.hand_over();
        }
        assert_eq!(taken, 9 * batch);
        assert!(outbox.hand_over());
    }

    #[test]
    fn without_a_receiver_everything_is_lost_and_counted() {
        let (sink, batches) = sync_channel(1);
        drop(batches);
        let mut outbox = Outbox::new(sink);
        outbox.post(vec![OPERATION; 3], Beside::default());
        outbox.finish();
        assert_eq!(outbox.lost(), 3);
    }
}
