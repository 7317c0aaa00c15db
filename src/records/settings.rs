//! What the fields of a format's records are called: its own names, and what was said about them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use super::{Field, Fields, Filter, Record, Unit, without_answer, without_answer_in_k6};
use crate::history::{Cause, OutcomeKind};

/// Who has written the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `k6 run --out json=FILE`: one point of a metric in each line.
    K6,
    /// A `.jtl` file in CSV, with its head.
    Jmeter,
    /// A log of all requests in CSV, with its head.
    Locust,
    /// One JSON object in each line.
    Jsonl,
}

impl Format {
    const NAMES: [(&'static str, Self); 4] = [
        ("k6", Self::K6),
        ("jmeter", Self::Jmeter),
        ("locust", Self::Locust),
        ("jsonl", Self::Jsonl),
    ];

    /// Its own names: what is written for them on the command line, and the field.
    const fn defaults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::K6 => &[
                ("metric", "http_req_duration"),
                ("end", "/data/time"),
                ("unit", "rfc3339"),
                ("duration", "/data/value"),
                ("duration_unit", "ms"),
                ("status", "status"),
                ("error", "error_code"),
            ],
            Self::Jmeter => &[
                ("start", "timeStamp"),
                ("unit", "ms"),
                ("duration", "elapsed"),
                ("duration_unit", "ms"),
                ("status", "responseCode"),
                ("error", "responseCode~Non HTTP response code: (.+)"),
            ],
            Self::Locust => &[
                ("start", "start_time"),
                ("unit", "s"),
                ("duration", "response_time"),
                ("duration_unit", "ms"),
                ("status", "status_code"),
                ("error", "exception"),
            ],
            Self::Jsonl => &[],
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known
            .map(|(_, format)| *format)
            .ok_or_else(|| format!("`{text}` is no format; there are k6, jmeter, locust, jsonl"))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, format)| format == self);
        f.pad(named.map_or("", |(name, _)| name))
    }
}

/// What was typed about the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who has written them.
    pub format: Format,
    /// `KEY=FIELD`, each.
    pub map: Vec<String>,
    /// Which are wanted; all of these must hold.
    pub only: Vec<String>,
    /// How far the clocks of the machines that wrote them may be apart.
    pub skew: Duration,
}

/// Everything that is wrong with what was typed, one problem in each line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct SettingsError(String);

/// Where the parts of an attempt stand.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) format: Format,
    metric: Option<String>,
    user: Field,
    times: Times,
    unit: Unit,
    duration_unit: Unit,
    status: Option<Field>,
    error: Option<Field>,
    body: Option<Field>,
    outcome: Option<Field>,
    coupon: Option<Field>,
    only: Vec<Filter>,
    skew_ns: u64,
}

/// Two of three tell when an attempt was under way.
#[derive(Debug, Clone)]
enum Times {
    StartEnd(Field, Field),
    StartDuration(Field, Field),
    EndDuration(Field, Field),
}

const KEYS: [&str; 12] = [
    "user",
    "start",
    "end",
    "unit",
    "duration",
    "duration_unit",
    "status",
    "error",
    "body",
    "outcome",
    "coupon",
    "metric",
];

/// What is known while settings are read.
struct Draft {
    values: Vec<(&'static str, String)>,
    problems: Vec<String>,
}

impl Draft {
    fn of(asked: &Asked) -> Self {
        let mut draft = Self {
            values: Vec::new(),
            problems: Vec::new(),
        };
        for one in &asked.map {
            draft.take(one);
        }
        // Whoever says where a time stands leaves none of the format's own times: two would be
        // one too many.
        let (starts, ends) = (draft.find("start").is_some(), draft.find("end").is_some());
        for (key, field) in asked.format.defaults() {
            let is_replaced = match *key {
                "start" | "end" => starts || ends,
                "duration" => starts && ends,
                _ => false,
            };
            if !is_replaced && draft.find(key).is_none() {
                draft.values.push((key, (*field).to_owned()));
            }
        }
        draft
    }

    fn take(&mut self, text: &str) {
        let Some((key, field)) = text.split_once('=') else {
            let problem = format!("`--map {text}` is not KEY=FIELD");
            return self.problems.push(problem);
        };
        match KEYS.iter().find(|known| **known == key) {
            None => self.problems.push(format!(
                "`--map {text}`: there is no key `{key}`; there are {}",
                KEYS.join(", ")
            )),
            Some(known) if self.find(known).is_some() => {
                self.problems.push(format!("`{key}` is mapped twice"));
            }
            Some(known) => self.values.push((known, field.to_owned())),
        }
    }

