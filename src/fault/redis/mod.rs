//! What Redis does to itself when it is asked.

mod clients_exhausted;
mod evict;
mod failover;
mod kill_clients;
mod lose_writes;
mod out_of_memory;
mod sentinel;
pub(super) mod session;
mod settings;
mod stall;

pub use clients_exhausted::ClientsExhausted;
pub use evict::Evict;
pub use failover::Failover;
pub use kill_clients::KillClients;
pub use lose_writes::LoseWrites;
pub use out_of_memory::OutOfMemory;
pub use sentinel::SentinelFailover;
pub use stall::Stall;
