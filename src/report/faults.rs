//! What became of each fault: its figures in the summary, and what the terminal and Markdown say
//! of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::format::{NO_DATA, count, counted};
use crate::measure::{Unit, grouped};

/// One occurrence of a fault, or a fault that never happened. Times in seconds are counted from the
/// start of the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultSummary {
    /// The fault's name.
    pub fault: String,
    /// Which of its occurrences, from 1; 0: there is no trace of it.
    pub occurrence: u32,
    /// How often it was to happen.
    pub times: u32,
    /// What was done to whom, as the plan says it.
    pub what: String,
    /// What was broken, by name.
    pub victims: Vec<String>,
    /// How far it came.
    pub state: FaultState,
    /// Why it was not injected, or not healed.
    pub why: Option<String>,
    /// When the timeline wanted it, where it has a time.
    pub due_s: Option<f64>,
    /// When it was asked for.
    pub asked_s: Option<f64>,
    /// When it was injected.
    pub applied_s: Option<f64>,
    /// Whether it was seen to bite.
    pub effect_seen: bool,
    /// What was seen.
    pub effect: Option<String>,
    /// From applied until it was seen to bite.
    pub effect_ms: Option<f64>,
    /// From applied to the start of the first window that was bad for those who asked.
    pub first_bad_ms: Option<f64>,
    /// From applied until somebody noticed.
    pub detected_ms: Option<f64>,
    /// Who noticed first: `effect`, `clients`, `threshold` or `alert`.
    pub detected_by: Option<String>,
    /// From applied until each of those noticed who did.
    #[serde(default)]
    pub noticed_ms: BTreeMap<String, f64>,
    /// Alerts that began to fire while it was active or not recovered from, the first first.
    #[serde(default)]
    pub alerts: Vec<FaultAlert>,
    /// Why nobody could tell for a part of that time whether an alert fires.
    #[serde(default)]
    pub alerts_silent: Option<String>,
    /// Whether alerts were watched at all.
    #[serde(default)]
    pub alerts_watched: bool,
    /// When the victims answered as before.
    pub healed_s: Option<f64>,
    /// When those who asked were served as before.
    pub recovered_s: Option<f64>,
    /// From healed to recovered.
    pub recovery_ms: Option<f64>,
    /// Why there is no recovery although it was healed.
    pub not_recovered: Option<String>,
    /// How long one window is.
    pub window_ms: Option<f64>,
    /// What "as before" is; `null`: too little was asked before it.
    pub baseline: Option<FaultBaseline>,
    /// Attempts that were under way while it was active.
    pub requests: u64,
    /// Of them failed, those without a certain answer included.
    pub failed: u64,
    /// Of them without a certain answer.
    pub unknown: u64,
    /// What failed, as a share of all failures that the thresholds allow to the whole run; `null`
    /// without a threshold `http_req_failed: rate<...`.
    pub budget_share: Option<f64>,
    /// How long after the heal the last attempt was open that was sent before it; `null`: none was.
    pub open_after_heal_ms: Option<f64>,
    /// Other faults that were active between its beginning and its recovery.
    pub beside: Vec<String>,
}

/// An alert that began to fire after a fault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultAlert {
    /// As its rule calls it.
    pub alert: String,
    /// Its labels without the name; long ones are cut.
    pub labels: BTreeMap<String, String>,
    /// From applied until it was seen to fire.
    pub fired_ms: f64,
    /// From applied until it was seen to fire no more; `null`: not as long as it was watched.
    pub cleared_ms: Option<f64>,
}

impl FaultAlert {
    /// ``alert `RedisDown` (instance 127.0.0.1:9121) fired +4,012 ms, cleared +9,013 ms``
    fn in_words(&self) -> String {
        let labels = self.labels.iter();
        let labels: Vec<_> = labels
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            labels => format!(" ({})", labels.join(", ")),
        };
        let cleared = match self.cleared_ms {
            Some(ms) => format!("cleared {}", after(ms)),
            None => "not cleared as long as it was watched".to_owned(),
        };
        let fired = after(self.fired_ms);
        format!("alert `{}`{labels} fired {fired}, {cleared}", self.alert)
    }
}

/// What a system did before a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultBaseline {
    /// Seconds from the start of the load.
    pub from_s: f64,
    /// As above.
    pub to_s: f64,
    /// Attempts in it.
    pub requests: u64,
    /// The share that failed.
    pub failed_share: f64,
    /// 95th percentile of the service time; `null`: nothing was sent.
    pub p95_ms: Option<f64>,
}

