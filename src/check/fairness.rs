//! How far the order in which coupons were issued is the order in which they were asked for: a
//! measure, no claim. Requests that are sent close together may well arrive the other way round.

use super::digest::Digest;
use super::draft::{DraftPart, count_of};
use super::moments::span;
use super::{IssuedRead, RowView};
use crate::history::{Key, OutcomeKind};
use crate::plan::fault::{Fault, Injection};

/// One coupon: its place in the order of issue, and when it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Issue {
    /// Equal places say nothing of which was first.
    pub(super) place: i64,
    pub(super) asked_ns: u64,
}

/// The order in which the truth says that coupons were issued.
#[derive(Debug)]
enum Order {
    /// By the time of creation, as exact as this, in microseconds.
    Times(i64),
    /// By coupon ids, taken for a sequence.
    Ids,
}

/// How far the order of issue is the order of asking, among the users who got one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fairness {
    /// Pairs of users who got one.
    pub pairs: u64,
    /// Of them those that were issued against the order of asking, by more than the jitter.
    pub inverted: u64,
    /// What chance adds to the way of a request, nanoseconds.
    pub jitter_ns: u64,
    /// The longest time by which somebody asked earlier who was issued one later, nanoseconds.
    pub farthest_ns: u64,
    /// Whether the order of issue is that of times; else that of coupon ids.
    pub by_time: bool,
}

impl Fairness {
    /// The share of the pairs that are inverted, 0 to 1.
    pub fn share(&self) -> f64 {
        self.inverted as f64 / self.pairs.max(1) as f64
    }
}

