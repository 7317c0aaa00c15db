//! Undoes what is in a lease.

use rustix::process::Signal;

use super::lease::Undo;
use super::nemesis::Trouble;
use crate::process;

impl Undo {
    /// Makes its victim whole again.
    ///
    /// # Errors
    /// In words, when it stays broken.
    pub async fn run(&self) -> Result<(), Trouble> {
        match self {
            Self::Continue { pid, started } => {
                let sent = process::send(*pid, *started, Signal::CONT);
                sent.map_err(|error| Trouble::new(format!("process {pid}: {error}")))
            }
            _ => Ok(()),
        }
    }
}
