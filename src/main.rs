//! Parses, dispatches and ends the process: the only file that does the last.

use std::process::ExitCode;

use fcfs_bench::exit::Exit;

fn main() -> ExitCode {
    // A panic has said where it happened; the code says that the fault is ours.
    std::panic::catch_unwind(fcfs_bench::cli::main)
        .unwrap_or(Exit::Internal)
        .into()
}
