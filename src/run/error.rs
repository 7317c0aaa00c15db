//! Why there is no run to judge.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use super::start::StartAt;
use crate::feeder::FeederError;
use crate::probe::ProbeError;
use crate::scenario::value::Span;
use crate::stack::NotReady;

/// Why there is no run to judge.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target or its truth is not ready.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// A truth could not be read before the load.
    #[error(
        "the truth cannot be read: {0}\n  hint: each source under `truth` is read once before the load; correct it, or make it reachable"
    )]
    Truth(#[from] ProbeError),
    /// Whose alerts are to be watched did not answer before the load.
    #[error(
        "alerts cannot be watched: {0}\n  hint: `alerts.prometheus` is asked before the load; correct it, or make it reachable"
    )]
    Alerts(ProbeError),
    /// A step before the load failed.
    #[error(
        "the step `{step}` before the load failed ({place}): {problem}\n  hint: nothing was loaded; correct the step, or what it works on"
    )]
    Before {
        /// Its name.
        step: String,
        /// Where it stands in the scenario.
        place: String,
        /// In words, without secrets.
        problem: String,
    },
    /// What was captured before the load cannot stand in a query of the truth.
    #[error("the truth cannot be read: {0}\n  hint: `before` must capture it as a plain id")]
    TruthValue(String),
    /// The users' records cannot be used.
    #[error(transparent)]
    Users(#[from] FeederError),
    /// There are fewer files than sockets needed.
    #[error(
        "{needed} open files are needed and {limit} allowed\n  hint: nothing was started; raise the limit with `ulimit -n {needed}` (above a hard limit as root, or in /etc/security/limits.conf), or use fewer VUs"
    )]
    Files {
        /// Sockets of all VUs and some more, of the harness or of a server that it starts.
        needed: u64,
        /// The hard limit.
        limit: u64,
    },
    /// A link of the fault proxy takes fewer connections than the load has.
    #[error(
        "{needed} connections are needed, and a link with faults on the way of clients takes {most}\n  hint: nothing was started; use fewer VUs, or leave out the faults of `client`"
    )]
    Link {
        /// Of all VUs.
        needed: u64,
        /// What a link takes.
        most: u64,
    },
    /// There are fewer local ports than connections needed.
    #[error(
        "{needed} connections to {to} are needed, and {} of this machine {} ports for {has}\n  hint: nothing was started; name more addresses of this machine with `--local-ips`, widen `net.ipv4.ip_local_port_range`, use fewer VUs, or share the load with `--segment`",
        if *.addresses == 1 { "one address".to_owned() } else { format!("{addresses} addresses") },
        if *.addresses == 1 { "has" } else { "have" }
    )]
    Ports {
        /// To one target.
        needed: u64,
        /// The target.
        to: IpAddr,
        /// Of this machine, that connections can come from.
        addresses: u64,
        /// What they have ports for, without those that are left to others.
        has: u64,
    },
    /// An address that connections were to come from is none of this machine.
    #[error(
        "connections cannot come from {address}: {source}\n  hint: nothing was started; `--local-ips` takes addresses that this machine has"
    )]
    LocalAddress {
        /// As it was given.
        address: IpAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No address that connections were to come from leads to the target.
    #[error(
        "none of `--local-ips` can reach {to}\n  hint: nothing was started; the addresses and the target must both be IPv4 or both IPv6, and one of loopback reaches this machine alone"
    )]
    NoLocalAddress {
        /// The target.
        to: IpAddr,
    },
    /// The page for Prometheus has no place.
    #[error(
        "failed to listen at {at}, where the metrics of the run are to be: {source}\n  hint: nothing was started; name a free port of this machine with `--metrics`, or in `outputs.prometheus.listen`"
    )]
    Listen {
        /// Where.
        at: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// This build cannot run the load by Goose.
    #[error(
        "this program was built without Goose\n  hint: build it with `cargo build --release --features goose`, or run the scenario with `--engine native`"
    )]
    NoGoose,
    /// The evidence has no place.
    #[error("failed to make the run directory{}: {source}{}", at(.out.as_deref()), hint(.source))]
    Directory {
        /// What was asked for.
        out: Option<PathBuf>,
        /// What the system said.
        source: io::Error,
    },
    /// The load could not begin when all segments do.
    #[error(
        "the load was to begin at {at}, and that is {by} ago\n  hint: nothing was loaded; start all segments again, with a later --start-at"
    )]
    Late {
        /// When it was to begin.
        at: StartAt,
        /// How late it is.
        by: Span,
    },
    /// Interrupted before the load began.
    #[error("interrupted before the load began")]
    Interrupted,
    /// The harness could not do its part.
    #[error("failed to {doing}: {source}")]
    Io {
        /// Finishes "failed to".
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

pub(super) fn failed_to(doing: &'static str) -> impl Fn(io::Error) -> RunError {
    move |source| RunError::Io { doing, source }
}

fn at(out: Option<&Path>) -> String {
    out.map_or(String::new(), |out| format!(" {}", out.display()))
}

fn hint(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::AlreadyExists {
        "\n  hint: name another directory, or leave --out away for a new one under reports/"
    } else {
        ""
    }
}
