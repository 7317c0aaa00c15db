//! A sale in which coupons come back: how many can have been out at each moment, and how many surely
//! were.
//!
//! The general question, whether some order of the attempts explains every answer, is NP-hard here.
//! Two conditions are necessary, and cheap:
//!
//! ```text
//! sold out   max of U over [inv, ret] >= K      U(t) = issues invoked by t - releases returned before t
//! issued     min of L over [inv, ret] <= K - 1  L(t) = issues returned before t - releases invoked by t
//! ```
//!
//! U counts everything that can have been issued and only releases that surely happened, so nobody
//! can have had more out than U; L is the other way round. What breaks one of the two is wrong
//! whatever the order was; what breaks neither may still be wrong.
//!
//! What surely happened is read off each user by itself, since an answer may be repeated: a chain of
//! confirmations and releases, each complete before the next began. Between two links of the chain
//! the user began or ceased to hold one, at least once.

use super::asked::Attempt;
use super::digest::Stock;
use super::draft::Pick;
use super::level::Level;
use super::reads::{Holdings, Row};
use super::users::Users;
use super::{Evidence, IssuedRead};
use crate::history::{Key, Operation, OutcomeKind};
use crate::plan::Plan;

/// How the scenario says that coupons come back.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    /// Which steps release.
    steps: Vec<bool>,
    /// Which answers say that one came back.
    labels: Vec<bool>,
    /// After what time one may come back by itself, in nanoseconds.
    lease_ns: Option<u64>,
    /// Whether an attempt may be accepted first, and told later what it came to.
    answers_later: bool,
}

impl Declared {
    /// `None`: no coupon comes back.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let labels: Vec<bool> = plan
            .labels
            .iter()
            .map(crate::plan::Label::releases)
            .collect();
        let says = |label: u8| labels.get(usize::from(label)).is_some_and(|says| *says);
        let steps = plan.steps.iter();
        let steps: Vec<bool> = steps
            .map(|step| step.rules.iter().any(|rule| says(rule.label)))
            .collect();
        let lease = plan.subject.as_ref().and_then(|subject| subject.lease);
        let lease_ns = lease.map(|lease| u64::try_from(lease.as_nanos()).unwrap_or(u64::MAX));
        let mut rules = plan.steps.iter().flat_map(|step| &step.rules);
        let pending = OutcomeKind::Pending as u8;
        let answers_later = rules.any(|rule| rule.label == pending);
        let any = lease_ns.is_some() || steps.contains(&true);
        any.then_some(Self {
            steps,
            labels,
            lease_ns,
            answers_later,
        })
    }

    /// Whether it is a request to release.
    pub(super) fn is_release(&self, operation: &Operation) -> bool {
        let step = self.steps.get(usize::from(operation.step));
        step.is_some_and(|releases| *releases)
    }

    fn is_answered(&self, operation: &Operation) -> bool {
        let label = self.labels.get(usize::from(operation.label));
        operation.kind == OutcomeKind::Ok && label.is_some_and(|says| *says)
    }
}

/// What the first pass gathers of it. Memory: a few words for each confirmation, each release and
/// each attempt that may have got one.
#[derive(Debug, Default)]
pub(super) struct Comings {
    links: Vec<Link>,
    /// When each of those was invoked that may have been got.
    takes_ns: Vec<u64>,
    /// When each may have come back at the earliest.
    returns_ns: Vec<u64>,
    answered: u64,
    uncertain: u64,
}

/// What one user did.
#[derive(Debug, Clone, Copy)]
struct Link {
    user: Key,
    attempt: Attempt,
    what: Did,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Did {
    /// Asked, and was told to have got one.
    Get,
    /// Gave one back, and was told so.
    GiveBack,
    /// Asked, and may have got one.
    Perhaps,
}

impl Comings {
    /// Takes a request to release.
    pub(super) fn release(&mut self, declared: &Declared, operation: &Operation) {
        let attempt = Attempt::of(operation);
        if declared.is_answered(operation) {
            self.answered += 1;
            self.returns_ns.push(attempt.inv_ns);
            self.links.push(Link {
                user: operation.user,
                attempt,
                what: Did::GiveBack,
            });
        } else if operation.kind.may_have_happened() {
            self.uncertain += 1;
            self.returns_ns.push(attempt.inv_ns);
        }
    }

