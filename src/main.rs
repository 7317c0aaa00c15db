//! Parses, dispatches and ends the process: the only file that does the last.

use std::process::ExitCode;

fn main() -> ExitCode {
    fcfs_bench::cli::main().into()
}
