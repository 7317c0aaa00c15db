//! Evidence that is made up: a coupon event whose lock gives way, and one in which nothing happens.

use std::collections::BTreeMap;

use super::super::stats::Chance;
use super::super::{Evidence, Moments, Series};
use crate::measure::{Quantity, ResourceKind, Second};
use crate::plan::{self, Overrides, Plan};
use crate::report::{Summary, fixture};

const SCENARIO: &str = r#"
name: coupon-event
about: An event with a lock.
seed: 11
target: { url: "http://127.0.0.1:3000" }
subject: { coupon: { id: 1, stock: 5000 } }
users: { pool: 100000, repeat: 2% }
load:
  opening:
    ramping_vus:
      stages:
        - { name: climb, for: 60s, to: 600 }
        - { name: hold, for: 30s, to: 600 }
flows:
  issue:
    - name: issue
      post: /coupons/{{ coupon.id }}/issue
      json: { userId: "{{ user }}" }
      outcomes:
        issued: { status: 201 }
        sold_out: { status: 409, body: empty }
        duplicate: { status: 409, body: already }
        lock_failed: { status: 503, body: LockedError, is: refused }
thresholds:
  http_req_failed: ["rate<1%"]
"#;

/// What a run has left.
pub(super) struct World {
    summary: Summary,
    plan: Plan,
    seconds: Vec<Second>,
    series: Vec<Series>,
    pub(super) moments: Moments,
}

impl World {
    pub(super) const LOCK_S: f64 = 40.0;
    pub(super) const CLIFF_S: f64 = 55.0;
    pub(super) const SOLD_OUT_S: f64 = 70.0;

    /// VUs of a second.
    pub(super) fn vus(t: u64) -> u64 {
        (10 + 10 * t).min(600)
    }

    /// 90 seconds in which the lock gives way, answers become slow and nothing is left.
    pub(super) fn coupon() -> Self {
        let mut chance = Chance::new(5);
        let mut lot =
            |count: u64, share: f64| (0..count).filter(|_| chance.share() < share).count() as u64;
        let seconds = (0..90_u64).map(|t| {
            let requests = 60 + Self::vus(t) / 4;
            let at_s = t as f64;
            let locked = if at_s >= Self::LOCK_S { 0.25 } else { 0.001 };
            let refused = lot(requests, locked);
            let duplicate = lot(requests - refused, 0.015);
            let rest = requests - refused - duplicate;
            let gone = at_s >= Self::SOLD_OUT_S;
            let noise = 0.9 + 0.2 * lot(100, 0.5) as f64 / 50.0;
            let p95 = if at_s >= Self::CLIFF_S { 1_800.0 } else { 40.0 } * noise;
            let mut outcomes = BTreeMap::new();
            let mut add = |name: &str, count: u64| {
                if count > 0 {
                    outcomes.insert(name.to_owned(), count);
                }
            };
            add("lock_failed", refused);
            add("duplicate", duplicate);
            add(if gone { "sold_out" } else { "issued" }, rest);
            second(t, requests, outcomes, Some(p95))
        });
        Self::of(seconds.collect())
    }

    /// 90 seconds of the same in which nothing happens.
    pub(super) fn quiet() -> Self {
        let mut chance = Chance::new(6);
        let seconds = (0..90_u64).map(|t| {
            let duplicate = chance.below(3) as u64;
            let outcomes = [("issued", 50 - duplicate), ("duplicate", duplicate)];
            let outcomes = outcomes.map(|(name, count)| (name.to_owned(), count));
            let p95 = 20.0 * (0.2 * chance.normal()).exp();
            second(t, 50, outcomes.into(), Some(p95))
        });
        Self::of(seconds.collect())
    }

    fn of(seconds: Vec<Second>) -> Self {
        let plan = plan::load("event.yaml", SCENARIO, &Overrides::default(), &|_| None);
        let plan = plan.unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut summary = fixture::passed();
        summary.name.clone_from(&plan.name);
        let series = |quantity, kind, source: &str, value: fn(f64) -> f64| Series {
            source: source.to_owned(),
            kind,
            quantity,
            points: (0..90)
                .map(|t| (f64::from(t), value(f64::from(t))))
                .collect(),
        };
        let connections = |t: f64| {
            if t >= Self::LOCK_S {
                10.0
            } else {
                3.0 + t / 20.0
            }
        };
        let world = Self {
            summary,
            plan,
            seconds,
            series: vec![
                series(Quantity::CpuNs, ResourceKind::Process, "server", |t| {
                    0.2 + t / 400.0
                }),
                series(
                    Quantity::MemoryBytes,
                    ResourceKind::Process,
                    "server",
                    |_| 5e7,
                ),
                series(
                    Quantity::Connections,
                    ResourceKind::Redis,
                    "redis-1",
                    connections,
                ),
                series(Quantity::RowLockWaits, ResourceKind::Sql, "mysql", |_| 0.0),
            ],
            moments: Moments {
                start_ns: Some(1_000_000_000),
                start_unix_ns: Some(1_740_736_801_000_000_000),
                load_ended_s: Some(90.2),
                ended: true,
                ..Moments::default()
            },
        };
        world.counted()
    }

    /// The summary says the same as the seconds.
    fn counted(mut self) -> Self {
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        for (name, count) in self.seconds.iter().flat_map(|second| &second.outcomes) {
            *outcomes.entry(name.clone()).or_default() += count;
        }
        self.summary.requests = outcomes.values().sum();
        self.summary.outcomes = outcomes;
        self.summary.vus_max = self
            .seconds
            .iter()
            .map(|one| one.vus)
            .max()
            .unwrap_or_default();
        self
    }

    /// Another summary beside the same seconds.
    pub(super) fn with_summary(self, summary: Summary) -> Self {
        Self { summary, ..self }
    }

    /// As a run that was killed before its first second.
    pub(super) fn without_seconds(self) -> Self {
        Self {
            seconds: Vec::new(),
            series: Vec::new(),
            ..self
        }
    }

    pub(super) fn without_duplicates(mut self) -> Self {
        for second in &mut self.seconds {
            second.outcomes.remove("duplicate");
        }
        self.counted()
    }

    /// VUs, successes, refusals and percentile of each second.
    pub(super) fn with_rows(self, rows: &[(u64, u64, u64, Option<f64>)]) -> Self {
        let rows = rows.iter().enumerate();
        let seconds = rows.map(|(t, (vus, issued, refused, p95))| {
            let outcomes = [("issued", *issued), ("lock_failed", *refused)];
            let outcomes = outcomes.map(|(name, count)| (name.to_owned(), count));
            let mut made = second(t as u64, issued + refused, outcomes.into(), *p95);
            made.vus = *vus;
            made
        });
        let seconds = seconds.collect();
        Self { seconds, ..self }.counted()
    }

    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            summary: &self.summary,
            plan: &self.plan,
            seconds: &self.seconds,
            series: &self.series,
            moments: &self.moments,
        }
    }
}

fn second(t: u64, requests: u64, outcomes: BTreeMap<String, u64>, p95: Option<f64>) -> Second {
    Second {
        t,
        length_s: 1.0,
        vus: World::vus(t),
        requests,
        outcomes,
        p50_ms: p95.map(|ms| ms / 4.0),
        p95_ms: p95,
        p99_ms: p95.map(|ms| ms * 1.5),
        generator_cpu: 0.1,
        busiest_thread: 0.1,
        ..Second::default()
    }
}
