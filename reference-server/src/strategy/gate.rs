//! A gate that requests pass until the server stops, and that knows when the last one is out.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::coupon::IssueError;

/// Closing it waits for those who are inside.
#[derive(Default)]
pub(super) struct Gate {
    closed: Arc<RwLock<bool>>,
}

/// One request that is inside.
pub(super) struct Inside {
    _held: OwnedRwLockReadGuard<bool>,
}

impl Gate {
    pub(super) async fn enter(&self) -> Result<Inside, IssueError> {
        let held = Arc::clone(&self.closed).read_owned().await;
        if *held {
            return Err(IssueError::Stopping);
        }
        Ok(Inside { _held: held })
    }

    /// Lets nobody in any more, and waits for the last one to leave.
    pub(super) async fn close(&self) {
        *self.closed.write().await = true;
    }
}
