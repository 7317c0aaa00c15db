//! What MySQL or MariaDB does to itself when it is asked.

mod commit_stall;
mod hot_row;
mod kill_sessions;
mod pool_exhausted;
mod read_only;
pub(super) mod session;
mod write;

pub use commit_stall::CommitStall;
pub use hot_row::HotRow;
pub use kill_sessions::KillSessions;
pub use pool_exhausted::PoolExhausted;
pub use read_only::ReadOnly;