    /// Takes an attempt to get one.
    pub(super) fn attempt(&mut self, declared: &Declared, operation: &Operation) {
        let attempt = Attempt::of(operation);
        let what = match operation.kind {
            OutcomeKind::Issued => Some(Did::Get),
            kind if kind.may_have_happened() => Some(Did::Perhaps),
            _ => None,
        };
        if let Some(what) = what {
            self.links.push(Link {
                user: operation.user,
                attempt,
                what,
            });
            self.takes_ns.push(attempt.inv_ns);
            let over_ns = |lease_ns| attempt.inv_ns.saturating_add(lease_ns);
            self.returns_ns.extend(declared.lease_ns.map(over_ns));
        }
    }
}

/// What is wrong about an answer, and what is known of that time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrong {
    pub(super) user: Key,
    pub(super) attempt: Attempt,
    /// At most so many can have been out when "sold out" was answered; at least so many others
    /// surely were when "issued" was.
    pub(super) out: i64,
}

/// What can be said of the sale.
#[derive(Debug)]
pub(super) struct Releases {
    /// Answers that one came back.
    pub(super) answered: u64,
    /// Requests to release without a certain answer.
    pub(super) uncertain: u64,
    /// After what time one may come back by itself, in nanoseconds.
    pub(super) lease_ns: Option<u64>,
    /// When each may have come back at the earliest, in order.
    returns_ns: Vec<u64>,
    /// As in [`Declared`].
    answers_later: bool,
    /// U.
    most: Level,
    /// Sold-out answers that came while something was surely left.
    pub(super) sold_out: Pick<Wrong>,
    /// Confirmations that came while everything was surely out.
    pub(super) issued: Pick<Wrong>,
}

/// What beside the history says who holds one.
pub(super) struct Known<'k> {
    pub(super) stock: Option<Stock>,
    pub(super) before: &'k Holdings,
    pub(super) rows: &'k [Row],
    pub(super) users: &'k Users,
}

impl Releases {
    pub(super) fn of(declared: &Declared, comings: Comings, known: &Known<'_>) -> Self {
        let old = known.before.len as i64;
        let mut returns_ns = comings.returns_ns;
        if declared.lease_ns.is_some() {
            // Nobody knows when those of before were got.
            returns_ns.extend(std::iter::repeat_n(0, known.before.len));
        }
        returns_ns.sort_unstable();
        let chains = Chains::of(comings.links, known);
        let issued_ns = chains.issued.iter().map(|one| one.attempt.ret_ns());
        // The complement of L, so that the least of L is the most of this.
        let free = Level::of(-old, returns_ns.clone(), issued_ns.collect());
        let mut issued = Pick::default();
        if let Some(stock) = known.stock.filter(|stock| stock.contradicted.is_none()) {
            for one in &chains.issued {
                let least = -free.most(one.since_ns, one.attempt.ret_ns());
                let room = i64::try_from(stock.most).unwrap_or(i64::MAX) - 1;
                if let Ok(excess @ 1..) = u64::try_from(least.saturating_sub(room)) {
                    let wrong = Wrong {
                        user: one.user,
                        attempt: one.attempt,
                        out: least,
                    };
                    issued.offer(one.user, one.attempt.inv_ns, excess, wrong);
                }
            }
        }
        let unexplained = unexplained(known) as i64;
        Self {
            answered: comings.answered,
            uncertain: comings.uncertain,
            lease_ns: declared.lease_ns,
            answers_later: declared.answers_later,
            returns_ns,
            most: Level::of(old + unexplained, comings.takes_ns, chains.released_ns),
            sold_out: Pick::default(),
            issued,
        }
    }

    /// Looks at a sold-out answer of the second pass.
    pub(super) fn judge(&mut self, operation: &Operation, stock: Stock, users: &Users) {
        let attempt = Attempt::of(operation);
        // What was accepted earlier may have been decided long before it was told.
        let accepted = users.get(operation.user).filter(|_| self.answers_later);
        let first = accepted.and_then(|asked| asked.effective);
        let since_ns = first.map_or(attempt.inv_ns, |first| first.inv_ns.min(attempt.inv_ns));
        let most = self.most.most(since_ns, attempt.ret_ns());
        let claimed = i64::try_from(stock.claimed).unwrap_or(i64::MAX);
        if let Ok(left @ 1..) = u64::try_from(claimed.saturating_sub(most)) {
            let wrong = Wrong {
                user: operation.user,
                attempt,
                out: most.max(0),
            };
            self.sold_out
                .offer(operation.user, attempt.inv_ns, left, wrong);
        }
    }

    /// How many may have come back, until the end.
    pub(super) fn returns(&self) -> u64 {
        self.returns_ns.len() as u64
    }

