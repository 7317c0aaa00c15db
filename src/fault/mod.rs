//! Faults on the load's own timeline: each leased, proved and healed.

mod arsenal;
mod book;
mod janitor;
pub mod lease;
pub mod nemesis;
pub mod process;
pub mod proxy;
mod runner;
mod timeline;
mod undo;

pub use arsenal::Arsenal;
pub use janitor::{Undone, heal_orphans, wait_and_heal};
pub use runner::{Faults, Note, Start};
