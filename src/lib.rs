//! Proves or refutes one claim about a first-come-first-served system: under this load it sold no
//! more than it had, at most one to each user, and lost nothing that it had confirmed.

pub mod check;
pub mod cli;
pub mod compare;
pub mod exit;
pub mod fault;
pub mod feeder;
pub mod history;
pub mod import;
pub mod keeper;
pub mod load;
pub mod measure;
pub mod output;
pub mod plan;
pub mod probe;
mod process;
pub mod records;
pub mod report;
pub mod run;
pub mod scenario;
pub mod setup;
pub mod stack;
pub mod starter;
pub mod tls;
pub mod verdict;
