//! What the engine needs to run a plan on a target of the test.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};

use fcfs_bench::load::http::Endpoint;
use fcfs_bench::load::{Batch, Job, RunClock};
use fcfs_bench::plan::{Plan, Target};

/// The job, and where what is measured arrives.
pub(crate) async fn job(plan: Plan) -> (Job, Receiver<Batch>) {
    let Target::Urls { urls, .. } = &plan.target else {
        panic!("the scenario has a url");
    };
    let endpoint = Endpoint::resolve(urls[0].clone(), false, &[]);
    let endpoint = endpoint.await.expect("an address");
    let (sink, batches) = sync_channel(1000);
    let job = Job {
        plan: Arc::new(plan),
        clock: RunClock::start(),
        endpoints: [endpoint].into(),
        sink,
        slots: Arc::default(),
        records: None,
        next_place: Arc::new(AtomicU64::new(0)),
    };
    (job, batches)
}