    /// The same, until then.
    pub(super) fn returns_by(&self, at_ns: u64) -> u64 {
        self.returns_ns.partition_point(|at| *at <= at_ns) as u64
    }
}

/// What the history does not explain may have been out all the while: rows that nobody asked for,
/// and confirmations of what was got at an unknown time.
fn unexplained(known: &Known<'_>) -> usize {
    let explained = |user: Key| {
        let asked = known.users.get(user);
        asked.is_some_and(|asked| asked.effective.is_some())
    };
    let rows = known.rows.iter();
    let rows = rows.filter(|row| row.new && !explained(row.user)).count();
    let told = known.users.iter().filter(|(user, asked)| {
        asked.confirmed_ns.is_some() && !explained(*user) && known.before.rows_of(*user) == 0
    });
    rows + told.count()
}

/// What surely happened.
#[derive(Default)]
struct Chains {
    issued: Vec<SureIssue>,
    released_ns: Vec<u64>,
}

/// One that was surely got between the two times.
struct SureIssue {
    user: Key,
    since_ns: u64,
    attempt: Attempt,
}

impl Chains {
    fn of(mut links: Vec<Link>, known: &Known<'_>) -> Self {
        let place = |link: &Link| (link.attempt.ret_ns(), link.attempt.inv_ns, link.what);
        links.sort_unstable_by_key(|link| (link.user, place(link)));
        let mut chains = Self::default();
        for of_user in links.chunk_by(|one, other| one.user == other.user) {
            chains.follow(of_user, known);
        }
        chains
    }

    /// What one user did, by the time at which it was complete.
    fn follow(&mut self, links: &[Link], known: &Known<'_>) {
        let asked = Asked::of(links);
        let mut last: Option<Link> = None;
        for link in links.iter().filter(|link| link.what != Did::Perhaps) {
            let changes = match last {
                // Who held one before does not begin to hold one.
                None => link.what == Did::GiveBack || known.before.rows_of(link.user) == 0,
                Some(last) => link.what != last.what && link.attempt.inv_ns > last.attempt.ret_ns(),
            };
            if !changes {
                continue;
            }
            if link.what == Did::GiveBack {
                self.released_ns.push(link.attempt.ret_ns());
            } else {
                let behind_ns = last.map_or(0, |release| release.attempt.inv_ns);
                self.issued.push(SureIssue {
                    user: link.user,
                    since_ns: asked.since_ns(behind_ns).min(link.attempt.inv_ns),
                    attempt: link.attempt,
                });
            }
            last = Some(*link);
        }
    }
}

/// From when on one user can have got one: whatever was asked for and is not over may have been it,
/// since what is confirmed later may have been got before.
struct Asked {
    /// By the time at which it was complete: when, and the earliest sent time of it and all behind it.
    confirmed: Vec<(u64, u64)>,
    /// The earliest without a certain answer, which never is over.
    perhaps_ns: u64,
}

impl Asked {
    fn of(links: &[Link]) -> Self {
        let with = |what: Did| links.iter().filter(move |link| link.what == what);
        let times = |link: &Link| (link.attempt.ret_ns(), link.attempt.inv_ns);
        let mut confirmed: Vec<(u64, u64)> = with(Did::Get).map(times).collect();
        let mut earliest_ns = u64::MAX;
        for (_, sent_ns) in confirmed.iter_mut().rev() {
            earliest_ns = earliest_ns.min(*sent_ns);
            *sent_ns = earliest_ns;
        }
        let perhaps = with(Did::Perhaps).map(|link| link.attempt.inv_ns);
        Self {
            confirmed,
            perhaps_ns: perhaps.min().unwrap_or(u64::MAX),
        }
    }

    /// The same behind a release that began then.
    fn since_ns(&self, behind_ns: u64) -> u64 {
        let over = self
            .confirmed
            .partition_point(|(ret_ns, _)| *ret_ns < behind_ns);
        let confirmed_ns = self.confirmed.get(over).map_or(u64::MAX, |(_, sent)| *sent);
        confirmed_ns.min(self.perhaps_ns).max(behind_ns)
    }
}

/// Whether what is not known could explain a broken condition: older rows that nobody read, or
/// attempts that were not kept.
pub(super) fn is_whole(evidence: &Evidence<'_>) -> bool {
    let baseline: &Option<IssuedRead> = &evidence.observations.baseline;
    baseline.is_some() && evidence.gap.is_none()
}
