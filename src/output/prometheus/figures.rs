//! What a run has come to so far, as metrics: names instead of the plan's numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hdrhistogram::Histogram;

use super::registry::{Name, Registry};
use crate::history::{FaultMark, Moment, OutcomeKind};
use crate::measure::{Second, SeriesId, Trend};
use crate::plan::{Action, Plan};

/// The metrics of one run.
#[derive(Debug)]
pub(super) struct Figures {
    plan: Arc<Plan>,
    registry: Registry,
    /// The last seconds are complete only after it: they add to sums, and say nothing of now.
    is_over: bool,
    /// Occurrences under way, and of them those that were seen to bite.
    active: BTreeMap<u16, (BTreeSet<u32>, BTreeSet<u32>)>,
}

impl Figures {
    /// Before the load: every counter that can rise is there with zero, so that its first rise is
    /// seen as one.
    pub(super) fn new(plan: Arc<Plan>, testid: &str) -> Self {
        let mut registry = Registry::new(plan.mask.clone());
        registry.set(Name::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1.0);
        let seed = plan.seed.to_string();
        registry.set(Name::RunInfo, &[&plan.name, testid, &seed], 1.0);
        registry.set(Name::Vus, &[], 0.0);
        registry.add(Name::DataSent, &[], 0);
        registry.add(Name::DataReceived, &[], 0);
        for load in &plan.loads {
            registry.add(Name::Iterations, &[&load.name], 0);
            registry.add(Name::DroppedIterations, &[&load.name], 0);
            let mut steps = BTreeSet::new();
            requests_of(&plan.flows[load.flow].actions, &mut steps);
            for step in steps {
                let step = &plan.steps[usize::from(step)];
                for rule in &step.rules {
                    let outcome = &plan.labels[usize::from(rule.label)].name;
                    registry.add(Name::Requests, &[&step.name, outcome, &load.name], 0);
                }
            }
        }
        for fault in &plan.faults {
            registry.set(Name::FaultActive, &[&fault.name], 0.0);
            registry.set(Name::FaultEffectSeen, &[&fault.name], 0.0);
        }
        let mut figures = Self {
            plan,
            registry,
            is_over: false,
            active: BTreeMap::new(),
        };
        figures.phases(None);
        figures
    }

    /// The metrics as they are now.
    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The load begins.
    pub(super) fn load_started(&mut self) {
        self.phases(Some(0.0));
    }

    /// All iterations have ended.
    pub(super) fn load_ended(&mut self) {
        self.is_over = true;
        self.registry.set(Name::Vus, &[], 0.0);
        self.registry.forget(Name::GeneratorCpu);
        self.phases(None);
    }

    /// Adds one second of the load. Of the drain phase nothing is told: no report counts it either.
    pub(super) fn second(&mut self, line: &Second, histograms: &[(SeriesId, Histogram<u64>)]) {
        let registry = &mut self.registry;
        registry.add(Name::DataSent, &[], line.data_sent);
        registry.add(Name::DataReceived, &[], line.data_received);
        for (phase, count) in &line.dropped {
            if let Some(load) = load_of(&self.plan, *phase) {
                registry.add(Name::DroppedIterations, &[load], *count);
            }
        }
        for (id, histogram) in histograms {
            if let Some(load) = load_of(&self.plan, id.phase) {
                series(registry, &self.plan, load, *id, histogram);
            }
        }
        if !self.is_over {
            self.registry.set(Name::Vus, &[], line.vus as f64);
            let cores = line.generator_cpu;
            self.registry.set(Name::GeneratorCpu, &[], cores);
            self.phases(Some(line.t as f64 + line.length_s));
        }
    }

