//! Packets that are lost on the loopback interface, to and from one party: the kernel throws its
//! dice for each of them, and no seed can repeat what they show.

mod nft;

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::sleep;

use self::nft::Table;
use super::lease::Undo;
use super::nemesis::{Effect, Nemesis, Trouble};
use super::wait::{WHOLE_WITHIN, question, until};
use crate::plan::Plan;
use crate::plan::fault::{Fault, Injection};
use crate::stack::{NotReady, Part};

/// A program that a dead harness has started may still be at work: what it does comes after the
/// first look.
const LAST_WORD: Duration = Duration::from_millis(300);

/// A table of rules for the ports of one party.
#[derive(Debug)]
pub struct Loss {
    victim: String,
    ports: Vec<u16>,
    /// Of a million packets.
    per_million: u32,
    table: Table,
}

impl Loss {
    /// Of so many packets in a million at one part; `occurrence` tells its table from those of others.
    ///
    /// # Errors
    /// In words, when no port of it is known on this machine.
    pub fn new(part: &Part, per_million: u32, occurrence: (u16, u32)) -> Result<Self, Trouble> {
        let (victim, mut ports) = (part.name().to_owned(), part.ports().to_vec());
        ports.sort_unstable();
        ports.dedup();
        if ports.is_empty() {
            let problem = "nobody knows its port on the loopback of this machine";
            return Err(Trouble::new(format!("{victim}: {problem}")));
        }
        Ok(Self {
            table: Table::of(&victim, occurrence),
            victim,
            ports,
            per_million,
        })
    }

    async fn look(&self) -> Effect {
        let victim = &self.victim;
        match self.table.dropped().await {
            Ok(0) => Effect::NotSeen(format!(
                "the kernel has dropped no packet to or from {victim}"
            )),
            Ok(dropped) => Effect::Seen(format!(
                "the kernel has dropped {dropped} packets to or from {victim}"
            )),
            Err(failed) => Effect::NotSeen(failed.to_string()),
        }
    }
}

impl Nemesis for Loss {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        let table = self.table.name().to_owned();
        let undo = vec![Undo::PacketRules { table }];
        Box::pin(std::future::ready(Ok(undo)))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let made = self.table.make(&self.ports, self.per_million).await;
            made.map_err(Trouble::from)
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.look()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        without(&self.table).boxed()
    }
}

/// Returns when the kernel does not list the table any more.
async fn without(table: &Table) -> Result<(), Trouble> {
    let removed = || async {
        table.remove().await?;
        if table.is_there().await? {
            return Err(Trouble::new(format!("the table {} stays", table.name())));
        }
        Ok(())
    };
    until(WHOLE_WITHIN, removed).await
}

/// Takes away what a harness has left that is dead; nothing if it is gone already.
pub(super) async fn take_away(table: &str) -> Result<(), Trouble> {
    let table = Table::called(table);
    without(&table).await?;
    sleep(LAST_WORD).await;
    without(&table).await
}

/// Whether the faults of a plan can be injected on this machine, looked at before anything is
/// started.
///
/// # Errors
/// When the kernel takes no rules, or not from this user.
pub async fn is_possible(plan: &Plan) -> Result<(), NotReady> {
    let loses = |fault: &&Fault| matches!(fault.injection, Injection::Loss { .. });
    let Some(fault) = plan.faults.iter().find(loses) else {
        return Ok(());
    };
    let tried = nft::trial().await;
    tried.map_err(|failed| NotReady::Fault {
        fault: fault.name.clone(),
        hint: failed.hint(),
        problem: failed.to_string(),
    })
}
