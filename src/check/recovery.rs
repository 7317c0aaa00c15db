//! Whether the system was as before again behind every fault, within the run or within the time that
//! is allowed. What "as before" is was measured elsewhere; here it is judged.

use std::time::Duration;

use super::digest::Digest;
use super::draft::{Draft, DraftCase, DraftPart, Pick, count_of};
use super::moments::span;
use super::{After, Broken};
use crate::history::Key;
use crate::plan::Invariant;
use crate::verdict::Verdict;

pub(super) fn check(digest: &Digest<'_>, within: Option<Duration>) -> Draft {
    let judge = Judge {
        faults: digest.evidence.faults,
        within_ns: within.map(|within| u64::try_from(within.as_nanos()).unwrap_or(u64::MAX)),
    };
    Draft {
        checker: Invariant::Recovery(within).name(),
        parts: judge.parts(),
        praise: judge.praise(),
    }
}

struct Judge<'f> {
    faults: &'f [Broken],
    within_ns: Option<u64>,
}

/// What one occurrence of a fault comes to, with the words for it.
struct Judged {
    verdict: Verdict,
    /// How long it took from the heal, as far as that is known.
    took_ns: u64,
    text: String,
}

impl Judge<'_> {
    fn parts(&self) -> Vec<DraftPart> {
        if self.faults.is_empty() {
            let detail = "no fault was active, so there was nothing to recover from".to_owned();
            return vec![DraftPart::new("vacuous", Verdict::Unknown, 0, detail)];
        }
        let of = |wanted: Verdict| self.part(wanted);
        let parts = [of(Verdict::Fail), of(Verdict::Unknown)];
        parts.into_iter().chain([self.slowest()]).collect()
    }

    /// All occurrences of one verdict.
    fn part(&self, wanted: Verdict) -> DraftPart {
        let mut pick = Pick::default();
        let mut first = None;
        for (number, fault) in self.faults.iter().enumerate() {
            let judged = self.judge(fault);
            if judged.verdict == wanted {
                // Two may begin at the same time.
                pick.offer(Key(number as u64), fault.from_ns, judged.took_ns, number);
                first.get_or_insert(judged.text);
            }
        }
        let (name, none, some) = match wanted {
            Verdict::Fail => (
                "not_recovered",
                "behind every fault all was as before again",
                "not recovered from",
            ),
            _ => (
                "not_seen",
                "every recovery could be looked at",
                "behind which nobody can say whether all was as before",
            ),
        };
        let detail = match first {
            None => none.to_owned(),
            Some(text) => format!("{} {some}: {text}", count_of(pick.count, "fault")),
        };
        let verdict = if pick.count > 0 {
            wanted
        } else {
            Verdict::Pass
        };
        DraftPart::new(name, verdict, pick.count, detail).with(|| {
            pick.cases(|number| {
                let fault = &self.faults[number];
                DraftCase::of_nobody(fault.from_ns, fault.to_ns, self.judge(fault).text)
            })
        })
    }

    fn judge(&self, fault: &Broken) -> Judged {
        let name = &fault.fault;
        let unknown = |why: &str| Judged {
            verdict: Verdict::Unknown,
            took_ns: 0,
            text: format!("`{name}` {why}"),
        };
        let too_late = |took_ns: u64| self.within_ns.is_some_and(|within_ns| took_ns > within_ns);
        let allowed = || match self.within_ns {
            Some(within_ns) => format!(", {} are allowed", span(within_ns)),
            None => String::new(),
        };
        match &fault.after {
            After::Recovered { at_ns } => {
                let took_ns = at_ns.saturating_sub(fault.to_ns);
                let late = too_late(took_ns);
                Judged {
                    verdict: if late { Verdict::Fail } else { Verdict::Pass },
                    took_ns,
                    text: format!(
                        "`{name}` was recovered from after {}{}",
                        span(took_ns),
                        allowed()
                    ),
                }
            }
            After::StillBad { bad_ns, why } => Judged {
                // Within the run it did not, and within a limit only if there was time for it.
                verdict: if self.within_ns.is_none() || too_late(*bad_ns) {
                    Verdict::Fail
                } else {
                    Verdict::Unknown
                },
                took_ns: *bad_ns,
                text: format!(
                    "`{name}` was still felt {} after it was healed ({why}){}",
                    span(*bad_ns),
                    allowed()
                ),
            },
            After::NotSeen { why } => unknown(why),
        }
    }

    /// The longest recovery that was seen.
    fn slowest(&self) -> DraftPart {
        let took = |fault: &Broken| match fault.after {
            After::Recovered { at_ns } => Some(at_ns.saturating_sub(fault.to_ns)),
            _ => None,
        };
        let longest = self.faults.iter().filter_map(took).max();
        let recovered = self.faults.iter().filter_map(took).count() as u64;
        let detail = match longest {
            Some(took_ns) => format!(
                "{} recovered from, the slowest after {}",
                count_of(recovered, "fault"),
                span(took_ns)
            ),
            None => "no recovery was seen".to_owned(),
        };
        DraftPart::information("recovered", recovered, detail)
    }

    fn praise(&self) -> String {
        self.slowest().detail
    }
}
