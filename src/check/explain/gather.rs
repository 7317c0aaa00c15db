//! Finds in the history and in the rows what the stories tell: two passes over the history for all
//! of them together, and memory for a few attempts of a few users.

use std::collections::HashMap;
use std::io;

use super::held;
use crate::check::recorded::Thing;
use crate::check::{Evidence, IssuedRead};
use crate::history::{Key, Operation, OutcomeKind};

/// Attempts of one user that a story tells: so many of the earliest, and so many of the latest.
const MOST_ATTEMPTS: usize = 5;

/// Which requests of its users a story tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::check) enum About {
    /// Those that can take something.
    Subject,
    /// The same, and those that tell of a waiting queue.
    Queue,
}

impl About {
    fn tells(self, operation: &Operation, evidence: &Evidence<'_>) -> bool {
        let of_queue = || {
            let queue = evidence.plan.queue.as_ref();
            queue.is_some_and(|queue| queue.is_told_by(operation.step))
        };
        let of_subject = evidence.is_attempt(operation) || evidence.is_release(operation);
        of_subject || (self == Self::Queue && of_queue())
    }
}

/// Whom and what a story is about.
#[derive(Debug, Clone)]
pub(in crate::check) struct Subject {
    /// Which of their requests it tells.
    pub(in crate::check) about: About,
    /// The case's own user, then the other one, if the case names one.
    pub(in crate::check) users: Vec<Key>,
    /// A seat, a charge or an account, if the case is about one: then only attempts about it, and what
    /// its table shows of it, are told.
    pub(in crate::check) thing: Option<Thing>,
    /// When the case was, if it has a time.
    pub(in crate::check) time_ns: Option<(u64, u64)>,
    /// The coupon that the case names.
    pub(in crate::check) coupon: Option<Key>,
    /// What is wrong, for a case without a user.
    pub(in crate::check) text: String,
}

/// What was found for one story.
#[derive(Debug)]
pub(in crate::check) struct Gathered {
    pub(super) subject: Subject,
    /// By user, in the subject's order.
    pub(super) lives: Vec<Life>,
    /// From the first to the last attempt that is told; `None`: there is none.
    pub(super) around: Option<Around>,
    /// What each read shows of each user, in the order of reading.
    pub(super) reads: Vec<Shown>,
    /// When a table was read, and what it shows of the thing, in words that end a sentence.
    pub(super) held: Option<(u64, String)>,
}

/// The attempts of one user.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    /// By the time of asking.
    pub(super) attempts: Vec<Operation>,
    /// Those that are not kept.
    pub(super) left_out: u64,
}

/// What everybody else did in the time of a story.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around {
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    /// Confirmations that were complete before, whoever's.
    pub(super) issued_before: u64,
    /// Attempts of others under way in that time, by kind.
    pub(super) kinds: [u64; OutcomeKind::ALL.len()],
}

/// What one read of the issued rows shows of the users of a story.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) read: Read,
    pub(super) at_ns: u64,
    /// The coupons of each user, in the subject's order; [`Key::NONE`] for a row without an id.
    pub(super) coupons: Vec<Vec<Key>>,
    /// Coupons that one of the users was told to have, and who holds them, if somebody else.
    pub(super) elsewhere: Vec<(Key, Key)>,
}

/// Which read it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    Baseline,
    Final,
    Second,
}

impl Gathered {
    /// Every user that the story names.
    pub(in crate::check) fn users(&self) -> impl Iterator<Item = Key> + '_ {
        let holders = self.reads.iter().flat_map(|read| &read.elsewhere);
        let holders = holders.map(|(_, holder)| *holder);
        self.subject.users.iter().copied().chain(holders)
    }

    /// Every coupon that the story names.
    pub(in crate::check) fn coupons(&self) -> impl Iterator<Item = Key> + '_ {
        let told = self.lives.iter().flat_map(|life| &life.attempts);
        let told = told.map(|attempt| attempt.coupon);
        let held = self.reads.iter().flat_map(|read| read.coupons.iter());
        told.chain(held.flatten().copied())
            .chain(self.subject.coupon)
            .filter(|key| key.is_some())
    }
}

impl Life {
    /// Keeps the earliest and the latest: what is in the middle of one too many can be neither.
    fn take(&mut self, operation: &Operation) {
        let place = |one: &Operation| (one.inv_ns, one.ret_ns, one.vu);
        let at = self
            .attempts
            .partition_point(|one| place(one) <= place(operation));
        self.attempts.insert(at, *operation);
        if self.attempts.len() > 2 * MOST_ATTEMPTS {
            self.attempts.remove(MOST_ATTEMPTS);
            self.left_out += 1;
        }
    }
}

/// Finds what the stories of all subjects tell, in their order.
pub(in crate::check) fn gather(
    evidence: &Evidence<'_>,
    subjects: Vec<Subject>,
) -> io::Result<Vec<Gathered>> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let lives = lives(evidence, &subjects)?;
    let things = lives_of_things(evidence, &subjects)?;
    let mut all: Vec<Gathered> = subjects
        .into_iter()
        .map(|subject| {
            let of = |user: &Key| match subject.thing {
                Some(thing) => things.get(&(thing, *user)).cloned(),
                None => lives.get(&(*user, subject.about)).cloned(),
            };
            let lives = subject.users.iter().map(of);
            let lives: Vec<Life> = lives.map(Option::unwrap_or_default).collect();
            let around = around(&subject, &lives);
            let reads = match subject.thing {
                Some(_) => Vec::new(),
                None => reads(evidence, &subject, &lives),
            };
            let held = subject.thing.and_then(|thing| held::shown(evidence, thing));
            Gathered {
                subject,
                lives,
                around,
                reads,
                held,
            }
        })
        .collect();
    count_others(evidence, &mut all)?;
    Ok(all)
}

