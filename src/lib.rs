//! Proves or refutes one claim about a first-come-first-served system: under this load it sold no
//! more than it had, at most one to each user, and lost nothing that it had confirmed.

pub mod check;
pub mod cli;
pub mod compare;
pub mod exit;
pub mod fault;
pub mod feeder;
pub mod import;
pub mod incident;
pub mod keeper;
pub mod messages;
pub mod output;
pub mod probe;
mod process;
pub mod records;
pub mod report;
pub mod run;
pub mod setup;
pub mod stack;
pub mod starter;
mod yaml;

pub use fcfs_engine::{history, load, measure, plan, playbook, scenario, tls, verdict};
