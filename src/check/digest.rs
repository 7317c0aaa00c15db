//! One or two passes over the history, kept as what the checkers need to decide.
//!
//! Memory is bounded by the issued rows, the issued and replayed coupons, the attempts without a
//! certain answer and the users who were told "duplicate". Sold-out answers and other refusals,
//! which may be many millions, leave a trace only if their user holds a row.

use std::cell::OnceCell;
use std::io;

use super::asked::{Attempt, Confirmed};
use super::confirmations::Confirmations;
use super::draft::{Pick, count_of};
use super::evidence::{Evidence, Observations, Settled};
use super::fairness::Measured;
use super::inversions::Inversions;
use super::reads::{Holdings, Reads, Row};
use super::releases::{Comings, Declared, Known, Releases};
use super::users::Users;
use crate::history::{Key, Operation, OutcomeKind};
use crate::plan::{Invariant, Plan};
use crate::verdict::Verdict;

/// All that the checkers decide upon.
pub(super) struct Digest<'a> {
    pub(super) evidence: Evidence<'a>,
    /// What was for sale; `None`: the scenario does not say.
    pub(super) stock: Option<Stock>,
    /// How far the rows can be trusted.
    pub(super) truth: Truth,
    /// The rows before the load; empty when that was not read.
    pub(super) before: Holdings,
    /// The final read.
    pub(super) last: Holdings,
    /// The read some seconds later.
    pub(super) second: Option<Holdings>,
    /// How many rows of the final read the second one no longer shows.
    pub(super) gone: u64,
    /// The same, and those of before the load that the final read no longer shows.
    pub(super) returned: u64,
    /// The rows of both, each once.
    pub(super) rows: Vec<Row>,
    /// Those rows by the earliest time at which they can have been won.
    pub(super) winners: Vec<Winner>,
    /// Who holds a row, was confirmed, got no certain answer or was told "duplicate".
    pub(super) users: Users,
    /// What was confirmed, each pair of user and coupon once, by time.
    pub(super) confirmed: Vec<Confirmed>,
    /// When each attempt was invoked that may have taken one, in order. Empty unless the
    /// remaining stock was read.
    pub(super) takes_ns: Vec<u64>,
    /// All sold-out answers; the worst is the one that came first.
    pub(super) sold_out: Pick<(Key, Attempt)>,
    /// Those to users who have a row in the end.
    pub(super) to_holders: Pick<(Key, Attempt)>,
    /// Those that came before enough winners had even asked.
    pub(super) premature: Pick<(Key, Attempt)>,
    /// Those that came before some later user got one; empty unless that is asked for.
    pub(super) inversions: Inversions,
    /// What is known where coupons come back; `None`: none does, as the scenario says.
    pub(super) releases: Option<Releases>,
    /// How far the order of issue is the order of asking, once somebody has asked.
    pub(super) fairness: OnceCell<Result<Measured, &'static str>>,
    counts: [u64; OutcomeKind::ALL.len()],
}

/// What was for sale, as the scenario and the system have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stock {
    /// As the scenario says.
    pub(super) claimed: u64,
    /// The larger of the two, where the system says something else.
    pub(super) most: u64,
    /// What the system says, where that is something else.
    pub(super) contradicted: Option<i64>,
}

/// How far the issued rows can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    /// There was no final read.
    Missing,
    /// Read, but the state had not become quiet: what is there is there, more may come.
    Moving,
    /// Read at rest, but something still waited to be written, and nobody wrote it in the time
    /// allowed: what is missing was not kept, and nothing is proved to be whole.
    Stuck,
    /// Nothing was expected to change any more.
    Final,
}

impl Truth {
    /// The verdict on a violation that the final rows prove but moving ones do not.
    pub(super) const fn judge(self, broken: bool) -> Verdict {
        match (self, broken) {
            (Self::Final | Self::Stuck, true) => Verdict::Fail,
            (Self::Final, false) => Verdict::Pass,
            _ => Verdict::Unknown,
        }
    }

    /// The verdict on a violation that any row proves, since more rows cannot heal it.
    pub(super) const fn judge_rows(self, broken: bool) -> Verdict {
        match (self, broken) {
            (Self::Moving, true) => Verdict::Fail,
            _ => self.judge(broken),
        }
    }
}

/// A row and the earliest time at which it can have been won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Winner {
    pub(super) since_ns: u64,
    pub(super) user: Key,
}

