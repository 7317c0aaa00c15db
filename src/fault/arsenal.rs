//! From a fault of the plan and what the run has brought up to what injects it.

use std::time::Duration;

use super::container;
use super::database::{CommitStall, HotRow, KillSessions, PoolExhausted, ReadOnly};
use super::kafka::{BelowMinIsr, FollowersFrozen, TooFewReplicas};
use super::link::OnLinks;
use super::loss::Loss;
use super::nemesis::{Nemesis, Trouble};
use super::process::{ClockSkew, CpuLimit, Down, Freeze, How, MemoryLimit, Restart};
use super::redis::{
    ClientsExhausted, Evict, KillClients, LoseWrites, OutOfMemory, SentinelFailover, Stall,
};
use super::timeline;
use crate::plan::fault::{Fault, Injection, Party};
use crate::plan::{LinkFault, LinkRule, Plan, Secret};
use crate::stack::{Part, Ready, Sentinels, Way};

/// What faults can be done to.
#[derive(Debug, Clone)]
pub struct Arsenal {
    /// Everything that the run has brought up, or that the scenario names.
    pub parts: Vec<Part>,
    /// The links on which faults can be.
    pub ways: Vec<Way>,
    /// Who chooses the primary of Redis, where there are several.
    pub sentinels: Option<Sentinels>,
    /// What events go through, where there are any.
    pub topic: String,
}

/// One blow at one victim.
pub(super) struct Blow {
    /// As reports call it.
    pub(super) victim: String,
    /// What is done to it.
    pub(super) nemesis: Box<dyn Nemesis>,
}

/// One occurrence of a fault.
#[derive(Clone, Copy)]
pub(super) struct Occurrence<'p> {
    pub(super) plan: &'p Plan,
    /// The fault's index in the plan.
    pub(super) number: u16,
    pub(super) fault: &'p Fault,
    /// How often it has begun, with this time.
    pub(super) time: u32,
}

impl Occurrence<'_> {
    /// Which of so many are met, from 0.
    fn chosen(self, there: usize) -> Vec<usize> {
        let victim = &self.fault.victim;
        timeline::chosen(victim, there, self.plan.seed, self.number, self.time)
    }
}

impl Arsenal {
    /// Whom one occurrence of a fault meets, and how.
    ///
    /// # Errors
    /// In words, when nobody is there, or it cannot be done to them.
    pub(super) fn blows(&self, at: Occurrence<'_>) -> Result<Vec<Blow>, Trouble> {
        match &at.fault.injection {
            Injection::Link(rule) => self.on_links(at, rule),
            Injection::Partition => self.on_links(at, &LinkRule::of(LinkFault::BlackHole)),
            Injection::KafkaBelowMinIsr => self.below_min_isr(at),
            Injection::KafkaFollowersFrozen => Ok(vec![self.followers_frozen()]),
            Injection::RedisFailover { lose } => self.failover(at, *lose),
            Injection::Restart => {
                let parts = self.met(at)?;
                let names: Vec<&str> = parts.iter().map(Part::name).collect();
                Ok(vec![Blow {
                    victim: names.join(", "),
                    nemesis: Box::new(Restart::new(parts)),
                }])
            }
            _ => self
                .met(at)?
                .into_iter()
                .map(|part| blow(at, part))
                .collect(),
        }
    }

    /// The instances that are met.
    fn met(&self, at: Occurrence<'_>) -> Result<Vec<Part>, Trouble> {
        let meant = &at.fault.victim.party;
        let there = self.parts.iter();
        let there: Vec<&Part> = there
            .filter(|part| part.party().belongs_to(meant))
            .collect();
        let met: Vec<Part> = at
            .chosen(there.len())
            .into_iter()
            .map(|at| there[at].clone())
            .collect();
        if met.is_empty() {
            let party = meant.name();
            return Err(Trouble::new(format!(
                "there is no {party} that the run could break"
            )));
        }
        Ok(met)
    }

