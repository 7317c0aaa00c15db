//! Judges thresholds on what was read from outside, one line of the file after the other.
//!
//! A counter is what was added between two readings, from just before the load to just after it. A
//! source that was silent at either end, or that began again in between, has counted more than was
//! seen: then a limit that is exceeded is broken, and everything else is no data, since nobody knows
//! what was not seen.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{NoData, Observed, judge, seconds};
use crate::measure::unit::grouped;
use crate::measure::{
    Aggregate, Comparison, Follow, Levels, Metric, MetricKind, Nature, Quantity, ResourceKind,
    ResourceLine, Tag, Threshold, ThresholdResult, Told, Unit,
};
use crate::plan::Plan;

/// All thresholds of one plan on what is read from outside. The lines must come in the order of the
/// file.
#[derive(Debug, Default)]
pub struct Resources {
    lanes: Vec<Lane>,
    follow: Follow,
    sources: BTreeMap<(String, ResourceKind), Seen>,
}

/// Whether a source said all that it counted.
#[derive(Debug, Default)]
struct Seen {
    readings: u64,
    gaps: u64,
    /// It did not answer before the load.
    late: bool,
    /// Why it did not answer at the end.
    silent: Option<String>,
    restarted: bool,
}

/// One threshold.
#[derive(Debug)]
struct Lane {
    /// Index into [`Plan::thresholds`].
    threshold: usize,
    quantity: Quantity,
    source: Option<String>,
    /// Nanoseconds since the run's origin, one behind the other; all time if nothing narrows it.
    spans: Option<Vec<(u64, u64)>>,
    levels: Levels,
    sum: u64,
    /// Nanoseconds in which increases were seen, by source.
    covered: BTreeMap<String, u64>,
}

impl Resources {
    /// Before the first line. `start_ns` is the load's start on the clock of the lines.
    pub fn new(plan: &Plan, start_ns: u64) -> Self {
        let thresholds = plan.thresholds.iter().enumerate();
        let lane = |(at, threshold): (usize, &Threshold)| {
            let Metric::Resource(quantity) = threshold.metric else {
                return None;
            };
            Some(Lane {
                threshold: at,
                quantity,
                source: tag(threshold, Tag::Source).map(str::to_owned),
                spans: spans(plan, threshold, start_ns),
                levels: Levels::default(),
                sum: 0,
                covered: BTreeMap::new(),
            })
        };
        Self {
            lanes: thresholds.filter_map(lane).collect(),
            ..Self::default()
        }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: &ResourceLine) {
        if self.lanes.is_empty() {
            return;
        }
        let key = (line.source.clone(), line.kind);
        let seen = self.sources.entry(key).or_default();
        seen.late |= line.gap.is_some() && seen.readings == 0;
        seen.silent.clone_from(&line.gap);
        seen.gaps += u64::from(line.gap.is_some());
        seen.readings += u64::from(line.gap.is_none());
        let lanes = &mut self.lanes;
        self.follow.line(line, |quantity, told| {
            seen.restarted |= matches!(
                told,
                Told::Increase {
                    restarted: true,
                    ..
                }
            );
            for lane in lanes.iter_mut() {
                lane.take(&line.source, quantity, told);
            }
        });
    }

    /// After the last line.
    pub fn finish(&mut self) {
        let lanes = &mut self.lanes;
        std::mem::take(&mut self.follow).finish(|source, _, quantity, told| {
            for lane in lanes.iter_mut() {
                lane.take(source, quantity, told);
            }
        });
    }

    /// The answer of the n-th threshold of the plan; `None` if it is not on what is read from
    /// outside.
    pub(super) fn result(&self, at: usize, threshold: &Threshold) -> Option<ThresholdResult> {
        let lane = self.lanes.iter().find(|lane| lane.threshold == at)?;
        let sources: Vec<(&str, &Seen)> = self
            .sources
            .iter()
            .filter(|((name, kind), _)| lane.is_about(name, *kind))
            .map(|((name, _), seen)| (name.as_str(), seen))
            .collect();
        Some(judge(threshold, lane.observed(threshold, &sources)))
    }
}

impl Lane {
    fn is_about(&self, source: &str, kind: ResourceKind) -> bool {
        let is_meant = self.source.as_deref().is_none_or(|wanted| wanted == source);
        is_meant && kind.quantities().contains(&self.quantity)
    }

    fn take(&mut self, source: &str, quantity: Quantity, told: Told) {
        let is_meant = self.source.as_deref().is_none_or(|wanted| wanted == source);
        if quantity != self.quantity || !is_meant || !self.covers(told.middle_ns()) {
            return;
        }
        match (told, quantity.nature()) {
            (Told::Level { value, .. }, _) => self.levels.add(value as f64),
            (Told::Rate { per_second, .. }, Nature::Work) => self.levels.add(per_second),
            (
                Told::Increase {
                    from_ns, to_ns, by, ..
                },
                Nature::Total,
            ) => {
                self.sum += by;
                let covered = self.covered.entry(source.to_owned()).or_default();
                *covered += to_ns.saturating_sub(from_ns);
            }
            (Told::Rate { .. } | Told::Increase { .. }, _) => {}
        }
    }

