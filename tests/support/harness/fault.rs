//! Scenarios with faults, and what became of them.

use serde_json::Value;

use super::Bench;
use super::scenario::Scenario;

/// What a fault goes through that is injected, seen to bite and healed.
pub(crate) const WHOLE: [&str; 5] = ["asked", "applied", "effect_seen", "healing", "healed"];

impl Bench {
    /// A place that holds `scenario.yaml` with one fault, as one entry of `faults` has it.
    pub(crate) fn with_fault(scenario: &Scenario, fault: &str) -> Self {
        let bench = Self::new();
        let text = format!("{scenario}faults: [ {{ name: it, {fault} }} ]\n");
        bench.write("scenario.yaml", text);
        bench
    }

    /// The moments of the faults of the run directory `run`, in their order.
    pub(crate) fn moments(&self) -> Vec<Value> {
        let events = self.read("run/events.jsonl");
        let events = events.lines().filter_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["event"] == "fault").then(|| event["moment"].clone())
        });
        events.collect()
    }

    /// The one fault has been injected, seen to bite, and healed.
    #[track_caller]
    pub(crate) fn expect_whole(&self, row: &str) {
        let moments = self.moments();
        assert_eq!(moments, WHOLE, "{row}");
    }
}
