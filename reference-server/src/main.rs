//! The server as a program of its own; `fcfs-bench serve` runs the same code.

use std::process::ExitCode;

use clap::Parser;

/// A first-come-first-served coupon server with switchable strategies and switchable bugs
#[derive(Parser)]
#[command(name = "reference-server", version)]
struct CommandLine {
    #[command(flatten)]
    options: reference_server::Options,
}

fn main() -> ExitCode {
    match reference_server::run(CommandLine::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