    /// A moment of a fault. One that could not be healed stays active.
    pub(super) fn fault(&mut self, mark: &FaultMark) {
        let Some(fault) = self.plan.faults.get(usize::from(mark.fault)) else {
            return;
        };
        let (applied, seen) = self.active.entry(mark.fault).or_default();
        match &mark.moment {
            Moment::Applied => {
                applied.insert(mark.occurrence);
            }
            Moment::EffectSeen { .. } => {
                seen.insert(mark.occurrence);
            }
            Moment::Healed => {
                applied.remove(&mark.occurrence);
                seen.remove(&mark.occurrence);
            }
            _ => return,
        }
        let level = |occurrences: &BTreeSet<u32>| f64::from(u8::from(!occurrences.is_empty()));
        let (applied, seen) = (level(applied), level(seen));
        self.registry
            .set(Name::FaultActive, &[&fault.name], applied);
        self.registry
            .set(Name::FaultEffectSeen, &[&fault.name], seen);
    }

    /// The remaining stock was read.
    pub(super) fn remaining(&mut self, remaining: i64) {
        self.registry
            .set(Name::StockRemaining, &[], remaining as f64);
    }

    /// So many points an output could not take until now.
    pub(super) fn dropped_points(&mut self, output: &str, points: u64) {
        self.registry
            .raise(Name::OutputDroppedPoints, &[output], points);
    }

    /// Which phases are under way so many seconds after the start of the load; `None`: there is no
    /// load.
    fn phases(&mut self, at_s: Option<f64>) {
        for phase in &self.plan.phases {
            let Some(load) = phase.load else { continue };
            let is_now = |at| phase.from.as_secs_f64() <= at && at < phase.to.as_secs_f64();
            let level = f64::from(u8::from(at_s.is_some_and(is_now)));
            let load = &self.plan.loads[load].name;
            self.registry
                .set(Name::PhaseActive, &[load, &phase.name], level);
        }
    }
}

/// Adds one series of one second.
fn series(
    registry: &mut Registry,
    plan: &Plan,
    load: &str,
    id: SeriesId,
    histogram: &Histogram<u64>,
) {
    let step = || Some(plan.steps.get(usize::from(id.step))?.name.as_str());
    let label = || plan.labels.get(usize::from(id.label));
    match id.trend {
        Trend::Duration | Trend::ResponseTime => {
            let (Some(step), Some(label)) = (step(), label()) else {
                return;
            };
            if id.trend == Trend::Duration {
                let labels = [step, &label.name, load];
                registry.add(Name::Requests, &labels, histogram.len());
            }
            // What was never sent has no time of an answer.
            if label.kind != OutcomeKind::NotSent {
                let name = match id.trend {
                    Trend::Duration => Name::ServiceTime,
                    _ => Name::ResponseTime,
                };
                registry.observe(name, &[step], histogram);
            }
        }
        Trend::IterationDuration => registry.add(Name::Iterations, &[load], histogram.len()),
        Trend::ScheduleLag => registry.observe(Name::ScheduleLag, &[load], histogram),
        _ => {}
    }
}

/// The load that the phase belongs to; the drain phase belongs to none.
fn load_of(plan: &Plan, phase: u16) -> Option<&str> {
    let load = plan.phases.get(usize::from(phase))?.load?;
    Some(&plan.loads[load].name)
}