    fn find(&self, key: &str) -> Option<&str> {
        let mut values = self.values.iter();
        let found = values.find(|(known, _)| *known == key);
        found.map(|(_, field)| field.as_str())
    }

    fn read<T: FromStr<Err = String>>(&mut self, key: &str) -> Option<T> {
        let read = self.find(key)?.parse();
        read.map_err(|problem: String| {
            self.problems.push(format!("`--map {key}=...`: {problem}"));
        })
        .ok()
    }
}

impl Settings {
    /// What was typed, filled up with the format's own names.
    ///
    /// # Errors
    /// With everything that is wrong, and what would be right.
    pub fn of(asked: &Asked) -> Result<Self, SettingsError> {
        let mut draft = Draft::of(asked);
        let user: Option<Field> = draft.read("user");
        if draft.find("user").is_none() {
            let problem = "who asked is not known: say which field is the user's id, such as \
                           `--map user=userId`";
            draft.problems.push(problem.to_owned());
        }
        let times = times(&mut draft);
        let unit: Option<Unit> = draft.read("unit");
        let has_unit = unit.is_some() || draft.find("unit").is_some();
        if !has_unit {
            let problem = format!(
                "in what times are written is not known: say `--map unit=...` with one of {}",
                Unit::names()
            );
            draft.problems.push(problem);
        }
        let duration_unit: Option<Unit> = draft.read("duration_unit");
        let duration_unit = duration_unit.or(unit);
        let counts_durations = draft.find("duration").is_some();
        if counts_durations && duration_unit == Some(Unit::Date) {
            let problem = "in what durations are written is not known: say \
                           `--map duration_unit=...` with one of s, ms, us, ns";
            draft.problems.push(problem.to_owned());
        }
        let (status, error) = (draft.read("status"), draft.read("error"));
        let (body, outcome) = (draft.read("body"), draft.read("outcome"));
        let coupon = draft.read("coupon");
        if draft.find("status").is_none() && draft.find("outcome").is_none() {
            let problem = "what was answered is not known: say `--map status=...`, or \
                           `--map outcome=...` if a field names the scenario's outcome";
            draft.problems.push(problem.to_owned());
        }
        let metric = draft.find("metric").map(str::to_owned);
        if metric.is_some() && asked.format != Format::K6 {
            let problem = format!("`metric` is of k6, not of {}", asked.format);
            draft.problems.push(problem);
        }
        let mut only = Vec::new();
        for text in &asked.only {
            match text.parse() {
                Ok(filter) => only.push(filter),
                Err(problem) => draft.problems.push(format!("`--only {text}`: {problem}")),
            }
        }
        let known = (user, times, unit, duration_unit.or(unit));
        let (Some(user), Some(times), Some(unit), Some(duration_unit)) = known else {
            return Err(SettingsError(draft.problems.join("\n")));
        };
        if !draft.problems.is_empty() {
            return Err(SettingsError(draft.problems.join("\n")));
        }
        Ok(Self {
            format: asked.format,
            metric,
            user,
            times,
            unit,
            duration_unit,
            status,
            error,
            body,
            outcome,
            coupon,
            only,
            skew_ns: u64::try_from(asked.skew.as_nanos()).unwrap_or(u64::MAX),
        })
    }

    /// Whether bodies of answers are among the records.
    pub const fn has_bodies(&self) -> bool {
        self.body.is_some()
    }

    /// Whether the records name their outcomes.
    pub const fn has_outcomes(&self) -> bool {
        self.outcome.is_some()
    }

    /// Whether the records name coupons by themselves.
    pub const fn has_coupons(&self) -> bool {
        self.coupon.is_some()
    }

    /// The columns that a CSV file must have.
    pub(super) fn columns(&self) -> Vec<&str> {
        let times = match &self.times {
            Times::StartEnd(one, other)
            | Times::StartDuration(one, other)
            | Times::EndDuration(one, other) => [one, other],
        };
        let fields = [Some(&self.user), self.status.as_ref()];
        let fields = fields.into_iter().flatten().chain(times);
        let more = [&self.body, &self.outcome, &self.coupon];
        let fields = fields.chain(more.into_iter().flatten()).map(Field::name);
        fields.chain(self.only.iter().map(Filter::name)).collect()
    }

    /// Whether a row is of the metric that is wanted, and all that `--only` says holds.
    pub(super) fn wants(&self, row: &dyn Fields) -> bool {
        let of_metric = self.metric.as_ref().is_none_or(|metric| {
            row.text("/type").as_deref() == Some("Point")
                && row.text("/metric").as_deref() == Some(metric)
        });
        of_metric && self.only.iter().all(|filter| filter.wants(row))
    }

