//! `options`: loads and thresholds.

use std::str::FromStr as _;

use super::script::Script;
use super::value::{Val, shown};
use crate::measure::{parse_assertion, parse_key};
use crate::scenario::value::{Name, Span};

/// What the script asks for beside its functions.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) loads: Vec<Load>,
    /// Keys with the lines of their values.
    pub(super) thresholds: Vec<(String, Vec<String>)>,
}

/// One executor.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) name: String,
    /// The function that it performs.
    pub(super) exec: String,
    pub(super) start_after: Option<String>,
    pub(super) graceful_stop: Option<String>,
    pub(super) executor: &'static str,
    pub(super) keys: Vec<(&'static str, String)>,
    /// Times and targets.
    pub(super) stages: Vec<(String, String)>,
}

/// Keys of k6 that change nothing about load or judgement.
const SILENT: [&str; 10] = [
    "scenarios",
    "stages",
    "vus",
    "duration",
    "iterations",
    "thresholds",
    "summaryTrendStats",
    "ext",
    "cloud",
    "discardResponseBodies",
];

impl<'t> Script<'t> {
    pub(super) fn options(&mut self) -> Options {
        let options = self.lookup("options").cloned().unwrap_or(Val::Undefined);
        for (key, _) in options.members() {
            if !SILENT.contains(&key.as_str()) {
                let line = self.line_of(key);
                self.note(line, format!("the option `{key}` is left out"));
            }
        }
        let loads = match options.get("scenarios") {
            Some(Val::Map(scenarios)) if !scenarios.is_empty() => scenarios
                .iter()
                .map(|(name, scenario)| self.scenario(name, scenario))
                .collect(),
            _ => vec![self.shortcut(&options)],
        };
        let names: Vec<_> = loads.iter().map(|load| load.name.clone()).collect();
        let thresholds = options.get("thresholds").cloned().unwrap_or(Val::Undefined);
        let thresholds = self.thresholds(&thresholds, &names);
        Options { loads, thresholds }
    }

