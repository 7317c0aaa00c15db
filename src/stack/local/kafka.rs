//! Apache Kafka of this run: one broker or three in `KRaft` mode, each of which is a controller too.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all, try_join_all};
use tokio::time::timeout;

use super::kept::{Kept, Log};
use super::programs::KafkaBroker;
use super::service::{Failed, Kind, PORTS, Service, free_port, log_of, says_port_taken};
use crate::stack::cluster::{self, Cluster};
use crate::stack::log::last_lines;
use crate::stack::outside::Figures;
use crate::stack::{NotReady, settings};

/// How long the tool that makes a broker's directory may take.
const FORMAT_WITHIN: Duration = Duration::from_mins(1);

/// What follows from where it runs, beside [`Recipe::settings`].
const CONFIGURATION: &str = "# Made by fcfs-bench for one run.
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CLIENTS:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
";

/// To the service's log, which is its standard output.
const LOGGING: &str = "# Made by fcfs-bench for one run.
status = warn
# Its last lines are of its own end.
shutdownHook = disable
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
";

/// Beside the heap and the collector.
const JVM: [&str; 3] = [
    // Else a file for it stays in /tmp.
    "-XX:-UsePerfData",
    "-Djava.io.tmpdir=tmp",
    "-Dlog4j2.configurationFile=log4j2.properties",
];

/// All brokers, which answer.
#[derive(Debug)]
pub(super) struct Kafka {
    brokers: Vec<Arc<Service>>,
    /// Where those come in who are told another address.
    clients: Vec<u16>,
}

impl Kafka {
    /// Starts the brokers side by side: with three, none is ready before another one is.
    pub(super) async fn start(
        programs: &KafkaBroker,
        stack: &Path,
        brokers: u8,
        advertised: &[Option<u16>],
    ) -> Result<Self, NotReady> {
        let cluster = Cluster::new(brokers)?;
        let mut tried = 1;
        loop {
            let recipes = recipes(programs, stack, &cluster, advertised)?;
            let logs: Vec<_> = recipes
                .iter()
                .map(|recipe| log_of(&recipe.directory))
                .collect();
            try_join_all(recipes.iter().map(Recipe::format)).await?;
            let clients = recipes
                .iter()
                .map(|recipe| recipe.ports().clients)
                .collect();
            let started = recipes.into_iter().map(|recipe| {
                let port = recipe.ports().broker;
                Service::start_on(recipe, port)
            });
            match try_join_all(started).await {
                Err(failed) if tried < PORTS && is_of_ports(&failed, &logs) => tried += 1,
                started => {
                    let brokers = started?.into_iter().map(Arc::new).collect();
                    return Ok(Self { brokers, clients });
                }
            }
        }
    }

    /// As clients take it.
    pub(super) fn bootstrap(&self) -> String {
        cluster::bootstrap(self.brokers.iter().map(|broker| broker.port))
    }

    pub(super) fn services(&self) -> &[Arc<Service>] {
        &self.brokers
    }

    /// The ports of the listeners behind the advertised addresses.
    pub(super) fn client_ports(&self) -> &[u16] {
        &self.clients
    }

    pub(super) fn outside(&self) -> Vec<Figures> {
        let processes = self.brokers.iter().map(|broker| Some(broker.process()));
        cluster::figures(&self.bootstrap(), processes)
    }

    pub(super) async fn stop(self) {
        join_all(self.brokers.iter().map(|broker| broker.stop())).await;
    }
}

/// Whether another start with other ports may help. One broker that cannot have its port takes others
/// with it: they ask whoever has it, and some of his answers end them before the first one gives up.
fn is_of_ports(failed: &Failed, logs: &[PathBuf]) -> bool {
    matches!(failed, Failed::PortTaken(_)) || logs.iter().any(|log| says_port_taken(log))
}

/// Where one broker listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    /// For other brokers and for the harness, which ask this very broker.
    broker: u16,
    /// For those who come by another address than its own.
    clients: u16,
    controller: u16,
    /// That address, on this machine.
    advertised: Option<u16>,
}

/// How one broker is started.
struct Recipe {
    programs: KafkaBroker,
    cluster: Cluster,
    /// From 1.
    number: u8,
    name: String,
    /// Absolute.
    directory: PathBuf,
    /// Of all brokers, in their order.
    all: Vec<Ports>,
}

