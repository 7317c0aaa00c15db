//! Writes small scenarios: what a test is about is said, the rest is ordinary.

use std::fmt;

/// A scenario for the bundled server, or for another one in its dialect.
#[derive(Clone)]
pub(crate) struct Scenario {
    target: String,
    strategy: &'static str,
    stock: u64,
    load: String,
    repeat: u32,
    think: &'static str,
    thresholds: String,
    truth: String,
    quiet: &'static str,
    invariants: &'static str,
}

impl Scenario {
    /// 20 users who ask 400 times together for 100 coupons: over as soon as that is done.
    pub(crate) fn short() -> Self {
        Self {
            target: String::new(),
            strategy: "sqlite-atomic",
            stock: 100,
            load: "shared_iterations: { vus: 20, iterations: 400, within: 2m }".to_owned(),
            repeat: 10,
            think: "0ms",
            thresholds: "http_req_failed: [\"rate<1%\"]".to_owned(),
            truth: String::new(),
            quiet: "300ms",
            invariants: "stock, one_per_user, acknowledged",
        }
    }

    /// A few users who ask slowly and for longer than any test waits.
    pub(crate) fn long() -> Self {
        let load = "constant_vus: { vus: 4, for: 10m }".to_owned();
        Self {
            load,
            think: "20ms",
            stock: 1_000_000,
            ..Self::short()
        }
    }

    /// A system that already runs, with the scenario's `truth`.
    pub(crate) fn url(self, url: &str) -> Self {
        let target = format!("{{ url: \"{url}\" }}");
        Self { target, ..self }
    }

    pub(crate) fn strategy(self, strategy: &'static str) -> Self {
        Self { strategy, ..self }
    }

    pub(crate) fn stock(self, stock: u64) -> Self {
        Self { stock, ..self }
    }

    /// The executor and its settings.
    pub(crate) fn load(self, load: &str) -> Self {
        let load = load.to_owned();
        Self { load, ..self }
    }

    pub(crate) fn repeat(self, repeat: u32) -> Self {
        Self { repeat, ..self }
    }

    pub(crate) fn think(self, think: &'static str) -> Self {
        Self { think, ..self }
    }

    /// The entries of `thresholds`.
    pub(crate) fn thresholds(self, thresholds: &str) -> Self {
        let thresholds = thresholds.to_owned();
        Self { thresholds, ..self }
    }

    /// How long the rows must rest.
    pub(crate) fn quiet(self, quiet: &'static str) -> Self {
        Self { quiet, ..self }
    }

    /// The items of `invariants`.
    pub(crate) fn invariants(self, invariants: &'static str) -> Self {
        Self { invariants, ..self }
    }

    /// More keys of `truth`.
    pub(crate) fn truth(self, truth: &str) -> Self {
        let truth = format!("{truth}, ");
        Self { truth, ..self }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            target,
            strategy,
            stock,
            load,
            repeat,
            think,
            thresholds,
            truth,
            quiet,
            invariants,
        } = self;
        let bundled =
            format!("{{ stack: {{ provider: auto, server: {{ strategy: {strategy} }} }} }}");
        let target = if target.is_empty() { &bundled } else { target };
        write!(
            f,
            r#"name: front-door
target: {target}
subject:
  coupon: {{ id: 1, stock: {stock} }}
users: {{ pool: 10_000_000, repeat: {repeat}% }}
load:
  opening:
    flow: issue
    graceful_stop: 10m
    {load}
flows:
  issue:
    - name: issue
      post: /coupons/fcfs/1/issue
      json: {{ userId: "{{{{ user }}}}" }}
      timeout: 1m
      outcomes:
        issued: {{ status: 201, id: /id }}
        sold_out: {{ status: 400, body: Coupon stock is empty }}
        duplicate: {{ status: 400, body: 이미 발급된 쿠폰입니다 }}
        lock_failed: {{ status: 409, is: refused }}
        busy: {{ status: 503, is: refused }}
    - think: {think}
truth: {{ {truth}settle: {{ quiet: {quiet}, within: 30s }} }}
invariants: [{invariants}]
thresholds:
  {thresholds}
"#
        )
    }
}