/// How far a fault came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultState {
    /// Nothing says what became of it.
    #[default]
    Unknown,
    /// The load ended before it was due.
    NeverDue,
    /// It could not be injected.
    NotApplied,
    /// It was active when the evidence ends.
    Active,
    /// The victims answer as before.
    Healed,
    /// They do not.
    NotHealed,
}

impl FaultState {
    /// In words, for what has no time.
    const fn words(self) -> &'static str {
        match self {
            Self::Unknown => NO_DATA,
            Self::NeverDue => "never due",
            Self::NotApplied => "not injected",
            Self::Active => "not yet",
            Self::Healed => "yes",
            Self::NotHealed => "NOT HEALED",
        }
    }
}

impl FaultSummary {
    /// All texts that may repeat what a scenario or a system said.
    pub(super) fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let texts = [&mut self.why, &mut self.effect, &mut self.alerts_silent];
        let texts = texts.into_iter().flatten();
        let names = self.victims.iter_mut().chain([&mut self.what]);
        let alerts = self.alerts.iter_mut();
        let alerts = alerts.flat_map(|one| one.labels.values_mut().chain([&mut one.alert]));
        texts.chain(names).chain(alerts)
    }

    /// `redis-down`, or `redis-down, 2 of 3`.
    pub(super) fn name(&self) -> String {
        match (self.times, self.occurrence) {
            (0 | 1, _) | (_, 0) => self.fault.clone(),
            (times, number) => format!("{}, {number} of {times}", self.fault),
        }
    }

    /// `270 of 1,000 (27.00 %)`
    fn failures(&self) -> String {
        if self.requests == 0 {
            return NO_DATA.to_owned();
        }
        let share = Unit::Share.show(self.failed as f64 / self.requests as f64);
        format!(
            "{} of {} ({share})",
            count(self.failed),
            count(self.requests)
        )
    }

    fn happened(&self) -> bool {
        self.applied_s.is_some()
    }
}

/// The head of the table of what happened when; the first column is the name.
pub(super) const HEAD: [&str; 6] = [
    "Fault",
    "Applied",
    "Effect",
    "Detected",
    "Healed",
    "Recovered",
];

/// What the head leaves out.
pub(super) const NOTE: &str = "Applied and healed: seconds from the start of the load. Effect and \
                               detected: from applied. Recovered: from healed to the end of the \
                               first good windows, against what was before.";

/// A row of [`HEAD`] but for the name.
pub(super) fn row(fault: &FaultSummary) -> [String; 5] {
    let nothing = || "–".to_owned();
    let word = fault.state.words();
    if !fault.happened() {
        return [word.to_owned(), nothing(), nothing(), nothing(), nothing()];
    }
    let unhealed = fault.healed_s.is_none();
    [
        fault.applied_s.map_or_else(nothing, moment),
        match fault.effect_ms.filter(|_| fault.effect_seen) {
            Some(ms) => after(ms),
            None => "not seen".to_owned(),
        },
        match (fault.detected_ms, &fault.detected_by) {
            (Some(ms), Some(by)) => format!("{} ({by})", after(ms)),
            _ => "by nobody".to_owned(),
        },
        fault.healed_s.map_or_else(|| word.to_owned(), moment),
        match fault.recovery_ms {
            Some(ms) => after(ms),
            None if unhealed => nothing(),
            None => "not seen".to_owned(),
        },
    ]
}

/// The head of the table of what it cost; the first column is the name.
pub(super) const COST_HEAD: [&str; 6] = [
    "Fault",
    "Failed meanwhile",
    "Unknown",
    "Error budget",
    "Open after heal",
    "Before: failed, p95",
];

/// What the head leaves out.
pub(super) const COST_NOTE: &str = "Of the attempts that were under way while it was active. The \
                                    error budget is what failed as a share of all failures that \
                                    `http_req_failed` allows to the run.";

/// A row of [`COST_HEAD`] but for the name; `None` for a fault that never happened.
pub(super) fn cost_row(fault: &FaultSummary) -> Option<[String; 5]> {
    let nothing = || "–".to_owned();
    fault.happened().then(|| {
        [
            fault.failures(),
            count(fault.unknown),
            fault
                .budget_share
                .map_or_else(nothing, |share| format!("{} %", grouped(share * 100.0, 1))),
            fault.open_after_heal_ms.map_or_else(nothing, lasting),
            fault.baseline.map_or_else(
                || NO_DATA.to_owned(),
                |before| {
                    let p95 = before.p95_ms.map_or_else(|| NO_DATA.to_owned(), lasting);
                    format!("{}, {p95}", Unit::Share.show(before.failed_share))
                },
            ),
        ]
    })
}

