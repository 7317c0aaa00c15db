//! Who sees to it that nothing stays broken, and nothing goes on running, when the harness is gone:
//! the file of leases, and the janitor that reads it. There from before the first service is started
//! until the last one has ended.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::book::Book;
use super::janitor::Janitor;

/// The guard of one run.
#[derive(Debug)]
pub struct Guard {
    leases: Leases,
    janitor: Janitor,
}

impl Guard {
    /// Begins the file and starts the janitor. `run` is the run directory.
    ///
    /// # Errors
    /// When one of them has no place.
    pub fn start(run: &Path) -> io::Result<Self> {
        let book = Book::open(run)?;
        let janitor = Janitor::start(book.path())?;
        let leases = Leases(Arc::new(Mutex::new(book)));
        Ok(Self { leases, janitor })
    }

    /// Where the leases of this run are written down.
    pub fn leases(&self) -> Leases {
        self.leases.clone()
    }

    /// Lets the janitor go, when everything is healed, or it is known what is not.
    pub async fn dismiss(self) {
        self.janitor.dismiss().await;
    }
}

/// The leases of a run. A change of them is a small file that is synced: beside the load path, and
/// never two at once.
#[derive(Debug, Clone)]
pub struct Leases(Arc<Mutex<Book>>);

impl Leases {
    pub(super) fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