/// The measure as figures.
pub(super) fn measure(digest: &Digest<'_>) -> Result<Fairness, &'static str> {
    let measured = digest.fairness.get_or_init(|| measured(digest)).as_ref();
    measured.map_err(|why| *why).map(|measured| Fairness {
        pairs: measured.pairs(),
        inverted: measured.inversions,
        jitter_ns: measured.jitter_ns,
        farthest_ns: match measured.inversions {
            0 => 0,
            _ => measured.farthest_ns,
        },
        by_time: matches!(measured.order, Order::Times(_)),
    })
}

pub(super) fn part(digest: &Digest<'_>) -> DraftPart {
    let (count, detail) = match digest.fairness.get_or_init(|| measured(digest)) {
        Ok(measured) => (measured.inversions, measured.sentence()),
        Err(why) => (0, format!("not measured: {why}")),
    };
    DraftPart::information("fairness", count, detail)
}

/// The measure, as it is told.
#[derive(Debug)]
pub(super) struct Measured {
    issues: u64,
    inversions: u64,
    farthest_ns: u64,
    jitter_ns: u64,
    order: Order,
}

impl Measured {
    fn pairs(&self) -> u64 {
        self.issues * (self.issues - 1) / 2
    }

    fn sentence(&self) -> String {
        let pairs = self.pairs();
        let share = 100.0 * self.inversions as f64 / pairs as f64;
        let by = match self.order {
            Order::Times(grain_us) => {
                let grain_ns = u64::try_from(grain_us).unwrap_or(0) * 1_000;
                format!(
                    "by the time of creation, which is as exact as {}",
                    span(grain_ns)
                )
            }
            Order::Ids => "by coupon id, taken for a sequence".to_owned(),
        };
        let farthest = match self.inversions {
            0 => String::new(),
            _ => format!(", {} at most", span(self.farthest_ns)),
        };
        format!(
            "{share:.2} % of {} were issued against the order of asking by more than the jitter of \
             {}{farthest} ({by})",
            count_of(pairs, "pair"),
            span(self.jitter_ns)
        )
    }
}

fn measured(digest: &Digest<'_>) -> Result<Measured, &'static str> {
    let read = digest.evidence.observations.last.as_ref();
    let read = read.ok_or("there was no final read of the issued rows")?;
    let clocks_are_right = !digest.evidence.plan.faults.iter().any(sets_a_clock);
    let order = order(read, clocks_are_right)?;
    let mut issues: Vec<Issue> = read
        .rows
        .iter()
        .filter_map(|row| issue(digest, &row, &order))
        .collect();
    if issues.len() < 2 {
        return Err("fewer than two rows are of users of whom it is known when they asked");
    }
    issues.sort_unstable();
    if issues.first().map(|one| one.place) == issues.last().map(|one| one.place) {
        return Err("all rows have the same time of creation");
    }
    let jitter_ns = jitter_ns(digest);
    Ok(Measured {
        issues: issues.len() as u64,
        farthest_ns: farthest_ns(&issues),
        inversions: inversions(&issues, jitter_ns),
        jitter_ns,
        order,
    })
}

/// Whoever has written a row meanwhile wrote another time.
pub(super) const fn sets_a_clock(fault: &Fault) -> bool {
    matches!(fault.injection, Injection::ClockSkew { .. })
}

/// Times are better than ids: ids of a sequence may be handed out long before they are used.
fn order(read: &IssuedRead, clocks_are_right: bool) -> Result<Order, &'static str> {
    if read.rows.is_empty() {
        return Err("there are no rows");
    }
    if clocks_are_right && read.rows.iter().all(|row| row.created_us.is_some()) {
        let grains = read.rows.iter().filter_map(|row| row.grain_us);
        return Ok(Order::Times(grains.max().unwrap_or(1).max(1)));
    }
    if read.rows.iter().all(|row| sequence(&row).is_some()) {
        return Ok(Order::Ids);
    }
    if !clocks_are_right {
        return Err("a fault sets a clock, so the times of creation say nothing");
    }
    Err("the rows have neither a time of creation that leaves no doubt nor a number as coupon id")
}

fn sequence(row: &RowView<'_>) -> Option<i64> {
    let number = Key::of(row.id?).number()?;
    i64::try_from(number).ok()
}

/// `None` where it is not certain which attempt has got it.
fn issue(digest: &Digest<'_>, row: &RowView<'_>, order: &Order) -> Option<Issue> {
    let user = Key::of(row.user);
    let attempt = digest.users.get(user)?.effective?;
    if attempt.kind == OutcomeKind::Unknown || digest.before.rows_of(user) > 0 {
        return None;
    }
    let place = match order {
        Order::Times(grain_us) => row.created_us?.div_euclid(*grain_us),
        Order::Ids => sequence(row)?,
    };
    Some(Issue {
        place,
        asked_ns: attempt.inv_ns,
    })
}

/// What chance adds to the way of a request: how far the quickest tenth of the confirmations are
/// apart. Those waited for nobody, so it is not made longer by a system that lets users wait.
fn jitter_ns(digest: &Digest<'_>) -> u64 {
    let confirmed = digest.users.iter();
    let confirmed = confirmed.filter_map(|(_, asked)| asked.effective);
    let mut times_ns: Vec<u64> = confirmed
        .filter(|attempt| attempt.kind == OutcomeKind::Issued)
        .map(|attempt| attempt.over_ns.saturating_sub(attempt.inv_ns))
        .collect();
    times_ns.sort_unstable();
    match times_ns.first() {
        Some(least) => times_ns[times_ns.len() / 10] - least,
        None => 0,
    }
}

/// The longest time by which somebody who was issued one later had asked earlier. In the order of
/// issue.
fn farthest_ns(issues: &[Issue]) -> u64 {
    let mut farthest = 0;
    let (mut latest, mut latest_of_place, mut place) = (0_u64, 0_u64, i64::MIN);
    for issue in issues {
        if issue.place != place {
            latest = latest_of_place.max(latest);
            place = issue.place;
        }
        farthest = farthest.max(latest.saturating_sub(issue.asked_ns));
        latest_of_place = latest_of_place.max(issue.asked_ns);
    }
    farthest
}

/// Pairs that were issued in one order and asked in the other, by more than the tolerance (Kendall's
/// tau distance): counted while merging, O(n log n). `issues` is in the order of issue, and where
/// that is equal in the order of asking.
pub(super) fn inversions(issues: &[Issue], tolerance_ns: u64) -> u64 {
    let mut times_ns: Vec<u64> = issues.iter().map(|issue| issue.asked_ns).collect();
    let mut spare = vec![0; times_ns.len()];
    let mut count = 0;
    let mut width = 1;
    while width < times_ns.len() {
        for (run, merged) in times_ns.chunks(2 * width).zip(spare.chunks_mut(2 * width)) {
            let (earlier, later) = run.split_at(width.min(run.len()));
            count += overtaken(earlier, later, tolerance_ns);
            merge(earlier, later, merged);
        }
        std::mem::swap(&mut times_ns, &mut spare);
        width *= 2;
    }
    count
}

/// Pairs of one that was issued earlier and one that was issued later, in which the first asked
/// later by more than the tolerance. Both are sorted.
fn overtaken(earlier: &[u64], later: &[u64], tolerance_ns: u64) -> u64 {
    let mut count = 0;
    let mut at = 0;
    for asked_ns in later {
        let limit_ns = asked_ns.saturating_add(tolerance_ns);
        while earlier.get(at).is_some_and(|other| *other <= limit_ns) {
            at += 1;
        }
        count += (earlier.len() - at) as u64;
    }
    count
}

fn merge(left: &[u64], right: &[u64], merged: &mut [u64]) {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    for slot in merged {
        let from_left = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) => one <= other,
            (one, _) => one.is_some(),
        };
        let next = if from_left { left.next() } else { right.next() };
        *slot = next.copied().unwrap_or_default();
    }
}
