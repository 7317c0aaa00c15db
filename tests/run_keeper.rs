//! `keep`: a program that the harness has started does not outlive it, however that ends.

#[path = "support/harness/mod.rs"]
mod harness;

use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use harness::wait_until;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A keeper of a program that never ends by itself.
struct Kept {
    keeper: Child,
    stdin: Option<ChildStdin>,
    program: Pid,
}

impl Kept {
    fn start(script: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("pid");
        let script = format!(
            "{script}\necho $$ > {}.new\nmv {0}.new {0}\n",
            file.display()
        );
        let script = format!("{script}while true; do sleep 0.01; done");
        let mut keeper = keep(&["sh", "-c", &script]).spawn().expect("it starts");
        let stdin = keeper.stdin.take();
        wait_until("the program runs", || file.exists());
        let pid = std::fs::read_to_string(&file).expect("its number");
        let program = Pid::from_raw(pid.trim().parse().expect("a number"));
        Self {
            keeper,
            stdin,
            program: program.expect("a process"),
        }
    }

    #[track_caller]
    fn ends(mut self) {
        let program = self.program;
        wait_until("the program is gone", || {
            // Its keeper takes notice of its end only while it lives itself.
            let _ = self.keeper.try_wait();
            test_kill_process(program).is_err()
        });
        self.keeper.wait().expect("the keeper ends, too");
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
    }
}

fn keep(program: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"));
    command.args(["keep", "--"]).args(program);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_program_ends_with_its_keepers_input() {
    let mut kept = Kept::start("");
    drop(kept.stdin.take());
    kept.ends();
}

#[test]
fn what_is_written_to_the_keeper_does_not_end_the_program() {
    let mut kept = Kept::start("");
    let stdin = kept.stdin.as_mut().expect("a pipe");
    stdin.write_all(b"\n\n").expect("the keeper reads");
    assert!(test_kill_process(kept.program).is_ok());
    drop(kept.stdin.take());
    kept.ends();
}

#[test]
fn a_program_ends_when_its_keeper_is_told_to_stop() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let kept = Kept::start("");
        kill_process(Pid::from_child(&kept.keeper), signal).expect("it is there");
        kept.ends();
    }
}

#[test]
fn a_program_does_not_outlive_a_keeper_that_was_killed() {
    let kept = Kept::start("trap '' TERM");
    kill_process(Pid::from_child(&kept.keeper), Signal::KILL).expect("it is there");
    kept.ends();
}

#[test]
fn a_paused_program_ends_too() {
    let mut kept = Kept::start("");
    kill_process(kept.program, Signal::STOP).expect("it is there");
    drop(kept.stdin.take());
    kept.ends();
}

#[test]
fn the_exit_code_is_passed_on() {
    let table: [(&[&str], i32); 4] = [
        (&["true"], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -TERM $$"], 128 + 15),
        (&["/nowhere/program"], 113),
    ];
    for (program, code) in table {
        let mut keeper = keep(program).spawn().expect("it starts");
        // Its input stays open: it ends because its program does.
        let stdin = keeper.stdin.take();
        let ended = keeper.wait().expect("it ends");
        drop(stdin);
        assert_eq!(ended.code(), Some(code), "{program:?}");
    }
}
