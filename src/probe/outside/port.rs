//! Which process listens on a TCP port of this machine.

use std::collections::BTreeSet;

use crate::process::{Table, pids};

/// The process that listens there; of several that share the socket, the one that has started the
/// others.
pub(super) fn listener(port: u16, table: &Table) -> Option<u32> {
    let sockets: BTreeSet<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .flat_map(|text| listening(&text, port))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let holders: BTreeSet<u32> = pids().filter(|pid| holds(*pid, &sockets)).collect();
    let is_first = |pid: &&u32| {
        let parent = table.0.get(pid).map(|stat| stat.parent);
        !parent.is_some_and(|parent| holders.contains(&parent))
    };
    holders.iter().find(is_first).copied()
}

/// The inodes of the sockets that listen on the port, as in `proc_pid_net(5)`.
fn listening(text: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let socket = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?.parse().ok()?;
        let (_, at) = local.rsplit_once(':')?;
        let at = u16::from_str_radix(at, 16).ok()?;
        (at == port && state == LISTEN).then_some(inode)
    };
    text.lines().skip(1).filter_map(socket).collect()
}

fn holds(pid: u32, sockets: &BTreeSet<u64>) -> bool {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd"));
    let mut entries = entries.into_iter().flatten().flatten();
    entries.any(|entry| {
        let link = std::fs::read_link(entry.path()).unwrap_or_default();
        let link = link.to_string_lossy();
        let inode = link
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        let inode = inode.and_then(|inode| inode.parse().ok());
        inode.is_some_and(|inode| sockets.contains(&inode))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_that_listen_on_the_port_count() {
        let text = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1
   2: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4713 1
   3: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4714 1
   torn";
        assert_eq!(listening(text, 8080), [4711, 4713]);
        assert!(listening(text, 1).is_empty());
    }
}
