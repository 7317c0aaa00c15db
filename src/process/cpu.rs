//! The CPU time of another process, as the kernel's scheduler counts it for each of its threads: to
//! the nanosecond when a thread rests, and to a tick of the scheduler while it runs.
//!
//! `/proc/PID/stat` has the sum of all threads, but in ticks of 10 ms.

use std::collections::BTreeMap;
use std::fs::{File, read_dir};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

/// What one process uses from now on.
#[derive(Debug)]
pub(crate) struct CpuClock {
    pid: u32,
    threads: BTreeMap<u32, Thread>,
    used_ns: u64,
}

/// Its file stays open: the kernel writes it anew whenever it is read.
#[derive(Debug)]
struct Thread {
    counted: File,
    seen_ns: u64,
}

impl CpuClock {
    /// # Errors
    /// When there is no such process, or the kernel does not count.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let mut clock = Self {
            pid,
            threads: BTreeMap::new(),
            used_ns: 0,
        };
        clock.find_threads();
        if clock.threads.is_empty() {
            let words = format!("/proc/{pid}/task holds no CPU time of threads (schedstat)");
            return Err(io::Error::new(io::ErrorKind::NotFound, words));
        }
        // What was used before does not count.
        clock.now();
        clock.used_ns = 0;
        Ok(clock)
    }

    /// Looks which threads there are by now. What a thread has used that has come since counts
    /// whole; one that comes and goes between two of these looks is not seen.
    pub(crate) fn find_threads(&mut self) {
        let tasks = format!("/proc/{}/task", self.pid);
        let names = read_dir(&tasks).into_iter().flatten().flatten();
        let numbers = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        for number in numbers.collect::<Vec<u32>>() {
            if self.threads.contains_key(&number) {
                continue;
            }
            // One that has ended meanwhile has none.
            if let Ok(counted) = File::open(format!("{tasks}/{number}/schedstat")) {
                let seen_ns = 0;
                self.threads.insert(number, Thread { counted, seen_ns });
            }
        }
    }

    /// What it has used so far.
    pub(crate) fn now(&mut self) -> Duration {
        let mut spent = 0;
        self.threads.retain(|_, thread| {
            let used = thread.used_ns();
            spent += used.map_or(0, |used| used.saturating_sub(thread.seen_ns));
            thread.seen_ns = used.unwrap_or_default();
            used.is_some()
        });
        self.used_ns += spent;
        Duration::from_nanos(self.used_ns)
    }
}

impl Thread {
    /// `None` when it has ended.
    fn used_ns(&self) -> Option<u64> {
        // Three numbers, of which the first is the time on a CPU.
        let mut text = [0; 80];
        let length = self.counted.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(&text[..length]).ok()?;
        text.split_ascii_whitespace().next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_and_its_new_threads_use_is_counted_and_what_it_used_before_is_not() {
        let mut clock = CpuClock::of(std::process::id()).expect("it runs");
        let first = clock.now();
        assert!(first < Duration::from_secs(1), "{first:?}");
        let (over, is_over) = std::sync::mpsc::channel::<()>();
        let work = std::thread::spawn(move || {
            while is_over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {}
        });
        while clock.now() < first + Duration::from_millis(50) {
            clock.find_threads();
        }
        drop(over);
        work.join().expect("it ends");
    }

    #[test]
    fn a_process_that_is_gone_has_no_clock() {
        let error = CpuClock::of(u32::MAX >> 1).expect_err("nobody has this number");
        assert!(error.to_string().contains("schedstat"), "{error}");
    }
}