impl<'a> Digest<'a> {
    pub(super) fn build(evidence: &Evidence<'a>) -> io::Result<Self> {
        let observations = evidence.observations;
        let reads = Reads::of(observations);
        let rows = reads.rows();
        let declared = Declared::of(evidence.plan);
        let mut pass = Pass::over(evidence, &rows, declared.as_ref())?;
        let winners = winners(&rows, &pass.users);
        let stock = stock_of(evidence.plan, observations);
        let truth = truth_of(observations);
        let known = Known {
            stock,
            before: &reads.before,
            rows: &rows,
            users: &pass.users,
        };
        let comings = std::mem::take(&mut pass.comings);
        let mut releases = declared.map(|declared| Releases::of(&declared, comings, &known));
        let full_ns = match stock {
            Some(stock) if truth != Truth::Missing && stock.contradicted.is_none() => {
                full_since(&winners, stock.claimed)
            }
            _ => 0,
        };
        pass.takes_ns.sort_unstable();
        let mut asked_for = evidence.plan.invariants.iter();
        let in_order = asked_for.any(|one| matches!(one, Invariant::FirstComeFirstServed(_)));
        let inversions = match releases {
            None if in_order => Inversions::of(&rows, &reads.before, &pass.users),
            _ => Inversions::default(),
        };
        let (premature, inversions) = match (&mut releases, stock) {
            (None, _) => early(evidence, &pass.sold_out, full_ns, inversions)?,
            (Some(releases), Some(stock)) if in_order && stock.contradicted.is_none() => {
                too_early(evidence, releases, stock, &pass.users)?;
                Default::default()
            }
            (Some(_), _) => Default::default(),
        };
        Ok(Self {
            evidence: *evidence,
            stock,
            truth,
            before: reads.before,
            last: reads.last,
            second: reads.second,
            gone: reads.gone,
            returned: reads.returned,
            rows,
            winners,
            users: pass.users,
            confirmed: pass.confirmed.by_time(),
            takes_ns: pass.takes_ns,
            sold_out: pass.sold_out,
            to_holders: pass.to_holders,
            premature,
            inversions,
            releases,
            fairness: OnceCell::new(),
            counts: pass.counts,
        })
    }

    /// How many attempts came to this.
    pub(super) fn count(&self, kind: OutcomeKind) -> u64 {
        self.counts[kind as usize]
    }

    /// The most rows that any one read shows.
    pub(super) fn taken(&self) -> u64 {
        let second = self.second.as_ref().map_or(0, |second| second.len);
        self.last.len.max(second) as u64
    }

    /// How many winners can have asked by then.
    pub(super) fn winners_by(&self, at_ns: u64) -> usize {
        self.winners
            .partition_point(|winner| winner.since_ns <= at_ns)
    }

    /// How many coupons may have come back, as the scenario says.
    pub(super) fn returns(&self) -> u64 {
        self.releases.as_ref().map_or(0, Releases::returns)
    }

    /// The verdict on so many cases of which each coupon that came back may explain one.
    pub(super) fn beyond_returns(&self, cases: u64, verdict: Verdict) -> Verdict {
        let explains = self.releases.is_some() && cases <= self.returns();
        match verdict {
            Verdict::Fail if explains => Verdict::Pass,
            verdict => verdict,
        }
    }

    /// The same for the end of its sentence.
    pub(super) fn perhaps_returned(&self, cases: u64) -> String {
        match self.returns() {
            _ if self.releases.is_none() || cases == 0 => String::new(),
            returns if cases <= returns => format!(
                "; not judged with releases: {} may have come back, which explains it",
                count_of(returns, "coupon")
            ),
            returns => format!(
                "; of these {} that may have come back explain no more than as many",
                count_of(returns, "coupon")
            ),
        }
    }

    /// Why nothing can be said about the rows, for the end of a sentence.
    pub(super) fn why_not_final(&self) -> String {
        let reason = match self.truth {
            Truth::Missing => "there was no final read of the issued rows",
            Truth::Moving => "the state did not become quiet in the time allowed",
            Truth::Stuck => {
                "the rows became quiet, but something still waited to be written when the time \
                 allowed was over"
            }
            Truth::Final => return String::new(),
        };
        let observations = self.evidence.observations;
        let waiting = match &observations.settled {
            Some(Settled::Stuck(waiting) | Settled::Moving(Some(waiting))) => Some(waiting),
            _ => None,
        };
        let known = waiting.into_iter().chain(observations.failures.first());
        let known: Vec<&str> = known.map(String::as_str).collect();
        match known.as_slice() {
            [] => reason.to_owned(),
            known => format!("{reason} ({})", known.join("; ")),
        }
    }
}

/// What the first pass gathers.
#[derive(Default)]
struct Pass {
    users: Users,
    confirmed: Confirmations,
    takes_ns: Vec<u64>,
    sold_out: Pick<(Key, Attempt)>,
    to_holders: Pick<(Key, Attempt)>,
    comings: Comings,
    counts: [u64; OutcomeKind::ALL.len()],
}

impl Pass {
    fn over(
        evidence: &Evidence<'_>,
        rows: &[Row],
        declared: Option<&Declared>,
    ) -> io::Result<Self> {
        let mut pass = Self {
            users: Users::with_capacity(rows.len()),
            ..Self::default()
        };
        for row in rows {
            pass.users.entry(row.user).has_row = true;
        }
        let wants_takes = !evidence.observations.remaining.is_empty();
        for operation in evidence.history.operations()? {
            let operation = operation?;
            if evidence.is_attempt(&operation) {
                pass.take(&operation, wants_takes);
                if let Some(declared) = declared {
                    pass.comings.attempt(declared, &operation);
                }
            } else if let Some(declared) = declared.filter(|one| one.is_release(&operation)) {
                pass.comings.release(declared, &operation);
            }
        }
        Ok(pass)
    }

