//! Whether no more was issued than there was, and no less than was claimed to be gone.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::Reading;
use super::asked::Confirmed;
use super::digest::{Digest, Stock, Truth};
use super::draft::{Draft, DraftCase, DraftPart, Pick, count_of};
use crate::history::{Key, OutcomeKind};
use crate::plan::Invariant;
use crate::verdict::Verdict;

pub(super) fn check(digest: &Digest<'_>) -> Draft {
    let parts = match digest.stock {
        Some(stock) => parts(digest, stock),
        None => vec![DraftPart::new(
            "stock_known",
            Verdict::Unknown,
            0,
            "the scenario does not say how much there is".to_owned(),
        )],
    };
    Draft {
        checker: Invariant::Stock.name(),
        parts,
        praise: praise(digest),
    }
}

fn praise(digest: &Digest<'_>) -> String {
    let early = match digest.releases {
        None => ", none too early",
        Some(_) => "",
    };
    format!(
        "{} of {} issued and none too many; {} were told that it is sold out{early}",
        digest.taken(),
        digest.stock.map_or(0, |stock| stock.claimed),
        digest.sold_out.count,
    )
}

fn parts(digest: &Digest<'_>, stock: Stock) -> Vec<DraftPart> {
    let mut parts: Vec<DraftPart> = vacuous(digest).into_iter().collect();
    parts.extend([oversold(digest, stock), confirmed(digest, stock)]);
    // Which of two stocks is right decides all that follows, so it is not judged by either.
    if let Some(said) = stock.contradicted {
        parts.push(contradiction(stock, said));
    } else {
        parts.extend(unsold(digest, stock));
        parts.extend(premature(digest, stock));
        parts.extend(readings(digest, stock));
        parts.extend(ledger(digest, stock));
    }
    parts.extend(baseline(digest));
    parts
}

/// |D| <= K. Of two stocks that contradict each other the larger counts: what exceeds it is too
/// much under both.
fn oversold(digest: &Digest<'_>, stock: Stock) -> DraftPart {
    let (taken, most) = (digest.taken(), stock.most);
    let surplus = taken.saturating_sub(most);
    let rows = count_of(taken, "row");
    let verdict = digest.truth.judge_rows(surplus > 0);
    let detail = match (digest.truth, surplus) {
        (Truth::Missing, _) => format!("the issued rows are not known: {}", digest.why_not_final()),
        (Truth::Moving | Truth::Stuck, 0) => format!(
            "{rows} for a stock of {most}, but more may come: {}",
            digest.why_not_final()
        ),
        (Truth::Final, 0) => format!("not oversold: {rows} for a stock of {most}"),
        _ => format!("oversold by {surplus}: {rows} for a stock of {most}"),
    };
    DraftPart::new("oversold", verdict, surplus, detail)
        .with(|| surplus_rows(digest, most as usize))
}

/// The rows that came when everything was taken, as far as the order of asking tells.
fn surplus_rows(digest: &Digest<'_>, most: usize) -> Vec<DraftCase> {
    let mut pick = Pick::default();
    for (index, winner) in digest.winners.iter().enumerate().skip(most) {
        let rows = digest.last.rows_of(winner.user);
        pick.offer(
            winner.user,
            winner.since_ns,
            u64::from(rows),
            (index + 1, winner.user),
        );
    }
    pick.cases(|(place, user)| {
        let attempt = digest.users.get(user).and_then(|asked| asked.effective);
        DraftCase::of(user, format!("row {place} by the time of asking")).at(attempt)
    })
}

