//! The process of Goose: takes its orders from stdin, ends with it, and tells what it measures on what
//! was its stdout. Goose itself prints to nowhere.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{dup2_stderr, dup2_stdout};
use tokio::sync::{oneshot, watch};

use super::frame::{Ended, Frame, Taken};
use super::orders::Orders;
use super::{AT_ONCE, GRACEFULLY};
use crate::load::goose::{CpuTime, attack};
use crate::load::{Batch, Job, RunClock, Stop};
use crate::run::machine;

/// Batches that may wait for the harness: when it does not take them, operations wait in the recorder,
/// and what is too much there is counted as lost.
const WAITING_BATCHES: usize = 64;

/// Is the Goose of a run until its load is over, or nobody is there any more who wants it.
///
/// # Errors
/// When it cannot take its orders, or nobody can be told what came of them.
pub fn be_goose() -> io::Result<()> {
    let mut told = own_stdout()?;
    // The harness, whose limits these are, has asked for what the plan needs.
    machine::raise_file_limit(0);
    let mut lines = BufReader::new(io::stdin());
    let mut line = String::new();
    lines.read_line(&mut line)?;
    let orders: Orders = serde_json::from_str(&line)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(orders.threads.max(1)).enable_all();
    let runtime = runtime.build()?;
    let ended = runtime.block_on(run(&orders, lines, &mut told));
    // What Goose has left waiting need not come to its end.
    runtime.shutdown_background();
    Frame::Ended(ended?).write(&mut told)?;
    told.flush()
}

/// What is written to from here on is not what Goose prints to.
fn own_stdout() -> io::Result<BufWriter<File>> {
    let told = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    let nowhere = open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdout(&nowhere)?;
    dup2_stderr(&nowhere)?;
    Ok(BufWriter::new(File::from(told)))
}

/// What the harness says while the load is on.
struct Heard {
    start: oneshot::Receiver<u64>,
    stop: watch::Receiver<Stop>,
    /// Comes when nobody holds the other end any more.
    alone: oneshot::Receiver<()>,
}

async fn run(
    orders: &Orders,
    lines: BufReader<io::Stdin>,
    told: &mut BufWriter<File>,
) -> io::Result<Ended> {
    let heard = listen(lines)?;
    let (sink, batches) = sync_channel(WAITING_BATCHES);
    let job = match prepared(orders).await {
        Ok((plan, endpoints)) => Job {
            plan: Arc::new(plan),
            clock: RunClock::of_parent(orders.clock),
            endpoints: endpoints.into(),
            sink,
            slots: orders.slots.as_slice().into(),
            records: None,
            next_place: Arc::new(AtomicU64::new(0)),
        },
        Err(failure) => {
            return Ok(Ended {
                places_taken: 0,
                failure: Some(failure),
            });
        }
    };
    Frame::Ready.write(told)?;
    told.flush()?;
    let places = Arc::clone(&job.next_place);
    let Heard { start, stop, alone } = heard;
    let Ok(start_ns) = start.await else {
        // The harness has gone before its load began.
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let writer = tell(batches, told.get_ref().try_clone()?)?;
    let threads = orders.threads.max(1) as u64;
    // Goose's users move between its threads, so each has had its part.
    let cpu: CpuTime = Arc::new(move || machine::process_cpu_ns() / threads);
    let attacked = tokio::select! {
        attacked = attack(job, start_ns, stop, cpu) => attacked,
        _ = alone => return Err(io::ErrorKind::BrokenPipe.into()),
    };
    // The writer comes to its end with the last sums, or without a sender.
    let written = tokio::task::spawn_blocking(move || writer.join()).await;
    let written = written.map(|written| written.unwrap_or_else(|_| Err(panicked())));
    written.unwrap_or_else(|_| Err(panicked()))?;
    Ok(Ended {
        places_taken: places.load(Ordering::Relaxed),
        failure: attacked.err().map(|error| error.to_string()),
    })
}

fn panicked() -> io::Error {
    io::Error::other("the writer panicked")
}

async fn prepared(
    orders: &Orders,
) -> Result<(crate::plan::Plan, Vec<crate::load::http::Endpoint>), String> {
    let plan = orders.plan()?;
    Ok((plan, orders.endpoints().await?))
}

/// A plain thread: a runtime would wait for a line that never comes.
fn listen(lines: BufReader<io::Stdin>) -> io::Result<Heard> {
    let (starting, start) = oneshot::channel();
    let (stopping, stop) = watch::channel(Stop::No);
    let (gone, alone) = oneshot::channel();
    let hear = move || {
        let mut starting = Some(starting);
        for line in lines.lines().map_while(Result::ok) {
            let word = line.trim();
            if let (Ok(at_ns), Some(starting)) = (word.parse(), starting.take()) {
                let _ = starting.send(at_ns);
            } else if word == GRACEFULLY {
                stopping.send_modify(|stop| *stop = Stop::Gracefully.max(*stop));
            } else if word == AT_ONCE {
                stopping.send_replace(Stop::AtOnce);
            }
        }
        // Whoever waits for one of them learns that nobody is there.
        drop((starting, stopping));
        let _ = gone.send(());
    };
    std::thread::Builder::new()
        .name("orders".to_owned())
        .spawn(hear)?;
    Ok(Heard { start, stop, alone })
}

/// Writes what is measured, on a thread of its own: a pipe that is full holds nobody else up.
fn tell(batches: Receiver<Batch>, out: File) -> io::Result<JoinHandle<io::Result<()>>> {
    let write = move || {
        let mut out = BufWriter::new(out);
        for batch in batches {
            let taken = Taken {
                cpu_ns: machine::process_cpu_ns(),
                resident_bytes: machine::resident_bytes(),
            };
            // Who holds a sender longer than the load does is not waited for.
            let is_last = matches!(&batch, Batch::Second(sums) if sums.last);
            Frame::of(batch, taken).write(&mut out)?;
            out.flush()?;
            if is_last {
                break;
            }
        }
        Ok(())
    };
    std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(write)
}
