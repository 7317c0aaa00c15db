//! Faults on the load's own timeline: each leased, proved and healed.

mod arsenal;
mod book;
pub mod container;
pub mod database;
mod guard;
mod janitor;
pub mod kafka;
pub mod lease;
pub mod link;
pub mod loss;
pub mod nemesis;
pub mod process;
pub mod proxy;
pub mod redis;
mod repeated;
mod runner;
mod timeline;
mod undo;
mod wait;

pub use arsenal::Arsenal;
pub use guard::{Guard, Leases};
pub use janitor::{Undone, heal_orphans, wait_and_heal};
pub use runner::{Faults, Note, Start};