/// The steps that these actions can do.
fn requests_of(actions: &[Action], steps: &mut BTreeSet<u8>) {
    for action in actions {
        match action {
            Action::Request(step) => {
                steps.insert(*step);
            }
            Action::Think(..) => {}
            Action::When(when) => {
                requests_of(&when.then, steps);
                requests_of(&when.otherwise, steps);
            }
            Action::Each(each) => requests_of(&each.actions, steps),
            Action::Parallel(parallel) => {
                for actions in &parallel.branches {
                    requests_of(actions, steps);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::NO_INDEX;
    use crate::plan::fault::{Fault, Injection, Party, Trigger, Victim, Which};
    use crate::plan::{Overrides, load};

    const SCENARIO: &str = "
name: figures
seed: 7
target: { url: \"http://127.0.0.1:3000\" }
load:
  rush: { flow: issue, ramping_vus: { stages: [
    { name: up, for: 5s, to: 10 }, { name: hold, for: 5s, to: 10 } ] } }
  late: { flow: issue, start_after: 8s, constant_vus: { vus: 1, for: 4s } }
flows: { issue: [{ name: ask, post: /issue, outcomes: { issued: 201, sold_out: 400 } }] }
";

    fn plan() -> Plan {
        let overrides = Overrides::default();
        let mut plan = load("figures.yaml", SCENARIO, &overrides, &|_| None).expect("a plan");
        plan.faults = vec![Fault {
            name: "down".to_owned(),
            victim: Victim {
                party: Party::Client,
                which: Which::All,
            },
            injection: Injection::Freeze,
            trigger: Trigger::At(Duration::from_secs(5)),
            lasts: Duration::from_secs(5),
            times: 2,
            every: Duration::from_secs(10),
        }];
        plan
    }

    fn page(figures: &Figures) -> String {
        figures.registry().page().expect("all have names")
    }

    fn has(figures: &Figures, line: &str) -> bool {
        page(figures).lines().any(|one| one == line)
    }

    fn id(plan: &Plan, trend: Trend, phase: u16, outcome: &str) -> SeriesId {
        let label = plan.labels.iter().position(|label| label.name == outcome);
        SeriesId {
            trend,
            phase,
            step: 0,
            label: label.map_or(NO_INDEX, |label| label as u8),
        }
    }

    fn times(count: u64) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("valid digits");
        histogram.record_n(700, count).expect("it grows");
        histogram
    }

    #[test]
    fn before_the_load_every_counter_is_there_with_zero_and_what_is_not_known_is_not() {
        let figures = Figures::new(Arc::new(plan()), "figures-1");
        for line in [
            "fcfs_run_info{name=\"figures\",testid=\"figures-1\",seed=\"7\"} 1",
            "fcfs_requests_total{step=\"ask\",outcome=\"issued\",load=\"late\"} 0",
            "fcfs_iterations_total{load=\"rush\"} 0",
            "fcfs_dropped_iterations_total{load=\"late\"} 0",
            "fcfs_phase_active{load=\"rush\",phase=\"up\"} 0",
            "fcfs_fault_active{fault=\"down\"} 0",
            "fcfs_vus 0",
        ] {
            assert!(has(&figures, line), "{line}\n{}", page(&figures));
        }
        for unknown in ["fcfs_stock_remaining", "fcfs_generator_cpu_cores"] {
            assert!(!page(&figures).contains(unknown), "{}", page(&figures));
        }
    }

    #[test]
    fn seconds_add_up_by_load_and_the_drain_phase_is_not_counted() {
        let plan = plan();
        let drain = plan.drain_phase();
        let of = |trend, phase, outcome| id(&plan, trend, phase, outcome);
        let mut figures = Figures::new(Arc::new(plan.clone()), "figures-1");
        let second = Second {
            length_s: 1.0,
            vus: 9,
            data_sent: 100,
            dropped: [(0, 3)].into(),
            generator_cpu: 1.5,
            ..Second::default()
        };
        for _ in 0..2 {
            let histograms = [
                (of(Trend::Duration, 0, "issued"), times(4)),
                (of(Trend::Duration, 1, "issued"), times(1)),
                (of(Trend::Duration, 2, "issued"), times(10)),
                (of(Trend::Duration, drain, "issued"), times(1_000)),
                (of(Trend::Duration, 0, "not_sent"), times(2)),
                (of(Trend::ResponseTime, 0, "issued"), times(4)),
                (of(Trend::IterationDuration, 0, ""), times(5)),
            ];
            figures.second(&second, &histograms);
        }
        for line in [
            "fcfs_requests_total{step=\"ask\",outcome=\"issued\",load=\"rush\"} 10",
            "fcfs_requests_total{step=\"ask\",outcome=\"issued\",load=\"late\"} 20",
            "fcfs_requests_total{step=\"ask\",outcome=\"not_sent\",load=\"rush\"} 4",
            // What was not sent has no time.
            "fcfs_service_time_seconds_count{step=\"ask\"} 30",
            "fcfs_response_time_seconds_count{step=\"ask\"} 8",
            "fcfs_iterations_total{load=\"rush\"} 10",
            "fcfs_dropped_iterations_total{load=\"rush\"} 6",
            "fcfs_data_sent_bytes_total 200",
            "fcfs_generator_cpu_cores 1.5",
            "fcfs_vus 9",
        ] {
            assert!(has(&figures, line), "{line}\n{}", page(&figures));
        }
        figures.load_ended();
        // The last second is complete when the load is over.
        figures.second(&second, &[]);
        assert!(has(&figures, "fcfs_data_sent_bytes_total 300"));
        assert!(has(&figures, "fcfs_vus 0"), "{}", page(&figures));
        assert!(!page(&figures).contains("fcfs_generator_cpu_cores"));
    }

    #[test]
    fn a_phase_is_active_from_its_begin_to_its_end() {
        let mut figures = Figures::new(Arc::new(plan()), "figures-1");
        let now = |figures: &Figures| {
            let active =
                |line: &&str| line.starts_with("fcfs_phase_active") && line.ends_with("} 1");
            let page = page(figures);
            let lines = page.lines().filter(active);
            let phases = lines.map(|line| line.split('"').nth(3).expect("a phase").to_owned());
            phases.collect::<Vec<_>>()
        };
        assert!(now(&figures).is_empty());
        figures.load_started();
        assert_eq!(now(&figures), ["up"]);
        let mut at = |t| {
            let second = Second {
                t,
                length_s: 1.0,
                ..Second::default()
            };
            figures.second(&second, &[]);
            now(&figures)
        };
        assert_eq!(at(3), ["up"]);
        assert_eq!(at(4), ["hold"]);
        assert_eq!(at(7), ["late", "hold"]);
        assert_eq!(at(9), ["late"]);
        figures.load_ended();
        assert!(now(&figures).is_empty());
    }

    #[test]
    fn a_fault_is_active_from_applied_to_healed() {
        let mut figures = Figures::new(Arc::new(plan()), "figures-1");
        let mark = |occurrence, moment| FaultMark {
            at_ns: 1,
            fault: 0,
            occurrence,
            moment,
        };
        let what = || "no answer".to_owned();
        for (occurrence, moment, active, seen) in [
            (
                1,
                Moment::Asked {
                    victims: Vec::new(),
                    due_ns: None,
                },
                0,
                0,
            ),
            (1, Moment::NotApplied { why: what() }, 0, 0),
            (2, Moment::Applied, 1, 0),
            (2, Moment::EffectSeen { what: what() }, 1, 1),
            (2, Moment::Healing, 1, 1),
            (2, Moment::Healed, 0, 0),
            (3, Moment::Applied, 1, 0),
            (3, Moment::EffectNotSeen { what: what() }, 1, 0),
            (3, Moment::NotHealed { why: what() }, 1, 0),
        ] {
            let told = format!("{occurrence} {moment:?}");
            figures.fault(&mark(occurrence, moment));
            let active = format!("fcfs_fault_active{{fault=\"down\"}} {active}");
            let seen = format!("fcfs_fault_effect_seen{{fault=\"down\"}} {seen}");
            assert!(has(&figures, &active), "{told}\n{}", page(&figures));
            assert!(has(&figures, &seen), "{told}\n{}", page(&figures));
        }
    }

    #[test]
    fn no_label_holds_a_value_of_the_environment() {
        let mut plan = plan();
        plan.mask.add("very-secret-value", "***");
        plan.name = "run of very-secret-value".to_owned();
        let figures = Figures::new(Arc::new(plan), "very-secret-value-1");
        assert!(
            !page(&figures).contains("very-secret"),
            "{}",
            page(&figures)
        );
        assert!(page(&figures).contains("name=\"run of ***\""));
    }
}
