//! What a holder does under its lock beside reading and writing, such as a call of another service.

use std::time::Duration;

/// Takes its time and changes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work(Duration);

impl Work {
    pub(super) fn new(takes: Duration) -> Self {
        Self(takes)
    }

    /// Works. A timer that is due at once would still be waited for until its next tick.
    pub(crate) async fn run(self) {
        if !self.0.is_zero() {
            tokio::time::sleep(self.0).await;
        }
    }
}
