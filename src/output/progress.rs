//! The run as it goes, for the person who waits: a moving line in a terminal, else a plain line
//! now and then. It goes to stderr, so that stdout stays for results.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::say;
use crate::measure::{Second, ThresholdResult};
use crate::plan::Plan;

/// What the progress display and the conductor see of a load under way.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The last complete second.
    pub second: Second,
    /// Attempts so far, by outcome name.
    pub outcomes: BTreeMap<String, u64>,
    /// A threshold that asks for the end.
    pub abort: Option<ThresholdResult>,
}

/// Seconds between two plain lines.
const PLAIN_EVERY: u64 = 5;

/// Shows progress, or nothing.
#[derive(Debug)]
pub struct Progress {
    display: Display,
    total_s: u64,
}

#[derive(Debug)]
enum Display {
    Quiet,
    Plain,
    Terminal(ProgressBar),
}

impl Progress {
    /// The display for this plan: chosen by what stderr is.
    pub fn new(plan: &Plan, quiet: bool) -> Self {
        let total_s = plan.duration().as_secs_f64().ceil() as u64;
        let display = if quiet {
            Display::Quiet
        } else if std::io::stderr().is_terminal() {
            Display::Terminal(bar(total_s))
        } else {
            Display::Plain
        };
        Self { display, total_s }
    }

    /// Shows a complete second of the load.
    pub fn second(&self, live: &Live) {
        match &self.display {
            Display::Quiet => {}
            Display::Plain => {
                if live.second.t.is_multiple_of(PLAIN_EVERY) {
                    let (load, outcomes) = self.lines(live);
                    say!("{:>5} s  {load}  {outcomes}", live.second.t + 1);
                }
            }
            Display::Terminal(bar) => {
                bar.set_position((live.second.t + 1).min(self.total_s));
                let (load, outcomes) = self.lines(live);
                bar.set_message(load);
                bar.set_prefix(outcomes);
            }
        }
    }

    /// Says what the run does now.
    pub fn say(&self, text: &str) {
        match &self.display {
            Display::Quiet => {}
            Display::Plain => say!("         {text}"),
            Display::Terminal(bar) => bar.set_message(text.to_owned()),
        }
    }

    /// Says something that stays to be read.
    pub fn note(&self, text: &str) {
        match &self.display {
            Display::Quiet => {}
            Display::Plain => say!("         {text}"),
            Display::Terminal(bar) => bar.suspend(|| say!("{text}")),
        }
    }

    /// Clears the line.
    pub fn finish(&self) {
        if let Display::Terminal(bar) = &self.display {
            bar.finish_and_clear();
        }
    }

    /// The load of the last second, and all outcomes so far: too much for one line of 80.
    fn lines(&self, live: &Live) -> (String, String) {
        let second = &live.second;
        let p95 = second
            .p95_ms
            .map_or("no data".to_owned(), |ms| format!("{ms:.1} ms"));
        let left = Duration::from_secs(self.total_s.saturating_sub(second.t + 1));
        let (phases, left) = match second.phases.as_slice() {
            [] => ("finishing".to_owned(), String::new()),
            phases => (phases.join("+"), format!("  {} left", HumanDuration(left))),
        };
        let load = format!(
            "{phases}  {} VUs  {}/s  p95 {p95}{left}",
            HumanCount(second.vus),
            HumanCount((second.requests as f64 / second.length_s.max(0.001)) as u64),
        );
        (load, shown_outcomes(live))
    }
}

impl Drop for Progress {
    /// An error that ends the run is not to be written behind the bar.
    fn drop(&mut self) {
        self.finish();
    }
}

/// The four that every first-come-first-served system has, and whatever else has occurred.
fn shown_outcomes(live: &Live) -> String {
    let always = ["issued", "sold_out", "duplicate", "unknown"];
    let others = live
        .outcomes
        .iter()
        .filter(|(name, count)| **count > 0 && !always.contains(&name.as_str()));
    let count = |name: &str| live.outcomes.get(name).copied().unwrap_or(0);
    let mut words: Vec<_> = always.iter().map(|name| word(name, count(name))).collect();
    words.extend(others.map(|(name, count)| word(name, *count)));
    words.join("  ")
}

fn word(name: &str, count: u64) -> String {
    format!("{} {}", name.replace('_', " "), HumanCount(count))
}

fn bar(total_s: u64) -> ProgressBar {
    let bar = ProgressBar::new(total_s);
    // Without colour the line reads the same, so there is none to respect NO_COLOR with.
    let style = ProgressStyle::with_template("{bar:20} {elapsed:>4}  {wide_msg}\n{prefix}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
