//! What the process of a server costs, in Prometheus' text format and by its own names.

use std::fmt::Write as _;

use rustix::time::{ClockId, clock_gettime};

/// Whole files of `/proc` are read, a few microseconds; where there is none, nothing is said of it.
pub(crate) fn page() -> String {
    let mut page = String::new();
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let cpu_s = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    write(
        &mut page,
        "process_cpu_seconds_total",
        "counter",
        "CPU time of all threads, user and system.",
        cpu_s,
    );
    if let Some(bytes) = resident_bytes() {
        let help = "Resident memory.";
        write(
            &mut page,
            "process_resident_memory_bytes",
            "gauge",
            help,
            bytes as f64,
        );
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let help = "Open files and connections.";
        write(
            &mut page,
            "process_open_fds",
            "gauge",
            help,
            open.count() as f64,
        );
    }
    page
}

/// The second number of `statm`: pages in memory.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

fn write(page: &mut String, name: &str, kind: &str, help: &str, value: f64) {
    // Nothing can fail to be written to a text.
    let _ = write!(
        page,
        "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n"
    );
}