fn lives(evidence: &Evidence<'_>, subjects: &[Subject]) -> io::Result<Lives> {
    let mut lives = Lives::new();
    let mut abouts: Vec<About> = Vec::new();
    for subject in subjects.iter().filter(|subject| subject.thing.is_none()) {
        if !abouts.contains(&subject.about) {
            abouts.push(subject.about);
        }
        let users = subject.users.iter();
        lives.extend(users.map(|user| ((*user, subject.about), Life::default())));
    }
    if lives.is_empty() {
        return Ok(lives);
    }
    for operation in evidence.history.operations()? {
        let operation = operation?;
        for about in &abouts {
            if let Some(life) = lives.get_mut(&(operation.user, *about))
                && about.tells(&operation, evidence)
            {
                life.take(&operation);
            }
        }
    }
    Ok(lives)
}

/// The requests of each user, of those that its story tells.
type Lives = HashMap<(Key, About), Life>;

/// The attempts about each thing of those users whom its story names.
fn lives_of_things(
    evidence: &Evidence<'_>,
    subjects: &[Subject],
) -> io::Result<HashMap<(Thing, Key), Life>> {
    let things = subjects.iter().filter_map(|one| Some((one.thing?, one)));
    let pairs = things.flat_map(|(thing, one)| one.users.iter().map(move |user| (thing, *user)));
    let mut lives: HashMap<(Thing, Key), Life> =
        pairs.map(|pair| (pair, Life::default())).collect();
    if lives.is_empty() {
        return Ok(lives);
    }
    for detail in evidence.history.details()? {
        let detail = detail?;
        let user = detail.operation.user;
        let things = [
            Thing::Seat(detail.seat),
            Thing::Charge(detail.key),
            Thing::Account(detail.account),
        ];
        for thing in things {
            if let Some(life) = lives.get_mut(&(thing, user)) {
                life.take(&detail.operation);
            }
        }
    }
    Ok(lives)
}

/// The time of the story: of the case and of all attempts that are told.
fn around(subject: &Subject, lives: &[Life]) -> Option<Around> {
    let attempts = lives.iter().flat_map(|life| &life.attempts);
    let times = attempts.map(|one| (one.inv_ns, one.ret_ns));
    let times: Vec<_> = times.chain(subject.time_ns).collect();
    let from_ns = times.iter().map(|(from, _)| *from).min()?;
    let to_ns = times.iter().map(|(_, to)| *to).max()?;
    Some(Around {
        from_ns,
        to_ns,
        ..Around::default()
    })
}

fn count_others(evidence: &Evidence<'_>, all: &mut [Gathered]) -> io::Result<()> {
    for operation in evidence.history.operations()? {
        let operation = operation?;
        if !evidence.is_attempt(&operation) {
            continue;
        }
        for one in all.iter_mut() {
            let Some(around) = &mut one.around else {
                continue;
            };
            if operation.ret_ns < around.from_ns {
                around.issued_before += u64::from(operation.kind == OutcomeKind::Issued);
            } else if operation.inv_ns <= around.to_ns
                && !one.subject.users.contains(&operation.user)
            {
                around.kinds[operation.kind as usize] += 1;
            }
        }
    }
    Ok(())
}

fn reads(evidence: &Evidence<'_>, subject: &Subject, lives: &[Life]) -> Vec<Shown> {
    let observations = evidence.observations;
    let reads = [
        (Read::Baseline, &observations.baseline),
        (Read::Final, &observations.last),
        (Read::Second, &observations.second),
    ];
    let told: Vec<Key> = lives
        .iter()
        .flat_map(|life| &life.attempts)
        .map(|attempt| attempt.coupon)
        .chain(subject.coupon)
        .filter(|coupon| coupon.is_some())
        .collect();
    let is_known = !subject.users.is_empty() || subject.coupon.is_some();
    reads
        .into_iter()
        .filter_map(|(read, rows)| Some((read, rows.as_ref()?)))
        .filter(|_| is_known)
        .map(|(read, rows)| shown(read, rows, &subject.users, &told))
        .collect()
}

fn shown(read: Read, rows: &IssuedRead, users: &[Key], told: &[Key]) -> Shown {
    let mut coupons = vec![Vec::new(); users.len()];
    let mut elsewhere = Vec::new();
    for row in rows.rows.iter() {
        let user = Key::of(row.user);
        let coupon = row.id.map_or(Key::NONE, Key::of);
        if let Some(at) = users.iter().position(|one| *one == user) {
            coupons[at].push(coupon);
        } else if told.contains(&coupon) {
            elsewhere.push((coupon, user));
        }
    }
    Shown {
        read,
        at_ns: rows.at_ns,
        coupons,
        elsewhere,
    }
}