    fn take(&mut self, operation: &Operation, wants_takes: bool) {
        use OutcomeKind::{Duplicate, Issued, Ok, Pending, Replay, SoldOut, Unknown};
        let attempt = Attempt::of(operation);
        self.counts[operation.kind as usize] += 1;
        if operation.kind == SoldOut {
            let early = u64::MAX - attempt.ret_ns();
            let item = (operation.user, attempt);
            self.sold_out
                .offer(operation.user, attempt.inv_ns, early, item);
        }
        if wants_takes && matches!(operation.kind, Issued | Pending | Unknown) {
            self.takes_ns.push(attempt.inv_ns);
        }
        if operation.kind.is_acknowledged() {
            self.confirmed.take(Confirmed {
                user: operation.user,
                coupon: operation.coupon,
                attempt,
            });
        }
        match operation.kind {
            Ok => {}
            Issued | Replay | Pending | Unknown | Duplicate => {
                self.users.entry(operation.user).note(attempt);
            }
            _ => {
                if let Some(user) = self.users.get_mut(operation.user) {
                    user.note(attempt);
                    if operation.kind == SoldOut && user.has_row {
                        let item = (operation.user, attempt);
                        self.to_holders
                            .offer(operation.user, attempt.inv_ns, 0, item);
                    }
                }
            }
        }
    }
}

/// The second pass: sold-out answers that were complete before the stock can have run out, or
/// before the last user who got one had asked. It is skipped when the earliest answer already
/// acquits all. All are premature when the stock never ran out.
fn early(
    evidence: &Evidence<'_>,
    sold_out: &Pick<(Key, Attempt)>,
    full_ns: u64,
    mut inversions: Inversions,
) -> io::Result<(Pick<(Key, Attempt)>, Inversions)> {
    let (mut premature, full_ns) = match full_ns {
        u64::MAX => (sold_out.clone(), 0),
        _ => (Pick::default(), full_ns),
    };
    let until_ns = full_ns.max(inversions.until_ns());
    let earliest = sold_out.worst().map(|(_, attempt)| attempt.ret_ns());
    if earliest.is_none_or(|ret_ns| ret_ns >= until_ns) {
        return Ok((premature, inversions));
    }
    for operation in evidence.history.operations()? {
        let operation = operation?;
        let told = operation.kind == OutcomeKind::SoldOut && operation.ret_ns < until_ns;
        if told && evidence.is_attempt(&operation) {
            let attempt = Attempt::of(&operation);
            if let Some(gap_ns) = full_ns.checked_sub(attempt.ret_ns()).filter(|gap| *gap > 0) {
                let item = (operation.user, attempt);
                premature.offer(operation.user, attempt.inv_ns, gap_ns, item);
            }
            inversions.take(operation.user, attempt);
        }
    }
    Ok((premature, inversions))
}

/// The second pass where coupons come back: sold-out answers that came while something was left.
fn too_early(
    evidence: &Evidence<'_>,
    releases: &mut Releases,
    stock: Stock,
    users: &Users,
) -> io::Result<()> {
    for operation in evidence.history.operations()? {
        let operation = operation?;
        if operation.kind == OutcomeKind::SoldOut && evidence.is_attempt(&operation) {
            releases.judge(&operation, stock, users);
        }
    }
    Ok(())
}

fn winners(rows: &[Row], users: &Users) -> Vec<Winner> {
    let since_ns = |row: &Row| match users.get(row.user) {
        Some(asked) if row.new => asked.since_ns(),
        _ => 0,
    };
    let mut winners: Vec<Winner> = rows
        .iter()
        .map(|row| Winner {
            since_ns: since_ns(row),
            user: row.user,
        })
        .collect();
    winners.sort_unstable();
    winners
}

/// The earliest time at which all can have been taken; infinite if they never were.
fn full_since(winners: &[Winner], stock: u64) -> u64 {
    let Some(index) = stock.checked_sub(1) else {
        return 0;
    };
    let last = usize::try_from(index)
        .ok()
        .and_then(|index| winners.get(index));
    last.map_or(u64::MAX, |winner| winner.since_ns)
}

fn stock_of(plan: &Plan, observations: &Observations) -> Option<Stock> {
    let claimed = plan.subject.as_ref()?.stock;
    let said = observations.stock;
    let contradicted = said.filter(|said| u64::try_from(*said) != Ok(claimed));
    let system = contradicted.and_then(|said| u64::try_from(said).ok());
    Some(Stock {
        claimed,
        most: claimed.max(system.unwrap_or(0)),
        contradicted,
    })
}

fn truth_of(observations: &Observations) -> Truth {
    match (&observations.last, &observations.settled) {
        (None, _) => Truth::Missing,
        (Some(_), Some(Settled::Moving(_))) => Truth::Moving,
        (Some(_), Some(Settled::Stuck(_))) => Truth::Stuck,
        (Some(_), Some(Settled::Quiet) | None) => Truth::Final,
    }
}
