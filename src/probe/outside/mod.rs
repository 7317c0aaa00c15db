//! Reads from outside what a load does to the systems behind it: once for each moment, with a limit
//! of time, so that a source that is silent costs its own figures and nothing else.

mod behind;
mod port;
mod proc;
mod process;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::behind::LagMeter;
pub(crate) use self::proc::started;
use self::process::ProcessMeter;
use super::error::{Fault, place};
use super::redis::InfoProbe;
use super::sql::StatusProbe;
use crate::measure::{Quantities, ResourceKind};
use crate::plan::{ConsumerGroup, Resource, ResourceOf};

/// The figures of one source, or why there are none; without the passwords of a url.
pub type Figures = Result<Quantities, String>;

/// What one source said.
#[derive(Debug)]
pub struct Answer {
    /// The source's name.
    pub source: String,
    /// Who knows its figures.
    pub kind: ResourceKind,
    /// The figures, or why there are none; without the passwords of a url.
    pub values: Figures,
    /// When it was there.
    pub at_ns: u64,
}

/// All sources of a run.
#[derive(Debug)]
pub struct Meters {
    processes: Processes,
    services: Vec<ServiceMeter>,
}

#[derive(Debug)]
struct ServiceMeter {
    name: String,
    kind: ResourceKind,
    place: String,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Sql(Box<StatusProbe>),
    Redis(Box<InfoProbe>),
    Kafka(Box<LagMeter>),
    /// The url is none.
    Never(Fault),
}

impl Access {
    fn sql(url: &str) -> Self {
        StatusProbe::new(url).map_or_else(Self::Never, |probe| Self::Sql(Box::new(probe)))
    }

    fn redis(url: &str) -> Self {
        InfoProbe::new(url).map_or_else(Self::Never, |probe| Self::Redis(Box::new(probe)))
    }

    fn kafka(of: &ConsumerGroup) -> Self {
        LagMeter::new(of).map_or_else(Self::Never, |meter| Self::Kafka(Box::new(meter)))
    }
}

impl Meters {
    /// Nothing is opened yet. Files of process ids are relative to `scenario`.
    pub fn new(resources: &[Resource], scenario: &Path) -> Self {
        let (mut processes, mut services) = (Vec::new(), Vec::new());
        for resource in resources {
            let (name, kind) = (resource.name.clone(), resource.of.kind());
            let (place, access) = match &resource.of {
                ResourceOf::Process(process) => {
                    processes.push(ProcessMeter::new(name, process, scenario));
                    continue;
                }
                ResourceOf::Sql(url) => (place(url.reveal()), Access::sql(url.reveal())),
                ResourceOf::Redis(url) => (place(url.reveal()), Access::redis(url.reveal())),
                ResourceOf::Kafka(of) => (of.brokers.clone(), Access::kafka(of)),
            };
            services.push(ServiceMeter {
                name,
                kind,
                place,
                access,
            });
        }
        Self {
            processes: Processes::new(processes),
            services,
        }
    }

    /// Asks those once that need longer for their first answer than for any other: a client of
    /// Kafka has to find the broker that knows its group.
    pub async fn connect(&mut self, limit: Duration) {
        let slow = self.services.iter_mut();
        let slow = slow.filter(|service| service.kind == ResourceKind::Kafka);
        // Whoever does not answer is a gap in the readings.
        join_all(slow.map(|service| service.read(limit, || 0))).await;
    }

    /// Keeps only the sources of this kind.
    pub fn retain(&mut self, kind: ResourceKind) {
        self.services.retain(|service| service.kind == kind);
        if kind != ResourceKind::Process {
            self.processes = Processes::new(Vec::new());
        }
    }

    /// Asks all sources side by side, each for at most `limit`.
    pub async fn read(&mut self, limit: Duration, now_ns: impl Fn() -> u64) -> Vec<Answer> {
        let now_ns = &now_ns;
        let services = self.services.iter_mut();
        let services = services.map(|service| service.read(limit, now_ns));
        let processes = self.processes.read(limit, now_ns);
        let (mut all, services) = futures_util::future::join(processes, join_all(services)).await;
        all.extend(services);
        all
    }
}

impl ServiceMeter {
    async fn read(&mut self, limit: Duration, now_ns: impl Fn() -> u64) -> Answer {
        let asking = async {
            match &mut self.access {
                Access::Sql(probe) => probe.read().await,
                Access::Redis(probe) => probe.read().await,
                Access::Kafka(meter) => meter.read().await,
                Access::Never(fault) => Err(fault.clone()),
            }
        };
        let values = timeout(limit, asking).await;
        let values = values.unwrap_or_else(|_| Err(Fault::lost(silent(limit))));
        Answer {
            source: self.name.clone(),
            kind: self.kind,
            at_ns: now_ns(),
            values: values.map_err(|fault| fault.at(&self.place).to_string()),
        }
    }
}

fn silent(limit: Duration) -> String {
    format!("no answer within {} ms", limit.as_millis())
}

/// All processes of a run.
#[derive(Debug)]
struct Processes {
    /// Shared with the thread that looks at them: `/proc` knows no waiting without blocking.
    meters: Arc<Mutex<Vec<ProcessMeter>>>,
    names: Vec<String>,
    /// A look that was given up before it was over: there is never more than one.
    looking: Option<JoinHandle<Vec<Figures>>>,
}

impl Processes {
    fn new(meters: Vec<ProcessMeter>) -> Self {
        Self {
            names: meters.iter().map(|meter| meter.name.clone()).collect(),
            meters: Arc::new(Mutex::new(meters)),
            looking: None,
        }
    }

    async fn read(&mut self, limit: Duration, now_ns: &impl Fn() -> u64) -> Vec<Answer> {
        let looked = timeout(limit, self.look()).await.unwrap_or_default();
        let at_ns = now_ns();
        let mut looked = looked.into_iter();
        let answer = |name: &String| Answer {
            source: name.clone(),
            kind: ResourceKind::Process,
            values: looked.next().unwrap_or_else(|| Err(silent(limit))),
            at_ns,
        };
        self.names.iter().map(answer).collect()
    }

    async fn look(&mut self) -> Vec<Figures> {
        if let Some(last) = &mut self.looking {
            // What it saw is of a moment that has passed.
            let _ = last.await;
        }
        let meters = Arc::clone(&self.meters);
        let looking = self.looking.insert(tokio::task::spawn_blocking(move || {
            let mut meters = meters.lock().unwrap_or_else(PoisonError::into_inner);
            process::read_all(&mut meters)
        }));
        let looked = looking.await.unwrap_or_default();
        self.looking = None;
        looked
    }
}