    /// The attempt that a row tells of; a problem in words.
    pub(super) fn record(&self, row: &dyn Fields, line: u64) -> Result<Record, String> {
        let user = self.user.of(row);
        let user = user.ok_or_else(|| format!("it names no user: `{}` is missing", self.user))?;
        let (start_ns, end_ns) = self.interval(row)?;
        let of = |field: &Option<Field>| field.as_ref().and_then(|field| field.of(row));
        let outcome = of(&self.outcome);
        let (status, failure) = match self.answer(row) {
            Ok(answer) => answer,
            // Whoever names the outcome need not name the status.
            Err(_) if outcome.is_some() => (0, None),
            Err(problem) => return Err(problem),
        };
        Ok(Record {
            user,
            start_ns: start_ns.saturating_sub(self.skew_ns),
            end_ns: end_ns.saturating_add(self.skew_ns),
            status,
            failure,
            body: of(&self.body),
            outcome,
            coupon: of(&self.coupon),
            line,
        })
    }

    /// Between what the attempt certainly was under way.
    fn interval(&self, row: &dyn Fields) -> Result<(u64, u64), String> {
        match &self.times {
            Times::StartEnd(start, end) => {
                let (start, end) = (stamp(row, start, self.unit)?, stamp(row, end, self.unit)?);
                if end.end_ns() < start.at_ns {
                    return Err("it ends before it starts".to_owned());
                }
                Ok((start.at_ns, end.end_ns()))
            }
            Times::StartDuration(start, duration) => {
                let start = stamp(row, start, self.unit)?;
                let duration = stamp(row, duration, self.duration_unit)?;
                Ok((
                    start.at_ns,
                    start.end_ns().saturating_add(duration.end_ns()),
                ))
            }
            Times::EndDuration(end, duration) => {
                let end = stamp(row, end, self.unit)?;
                let duration = stamp(row, duration, self.duration_unit)?;
                Ok((end.at_ns.saturating_sub(duration.end_ns()), end.end_ns()))
            }
        }
    }

    /// The status, or why there is none.
    fn answer(&self, row: &dyn Fields) -> Result<(u16, Option<(OutcomeKind, Cause)>), String> {
        let of = |field: &Option<Field>| field.as_ref().and_then(|field| field.of(row));
        let (status, error) = (of(&self.status), of(&self.error));
        let number = status
            .as_deref()
            .and_then(|text| text.trim().parse::<u16>().ok());
        match (number, status, error) {
            (Some(status @ 100..=599), ..) => Ok((status, None)),
            (Some(0) | None, status, Some(error)) => {
                let words = format!("{} {error}", status.unwrap_or_default());
                let why = match self.format {
                    Format::K6 => without_answer_in_k6(&error),
                    _ => without_answer(&words),
                };
                Ok((0, Some(why)))
            }
            (Some(0), ..) => Ok((0, Some((OutcomeKind::Unknown, Cause::ConnectionLost)))),
            (_, Some(status), _) => Err(format!("`{status}` is no HTTP status")),
            (_, None, _) => Err("it has neither a status nor an error".to_owned()),
        }
    }
}

fn times(draft: &mut Draft) -> Option<Times> {
    let (start, end): (Option<Field>, Option<Field>) = (draft.read("start"), draft.read("end"));
    let duration: Option<Field> = draft.read("duration");
    match (start, end, duration) {
        (Some(start), Some(end), None) => Some(Times::StartEnd(start, end)),
        (Some(start), None, Some(duration)) => Some(Times::StartDuration(start, duration)),
        (None, Some(end), Some(duration)) => Some(Times::EndDuration(end, duration)),
        (Some(_), Some(_), Some(_)) => {
            let problem = "`start`, `end` and `duration` contradict each other sooner or later: \
                           map two of them";
            draft.problems.push(problem.to_owned());
            None
        }
        _ => {
            let problem = "when attempts were under way is not known: map two of `start`, `end` \
                           and `duration`";
            draft.problems.push(problem.to_owned());
            None
        }
    }
}

fn stamp(row: &dyn Fields, field: &Field, unit: Unit) -> Result<Stamp, String> {
    let text = field
        .of(row)
        .ok_or_else(|| format!("`{field}` is missing"))?;
    Stamp::read(&text, unit).ok_or_else(|| {
        let wanted = match unit {
            Unit::Date => "a date and time with its zone, such as 2026-03-01T12:30:00.123Z",
            _ => "a number that is not negative, without an exponent",
        };
        format!("`{field}` is `{text}`, not {wanted} ({unit})")
    })
}