/// Confirmations prove overselling even if surplus rows were removed before the final read. Rows
/// of before count too, and what their owners are told again does not count twice.
fn confirmed(digest: &Digest<'_>, stock: Stock) -> DraftPart {
    let fresh = |one: &&Confirmed| digest.before.rows_of(one.user) == 0;
    let by_id =
        digest.confirmed.iter().all(|one| one.coupon.is_some()) && !digest.confirmed.is_empty();
    let thing = |one: &Confirmed| if by_id { one.coupon } else { one.user };
    let mut seen: HashSet<Key> = HashSet::new();
    let mut surplus = Pick::default();
    // Each that came back could be confirmed once more.
    let room = stock.most.saturating_sub(digest.before.len as u64);
    let room = room.saturating_add(digest.returns());
    for one in digest.confirmed.iter().filter(fresh) {
        if seen.insert(thing(one)) && seen.len() as u64 > room {
            surplus.offer(one.user, one.attempt.inv_ns, 0, (*one, seen.len()));
        }
    }
    let (name, thing_name) = if by_id {
        ("issued_ids", "different coupon id")
    } else {
        ("issued_users", "different user")
    };
    let mut detail = format!(
        "{} confirmed, with room for {room}",
        count_of(seen.len() as u64, thing_name)
    );
    if surplus.count > 0 {
        detail = format!("oversold by {}: {detail}", surplus.count);
    }
    let verdict = if surplus.count > 0 {
        Verdict::Fail
    } else {
        Verdict::Pass
    };
    DraftPart::new(name, verdict, surplus.count, detail).with(|| {
        surplus.cases(|(one, place)| {
            DraftCase::of(one.user, format!("confirmed as number {place}"))
                .at(Some(one.attempt))
                .coupon(one.coupon)
        })
    })
}

pub(super) fn contradiction(stock: Stock, said: i64) -> DraftPart {
    DraftPart::new(
        "stock_known",
        Verdict::Unknown,
        said.abs_diff(stock.claimed as i64),
        format!(
            "the scenario says that there are {}, the system says that there were {said}: \
             set both to the same number and run again",
            stock.claimed
        ),
    )
}

/// Nothing may be left over once anybody was told that nothing is left.
pub(super) fn unsold(digest: &Digest<'_>, stock: Stock) -> Option<DraftPart> {
    if digest.truth == Truth::Missing {
        return None;
    }
    let left = stock.claimed.saturating_sub(digest.taken());
    let told = digest.sold_out.count;
    let (verdict, detail) = match (told, left) {
        (0, _) if runs_out(digest, stock) => (
            Verdict::Unknown,
            format!(
                "no sold-out answer was seen, so the end of the stock was never tested; \
                 {left} of {} are left",
                stock.claimed
            ),
        ),
        (0, _) => (
            digest.truth.judge(false),
            format!("{left} left, and nobody was told that it is sold out"),
        ),
        (_, 0) => (
            digest.truth.judge(false),
            "nothing was left over".to_owned(),
        ),
        (_, left) if digest.releases.is_some() => (
            digest.truth.judge(false),
            format!(
                "{left} left over, not judged with releases: what is left may have come back after \
                 the last sold-out answer"
            ),
        ),
        _ => (
            digest.truth.judge(true),
            format!(
                "{left} left over, although sold out was answered {}",
                count_of(told, "time")
            ),
        ),
    };
    let part = DraftPart::new("unsold", verdict, left, detail);
    Some(part.with(|| {
        digest.sold_out.cases(|(user, attempt)| {
            DraftCase::of(user, "was told that it is sold out").at(Some(attempt))
        })
    }))
}

/// Whether the stock should have run out: all is taken, the drain phase asks until it is, or there
/// are enough users for it.
fn runs_out(digest: &Digest<'_>, stock: Stock) -> bool {
    let plan = digest.evidence.plan;
    let drains = plan.truth.as_ref().is_some_and(|truth| truth.drain);
    let users = plan.users.pool.saturating_add(digest.before.len as u64);
    drains || digest.taken() >= stock.claimed || users >= stock.claimed
}

