//! What an output says while the run goes on: that the one who takes its points is away, once for
//! each time, and that it is back.

use std::time::Instant;

use tokio::sync::mpsc;

/// The way of one output to who watches the run.
#[derive(Debug)]
pub(super) struct Notes {
    /// The output and where it writes to, without secrets.
    name: String,
    told: mpsc::Sender<String>,
    away: Option<Instant>,
}

impl Notes {
    pub(super) const fn new(name: String, told: mpsc::Sender<String>) -> Self {
        Self {
            name,
            told,
            away: None,
        }
    }

    /// It took nothing, for this reason, and is asked again.
    pub(super) fn away(&mut self, words: &str) {
        if self.away.is_none() {
            self.away = Some(Instant::now());
            self.say(&format!("{words}; points wait for it"));
        }
    }

    /// It answers.
    pub(super) fn back(&mut self) {
        if let Some(since) = self.away.take() {
            let away = since.elapsed().as_secs_f64();
            self.say(&format!("takes points again, after {away:.1} s"));
        }
    }

    /// It refuses points for good, for this reason.
    pub(super) fn refused(&self, why: &str) {
        self.say(&format!("takes not all points: {why}"));
    }

    fn say(&self, words: &str) {
        // What is not shown in time is in the report.
        let _ = self.told.try_send(format!("output {}: {words}", self.name));
    }
}
