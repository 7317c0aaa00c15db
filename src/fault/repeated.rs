//! Work that goes on beside a fault until it is healed.

use std::future::Future;

use tokio::task::JoinHandle;

/// A task that ends with this value.
#[derive(Debug)]
pub(super) struct Repeated(JoinHandle<()>);

impl Repeated {
    /// Begins with it.
    pub(super) fn begin(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Returns when it has ended, so that it does nothing any more.
    pub(super) async fn end(mut self) {
        self.0.abort();
        // That it was ended is what was wanted.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Repeated {
    fn drop(&mut self) {
        self.0.abort();
    }
}
