//! What the executors' crew promises, in paused time.

use std::cell::Cell;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use super::crew::Crew;
use super::{Alarm, Gate, Stop};

const SECOND: Duration = Duration::from_secs(1);

/// Says when it ends, in whatever way.
struct Ends(Rc<Cell<u32>>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn crew() -> (Crew, watch::Receiver<Stop>) {
    let (stop, seen) = watch::channel(Stop::No);
    (Crew::new(&Alarm::new(stop)), seen)
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_stops_the_load_and_is_not_forgotten() {
    let (mut crew, mut stop) = crew();
    let local = LocalSet::new();
    let ended = Rc::new(Cell::new(0));
    let others = Rc::clone(&ended);
    let run = local.run_until(async {
        crew.spawn(async move {
            let _ends = Ends(others);
            pending::<()>().await;
        });
        crew.spawn(async {
            sleep(SECOND).await;
            panic!("a promise broke");
        });
        crew.finish(100 * SECOND, &mut stop).await;
    });
    let begin = Instant::now();
    let panic = AssertUnwindSafe(run).catch_unwind().await;
    let panic = panic.expect_err("the panic goes on");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a promise broke"));
    assert_eq!((ended.get(), begin.elapsed().as_secs()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_has_panicked_long_ago_is_not_forgotten_either() {
    let (mut crew, stop) = crew();
    let local = LocalSet::new();
    let run = local.run_until(async move {
        crew.spawn(async { panic!("early") });
        sleep(SECOND).await;
        crew.spawn(async {});
        sleep(SECOND).await;
        crew.cut().await;
    });
    let panic = AssertUnwindSafe(run).catch_unwind().await;
    assert!(panic.is_err());
    assert_eq!(*stop.borrow(), Stop::AtOnce);
}

#[tokio::test(start_paused = true)]
async fn no_task_outlives_its_crew() {
    let (mut crew, mut stop) = crew();
    let ended = Rc::new(Cell::new(0));
    let local = LocalSet::new();
    let begin = Instant::now();
    local
        .run_until(async {
            for seconds in [1, 2, 30] {
                let ends = Ends(Rc::clone(&ended));
                crew.spawn(async move {
                    let _ends = ends;
                    sleep(seconds * SECOND).await;
                });
            }
            crew.finish(3 * SECOND, &mut stop).await;
        })
        .await;
    assert_eq!((ended.get(), begin.elapsed().as_secs()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn the_gate_opens_for_all_at_one_instant_when_the_last_is_ready() {
    let gate = Gate::new(3);
    let late = |seconds: u32| {
        let gate = &gate;
        async move {
            sleep(seconds * SECOND).await;
            gate.ready().await
        }
    };
    let (one, two, three) = tokio::join!(late(0), late(5), late(2));
    assert!(one.is_some() && one == two && two == three);
    assert!(one.expect("open") >= Instant::now());
}