    fn covers(&self, at_ns: u64) -> bool {
        let within = |(from, to): &(u64, u64)| (*from..*to).contains(&at_ns);
        self.spans
            .as_ref()
            .is_none_or(|spans| spans.iter().any(within))
    }

    fn observed(
        &self,
        threshold: &Threshold,
        sources: &[(&str, &Seen)],
    ) -> Result<Observed, NoData> {
        if sources.is_empty() {
            return Err(NoData("nothing was read from outside".to_owned()));
        }
        match self.quantity.kind() {
            MetricKind::Counter => self.counted(threshold, sources),
            _ => self.levels(threshold.aggregate, sources),
        }
    }

    fn levels(&self, aggregate: Aggregate, sources: &[(&str, &Seen)]) -> Result<Observed, NoData> {
        let levels = &self.levels;
        let value = match aggregate {
            Aggregate::Avg => levels.mean(),
            Aggregate::Min => levels.min(),
            Aggregate::Max => levels.max(),
            Aggregate::Med => levels.quantile(0.5),
            Aggregate::Percentile(percent) => levels.quantile(percent / 100.0),
            // A trend has no other: the parser refuses them.
            _ => Some(levels.count() as f64),
        };
        let gaps: u64 = sources.iter().map(|(_, seen)| seen.gaps).sum();
        let gaps = match gaps {
            0 => String::new(),
            gaps => format!(", {} without an answer", grouped(gaps as f64, 0)),
        };
        let count = levels.count();
        match value.filter(|_| count > 0) {
            Some(value) => Ok(Observed {
                value,
                over: format!("over {} readings{gaps}", grouped(count as f64, 0)),
            }),
            None => Err(NoData(format!("no reading{gaps}"))),
        }
    }

    fn counted(
        &self,
        threshold: &Threshold,
        sources: &[(&str, &Seen)],
    ) -> Result<Observed, NoData> {
        let covered = self.covered.values().copied().max().unwrap_or_default();
        let unseen = sources.iter().find_map(|(name, seen)| seen.unseen(name));
        if covered == 0 {
            return Err(NoData(
                unseen.unwrap_or_else(|| "no two readings".to_owned()),
            ));
        }
        let length = Duration::from_nanos(covered);
        let value = match (threshold.aggregate, self.quantity.unit()) {
            // Milliseconds by second are no time: how many waited at a time.
            (Aggregate::Rate, Unit::Time) => self.sum as f64 / 1e3 / length.as_secs_f64(),
            (Aggregate::Rate, _) => self.sum as f64 / length.as_secs_f64(),
            _ => self.sum as f64,
        };
        let least = matches!(
            threshold.comparison,
            Comparison::Greater | Comparison::GreaterOrEqual
        );
        let holds = threshold.comparison.holds(value, threshold.limit);
        match unseen {
            Some(why) if holds && !least => Err(NoData(why)),
            _ => Ok(Observed {
                value,
                over: format!("over {}", seconds(length)),
            }),
        }
    }
}

impl Seen {
    /// Why it has counted more than was seen.
    fn unseen(&self, name: &str) -> Option<String> {
        if self.readings == 0 {
            let why = self.silent.as_deref().unwrap_or_default();
            return Some(format!("`{name}` never answered: {why}"));
        }
        if self.late {
            return Some(format!("`{name}` did not answer before the load"));
        }
        if let Some(why) = &self.silent {
            return Some(format!("`{name}` did not answer at the end: {why}"));
        }
        self.restarted
            .then(|| format!("`{name}` began to count again from zero"))
    }
}

fn tag(threshold: &Threshold, wanted: Tag) -> Option<&str> {
    let found = threshold.tags.iter().find(|(tag, _)| *tag == wanted);
    found.map(|(_, value)| value.as_str())
}

