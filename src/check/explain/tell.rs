//! Puts what was found into words, in the order of time.

use std::fmt::Write as _;

use super::gather::{About, Around, Gathered, Read, Shown};
use super::{Explanation, Moment, What};
use crate::check::Evidence;
use crate::check::draft::{Names, count_of};
use crate::check::moments::span;
use crate::history::{Cause, Key, Operation, OutcomeKind};

/// Rows of one user that are named; more are counted.
const MOST_COUPONS: usize = 5;

/// The story in words.
pub(in crate::check) fn tell(
    gathered: &Gathered,
    names: &Names,
    evidence: &Evidence<'_>,
) -> Explanation {
    let teller = Teller {
        gathered,
        names,
        evidence,
    };
    let mut moments = teller.asked();
    moments.extend(teller.reading());
    if let Some(around) = &gathered.around {
        moments.extend(teller.before(around));
        moments.extend(meanwhile(around));
        moments.extend(teller.faults(around));
    }
    moments.extend(teller.truth());
    moments.extend(teller.held());
    moments.sort_by_key(|moment| (moment.at_ns, moment.what as u8));
    let users = gathered.subject.users.iter();
    Explanation {
        users: users.map(|user| names.user(*user)).collect(),
        moments,
        left_out: gathered.lives.iter().map(|life| life.left_out).sum(),
    }
}

struct Teller<'a> {
    gathered: &'a Gathered,
    names: &'a Names,
    evidence: &'a Evidence<'a>,
}

impl Teller<'_> {
    fn asked(&self) -> Vec<Moment> {
        let lives = self.gathered.lives.iter().enumerate();
        let attempts =
            lives.flat_map(|(user, life)| life.attempts.iter().map(move |one| (user, one)));
        attempts
            .map(|(user, attempt)| Moment {
                at_ns: attempt.inv_ns,
                until_ns: Some(attempt.ret_ns),
                what: What::Asked,
                user: Some(user),
                outcome: Some(attempt.kind),
                text: self.attempt(user, attempt),
            })
            .collect()
    }

    fn attempt(&self, user: usize, attempt: &Operation) -> String {
        let user = self.names.user(self.gathered.subject.users[user]);
        let took = span(attempt.ret_ns.saturating_sub(attempt.inv_ns));
        let label = self.evidence.plan.labels.get(usize::from(attempt.label));
        let label = label.map_or("ok", |label| label.name.as_str());
        let is_release = self.evidence.is_release(attempt);
        let mut text = if is_release || self.evidence.is_attempt(attempt) {
            format!("`{user}` {}", answer(attempt, label, &took))
        } else {
            format!("`{user}` {}", self.of_queue(attempt, label, &took))
        };
        if attempt.coupon.is_some() {
            let _ = write!(text, ", coupon `{}`", self.names.coupon(attempt.coupon));
        }
        let phase = self.evidence.plan.phase_name(attempt.phase);
        let _ = write!(text, " (phase `{phase}`)");
        text
    }

    /// What tells of a place in a queue, in the scenario's own names.
    fn of_queue(&self, attempt: &Operation, label: &str, took: &str) -> String {
        let step = self.evidence.plan.steps.get(usize::from(attempt.step));
        let step = step.map_or("?", |step| step.name.as_str());
        match attempt.kind {
            OutcomeKind::NotSent | OutcomeKind::Unknown => {
                format!("{} (step `{step}`)", answer(attempt, label, took))
            }
            _ => format!("asked `{step}`, and was told `{label}` after {took}"),
        }
    }

    /// A case that is no user's is itself what was read.
    fn reading(&self) -> Option<Moment> {
        let subject = &self.gathered.subject;
        let (from_ns, to_ns) = subject.time_ns.filter(|_| subject.users.is_empty())?;
        Some(Moment {
            at_ns: from_ns,
            until_ns: Some(to_ns),
            what: What::Reading,
            user: None,
            outcome: None,
            text: subject.text.clone(),
        })
    }

    /// What is gone says nothing of a queue.
    fn before(&self, around: &Around) -> Option<Moment> {
        if self.gathered.subject.about == About::Queue {
            return None;
        }
        let stock = self.evidence.plan.subject.as_ref()?.stock;
        let told = count_of(around.issued_before, "attempt");
        let verb = if around.issued_before == 1 {
            "was"
        } else {
            "were"
        };
        Some(Moment {
            at_ns: around.from_ns,
            until_ns: None,
            what: What::Before,
            user: None,
            outcome: None,
            text: format!("before, {told} {verb} told \"issued\", for a stock of {stock}"),
        })
    }

    fn faults(&self, around: &Around) -> Vec<Moment> {
        let meets = |from_ns: u64, to_ns: u64| from_ns <= around.to_ns && to_ns >= around.from_ns;
        let faults = self.evidence.faults.iter();
        let faults = faults.filter(|one| meets(one.from_ns, one.to_ns));
        faults
            .map(|one| {
                let until_ns = (one.to_ns != u64::MAX).then_some(one.to_ns);
                let end = match until_ns {
                    Some(to_ns) => format!("for {}", span(to_ns.saturating_sub(one.from_ns))),
                    None => "to the end".to_owned(),
                };
                Moment {
                    at_ns: one.from_ns,
                    until_ns,
                    what: What::Fault,
                    user: None,
                    outcome: None,
                    text: format!("the fault `{}` was active, {end}", one.fault),
                }
            })
            .collect()
    }

    /// The table of the thing that the case is about.
    fn held(&self) -> Option<Moment> {
        let thing = self.gathered.subject.thing?;
        let (at_ns, words) = self.gathered.held.as_ref()?;
        Some(Moment {
            at_ns: *at_ns,
            until_ns: None,
            what: What::Truth,
            user: None,
            outcome: None,
            text: format!(
                "the final read of {} shows {words}",
                self.names.thing(thing)
            ),
        })
    }

    /// The final read always speaks, the others where they say something else.
    fn truth(&self) -> Vec<Moment> {
        let reads = &self.gathered.reads;
        let last = reads.iter().find(|one| one.read == Read::Final);
        let tells = |one: &&Shown| match one.read {
            Read::Baseline => one.coupons.iter().any(|coupons| !coupons.is_empty()),
            Read::Final => true,
            Read::Second => last.is_none_or(|last| {
                sorted(&last.coupons) != sorted(&one.coupons) || last.elsewhere != one.elsewhere
            }),
        };
        reads
            .iter()
            .filter(tells)
            .map(|one| Moment {
                at_ns: one.at_ns,
                until_ns: None,
                what: What::Truth,
                user: None,
                outcome: None,
                text: self.read(one),
            })
            .collect()
    }

    fn read(&self, shown: &Shown) -> String {
        let which = match shown.read {
            Read::Baseline => "the read before the load",
            Read::Final => "the final read",
            Read::Second => "the second read",
        };
        let users = self.gathered.subject.users.iter().zip(&shown.coupons);
        let mut holds: Vec<String> = users
            .map(|(user, coupons)| {
                let user = self.names.user(*user);
                match coupons.len() as u64 {
                    0 => format!("no row of `{user}`"),
                    rows => format!("{} of `{user}`{}", count_of(rows, "row"), self.ids(coupons)),
                }
            })
            .collect();
        for (coupon, holder) in shown.elsewhere.iter().take(MOST_COUPONS) {
            holds.push(format!(
                "coupon `{}` in a row of `{}`",
                self.names.coupon(*coupon),
                self.names.user(*holder)
            ));
        }
        // A case of nobody names at least its coupon.
        if let (true, Some(coupon)) = (holds.is_empty(), self.gathered.subject.coupon) {
            holds.push(format!("no row of coupon `{}`", self.names.coupon(coupon)));
        }
        format!("{which} shows {}", holds.join(" and "))
    }

    /// The ids of a user's rows, where they have any.
    fn ids(&self, coupons: &[Key]) -> String {
        let named = coupons.iter().filter(|coupon| coupon.is_some());
        let named: Vec<_> = named
            .take(MOST_COUPONS)
            .map(|coupon| format!("`{}`", self.names.coupon(*coupon)))
            .collect();
        match named.len() {
            0 => String::new(),
            1 => format!(" (coupon {})", named[0]),
            shown if shown < coupons.len() => format!(" (coupons {}, ...)", named.join(", ")),
            _ => format!(" (coupons {})", named.join(", ")),
        }
    }
}