/// A sold-out answer is spurious if fewer than K winners had even asked when it was complete.
fn premature(digest: &Digest<'_>, stock: Stock) -> Option<DraftPart> {
    if digest.truth == Truth::Missing || digest.sold_out.count == 0 {
        return None;
    }
    if digest.releases.is_some() {
        let detail = "not judged with releases: see `first_come_first_served`".to_owned();
        return Some(DraftPart::information("premature_sold_out", 0, detail));
    }
    let early = digest.premature.count;
    // More rows can only bring winners who asked earlier, so moving rows prove nothing here.
    let mut verdict = digest.truth.judge(early > 0);
    let never_full = (digest.winners.len() as u64) < stock.claimed;
    if never_full {
        let detail = "see unsold: as the stock never ran out, every sold-out answer was wrong";
        let part = DraftPart::new("premature_sold_out", verdict, early, detail.to_owned());
        return Some(part);
    }
    // A winner may have held the row all along, or have asked earlier than what was kept shows.
    let evidence = digest.evidence;
    let perhaps = match (&evidence.observations.baseline, evidence.gap) {
        _ if early == 0 => "",
        (_, Some(_)) => "; attempts that were not kept may explain it",
        (None, None) => "; the rows before the load were not read, and some may be older",
        (Some(_), None) => "",
    };
    if !perhaps.is_empty() {
        verdict = Verdict::Unknown;
    }
    let detail = if early == 0 {
        "no sold-out answer came before the last one can have been taken".to_owned()
    } else {
        format!(
            "sold out was answered {} before {} winners had even asked{perhaps}",
            count_of(early, "time"),
            stock.claimed
        )
    };
    let part = DraftPart::new("premature_sold_out", verdict, early, detail);
    Some(part.with(|| {
        digest.premature.cases(|(user, attempt)| {
            let winners = digest.winners_by(attempt.ret_ns());
            let text = format!(
                "told that it is sold out when only {winners} of {} winners had asked",
                stock.claimed
            );
            DraftCase::of(user, text).at(Some(attempt))
        })
    }))
}

/// Readings of the remaining stock lie between what the attempts allow: sound, not complete.
fn readings(digest: &Digest<'_>, stock: Stock) -> Option<DraftPart> {
    let observations = digest.evidence.observations;
    if observations.remaining.is_empty() {
        return None;
    }
    let room = stock.claimed as i64 - digest.before.len as i64;
    let mut sure_ns: Vec<u64> = digest
        .users
        .iter()
        .filter(|(user, _)| digest.before.rows_of(*user) == 0)
        .filter_map(|(_, asked)| asked.confirmed_ns)
        .collect();
    sure_ns.sort_unstable();
    let mut wrong = Pick::default();
    for reading in &observations.remaining {
        let possible = digest.takes_ns.partition_point(|at| *at <= reading.ret_ns) as i64;
        let sure = sure_ns.partition_point(|at| *at <= reading.inv_ns) as i64;
        // Unread rows of before would explain any low reading, and so would attempts that were not
        // kept: only a baseline and a whole history set a floor.
        let is_known = observations.baseline.is_some() && digest.evidence.gap.is_none();
        let floor = is_known.then_some(room - possible);
        let releases = digest.releases.as_ref();
        let back = releases.map_or(0, |releases| releases.returns_by(reading.ret_ns));
        let bounds = Bounds {
            low: floor.unwrap_or(i64::MIN),
            high: (room - sure + back as i64).min(stock.claimed as i64),
        };
        let excess = bounds.excess(reading.value);
        if excess > 0 {
            wrong.offer(Key::NONE, reading.inv_ns, excess, (*reading, bounds));
        }
    }
    let (count, all) = (wrong.count, observations.remaining.len());
    let (verdict, detail) = if count == 0 {
        (
            Verdict::Pass,
            format!(
                "{} of the remaining stock, none against the answers",
                count_of(all as u64, "reading")
            ),
        )
    } else {
        (
            Verdict::Fail,
            format!(
                "{} of the remaining stock, {count} of them against the answers",
                count_of(all as u64, "reading")
            ),
        )
    };
    let part = DraftPart::new("readings", verdict, count, detail);
    Some(part.with(|| wrong.cases(|(reading, bounds)| bounds.case(reading))))
}

