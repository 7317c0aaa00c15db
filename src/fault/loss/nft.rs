//! Tables of our own in the kernel's packet filter, by the program `nft` of the package nftables.
//!
//! Nobody else's table is ever read, changed or taken away.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::fault::nemesis::Trouble;
use crate::plan::fault::MILLION;
use crate::process;

/// Where packages put it, which is not in everybody's `PATH`.
const PLACES: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// How long one call may take.
const DONE_WITHIN: Duration = Duration::from_secs(2);

/// Before the name of each table.
const PREFIX: &str = "fcfs_bench";

/// Why the kernel has not done, or not told, what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("`nft` cannot be found on this machine (PATH, /usr/sbin)")]
    NoProgram,
    #[error("nft says: {0}")]
    Said(String),
    #[error("nft gives no answer within {} s", DONE_WITHIN.as_secs())]
    Silent,
    #[error("nft: {0}")]
    Io(#[from] io::Error),
}

impl Failed {
    /// What would help.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::NoProgram => "apt-get install nftables",
            Self::Said(words) if words.contains("not permitted") => {
                "packets can be lost by root, or with CAP_NET_ADMIN; `delay` and `reset` need neither"
            }
            _ => {
                "the kernel needs nf_tables with numgen (CONFIG_NF_TABLES_INET, CONFIG_NFT_NUMGEN); `delay` and `reset` do not"
            }
        }
    }
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Self {
        Self::new(failed.to_string())
    }
}

/// A table by its name, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table(String);

impl Table {
    /// Of one occurrence of a fault (its number, and how often it has begun) at one victim.
    pub(super) fn of(victim: &str, (fault, time): (u16, u32)) -> Self {
        let name = format!("{PREFIX}-{}-{fault}-{time}-{victim}", process::mark());
        Self(name.replace('-', "_"))
    }

    /// Of a lease.
    pub(super) fn called(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// From now on so many packets in a million to and from these ports are dropped where they
    /// come in on the loopback interface, so that their senders do not know.
    pub(super) async fn make(&self, ports: &[u16], per_million: u32) -> Result<(), Failed> {
        script(&self.rules(ports, per_million)).await
    }

    fn rules(&self, ports: &[u16], per_million: u32) -> String {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        let (name, ports) = (&self.0, ports.join(", "));
        // The dice show 0 and more: a bound of a million would be out of their range.
        let most = per_million.saturating_sub(1);
        let rule = |end: &str| {
            format!(
                "iif \"lo\" tcp {end} {{ {ports} }} numgen random mod {MILLION} <= {most} counter drop"
            )
        };
        let (there, back) = (rule("dport"), rule("sport"));
        format!(
            "table inet {name} {{
chain input {{
type filter hook input priority 0; policy accept;
{there}
{back}
}}
}}
"
        )
    }

    /// Does it at once and wholly; nothing if it is not there.
    pub(super) async fn remove(&self) -> Result<(), Failed> {
        script(&self.removal()).await
    }

    /// To take away what is not there is refused, so it is made first, in the same transaction.
    fn removal(&self) -> String {
        let name = &self.0;
        format!("add table inet {name}\ndelete table inet {name}\n")
    }

    /// How many packets its rules have dropped.
    pub(super) async fn dropped(&self) -> Result<u64, Failed> {
        let listing = run(&["--json", "list", "table", "inet", &self.0], "").await?;
        let unreadable = || Failed::Said(format!("no counters of the table {}", self.0));
        dropped(&listing).ok_or_else(unreadable)
    }

    pub(super) async fn is_there(&self) -> Result<bool, Failed> {
        let listing = run(&["--json", "list", "tables", "inet"], "").await?;
        let is_it = |entry: &Value| entry["table"]["name"] == self.0;
        Ok(entries(&listing).is_some_and(|entries| entries.iter().any(is_it)))
    }
}

/// Makes rules as a fault does and takes them away again in the same transaction, so that they never
/// meet a packet.
pub(super) async fn trial() -> Result<(), Failed> {
    let table = Table::of("trial", (0, 0));
    let rules = table.rules(&[1], MILLION) + &table.removal();
    script(&rules).await
}

fn entries(listing: &str) -> Option<Vec<Value>> {
    let mut listing: Value = serde_json::from_str(listing).ok()?;
    match listing.get_mut("nftables")?.take() {
        Value::Array(entries) => Some(entries),
        _ => None,
    }
}

