//! `keep`: what the harness starts its services with; not for people.

use std::ffi::OsString;

use clap::Args;

use crate::exit::Exit;
use crate::keeper;
use crate::output::say;

#[derive(Debug, Args)]
pub(super) struct KeepArgs {
    /// Become the program, as a child of this process
    #[arg(long, value_name = "PID")]
    bound_to: Option<i32>,

    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

pub(super) fn run(args: &KeepArgs) -> Exit {
    let kept = match args.bound_to {
        Some(keeper) => Err(keeper::become_program(&args.program, keeper)),
        None => keeper::keep(&args.program),
    };
    match kept {
        Ok(code) => Exit::Kept(code),
        Err(error) => {
            let program = args.program.first();
            let program = program.map(|program| program.to_string_lossy().into_owned());
            say!(
                "error: failed to run {}: {error}",
                program.unwrap_or_default()
            );
            Exit::NotReady
        }
    }
}