fn sorted(coupons: &[Vec<Key>]) -> Vec<Vec<Key>> {
    let mut coupons = coupons.to_vec();
    for of_user in &mut coupons {
        of_user.sort_unstable();
    }
    coupons
}

fn answer(attempt: &Operation, label: &str, took: &str) -> String {
    use OutcomeKind::{
        Duplicate, Error, Issued, NotSent, Ok, Pending, Refused, Replay, SoldOut, Unknown,
    };
    let told = match attempt.kind {
        Issued => "issued",
        Pending => "pending",
        SoldOut => "sold out",
        Duplicate => "duplicate",
        Replay => "issued, as before",
        Refused => "refused",
        Error => "failed",
        Ok => label,
        NotSent => return format!("could not ask: {}", attempt.cause.words()),
        Unknown if attempt.cause == Cause::None => {
            return format!("asked, and was answered nothing certain after {took}");
        }
        Unknown => {
            return format!(
                "asked, and got no certain answer: {} (after {took})",
                attempt.cause.words()
            );
        }
    };
    format!("asked, and was told \"{told}\" after {took}")
}

fn meanwhile(around: &Around) -> Option<Moment> {
    let all: u64 = around.kinds.iter().sum();
    let mut kinds: Vec<String> = Vec::new();
    for (kind, count) in OutcomeKind::ALL.iter().zip(around.kinds) {
        if count > 0 {
            kinds.push(format!("{count} {}", words(*kind)));
        }
    }
    (all > 0).then(|| Moment {
        at_ns: around.from_ns,
        until_ns: Some(around.to_ns),
        what: What::Meanwhile,
        user: None,
        outcome: None,
        text: format!(
            "meanwhile {} of others: {}",
            count_of(all, "attempt"),
            kinds.join(", ")
        ),
    })
}

const fn words(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Issued => "issued",
        OutcomeKind::Pending => "pending",
        OutcomeKind::SoldOut => "sold out",
        OutcomeKind::Duplicate => "duplicate",
        OutcomeKind::Replay => "issued as before",
        OutcomeKind::Refused => "refused",
        OutcomeKind::Error => "failed",
        OutcomeKind::Ok => "ok",
        OutcomeKind::NotSent => "not sent",
        OutcomeKind::Unknown => "without a certain answer",
    }
}
