//! The provider `embedded`: Kafka as the mock cluster of librdkafka, in a process of this program.
//!
//! Its brokers speak the protocol on the loopback address, and end with the harness however that
//! ends. They keep everything in memory, and of each partition only the newest events.

mod mock;

use std::io;
use std::iter;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

pub use self::mock::be_kafka;
use super::NotReady;
use super::cluster;
use super::outside::Figures;
use crate::plan::{Process, Stack};

/// How long the brokers may take to be there, and to do what they are told.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// How long they may take to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// The running brokers. What is dropped without being stopped ends by itself.
#[derive(Debug)]
pub(super) struct Services {
    bootstrap: String,
    brokers: Vec<Arc<Broker>>,
    process: Arc<Mutex<Brokers>>,
    pid: Option<u32>,
}

/// The process of all brokers.
#[derive(Debug)]
struct Brokers {
    child: Child,
    /// Its end is the sign to stop.
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

/// One broker, which can be taken down and up again at its address.
#[derive(Debug)]
pub(super) struct Broker {
    name: String,
    /// From 1, as the mock counts them.
    number: u16,
    port: u16,
    process: Arc<Mutex<Brokers>>,
}

impl Services {
    /// Brokers that answer, and the topic of the events.
    pub(super) async fn start(stack: &Stack) -> Result<Self, NotReady> {
        let mut process = Brokers::start(stack)?;
        let pid = process.child.id();
        let bootstrap = process.answer().await;
        let bootstrap = bootstrap.map_err(|problem| NotReady::Service {
            service: "kafka".to_owned(),
            problem,
            log: String::new(),
        })?;
        let process = Arc::new(Mutex::new(process));
        Ok(Self {
            brokers: brokers_of(&bootstrap, &process)?,
            bootstrap,
            process,
            pid,
        })
    }

    /// Where a client of Kafka begins: the address of each broker, separated by commas.
    pub(super) fn kafka(&self) -> &str {
        &self.bootstrap
    }

    /// Each broker, in their order.
    pub(super) fn brokers(&self) -> &[Arc<Broker>] {
        &self.brokers
    }

    /// The process of all brokers, called after the first, and how far the issuers are behind.
    pub(super) fn outside(&self) -> Vec<Figures> {
        let process = self.pid.map(Process::Pid);
        cluster::figures(self.kafka(), iter::once(process))
    }

    pub(super) async fn stop(self) {
        let mut process = self.process.lock().await;
        drop(process.orders.take());
        if timeout(END_WITHIN, process.child.wait()).await.is_err() {
            // It is gone already if this fails.
            let _ = process.child.kill().await;
        }
    }
}

/// The mock lists its brokers in their order.
fn brokers_of(
    bootstrap: &str,
    process: &Arc<Mutex<Brokers>>,
) -> Result<Vec<Arc<Broker>>, NotReady> {
    let broker = |(address, number): (&str, u16)| {
        let port = address.rsplit(':').next()?.parse().ok()?;
        Some(Arc::new(Broker {
            name: format!("kafka-{number}"),
            number,
            port,
            process: Arc::clone(process),
        }))
    };
    let brokers = bootstrap.split(',').zip(1..).map(broker);
    let brokers: Option<Vec<_>> = brokers.collect();
    brokers.ok_or_else(|| {
        let words = format!("the mock of Kafka says that it is at {bootstrap:?}");
        NotReady::Io(io::Error::other(words))
    })
}

impl Brokers {
    fn start(stack: &Stack) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["mock-kafka", "--brokers", &stack.kafka.to_string()])
            .args(["--partitions", &stack.partitions().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            // A Ctrl-C in the terminal is for the harness, which ends its services in its own time.
            .process_group(0);
        let mut child = command.spawn()?;
        let orders = child.stdin.take();
        let stdout = child.stdout.take();
        let stdout = stdout.ok_or_else(|| io::Error::other("no stdout"))?;
        Ok(Self {
            child,
            orders,
            answers: BufReader::new(stdout).lines(),
        })
    }

    /// Its next line.
    async fn answer(&mut self) -> Result<String, String> {
        match timeout(ANSWER_WITHIN, self.answers.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err("it has ended".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("not within {} s", ANSWER_WITHIN.as_secs())),
        }
    }

    async fn order(&mut self, order: &str) -> Result<(), String> {
        let orders = self.orders.as_mut().ok_or("it does not run")?;
        let given = orders.write_all(format!("{order}\n").as_bytes()).await;
        given.map_err(|error| error.to_string())?;
        match self.answer().await? {
            done if done == mock::DONE => Ok(()),
            problem => Err(problem),
        }
    }
}

impl Broker {
    /// As errors and figures call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// As a client takes it.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Asks it once whether it answers.
    ///
    /// # Errors
    /// In words, when it does not.
    pub(super) async fn ask(&self) -> Result<(), String> {
        cluster::answers(self.port).await
    }

    /// It closes its connections, and takes no more.
    ///
    /// # Errors
    /// In words, when the mock is gone.
    pub(super) async fn down(&self) -> Result<(), String> {
        self.order("down").await
    }

    /// It takes connections again.
    ///
    /// # Errors
    /// In words, when the mock is gone.
    pub(super) async fn up(&self) -> Result<(), String> {
        self.order("up").await
    }

    async fn order(&self, what: &str) -> Result<(), String> {
        let order = format!("{what} {}", self.number);
        self.process.lock().await.order(&order).await
    }
}