    /// All links to an instance are broken together.
    fn on_links(&self, at: Occurrence<'_>, rule: &LinkRule) -> Result<Vec<Blow>, Trouble> {
        let meant = &at.fault.victim.party;
        let to_party: Vec<&Way> = self.ways.iter().filter(|way| way.party == *meant).collect();
        let mut numbers: Vec<u16> = to_party.iter().map(|way| way.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let met = at.chosen(numbers.len()).into_iter().map(|at| numbers[at]);
        let blows = met.map(|number| {
            let ways = to_party.iter().filter(|way| way.number == number);
            let links = ways.map(|way| way.link.clone()).collect();
            Blow {
                victim: format!("the way to {}-{number}", meant.name()),
                nemesis: Box::new(OnLinks::new(links, rule.clone(), at.fault.lasts)),
            }
        });
        let blows: Vec<Blow> = blows.collect();
        if blows.is_empty() {
            let party = meant.name();
            return Err(Trouble::new(format!(
                "there is no link on the way to {party}"
            )));
        }
        Ok(blows)
    }

    /// Whoever is the primary now.
    fn failover(&self, at: Occurrence<'_>, lose: Duration) -> Result<Vec<Blow>, Trouble> {
        let nodes = self.met(at)?;
        let sentinels = self.sentinels.clone();
        let sentinels = sentinels.ok_or_else(|| Trouble::new("no Sentinel watches Redis"))?;
        let url = sentinels.url();
        let (primary, replicas): (Vec<Part>, Vec<Part>) =
            nodes.into_iter().partition(|node| node.url() == Some(&url));
        let primary = primary.into_iter().next();
        let primary = primary.ok_or_else(|| Trouble::new("no Redis of the run is the primary"))?;
        let label = &at.fault.name;
        Ok(vec![Blow {
            victim: primary.name().to_owned(),
            nemesis: Box::new(SentinelFailover::new(
                sentinels, primary, replicas, label, lose,
            )),
        }])
    }

    /// The topic's setting bites only while one of its brokers is away.
    fn below_min_isr(&self, at: Occurrence<'_>) -> Result<Vec<Blow>, Trouble> {
        let brokers = self.parts.iter();
        let brokers: Vec<&Part> = brokers
            .filter(|part| *part.party() == Party::Kafka)
            .collect();
        let addresses: Vec<&str> = brokers
            .iter()
            .filter_map(|part| part.url().map(Secret::reveal))
            .collect();
        let chosen = at.chosen(brokers.len());
        let away = chosen.last().map(|at| brokers[*at].clone());
        let away = away.ok_or_else(|| Trouble::new("there is no broker"))?;
        let topic = BelowMinIsr::new(&addresses.join(","), &self.topic);
        Ok(vec![Blow {
            victim: format!("the topic {} without {}", self.topic, away.name()),
            nemesis: Box::new(TooFewReplicas::new(topic, away)),
        }])
    }

    /// Who leads is known when it is asked.
    fn followers_frozen(&self) -> Blow {
        let brokers = self.parts.iter();
        let brokers: Vec<Part> = brokers
            .filter(|part| *part.party() == Party::Kafka)
            .cloned()
            .collect();
        Blow {
            victim: format!("the followers of the topic {}", self.topic),
            nemesis: Box::new(FollowersFrozen::new(brokers, &self.topic)),
        }
    }
}

fn blow(at: Occurrence<'_>, part: Part) -> Result<Blow, Trouble> {
    let victim = part.name().to_owned();
    let nemesis: Box<dyn Nemesis> = match &at.fault.injection {
        Injection::Freeze => Box::new(Freeze::new(part)),
        Injection::CpuLimit { share } => cpu_limit(part, *share),
        Injection::MemoryLimit { to } => memory_limit(part, *to),
        Injection::ClockSkew { by_ms } => Box::new(ClockSkew::new(part, *by_ms)),
        Injection::Kill => Box::new(Down::new(part, How::Killed)),
        Injection::Stop => Box::new(Down::new(part, How::Stopped)),
        Injection::Loss { per_million } => {
            Box::new(Loss::new(&part, *per_million, (at.number, at.time))?)
        }
        _ => by_asking(at, part)?,
    };
    Ok(Blow { victim, nemesis })
}

/// A container is limited by its engine, a process by this one.
fn cpu_limit(part: Part, share: f64) -> Box<dyn Nemesis> {
    match part.limits() {
        Some(limits) => Box::new(container::CpuLimit::new(part, limits, share)),
        None => Box::new(CpuLimit::new(part, share)),
    }
}

fn memory_limit(part: Part, to: u64) -> Box<dyn Nemesis> {
    match part.limits() {
        Some(limits) => Box::new(container::MemoryLimit::new(part, limits, to)),
        None => Box::new(MemoryLimit::new(part, to)),
    }
}

/// What a service does to itself when it is asked.
fn by_asking(at: Occurrence<'_>, part: Part) -> Result<Box<dyn Nemesis>, Trouble> {
    let (fault, label) = (at.fault, at.fault.name.as_str());
    let impossible = || {
        let (kind, name) = (fault.injection.kind(), part.name());
        Trouble::new(format!("{kind} cannot be done to {name}"))
    };
    let url = part.url().cloned().ok_or_else(impossible)?;
    let admin = part.admin().cloned().ok_or_else(impossible)?;
    Ok(match &fault.injection {
        Injection::RedisStall { writes_only } => {
            Box::new(Stall::new(&url, label, fault.lasts, *writes_only))
        }
        Injection::RedisOutOfMemory => Box::new(OutOfMemory::new(&url, label)),
        Injection::RedisEvict => Box::new(Evict::new(&url, label)),
        Injection::RedisLoseWrites { of_last } => {
            Box::new(LoseWrites::new(part, &url, label, *of_last))
        }
        Injection::RedisKillClients { every } => Box::new(KillClients::new(&url, label, *every)),
        Injection::RedisClientsExhausted => Box::new(ClientsExhausted::new(&url, label)),
        Injection::DatabaseCommitStall => Box::new(CommitStall::new(&admin)),
        Injection::DatabaseHotRow { lock } => {
            let lock = lock.as_deref().unwrap_or(Ready::COUPONS_LOCK);
            Box::new(HotRow::new(&url, lock)?)
        }
        Injection::DatabasePoolExhausted { leave } => Box::new(PoolExhausted::new(&url, *leave)),
        Injection::DatabaseKillSessions { every } => {
            // Without a user of its own, who asks is one of the system.
            let own = part.has_admin().then(|| user_of(&admin)).flatten();
            let spared: Vec<String> = own.into_iter().collect();
            Box::new(KillSessions::new(&admin, *every, &spared))
        }
        Injection::DatabaseReadOnly => Box::new(ReadOnly::new(&admin, &url)),
        _ => return Err(impossible()),
    })
}

fn user_of(url: &Secret) -> Option<String> {
    let (_, rest) = url.reveal().split_once("://")?;
    let (user, _) = rest.split_once([':', '@'])?;
    Some(user.to_owned())
}
