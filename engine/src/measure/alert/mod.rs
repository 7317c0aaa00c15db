//! Which alerts fired when, and when nobody could tell: from the marks that a run left.
//!
//! ```text
//! readings   | | | | | . . . | | |      (one a second; a dot brought no answer)
//! alert 0        |=======?===|          fires, and has cleared when an answer came again
//! silence              |-----|          what began in it may have begun at any time of it
//! ```

mod changes;

use std::collections::BTreeMap;

use crate::history::{AlertChange, AlertMark};

pub use changes::{Changes, Labels, NAME};

/// All that was seen of alerts in one run. Times are nanoseconds since the run's origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// In the order in which they were seen to begin to fire.
    pub alerts: Vec<FiredAlert>,
    /// In order; none meets another.
    pub silences: Vec<Silence>,
    /// Readings that were answered; 0 if the run was cut off.
    pub readings: u64,
    /// Readings that were not, as far as it is known.
    pub missed: u64,
}

/// One alert, from when it was seen to fire until it was seen not to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredAlert {
    /// As its rule calls it.
    pub name: String,
    /// Its labels without the name, cut.
    pub labels: BTreeMap<String, String>,
    /// When it was seen to fire for the first time.
    pub fired_ns: u64,
    /// When it was seen to fire no more; `None`: not as long as it was watched.
    pub cleared_ns: Option<u64>,
}

/// A time in which no reading was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// When the first answer was missed.
    pub from_ns: u64,
    /// When one came again; `None`: not as long as it was asked for.
    pub to_ns: Option<u64>,
    /// Why the first one did not come.
    pub why: String,
}

/// What alerts have to say of a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alerted {
    /// Those that began to fire in it: indices into [`Watched::alerts`], the first first.
    pub fired: Vec<usize>,
    /// Why nobody could tell for a part of it.
    pub silent: Option<String>,
}

