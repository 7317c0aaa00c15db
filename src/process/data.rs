//! The private memory of a process that it may write to: how much it has, and how much of it the
//! kernel gives it (`RLIMIT_DATA`, which counts all of it since Linux 4.7).

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::Stat;

/// How much it has, in bytes; `None` when it has ended.
pub(crate) fn held(pid: u32) -> Option<u64> {
    held_in(&read(pid, "status")?)
}

/// How much it may have, in bytes; `None` where there is no limit.
///
/// # Errors
/// When it has ended.
pub(crate) fn limit(pid: u32) -> io::Result<Option<u64>> {
    let limit = limit_of(pid).ok_or(io::ErrorKind::NotFound)?;
    Ok(limit.current)
}

/// Sets how much it may have, unless another process has got its number. Only the soft limit is
/// set, so that the same user can raise it again.
///
/// # Errors
/// When it is there and may not be limited; one that is gone is none.
pub(crate) fn set_limit(pid: u32, started: u64, bytes: Option<u64>) -> io::Result<()> {
    let same = Stat::of(pid).is_some_and(|stat| stat.started == started && stat.state != 'Z');
    let number = Pid::from_raw(pid.cast_signed()).filter(|_| same);
    let (Some(number), Some(limit)) = (number, limit_of(pid)) else {
        return Ok(());
    };
    let wanted = Rlimit {
        current: bytes,
        maximum: limit.maximum,
    };
    match prlimit(Some(number), Resource::Data, wanted) {
        Ok(_) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn limit_of(pid: u32) -> Option<Rlimit> {
    limit_in(&read(pid, "limits")?)
}

fn read(pid: u32, file: &str) -> Option<String> {
    // The name in it need not be text.
    let read = std::fs::read(format!("/proc/{pid}/{file}")).ok()?;
    Some(String::from_utf8_lossy(&read).into_owned())
}

/// `VmData:     1234 kB`, which are 1,024 bytes each.
fn held_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmData:"))?;
    let number = line.trim().strip_suffix("kB")?.trim_end();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

/// `Max data size   1048576   unlimited   bytes`
fn limit_in(limits: &str) -> Option<Rlimit> {
    let mut lines = limits.lines();
    let line = lines.find_map(|line| line.strip_prefix("Max data size"))?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [current, maximum, _unit] = words.as_slice() else {
        return None;
    };
    // What is no number is `unlimited`.
    Some(Rlimit {
        current: current.parse().ok(),
        maximum: maximum.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::process::Command;

    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read_and_nothing_else() {
        let status = "Name:\tVmData: 1 kB\nVmPeak:\t  9 kB\nVmData:\t   1234 kB\nVmStk:\t 132 kB\n";
        assert_eq!(held_in(status), Some(1_263_616));
        for wrong in ["", "VmData:", "VmData: kB", "VmData:\t12", "VmStk: 1 kB"] {
            assert_eq!(held_in(wrong), None, "{wrong}");
        }
        let table = [
            (
                "unlimited            unlimited            bytes",
                (None, None),
            ),
            ("1048576   unlimited  bytes", (Some(1_048_576), None)),
            ("0  2048  bytes     ", (Some(0), Some(2048))),
        ];
        for (line, (current, maximum)) in table {
            let text =
                format!("Limit   Soft Limit\nMax data size   {line}\nMax stack size  1 2 bytes\n");
            assert_eq!(limit_in(&text), Some(Rlimit { current, maximum }), "{line}");
        }
        assert_eq!(limit_in("Max data size unlimited\n"), None);
    }

    #[test]
    fn a_limit_is_set_from_outside_and_given_back_but_not_to_another_process_of_the_number() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        let started = Stat::of(pid).unwrap().started;
        let before = limit(pid).unwrap();
        // A program that is just being loaded has nothing yet.
        while held(pid).unwrap() == 0 {
            std::thread::yield_now();
        }
        set_limit(pid, started + 1, Some(8_000_000)).unwrap();
        assert_eq!(limit(pid).unwrap(), before);
        set_limit(pid, started, Some(8_000_000)).unwrap();
        assert_eq!(limit(pid).unwrap(), Some(8_000_000));
        set_limit(pid, started, before).unwrap();
        assert_eq!(limit(pid).unwrap(), before);
        child.kill().unwrap();
        child.wait().unwrap();
        set_limit(pid, started, Some(1)).unwrap();
        assert!(limit(pid).is_err());
    }
}
