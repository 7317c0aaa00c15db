//! `engine: goose`, the side of the harness: Goose runs in a process of its own, and what it measures
//! comes through a pipe to the same collector.
//!
//! ```text
//! harness ──stdin: orders, start, stop──> goose-load ──stdout: frames──> reader ──> collector
//! ```
//! The process ends with its stdin, so it does not outlive a harness that was killed.

mod child;
mod frame;
mod orders;

use std::io::{self, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

pub use self::child::be_goose;
use self::frame::{Ended, Frame};
use self::orders::Orders;
use super::collector::OtherProcess;
use super::generator::Known;
use crate::load::{Batch, Job, Stop};

/// What the process is told to end before its time.
const GRACEFULLY: &str = "stop gracefully";
const AT_ONCE: &str = "stop at once";

/// How long the process may take to end when nothing is left for it to do.
const END_WITHIN: Duration = Duration::from_secs(5);

/// A process that has its orders and waits for the start. Dropped, it ends.
pub(super) struct Waiting {
    process: Process,
    orders: Orderly,
    frames: BufReader<ChildStdout>,
}

/// A load of Goose under way.
pub(super) struct GooseLoad {
    orders: Orderly,
    ended: mpsc::Receiver<()>,
    /// Until it is waited for.
    reader: Option<JoinHandle<io::Result<()>>>,
}

impl Drop for GooseLoad {
    fn drop(&mut self) {
        // Who gives the load up does not want it to go on without anybody.
        self.orders.close();
    }
}

/// The way to tell it something. Its end is the sign to end.
#[derive(Clone)]
struct Orderly(Arc<Mutex<Option<ChildStdin>>>);

impl Orderly {
    fn tell(&self, words: &str) -> io::Result<()> {
        let mut stdin = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stdin = stdin.as_mut();
        let stdin = stdin.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        writeln!(stdin, "{words}")?;
        stdin.flush()
    }

    fn close(&self) {
        let mut stdin = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(stdin.take());
    }
}

/// The child, which is waited for whatever happens.
struct Process(Child);

impl Process {
    /// Waits for its end, and kills it where it does not come.
    fn end(&mut self) -> io::Result<String> {
        let begun = Instant::now();
        while begun.elapsed() < END_WITHIN {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status.to_string());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.0.kill()?;
        Ok(self.0.wait()?.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Whoever has waited for it finds it gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Waiting {
    /// Starts the process, and waits until it has its plan.
    ///
    /// # Errors
    /// When it cannot be started, or refuses its orders.
    pub(super) async fn start(known: &Known<'_>) -> io::Result<Self> {
        let orders = serde_json::to_string(&Orders::of(known))?;
        let started = tokio::task::spawn_blocking(move || Self::with(&orders));
        started
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    fn with(orders: &str) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("goose-load")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A Ctrl-C in the terminal is for the harness, which stops its load in its own time.
            .process_group(0);
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut waiting = Self {
            process: Process(child),
            orders: Orderly(Arc::new(Mutex::new(stdin))),
            frames: BufReader::new(stdout.ok_or_else(|| io::Error::other("no stdout"))?),
        };
        waiting.orders.tell(orders)?;
        match Frame::read(&mut waiting.frames)? {
            Some(Frame::Ready) => Ok(waiting),
            Some(Frame::Ended(Ended {
                failure: Some(failure),
                ..
            })) => Err(io::Error::other(failure)),
            _ => Err(waiting.early()),
        }
    }

    fn early(&mut self) -> io::Error {
        self.orders.close();
        let status = self.process.end();
        let status = status.unwrap_or_else(|error| error.to_string());
        io::Error::other(format!("the process of Goose has ended early: {status}"))
    }

    /// Begins the load; time zero of it is `start_ns`. What is measured goes to the job's sink.
    ///
    /// # Errors
    /// When the process is gone, or a thread cannot be started.
    pub(super) fn begin(
        mut self,
        job: &Job,
        start_ns: u64,
        taken: Arc<OtherProcess>,
    ) -> io::Result<GooseLoad> {
        self.orders.tell(&start_ns.to_string())?;
        let orders = self.orders.clone();
        let (sink, places) = (job.sink.clone(), Arc::clone(&job.next_place));
        let (ending, ended) = mpsc::channel(1);
        let read = move || {
            // The channel closes when nothing comes any more, also after a panic.
            let _ending = ending;
            let ended = self.read(&sink, &taken)?;
            places.store(ended.places_taken, Ordering::Relaxed);
            ended.failure.map_or(Ok(()), |failure| {
                Err(io::Error::other(format!("Goose: {failure}")))
            })
        };
        let reader = std::thread::Builder::new()
            .name("goose".to_owned())
            .spawn(read)?;
        Ok(GooseLoad {
            orders,
            ended,
            reader: Some(reader),
        })
    }

    /// Hands over what comes until the process has said how it ended.
    fn read(&mut self, sink: &SyncSender<Batch>, taken: &OtherProcess) -> io::Result<Ended> {
        loop {
            let batch = match Frame::read(&mut self.frames) {
                Ok(Some(Frame::Operations(operations, beside))) => {
                    Batch::Operations(operations, beside)
                }
                Ok(Some(Frame::Second(sums, so_far))) => {
                    taken.set(so_far.cpu_ns, so_far.resident_bytes);
                    Batch::Second(sums)
                }
                Ok(Some(Frame::Ended(ended))) => {
                    self.orders.close();
                    self.process.end()?;
                    return Ok(ended);
                }
                Ok(Some(Frame::Ready) | None) => return Err(self.early()),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(self.early());
                }
                Err(error) => return Err(error),
            };
            // Without a collector the run has failed, which is said elsewhere.
            let _ = sink.send(batch);
        }
    }
}

impl GooseLoad {
    /// Asks the load to end before its time.
    pub(super) fn stop(&self, stop: Stop) {
        let words = match stop {
            Stop::No => return,
            Stop::Gracefully => GRACEFULLY,
            Stop::AtOnce => AT_ONCE,
        };
        // A process that is gone has ended.
        let _ = self.orders.tell(words);
    }

    /// Waits until nothing comes any more. May be cancelled and called again.
    pub(super) async fn ended(&mut self) {
        while self.ended.recv().await.is_some() {}
    }

    /// What the process said at its end.
    ///
    /// # Errors
    /// When it had no load, or not the one that was asked for.
    pub(super) fn join(mut self) -> io::Result<()> {
        let reader = self.reader.take();
        let panicked = |_| Err(io::Error::other("the reader of Goose panicked"));
        reader.map_or(Ok(()), |reader| reader.join().unwrap_or_else(panicked))
    }
}
