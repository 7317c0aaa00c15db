//! `keep-containers`: what the harness starts beside its containers; not for people.

use clap::Args;

use crate::exit::Exit;
use crate::output::say;
use crate::stack;

#[derive(Debug, Args)]
pub(super) struct KeepContainersArgs {
    /// The run whose containers are removed
    #[arg(long, value_name = "ID")]
    run: String,
}

pub(super) fn run(args: &KeepContainersArgs) -> Exit {
    match stack::keep_containers(&args.run) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            say!("error: failed to remove the containers of a run: {error}");
            Exit::NotReady
        }
    }
}
