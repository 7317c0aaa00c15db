//! `heal`: undoes what killed runs have left broken. `janitor`: the same beside a run; not for people.

use std::path::Path;

use crate::exit::Exit;
use crate::fault;
use crate::output::{say, to_stdout};

pub(super) fn run() -> Exit {
    let healed = in_a_runtime(fault::heal_orphans()).and_then(|healed| healed);
    let healed = match healed {
        Ok(healed) => healed,
        Err(error) => {
            say!("error: failed to look for what is broken: {error}");
            return Exit::Usage;
        }
    };
    if healed.is_empty() {
        to_stdout(format_args!(
            "nothing is broken that a run has left behind\n"
        ));
    }
    for undone in &healed {
        to_stdout(format_args!("{undone}\n"));
    }
    if healed.iter().any(|undone| undone.trouble.is_some()) {
        Exit::NotHealed
    } else {
        Exit::Ok
    }
}

pub(super) fn janitor(leases: &Path) -> Exit {
    match in_a_runtime(fault::wait_and_heal(leases)).and_then(|healed| healed) {
        Ok(()) => Exit::Ok,
        Err(_) => Exit::NotHealed,
    }
}

fn in_a_runtime<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    Ok(runtime.enable_all().build()?.block_on(work))
}
