//! A task that ends with its owner.

use std::future::Future;

use tokio::task::AbortHandle;

/// Dropping it cuts the task at its next wait, so the task must be safe to cut at each of them.
pub(crate) struct Background(AbortHandle);

impl Background {
    pub(crate) fn start(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }

    /// Cuts the task before its owner goes.
    pub(crate) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}