    /// The line of the first key or variable of this name.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let starts = |line: &str| {
            let rest = line.trim_start().trim_start_matches(['\'', '"', '{', ' ']);
            rest.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start_matches(['\'', '"', ' ']).starts_with(':'))
        };
        let exact = self.text.lines().position(starts);
        exact
            .or_else(|| self.text.lines().position(|line| line.contains(key)))
            .map_or(1, |at| at + 1)
    }

    fn shortcut(&mut self, options: &Val<'t>) -> Load {
        let executor = if options.get("stages").is_some() {
            "ramping-vus"
        } else if options.get("iterations").is_some() {
            "shared-iterations"
        } else if options.get("duration").is_some() {
            "constant-vus"
        } else {
            "per-vu-iterations"
        };
        let mut members = options.members().to_vec();
        // As k6 does: the VUs of the shortcut are where its stages start.
        if let (Some(vus), "ramping-vus") = (options.get("vus"), executor) {
            members.push(("startVUs".to_owned(), vus.clone()));
        }
        if let (Some(most), "shared-iterations") = (options.get("duration"), executor) {
            members.push(("maxDuration".to_owned(), most.clone()));
        }
        members.push(("executor".to_owned(), Val::text(executor)));
        self.scenario("opening", &Val::Map(members))
    }

    fn scenario(&mut self, name: &str, scenario: &Val<'t>) -> Load {
        let exec = scenario
            .get("exec")
            .and_then(Val::as_text)
            .unwrap_or_else(|| "default".to_owned());
        if scenario.get("env").is_some() {
            let line = self.line_of("env");
            self.note(line, format!("the variables of `{name}` are left out"));
        }
        let mut load = Load {
            name: name_of(name),
            exec,
            start_after: scenario
                .get("startTime")
                .map(|time| self.time(time, "startTime")),
            graceful_stop: scenario
                .get("gracefulStop")
                .map(|time| self.time(time, "gracefulStop")),
            executor: "constant_vus",
            keys: Vec::new(),
            stages: Vec::new(),
        };
        let executor = scenario
            .get("executor")
            .and_then(Val::as_text)
            .unwrap_or_default();
        let mut read = Read {
            script: self,
            scenario,
        };
        read.executor(&executor, name, &mut load);
        load
    }

    fn time(&mut self, value: &Val<'t>, key: &str) -> String {
        let text = match value {
            Val::Number(milliseconds) => Some(format!("{}ms", shown(*milliseconds))),
            value => value.as_text(),
        };
        if let Some(Ok(span)) = text.map(|text| Span::from_str(&text)) {
            return span.to_string();
        }
        let line = self.line_of(key);
        let text = format!("the time `{key}` is not known: `1s` stands in its place");
        self.note(line, text);
        "1s".to_owned()
    }

    fn thresholds(&mut self, written: &Val<'t>, loads: &[String]) -> Vec<(String, Vec<String>)> {
        let mut thresholds = Vec::new();
        for (key, value) in written.members() {
            let line = self.line_of(key);
            let ours = key
                .replace("{scenario:", "{load:")
                .replace(",scenario:", ",load:");
            let Ok((metric, tags)) = parse_key(&ours, &[]) else {
                self.note(
                    line,
                    format!("the threshold on `{key}` is left out: no metric here has that name or tag; `outcome{{outcome:NAME}}` counts answers"),
                );
                continue;
            };
            if !tags
                .iter()
                .all(|(tag, value)| tag.to_string() == "load" && loads.contains(value))
            {
                self.note(
                    line,
                    format!("the threshold on `{key}` is left out: its tags are others here"),
                );
                continue;
            }
            let list = match value {
                Val::List(list) => list.clone(),
                value => vec![value.clone()],
            };
            let mut lines = Vec::new();
            for one in &list {
                let text = one
                    .as_text()
                    .or_else(|| one.get("threshold").and_then(Val::as_text));
                match text.filter(|text| parse_assertion(&metric, text).is_ok()) {
                    Some(text) => lines.push(self.assertion(&text, one)),
                    None => self.note(
                        line,
                        format!(
                            "a threshold on `{key}` is left out: it is no assertion on that metric"
                        ),
                    ),
                }
            }
            if !lines.is_empty() {
                thresholds.push((ours, lines));
            }
        }
        thresholds
    }

    fn assertion(&mut self, text: &str, written: &Val<'t>) -> String {
        if !matches!(written.get("abortOnFail"), Some(Val::Bool(true))) {
            return super::yaml::quoted(text);
        }
        let delay = written
            .get("delayAbortEval")
            .map(|delay| self.time(delay, "delayAbortEval"));
        let delay = delay
            .map(|delay| format!(", delay: {delay}"))
            .unwrap_or_default();
        format!(
            "{{ threshold: {}, abort: true{delay} }}",
            super::yaml::quoted(text)
        )
    }
}

/// Reads the keys of one scenario of the script.
struct Read<'s, 't> {
    script: &'s mut Script<'t>,
    scenario: &'s Val<'t>,
}