/// What a reader has to know of the fault beside its figures; also what it is.
pub(super) fn remarks(fault: &FaultSummary) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut say = |text: Option<String>| remarks.extend(text);
    let why = fault.why.as_ref();
    say(why.map(|why| match fault.state {
        FaultState::NotHealed => format!("not healed: {why}"),
        _ => format!("not injected: {why}"),
    }));
    let effect = fault.effect.as_ref();
    say(effect.map(|effect| {
        let not = if fault.effect_seen { "" } else { "not " };
        format!("{not}seen to bite: {effect}")
    }));
    let bad = fault.first_bad_ms.map(after);
    say(bad.map(|after| format!("the first bad window began {after} after it")));
    for words in alerted(fault) {
        say(Some(words));
    }
    let recovered = fault.not_recovered.as_ref();
    say(recovered.map(|why| format!("not recovered: {why}")));
    let unmeasured = fault.happened() && fault.baseline.is_none();
    say(unmeasured.then(|| {
        "too little was asked before it for a baseline: only failures count against its recovery"
            .to_owned()
    }));
    let beside = !fault.beside.is_empty();
    say(beside.then(|| {
        let names: Vec<_> = fault
            .beside
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        format!(
            "its figures are not its alone: {} active before it was recovered from",
            match names.as_slice() {
                [one] => format!("{one} was"),
                several => format!("{} were", several.join(", ")),
            }
        )
    }));
    remarks
}

/// More alerts than these are only counted in words.
const MOST_ALERTS: usize = 5;

/// Which alerts noticed it; silence is not taken for peace.
fn alerted(fault: &FaultSummary) -> Vec<String> {
    if !fault.alerts_watched {
        return Vec::new();
    }
    let shown = fault.alerts.iter().take(MOST_ALERTS);
    let mut words: Vec<String> = shown.map(FaultAlert::in_words).collect();
    let more = fault.alerts.len().saturating_sub(MOST_ALERTS);
    if more > 0 {
        words.push(format!(
            "{} more began to fire",
            counted(more as u64, "alert")
        ));
    }
    match (&fault.alerts_silent, fault.alerts.is_empty()) {
        (Some(why), true) => {
            words.push(format!(
                "not seen by an alert: prometheus was silent: {why}"
            ));
        }
        (Some(why), false) => words.push(format!("prometheus was silent for a part of it: {why}")),
        (None, true) => words.push("no alert began to fire".to_owned()),
        (None, false) => {}
    }
    words
}

/// Those that a terminal shows: what is not as it should be.
pub(super) fn is_remarkable(fault: &FaultSummary) -> bool {
    let healed = fault.state == FaultState::Healed;
    !healed || !fault.effect_seen || fault.recovery_ms.is_none()
}

/// One line for a terminal: what it was and what it cost.
pub(super) fn sentence(fault: &FaultSummary) -> String {
    let mut parts = Vec::new();
    if fault.happened() {
        let unknown = match fault.unknown {
            0 => String::new(),
            unknown => format!(", {} of them unknown", count(unknown)),
        };
        parts.push(format!("{} failed{unknown}", fault.failures()));
    }
    if let Some(share) = fault.budget_share {
        parts.push(format!(
            "{} % of the error budget",
            grouped(share * 100.0, 1)
        ));
    }
    if let Some(ms) = fault.open_after_heal_ms {
        parts.push(format!(
            "the last was open for {} after the heal",
            lasting(ms)
        ));
    }
    if is_remarkable(fault) {
        parts.extend(remarks(fault));
    } else {
        parts.extend(alerted(fault));
    }
    let victims = match fault.victims.as_slice() {
        [] => String::new(),
        victims => format!("; {}", victims.join(", ")),
    };
    let name = format!("{} ({}{victims})", fault.name(), fault.what);
    match parts.as_slice() {
        [] => name,
        parts => format!("{name}: {}", parts.join("; ")),
    }
}

fn moment(seconds: f64) -> String {
    format!("{} s", grouped(seconds, 2))
}

fn after(ms: f64) -> String {
    format!("+{}", lasting(ms))
}

/// Milliseconds below ten seconds, seconds above.
fn lasting(ms: f64) -> String {
    if ms < 10_000.0 {
        format!("{} ms", grouped(ms, 0))
    } else {
        format!("{} s", grouped(ms / 1e3, 1))
    }
}
