//! What judging a long history costs: time, and the most memory that was resident.
//!
//! A history of ten million attempts is written as a run writes it, and all invariants are judged
//! from the file with a final and a second read of a million rows. The mix: a pool of two million
//! users, of whom one million get a coupon (one in a hundred without an answer), and attempts of all
//! kinds after that, most of them refused. Writing is neither timed nor, since it streams, seen in
//! the memory. The issued rows, which a run holds in memory as well, are.
//!
//! usage: cargo bench --bench checkers [-- OPERATIONS]

use std::io::{Error, Result};
use std::time::Instant;

use fcfs_bench::check::{Evidence, IssuedRead, IssuedRow, Observations, Settled, check};
use fcfs_bench::history::{Cause, HistoryFile, HistoryWriter, Key, Operation, OutcomeKind};
use fcfs_bench::plan::{self, Overrides, Plan};
use fcfs_bench::run::machine::process_cpu_ns;
use fcfs_bench::verdict::Verdict;

const OPERATIONS: u64 = 10_000_000;

/// One attempt in ten is a winner's first.
const ISSUED_ONE_IN: u64 = 10;

fn main() -> Result<()> {
    let operations = std::env::args().find_map(|argument| argument.parse().ok());
    let sale = Sale::of(operations.unwrap_or(OPERATIONS));
    let directory = tempfile::tempdir()?;
    sale.write(directory.path())?;

    let (plan, observations) = (sale.plan(), sale.observations());
    let held_mib = resident_most_mib()?;
    let (began, busy_ns) = (Instant::now(), process_cpu_ns());
    let history = HistoryFile::open(directory.path())?;
    let findings = check(&Evidence {
        plan: &plan,
        history: &history,
        observations: &observations,
        faults: &[],
        gap: None,
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu_seconds = (process_cpu_ns() - busy_ns) as f64 / 1e9;

    for finding in &findings {
        println!("{}: {}", finding.checker, finding.headline);
        if finding.verdict != Verdict::Pass {
            // A sale that is right by construction: the figures would be of something else.
            return Err(Error::other(format!("{finding:#?}")));
        }
    }
    println!("operations      {}", sale.operations);
    println!("rows, two reads {}", 2 * sale.winners);
    println!("seconds         {seconds:.2}");
    println!("CPU seconds     {cpu_seconds:.2}");
    println!("per second      {:.0}", sale.operations as f64 / seconds);
    println!("resident before {held_mib:.0} MiB");
    println!("resident, most  {:.0} MiB", resident_most_mib()?);
    Ok(())
}

/// A sale in which everything is right.
struct Sale {
    operations: u64,
    /// Users 0 and up, each with the coupon of the same number.
    winners: u64,
}

impl Sale {
    fn of(operations: u64) -> Self {
        Self {
            operations,
            winners: (operations / ISSUED_ONE_IN).max(1),
        }
    }

    fn plan(&self) -> Plan {
        let text = format!(
            "name: checkers\n\
             target: {{ url: \"http://127.0.0.1:1\" }}\n\
             subject: {{ coupon: {{ id: 1, stock: {stock} }} }}\n\
             users: {{ pool: {pool} }}\n\
             load: {{ all: {{ flow: claim, constant_vus: {{ vus: 1, for: 1s }} }} }}\n\
             flows:\n  claim:\n    - name: claim\n      post: /claim\n      timeout: 1s\n      \
             outcomes:\n        issued: {{ status: 200 }}\n        sold_out: {{ status: 409 }}\n\
             truth:\n  issued: {{ sql: {{ url: \"sqlite:shop.db\", query: \"SELECT user_id, id FROM coupons\" }} }}\n\
             invariants: [stock, one_per_user, acknowledged, first_come_first_served]\n",
            stock = self.winners,
            pool = 2 * self.winners,
        );
        match plan::load("checkers.yaml", &text, &Overrides::default(), &|_| None) {
            Ok(plan) => plan,
            Err(diagnostics) => panic!("the bench's own scenario: {diagnostics}"),
        }
    }

    fn observations(&self) -> Observations {
        let row = |number: u64| IssuedRow {
            user: number.to_string(),
            id: Some((COUPONS + number).to_string()),
            created_us: Some((1_700_000_000_000_000 + number) as i64),
            grain_us: Some(1),
        };
        let read = || IssuedRead {
            at_ns: u64::MAX,
            rows: (0..self.winners).map(row).collect(),
        };
        Observations {
            baseline: Some(IssuedRead::default()),
            last: Some(read()),
            second: Some(read()),
            remaining_last: Some(0),
            settled: Some(Settled::Quiet),
            ..Observations::default()
        }
    }

    fn write(&self, directory: &std::path::Path) -> Result<()> {
        let mut writer = HistoryWriter::create(directory)?;
        let mut random = Random(1);
        let mut batch = Vec::new();
        for number in 0..self.operations {
            batch.push(self.operation(number, &mut random));
            if batch.len() == 2_048 {
                writer.append(&batch)?;
                batch.clear();
            }
        }
        writer.append(&batch)?;
        writer.flush()
    }

    /// First all winners ask, each once; after that everybody, and nothing is left.
    fn operation(&self, number: u64, random: &mut Random) -> Operation {
        use OutcomeKind::{Duplicate, Issued, NotSent, Refused, Replay, SoldOut, Unknown};
        let chance = random.below(1_000);
        let (kind, user) = if number < self.winners {
            let kind = if chance < 10 { Unknown } else { Issued };
            (kind, number)
        } else {
            let of_winner = random.below(self.winners);
            let of_loser = self.winners + of_winner;
            match chance {
                0..70 => (Duplicate, of_winner),
                70..75 => (Replay, of_winner),
                75..95 => (Unknown, of_loser),
                95..105 => (Refused, of_loser),
                105..110 => (NotSent, of_loser),
                110..160 => (SoldOut, of_winner),
                _ => (SoldOut, of_loser),
            }
        };
        let coupon = if kind.is_acknowledged() {
            Key(COUPONS + user)
        } else {
            Key::NONE
        };
        let inv_ns = number * 10_000;
        Operation {
            user: Key(user),
            coupon,
            inv_ns,
            ret_ns: inv_ns + 500_000 + random.below(20_000_000),
            lag_us: 0,
            status: 200,
            kind,
            label: 0,
            step: 0,
            cause: Cause::None,
            phase: 0,
            vu: (number % 1_000) as u32,
        }
    }
}

const COUPONS: u64 = 5_000_000_000;

/// `SplitMix64`: the same sale each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What the kernel has counted for this process so far.
fn resident_most_mib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.map(|kib| kib / 1_024.0)
        .ok_or_else(|| Error::other("/proc/self/status has no VmHWM in kB"))
}