/// The phases that are meant; `None` for all time.
fn spans(plan: &Plan, threshold: &Threshold, start_ns: u64) -> Option<Vec<(u64, u64)>> {
    let (phase, load) = (tag(threshold, Tag::Phase), tag(threshold, Tag::Load));
    if phase.is_none() && load.is_none() {
        return None;
    }
    let at = |time: Duration| start_ns.saturating_add(time.as_nanos() as u64);
    let meant = plan.phases.iter().filter(|of| {
        let Some(number) = of.load else { return false };
        let name = plan.loads.get(number).map(|load| load.name.as_str());
        phase.is_none_or(|phase| phase == of.name) && load.is_none_or(|load| name == Some(load))
    });
    Some(meant.map(|phase| (at(phase.from), at(phase.to))).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;
    use crate::measure::{Quantities, Totals, Windows, evaluate};
    use crate::verdict::Verdict;

    /// One reading of the database a second, from a second before the load's start on; `None` in a
    /// gap.
    fn judged(key: &str, assertion: &str, waits: &[Option<u64>]) -> (Verdict, String) {
        let plan = plan(&[(key, assertion)]);
        let mut resources = Resources::new(&plan, 1_000_000_000);
        for (second, waits) in (0..).zip(waits) {
            let values = waits.map(|waits| {
                let connections = (Quantity::Connections, waits % 100);
                [(Quantity::RowLockWaits, waits), connections]
            });
            resources.line(&ResourceLine {
                at_ns: second * 1_000_000_000,
                source: "mysql".to_owned(),
                kind: ResourceKind::Sql,
                values: values.into_iter().flatten().collect::<Quantities>(),
                gap: waits.is_none().then(|| "connection refused".to_owned()),
            });
        }
        resources.finish();
        let (totals, windows) = (Totals::default(), Windows::new(&plan));
        let mut results = evaluate(&plan, &totals, &windows, &resources, &[]);
        let result = results.remove(0);
        (result.verdict, result.detail)
    }

    #[test]
    fn a_counter_is_what_was_added_and_never_zero_for_want_of_an_answer() {
        let (pass, fail) = (Verdict::Pass, Verdict::Fail);
        let waited = [Some(7), Some(7), Some(12)];
        let quiet = [Some(7), Some(7), Some(7)];
        let dies = [Some(7), Some(7), None];
        let dies_later = [Some(7), Some(12), None];
        let late = [None, Some(7), Some(7)];
        let again = [Some(7), Some(3), Some(3)];
        let between = [Some(7), None, Some(7)];
        let table: [(&str, &[Option<u64>], Verdict, &str); 12] = [
            (
                "count==0",
                &waited,
                fail,
                "count = 5 over 2.0 s, limit == 0",
            ),
            ("count==0", &quiet, pass, "count = 0 over 2.0 s, limit == 0"),
            (
                "rate<2/s",
                &waited,
                fail,
                "rate = 2.50/s over 2.0 s, limit < 2/s",
            ),
            (
                "count==0",
                &[],
                fail,
                "no data (nothing was read from outside), limit == 0",
            ),
            (
                "count==0",
                &[Some(7)],
                fail,
                "no data (no two readings), limit == 0",
            ),
            (
                "count==0",
                &[None, None],
                fail,
                "no data (`mysql` never answered: connection refused), limit == 0",
            ),
            (
                "count==0",
                &dies,
                fail,
                "no data (`mysql` did not answer at the end: connection refused), limit == 0",
            ),
            // What was seen is enough for the one, and for the other it is not.
            (
                "count<5",
                &dies_later,
                fail,
                "count = 5 over 1.0 s, limit < 5",
            ),
            (
                "count>=5",
                &dies_later,
                pass,
                "count = 5 over 1.0 s, limit >= 5",
            ),
            (
                "count==0",
                &late,
                fail,
                "no data (`mysql` did not answer before the load), limit == 0",
            ),
            (
                "count<9",
                &again,
                fail,
                "no data (`mysql` began to count again from zero), limit < 9",
            ),
            // A gap in the middle hides nothing.
            (
                "count==0",
                &between,
                pass,
                "count = 0 over 2.0 s, limit == 0",
            ),
        ];
        for (assertion, readings, verdict, detail) in table {
            let judged = judged("row_lock_waits", assertion, readings);
            assert_eq!(
                judged,
                (verdict, detail.to_owned()),
                "{assertion} {readings:?}"
            );
        }
    }

    #[test]
    fn a_level_is_judged_over_its_readings() {
        let table: [(&str, &[Option<u64>], Verdict, &str); 4] = [
            (
                "max<30",
                &[Some(3), Some(30)],
                Verdict::Fail,
                "max = 30 over 2 readings, limit < 30",
            ),
            (
                "max<=30",
                &[Some(3), Some(30)],
                Verdict::Pass,
                "max = 30 over 2 readings, limit <= 30",
            ),
            (
                "avg<30",
                &[Some(3), None, Some(30)],
                Verdict::Pass,
                "avg = 16.5 over 2 readings, 1 without an answer, limit < 30",
            ),
            (
                "max<30",
                &[None],
                Verdict::Fail,
                "no data (no reading, 1 without an answer), limit < 30",
            ),
        ];
        for (assertion, readings, verdict, detail) in table {
            let judged = judged("connections{source:mysql}", assertion, readings);
            assert_eq!(
                judged,
                (verdict, detail.to_owned()),
                "{assertion} {readings:?}"
            );
        }
    }

    #[test]
    fn a_phase_has_what_was_added_in_it() {
        // The phase `climb` lasts from 0 to 10 s, `hold` of the same load from 10 s on: five waits
        // in the first second, two just before the end of `climb`, and one in `hold`.
        let mut readings = vec![Some(0), Some(0), Some(5)];
        readings.extend([Some(5); 8]);
        readings.extend([Some(7), Some(8)]);
        for (key, seen) in [
            ("row_lock_waits", "count = 8 over 12.0 s"),
            ("row_lock_waits{phase:climb}", "count = 7 over 10.0 s"),
            (
                "row_lock_waits{phase:hold,load:opening}",
                "count = 1 over 1.0 s",
            ),
            ("row_lock_waits{phase:browse}", "no data (no two readings)"),
        ] {
            let (_, detail) = judged(key, "count==0", &readings);
            assert_eq!(detail, format!("{seen}, limit == 0"), "{key}");
        }
    }
}