impl<'t> Read<'_, 't> {
    fn number(&mut self, value: Option<&Val<'t>>, key: &str, default: Option<f64>) -> f64 {
        let known = value.and_then(Val::as_number);
        if let Some(number) = known.or_else(|| default.filter(|_| value.is_none())) {
            return number;
        }
        let line = self.script.line_of(key);
        self.script.note(
            line,
            format!("the number `{key}` is not known: `1` stands in its place"),
        );
        1.0
    }

    /// The load's executor with its keys.
    fn executor(&mut self, executor: &str, name: &str, load: &mut Load) {
        match executor {
            "constant-vus" => {
                load.keys = vec![
                    ("vus", self.count("vus", Some(1.0))),
                    ("for", self.time("duration")),
                ];
            }
            "ramping-vus" => {
                load.executor = "ramping_vus";
                // k6 starts with one VU unless it is told otherwise.
                load.keys = vec![("start", self.count("startVUs", Some(1.0)))];
                if self.scenario.get("gracefulRampDown").is_some() {
                    load.keys
                        .push(("graceful_ramp_down", self.time("gracefulRampDown")));
                }
                load.stages = self.stages(None);
            }
            "per-vu-iterations" | "shared-iterations" => {
                let per_vu = executor == "per-vu-iterations";
                load.executor = if per_vu {
                    "per_vu_iterations"
                } else {
                    "shared_iterations"
                };
                load.keys = vec![
                    ("vus", self.count("vus", Some(1.0))),
                    ("iterations", self.count("iterations", Some(1.0))),
                ];
                if self.scenario.get("maxDuration").is_some() {
                    load.keys.push(("within", self.time("maxDuration")));
                }
            }
            "constant-arrival-rate" | "ramping-arrival-rate" => self.arrivals(executor, load),
            other => {
                let line = self.script.line_of(name);
                self.script.note(
                    line,
                    format!("the executor `{other}` of `{name}` is not known: one VU for 1 s"),
                );
                load.keys = vec![("vus", "1".to_owned()), ("for", "1s".to_owned())];
            }
        }
    }

    fn count(&mut self, key: &str, default: Option<f64>) -> String {
        shown(self.number(self.scenario.get(key), key, default).round())
    }

    fn time(&mut self, key: &str) -> String {
        let value = self.scenario.get(key).cloned().unwrap_or(Val::Undefined);
        self.script.time(&value, key)
    }

    fn arrivals(&mut self, executor: &str, load: &mut Load) {
        let unit = match self.scenario.get("timeUnit") {
            Some(_) => self.time("timeUnit"),
            None => "1s".to_owned(),
        };
        let vus = self.count("preAllocatedVUs", None);
        if executor == "constant-arrival-rate" {
            load.executor = "constant_arrival_rate";
            let number = self.number(self.scenario.get("rate"), "rate", None);
            load.keys = vec![
                ("rate", rate(number, &unit)),
                ("for", self.time("duration")),
                ("vus", vus),
            ];
        } else {
            load.executor = "ramping_arrival_rate";
            let start = self.number(self.scenario.get("startRate"), "startRate", Some(0.0));
            load.keys = vec![("start", rate(start, &unit)), ("vus", vus)];
            load.stages = self.stages(Some(&unit));
        }
        if self.scenario.get("maxVUs").is_some() {
            load.keys.push(("max_vus", self.count("maxVUs", None)));
        }
    }

    fn stages(&mut self, unit: Option<&str>) -> Vec<(String, String)> {
        let Some(Val::List(stages)) = self.scenario.get("stages") else {
            let line = self.script.line_of("stages");
            self.script.note(
                line,
                "the stages are not known: one second stands in their place",
            );
            return vec![(
                "1s".to_owned(),
                unit.map_or_else(|| "1".to_owned(), |unit| rate(1.0, unit)),
            )];
        };
        let mut read = Vec::new();
        for stage in stages {
            let time = stage.get("duration").cloned().unwrap_or(Val::Undefined);
            let time = self.script.time(&time, "duration");
            let target = self.number(stage.get("target"), "target", None);
            read.push((
                time,
                unit.map_or_else(|| shown(target), |unit| rate(target, unit)),
            ));
        }
        read
    }
}

fn rate(number: f64, unit: &str) -> String {
    match unit {
        "1s" | "1m" | "1h" => format!("{}/{}", shown(number), &unit[1..]),
        unit => {
            let seconds = Span::from_str(unit).map_or(1.0, |span| span.0.as_secs_f64());
            format!("{}/s", shown(number / seconds))
        }
    }
}

/// A name as a scenario allows it, near to what was written.
pub(super) fn name_of(text: &str) -> String {
    let allowed = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = text.chars().map(allowed).collect();
    let name = name
        .trim_matches(['-', '_', '.'])
        .chars()
        .take(48)
        .collect::<String>();
    Name::from_str(&name).map_or_else(|_| "imported".to_owned(), |name| name.as_str().to_owned())
}