fn recipes(
    programs: &KafkaBroker,
    stack: &Path,
    cluster: &Cluster,
    advertised: &[Option<u16>],
) -> io::Result<Vec<Recipe>> {
    let ports = |number: u8| {
        Ok(Ports {
            broker: free_port()?,
            clients: free_port()?,
            controller: free_port()?,
            advertised: advertised.get(usize::from(number)).copied().flatten(),
        })
    };
    let all = (0..cluster.brokers)
        .map(ports)
        .collect::<io::Result<Vec<_>>>()?;
    let recipe = |number: u8| {
        let name = format!("kafka-{number}");
        let directory = stack.join(&name);
        fs::create_dir_all(directory.join("tmp"))?;
        fs::write(directory.join("log4j2.properties"), LOGGING)?;
        Ok(Recipe {
            programs: programs.clone(),
            cluster: cluster.clone(),
            number,
            name,
            directory,
            all: all.clone(),
        })
    };
    (1..=cluster.brokers).map(recipe).collect()
}

impl Ports {
    /// Where it listens, and what it tells others. Who asks on a listener is told the address of that
    /// listener, so those who come by the proxy stay with it.
    fn listeners(self) -> (String, String) {
        let Self {
            broker, clients, ..
        } = self;
        let own = format!("PLAINTEXT://127.0.0.1:{broker}");
        match self.advertised {
            None => (own.clone(), own),
            Some(advertised) => (
                format!("{own},CLIENTS://127.0.0.1:{clients}"),
                format!("{own},CLIENTS://127.0.0.1:{advertised}"),
            ),
        }
    }
}

impl Recipe {
    fn ports(&self) -> Ports {
        self.all[usize::from(self.number - 1)]
    }

    fn settings(&self) -> String {
        let Ports {
            broker, controller, ..
        } = self.ports();
        let (listeners, advertised) = self.ports().listeners();
        let voters = self.all.iter().zip(1..);
        let voters: Vec<_> = voters
            .map(|(ports, number)| format!("{number}@127.0.0.1:{}", ports.controller))
            .collect();
        let voters = voters.join(",");
        let (shared, replicas) = (settings::KAFKA, settings::replicas(self.cluster.brokers));
        format!(
            "{CONFIGURATION}
node.id={}
controller.quorum.voters={voters}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={advertised}
# A new one when other ports had to be taken.
log.dirs=data-{broker}

{shared}
{replicas}",
            self.number
        )
    }

    fn java(&self, options: &[&str], class: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![self.programs.java.clone().into()];
        let machine = settings::KAFKA_JVM.iter().chain(&JVM);
        words.extend(machine.chain(options).map(OsString::from));
        words.push("-cp".into());
        words.push(self.programs.libraries.join("*").into());
        words.push(class.into());
        words
    }

    /// Makes the directory of its data.
    async fn format(&self) -> Result<(), NotReady> {
        fs::write(self.directory.join("server.properties"), self.settings())?;
        // It lives too shortly for the better compiler.
        let mut words = self.java(&["-XX:TieredStopAtLevel=1"], "kafka.tools.StorageTool");
        let arguments = ["format", "-t", &self.cluster.id, "-c", "server.properties"];
        words.extend(arguments.map(OsString::from));
        let log = self.directory.join("format.log");
        let mut kept = Kept::start(&words, &self.directory, &log, Log::New)?;
        let problem = match timeout(FORMAT_WITHIN, kept.ended()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => problem,
            Err(_) => format!("not within {} s", FORMAT_WITHIN.as_secs()),
        };
        Err(NotReady::Service {
            service: self.name.clone(),
            problem: format!("its data directory could not be made: {problem}"),
            log: last_lines(&log),
        })
    }
}

impl Kind for Recipe {
    fn name(&self) -> &str {
        &self.name
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    /// The configuration is there since the directory was formatted by it.
    fn configure(&self, _: u16) -> io::Result<Vec<OsString>> {
        let mut words = self.java(&[], "kafka.Kafka");
        words.push("server.properties".into());
        Ok(words)
    }

    fn ask(&self, port: u16) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.cluster.ask(port))
    }

    fn hide(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_dies_because_another_one_has_no_port_is_started_again() {
        let directory = tempfile::tempdir().unwrap();
        let logs = ["one", "two"].map(|name| directory.path().join(name));
        fs::write(&logs[1], "java.lang.OutOfMemoryError: Java heap space").unwrap();
        let died = || Failed::from(io::Error::other("it ended with exit status: 1"));
        assert!(
            !is_of_ports(&died(), &logs),
            "its own trouble, and a log that is not there"
        );
        fs::write(&logs[0], "java.net.BindException: Address already in use").unwrap();
        assert!(is_of_ports(&died(), &logs));
    }
}