/// What a reading may be.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    low: i64,
    high: i64,
}

impl Bounds {
    fn excess(self, value: i64) -> u64 {
        if value < self.low {
            value.abs_diff(self.low)
        } else if value > self.high {
            value.abs_diff(self.high)
        } else {
            0
        }
    }

    fn case(self, reading: Reading) -> DraftCase {
        let text = if reading.value > self.high {
            format!(
                "read {}, but confirmed answers leave at most {}",
                reading.value, self.high
            )
        } else {
            format!(
                "read {}, but all attempts together leave at least {}",
                reading.value, self.low
            )
        };
        DraftCase::of_nobody(reading.inv_ns, reading.ret_ns, text)
    }
}

/// At quiescence what remains and what was issued make up the stock; the sign of the difference
/// tells what will go wrong next.
fn ledger(digest: &Digest<'_>, stock: Stock) -> Option<DraftPart> {
    let remaining = digest.evidence.observations.remaining_last?;
    if digest.truth != Truth::Final {
        return None;
    }
    let off_by = |rows: usize| i128::from(remaining) + rows as i128 - i128::from(stock.claimed);
    // The remaining stock is read between the two reads; it may belong to either.
    let second = digest.second.as_ref().map(|second| off_by(second.len));
    let first = off_by(digest.last.len);
    let off = match second {
        Some(0) => 0,
        // It may be of a moment between the two, when some of the rows had come back.
        Some(second) if digest.releases.is_some() && second <= 0 && first >= 0 => 0,
        _ => first,
    };
    let rows = count_of(digest.last.len as u64, "row");
    let equation = format!(
        "{remaining} remaining and {rows} for a stock of {}",
        stock.claimed
    );
    let count = off.unsigned_abs() as u64;
    let (verdict, detail) = match off.cmp(&0) {
        Ordering::Equal => (Verdict::Pass, equation),
        Ordering::Greater => (
            Verdict::Fail,
            format!("the counter is {count} too high and will oversell: {equation}"),
        ),
        Ordering::Less => (
            Verdict::Fail,
            format!("{count} leaked, neither left nor issued: {equation}"),
        ),
    };
    Some(DraftPart::new("ledger", verdict, count, detail))
}

/// A run in which nothing was issued tests nothing. An accepted attempt counts once its row is
/// there; mere missing answers do not, since they may come from a mistake in the scenario.
pub(super) fn vacuous(digest: &Digest<'_>) -> Option<DraftPart> {
    let accepted = |user: Key| {
        let asked = digest.users.get(user);
        let effective = asked.and_then(|asked| asked.effective);
        effective.is_some_and(|attempt| attempt.kind == OutcomeKind::Pending)
    };
    let mut new = digest.rows.iter().filter(|row| row.new);
    let tested = digest.count(OutcomeKind::Issued) > 0 || new.any(|row| accepted(row.user));
    (!tested).then(|| nothing_issued(digest))
}

/// The guard against a pass without a single confirmation.
pub(super) fn nothing_issued(digest: &Digest<'_>) -> DraftPart {
    let unknown = digest.count(OutcomeKind::Unknown);
    let mut detail = "no attempt was answered as issued, so nothing was tested".to_owned();
    if unknown > 0 {
        detail = format!(
            "{detail}; {} without a declared answer",
            count_of(unknown, "attempt")
        );
    }
    DraftPart::new("vacuous", Verdict::Unknown, 0, detail)
}

fn baseline(digest: &Digest<'_>) -> Option<DraftPart> {
    let rows = digest.before.len as u64;
    (rows > 0).then(|| {
        DraftPart::information(
            "baseline",
            rows,
            format!(
                "{} from before the load, counted against the stock",
                count_of(rows, "row")
            ),
        )
    })
}