/// The sum of all counters of rules; none if there is no rule that counts.
fn dropped(listing: &str) -> Option<u64> {
    let entries = entries(listing)?;
    let rules = entries
        .iter()
        .filter_map(|entry| entry["rule"]["expr"].as_array());
    let counts = rules
        .flatten()
        .filter_map(|part| part["counter"]["packets"].as_u64());
    counts.reduce(|sum, count| sum + count)
}

/// All of it is done, or nothing.
async fn script(text: &str) -> Result<(), Failed> {
    run(&["--file", "-"], text).await.map(drop)
}

/// What it prints.
async fn run(arguments: &[&str], input: &str) -> Result<String, Failed> {
    let program = program().ok_or(Failed::NoProgram)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // A Ctrl-C in the terminal is for the harness, which heals in its own time.
        .process_group(0);
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let work = async {
        if let Some(mut stdin) = stdin {
            // One that has ended without reading says why on its standard error.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = timeout(DONE_WITHIN, work)
        .await
        .map_err(|_| Failed::Silent)??;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(Failed::Said(
        said(&complaint).unwrap_or_else(|| output.status.to_string()),
    ))
}

/// Its first complaint, without the place in the script.
fn said(complaint: &str) -> Option<String> {
    let mut lines = complaint.lines();
    let first = lines.find_map(|line| Some(line.split_once("Error: ")?.1));
    let first = first.or_else(|| complaint.lines().next())?;
    Some(first.trim().to_owned()).filter(|words| !words.is_empty())
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(PLACES.map(PathBuf::from));
    places
        .map(|place| place.join("nft"))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As nft 1.0.6 lists it, without what is not read.
    const LISTING: &str = r#"{"nftables": [
        {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "inet", "name": "t", "handle": 1}},
        {"chain": {"family": "inet", "table": "t", "name": "input", "hook": "input"}},
        {"rule": {"expr": [{"match": {"op": "==", "right": "lo"}},
            {"counter": {"packets": 3, "bytes": 180}}, {"drop": null}]}},
        {"rule": {"expr": [{"counter": {"packets": 4, "bytes": 240}}, {"drop": null}]}}]}"#;

    #[test]
    fn what_both_rules_have_dropped_is_added_up_and_no_rule_is_no_zero() {
        assert_eq!(dropped(LISTING), Some(7));
        let without = r#"{"nftables": [{"table": {"family": "inet", "name": "t"}}]}"#;
        for text in [without, r#"{"nftables": 1}"#, "{}", "not JSON"] {
            assert_eq!(dropped(text), None, "{text}");
        }
    }

    #[test]
    fn all_packets_are_as_many_as_the_dice_can_show() {
        let table = Table::called("t");
        let table = [
            (1, "<= 0 "),
            (100_000, "<= 99999 "),
            (MILLION, "<= 999999 "),
        ]
        .map(|(per_million, bound)| (table.rules(&[6379, 6380], per_million), bound));
        for (rules, bound) in table {
            let whole =
                format!("tcp sport {{ 6379, 6380 }} numgen random mod 1000000 {bound}counter drop");
            assert!(rules.contains(&whole), "{rules}");
        }
    }

    #[test]
    fn a_name_is_one_word_that_the_program_takes() {
        let Table(name) = Table::of("redis-1", (3, 2));
        assert!(
            name.starts_with("fcfs_bench_") && name.ends_with("_3_2_redis_1"),
            "{name}"
        );
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(name.chars().all(is_word), "{name}");
    }

    #[test]
    fn a_complaint_is_its_first_error_with_what_would_help() {
        let table = [
            (
                "netlink: Error: cache initialization failed: Operation not permitted\n",
                "cache initialization failed: Operation not permitted",
                "root",
            ),
            (
                "Operation not permitted (you must be root)\n",
                "Operation not permitted (you must be root)",
                "root",
            ),
            (
                "/dev/stdin:4:1-9: Error: Could not process rule: No such file or directory\niif\n^^^\n",
                "Could not process rule: No such file or directory",
                "numgen",
            ),
        ];
        for (complaint, words, hint) in table {
            assert_eq!(said(complaint).as_deref(), Some(words));
            let failed = Failed::Said(words.to_owned());
            assert!(failed.hint().contains(hint), "{words}: {}", failed.hint());
        }
        assert_eq!(said(""), None);
        assert_eq!(Failed::NoProgram.hint(), "apt-get install nftables");
    }
}
