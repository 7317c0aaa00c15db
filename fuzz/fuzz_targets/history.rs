//! Any bytes as a history file: they are refused or read, never more than there are, and what was
//! read can be judged.
#![no_main]

use std::io;
use std::sync::LazyLock;

use fcfs_bench::check::{Evidence, IssuedRead, IssuedRow, Observations, Settled, check};
use fcfs_bench::history::{Operation, operations_of};
use fcfs_bench::plan::{self, Overrides, Plan};
use libfuzzer_sys::fuzz_target;

const SCENARIO: &str = r#"
name: history
target: { url: "http://127.0.0.1:1" }
subject: { coupon: { id: 1, stock: 2 } }
users: { pool: 10 }
load: { all: { flow: claim, constant_vus: { vus: 1, for: 1s } } }
flows:
  claim:
    - name: claim
      post: /claim
      timeout: 1s
      outcomes: { issued: { status: 200 }, sold_out: { status: 409 } }
truth: { issued: { sql: { url: "sqlite:shop.db", query: "SELECT user_id, id FROM coupons" } } }
invariants: [stock, one_per_user, acknowledged, first_come_first_served]
"#;

/// The same with a second step, by which coupons come back, and a lease.
const RELEASES: [(&str, &str); 2] = [
    ("stock: 2", "stock: 2, lease: 1s"),
    (
        "truth:",
        "    - { name: cancel, post: /cancel, outcomes: { released: 200 } }\ntruth:",
    ),
];

/// A sale in which nothing comes back, and one in which coupons do.
static PLANS: LazyLock<[Plan; 2]> = LazyLock::new(|| {
    let plan = |text: &str| {
        let plan = plan::load("x.yaml", text, &Overrides::default(), &|_| None);
        plan.expect("a valid scenario")
    };
    let releases = RELEASES
        .iter()
        .fold(SCENARIO.to_owned(), |text, (from, to)| {
            text.replacen(from, to, 1)
        });
    [plan(SCENARIO), plan(&releases)]
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(operations) = operations_of(bytes) else {
        return;
    };
    let operations: io::Result<Vec<Operation>> = operations.collect();
    let Ok(operations) = operations else { return };
    assert!(
        operations.len() * Operation::SIZE <= bytes.len(),
        "more than there is"
    );

    // The first users hold what the rows say, and so does somebody whom the file may not know.
    let users = operations
        .iter()
        .take(3)
        .filter_map(|one| one.user.number());
    let row = |user: u64| IssuedRow {
        user: user.to_string(),
        id: None,
        created_us: None,
        grain_us: None,
    };
    let observations = Observations {
        baseline: Some(IssuedRead::default()),
        last: Some(IssuedRead {
            at_ns: 0,
            rows: users.chain([7]).map(row).collect(),
        }),
        settled: Some(Settled::Quiet),
        ..Observations::default()
    };
    for plan in PLANS.iter() {
        let findings = check(&Evidence {
            plan,
            history: &operations,
            observations: &observations,
            faults: &[],
            gap: None,
        });
        assert_eq!(
            findings.expect("it is in memory").len(),
            plan.invariants.len()
        );
    }
});
