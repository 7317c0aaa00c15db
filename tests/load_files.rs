//! Load threads with open files of their own: they hear the stop and are heard, their connections are
//! not in the table of the process, and they leave nothing in it. The only test here, since it counts
//! what its process has open.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/job.rs"]
mod job;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::time::Duration;

use fcfs_bench::load::{Batch, Engine, Files, Stop};
use fcfs_bench::plan::{Overrides, load};
use job::job;
use target::{Reply, Target};

const VUS: usize = 40;

/// Whoever is asleep has to be woken from outside.
const SCENARIO: &str = r#"
name: files
target: { url: "{url}" }
load: { all: { graceful_stop: 100ms, constant_vus: { vus: 40, for: 10m } } }
flows:
  ask: [ { post: /issue, outcomes: { issued: { status: 201 } } }, { think: 10m } ]
"#;

/// How many files of the process are of this kind.
fn open(kind: &str) -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    links
        .filter(|link| link.to_string_lossy().starts_with(kind))
        .count()
}

/// What a runtime waits and is woken by.
fn of_runtimes() -> usize {
    open("anon_inode:[event")
}

/// Sockets of the process while all VUs are connected; both ends of a connection are here.
async fn sockets_under_load(files: Files, stop: Stop) -> usize {
    let target = Target::start(|_| Reply::issued());
    let text = SCENARIO.replace("{url}", &target.url());
    let plan = load("files.yaml", &text, &Overrides::default(), &|_| None).unwrap();
    let (job, batches) = job(plan).await;
    let before = of_runtimes();
    let mut engine = Engine::start(&job, 3, files, 0).unwrap();
    while target.seen().len() < VUS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sockets = open("socket:");
    engine.stop(stop);
    let ended = tokio::time::timeout(Duration::from_mins(1), engine.ended());
    ended.await.expect("all of them hear it, and are heard");
    engine.join().unwrap();
    assert_eq!(of_runtimes(), before, "{files:?}");
    let operations = batches.try_iter().map(|batch| match batch {
        Batch::Operations(operations, _) => operations.len(),
        Batch::Second(_) => 0,
    });
    assert_eq!(operations.sum::<usize>(), VUS, "{files:?}");
    sockets
}

#[tokio::test]
async fn connections_of_load_threads_need_no_place_in_the_table_of_the_process() {
    for stop in [Stop::Gracefully, Stop::AtOnce] {
        let together = sockets_under_load(Files::OfProcess, stop).await;
        let apart = sockets_under_load(Files::OfThread, stop).await;
        assert_eq!(together - apart, VUS, "{stop:?}: {together} and {apart}");
    }
}
