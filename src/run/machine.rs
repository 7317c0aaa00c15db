//! What machine this is, and what the harness itself takes of it.

use std::fs;

use rustix::time::{ClockId, clock_gettime};

/// Operating system and kernel, as the kernel says.
pub fn os() -> String {
    let uname = rustix::system::uname();
    let (name, release) = (
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
    );
    format!("{name} {release} {}", uname.machine().to_string_lossy())
}

/// Processor, and how many cores this process may use.
pub fn cpu() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    format!("{model}, {cores} core{}", if cores == 1 { "" } else { "s" })
}

/// Which boot of this machine it is; programs that are told the same have the same clock.
pub fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Memory of the machine in bytes; 0 where the system does not say.
pub fn memory_bytes() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Resident memory of this process in bytes; 0 where the system does not say.
pub fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok())
        .unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// CPU time of this process so far, in nanoseconds.
pub fn process_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    (time.tv_sec as u64) * 1_000_000_000 + time.tv_nsec as u64
}

/// Raises the soft limit of open files to the hard limit, and the hard limit to what is needed where
/// this process may, and returns what is allowed then: each VU has a socket.
pub fn raise_file_limit(needed: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let hard = getrlimit(Resource::Nofile).maximum;
    let enough = hard.map(|hard| hard.max(needed));
    // Where it may not be raised the limit stays as it is; the caller compares with its need.
    for maximum in [enough, hard] {
        let raised = Rlimit {
            current: maximum,
            maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            break;
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Ports that the system gives to connections of one address of this machine; `None` where it does
/// not say.
pub fn local_ports() -> Option<u64> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some((last + 1).saturating_sub(first))
}