impl Watched {
    /// `None` without a mark: nothing was watched.
    pub fn new<'a>(marks: impl Iterator<Item = &'a AlertMark>) -> Option<Self> {
        let mut watched = None;
        // Where each number is in the list.
        let mut known: BTreeMap<u32, usize> = BTreeMap::new();
        for mark in marks {
            let watched: &mut Self = watched.get_or_insert_default();
            watched.take(mark, &mut known);
        }
        watched
    }

    fn take(&mut self, mark: &AlertMark, known: &mut BTreeMap<u32, usize>) {
        match &mark.change {
            AlertChange::Watched => {}
            AlertChange::Firing {
                alert,
                name,
                labels,
            } => {
                known.insert(*alert, self.alerts.len());
                self.alerts.push(FiredAlert {
                    name: name.clone(),
                    labels: labels.clone(),
                    fired_ns: mark.at_ns,
                    cleared_ns: None,
                });
            }
            AlertChange::Cleared { alert } => {
                let one = known.get(alert).and_then(|at| self.alerts.get_mut(*at));
                if let Some(one) = one {
                    one.cleared_ns = Some(mark.at_ns);
                }
            }
            AlertChange::Silent { why } => self.silences.push(Silence {
                from_ns: mark.at_ns,
                to_ns: None,
                why: why.clone(),
            }),
            AlertChange::Heard { missed } => {
                self.missed += missed;
                if let Some(silence) = self.silences.last_mut() {
                    silence.to_ns = Some(mark.at_ns);
                }
            }
            AlertChange::Ended { readings, missed } => {
                (self.readings, self.missed) = (*readings, *missed);
            }
        }
    }

    /// What began to fire in a closed interval. An alert that is there when an answer comes again
    /// may have begun before the interval, if the silence did.
    pub fn during(&self, from_ns: u64, to_ns: u64) -> Alerted {
        let is_in = |one: &FiredAlert| (from_ns..=to_ns).contains(&one.fired_ns);
        let may_be_earlier = |one: &FiredAlert| {
            let mut silences = self.silences.iter();
            silences.any(|silence| silence.to_ns == Some(one.fired_ns) && silence.from_ns < from_ns)
        };
        let began = |(at, one)| (is_in(one) && !may_be_earlier(one)).then_some(at);
        let met = self.silences.iter().find(|silence| {
            silence.from_ns <= to_ns && silence.to_ns.is_none_or(|end_ns| end_ns >= from_ns)
        });
        Alerted {
            fired: self.alerts.iter().enumerate().filter_map(began).collect(),
            silent: met.map(|silence| silence.why.clone()),
        }
    }

    /// Those that fired before the load, and still when it began.
    pub fn at_the_start(&self, start_ns: u64) -> impl Iterator<Item = &FiredAlert> {
        let alerts = self.alerts.iter();
        alerts.filter(move |one| {
            one.fired_ns < start_ns && one.cleared_ns.is_none_or(|end_ns| end_ns > start_ns)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn mark(at_s: u64, change: AlertChange) -> AlertMark {
        let at_ns = at_s * S;
        AlertMark { at_ns, change }
    }

    fn firing(at_s: u64, alert: u32) -> AlertMark {
        let (name, labels) = (format!("alert-{alert}"), BTreeMap::new());
        mark(
            at_s,
            AlertChange::Firing {
                alert,
                name,
                labels,
            },
        )
    }

    fn silent(from_s: u64, to_s: u64) -> [AlertMark; 2] {
        let why = "no answer".to_owned();
        let missed = to_s - from_s;
        [
            mark(from_s, AlertChange::Silent { why }),
            mark(to_s, AlertChange::Heard { missed }),
        ]
    }

    fn watched(marks: &[AlertMark]) -> Watched {
        Watched::new(marks.iter()).expect("there are marks")
    }

    #[test]
    fn nothing_is_known_where_nothing_was_watched() {
        assert_eq!(Watched::new([].iter()), None);
        let began = watched(&[mark(1, AlertChange::Watched)]);
        assert_eq!(began.during(0, 100 * S), Alerted::default());
    }

    #[test]
    fn an_alert_that_fired_before_says_nothing_of_a_fault_until_it_fires_again() {
        let marks = [
            firing(1, 0),
            mark(12, AlertChange::Cleared { alert: 0 }),
            firing(15, 1),
        ];
        let watched = watched(&marks);
        assert_eq!(watched.alerts[0].cleared_ns, Some(12 * S));
        assert!(watched.during(10 * S, 14 * S).fired.is_empty());
        assert_eq!(watched.during(10 * S, 20 * S).fired, [1]);
        let at_start: Vec<_> = watched.at_the_start(5 * S).collect();
        assert_eq!(at_start, [&watched.alerts[0]]);
        assert_eq!(watched.at_the_start(13 * S).count(), 0, "it had cleared");
    }

    #[test]
    fn what_a_silence_hides_is_not_taken_for_nothing() {
        // From, to, whether somebody could have missed something.
        for (from, to, hidden) in [(1, 5, false), (1, 9, true), (12, 30, true), (31, 40, false)] {
            let marks = silent(8, 30);
            let told = watched(&marks).during(from * S, to * S);
            assert_eq!(told.silent.is_some(), hidden, "{from}..{to}");
        }
        // It never answered again.
        let told = watched(&silent(8, 30)[..1]).during(50 * S, 60 * S);
        assert_eq!(told.silent.as_deref(), Some("no answer"));
    }

    #[test]
    fn what_is_seen_behind_a_silence_may_have_begun_before_the_fault() {
        let [from, to] = silent(8, 14);
        let watched = watched(&[from, to, firing(14, 0), firing(15, 1)]);
        // A fault at 10 s: the first may be older, the second is not.
        let told = watched.during(10 * S, 20 * S);
        assert_eq!((told.fired, told.silent.is_some()), (vec![1], true));
        // A fault at 7 s: both are younger.
        assert_eq!(watched.during(7 * S, 20 * S).fired, [0, 1]);
    }

    #[test]
    fn a_row_of_marks_that_is_damaged_is_read_as_far_as_it_goes() {
        let marks = [
            mark(3, AlertChange::Cleared { alert: 7 }),
            mark(4, AlertChange::Heard { missed: 2 }),
        ];
        let watched = watched(&marks);
        assert_eq!((watched.alerts.len(), watched.missed), (0, 2));
    }
}
