//! Apache Kafka of this run: one broker or three in `KRaft` mode, each of which is a controller too.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{join_all, try_join_all};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::timeout;

use super::kept::Kept;
use super::programs::KafkaBroker;
use super::service::{Failed, Kind, PORTS, Service, free_port};
use crate::plan::{ConsumerGroup, Process, ResourceOf};
use crate::stack::NotReady;
use crate::stack::log::last_lines;
use crate::stack::outside::Figures;
use crate::stack::settings::{KAFKA_GROUP, KAFKA_TOPIC};

/// How long the tool that makes a broker's directory may take.
const FORMAT_WITHIN: Duration = Duration::from_mins(1);

/// How long a broker may take to answer one question.
const ANSWER_WITHIN: Duration = Duration::from_millis(1500);

/// Beside those of [`Recipe::settings`].
const CONFIGURATION: &str = "# Made by fcfs-bench for one run.
process.roles=broker,controller
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT

# A client makes its topics on purpose; one with a wrong name should fail.
auto.create.topics.enable=false
num.partitions=3

# A run is short and has few consumers: the topics of the cluster itself are made at its beginning.
offsets.topic.num.partitions=3
transaction.state.log.num.partitions=3
group.initial.rebalance.delay.ms=0

# All of them stop at once, and the last one would wait for the others to let it go.
controlled.shutdown.enable=false

# The usual buffer is half of the heap.
log.cleaner.dedupe.buffer.size=4194304

# Not synced to the disk at each message, as Kafka is usually run: a killed process loses nothing, a
# machine without power what its replicas do not have.
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

/// A heap that a broker of a run needs, and a collector without threads of its own.
const JVM: [&str; 6] = [
    "-Xms256m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    // Else a file for it stays in /tmp.
    "-XX:-UsePerfData",
    "-Djava.io.tmpdir=tmp",
    "-Dlog4j2.configurationFile=log4j2.properties",
];

/// All brokers, which answer.
#[derive(Debug)]
pub(super) struct Kafka(Vec<Service>);

impl Kafka {
    /// Starts the brokers side by side: with three, none is ready before another one is.
    pub(super) async fn start(
        programs: &KafkaBroker,
        stack: &Path,
        brokers: u8,
    ) -> Result<Self, NotReady> {
        let cluster = cluster_id()?;
        let mut tried = 1;
        loop {
            let recipes = recipes(programs, stack, &cluster, brokers)?;
            try_join_all(recipes.iter().map(Recipe::format)).await?;
            let started = recipes
                .iter()
                .map(|recipe| Service::start_on(recipe, recipe.ports().broker));
            match try_join_all(started).await {
                Err(Failed::PortTaken(_)) if tried < PORTS => tried += 1,
                started => return Ok(Self(started?)),
            }
        }
    }

    /// As clients take it.
    pub(super) fn bootstrap(&self) -> String {
        let ports = self.0.iter().map(|broker| broker.port);
        let addresses: Vec<_> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        addresses.join(",")
    }

    /// Each broker as a process; the first also says how far the issuers are behind.
    pub(super) fn outside(&self) -> impl Iterator<Item = Figures> {
        let brokers = self.bootstrap();
        self.0.iter().zip(1..).map(move |(broker, number)| {
            let group = || ConsumerGroup {
                brokers: brokers.clone(),
                group: KAFKA_GROUP.to_owned(),
                topic: KAFKA_TOPIC.to_owned(),
            };
            Figures {
                name: format!("kafka-{number}"),
                process: broker.keeper().map(Process::ChildOf),
                of: (number == 1).then(|| ResourceOf::Kafka(group())),
            }
        })
    }

    pub(super) async fn stop(self) {
        join_all(self.0.into_iter().map(Service::stop)).await;
    }
}

/// Where one broker listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    broker: u16,
    controller: u16,
}

/// How one broker is started.
struct Recipe {
    programs: KafkaBroker,
    cluster: String,
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
    cluster: &str,
    brokers: u8,
) -> io::Result<Vec<Recipe>> {
    let ports = |_| {
        Ok(Ports {
            broker: free_port()?,
            controller: free_port()?,
        })
    };
    let all = (0..brokers).map(ports).collect::<io::Result<Vec<_>>>()?;
    let recipe = |number: u8| {
        let name = format!("kafka-{number}");
        let directory = stack.join(&name);
        fs::create_dir_all(directory.join("tmp"))?;
        fs::write(directory.join("log4j2.properties"), LOGGING)?;
        Ok(Recipe {
            programs: programs.clone(),
            cluster: cluster.to_owned(),
            number,
            name,
            directory,
            all: all.clone(),
        })
    };
    (1..=brokers).map(recipe).collect()
}

impl Recipe {
    fn ports(&self) -> Ports {
        self.all[usize::from(self.number - 1)]
    }

    fn settings(&self) -> String {
        let Ports { broker, controller } = self.ports();
        let replicas = self.all.len();
        // With three, one of them may be gone.
        let in_sync = if replicas >= 3 { 2 } else { 1 };
        let voters = self.all.iter().zip(1..);
        let voters: Vec<_> = voters
            .map(|(ports, number)| format!("{number}@127.0.0.1:{}", ports.controller))
            .collect();
        let voters = voters.join(",");
        format!(
            "{CONFIGURATION}
node.id={}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
# A new one when other ports had to be taken.
log.dirs=data-{broker}
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
",
            self.number
        )
    }

    fn java(&self, options: &[&str], class: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![self.programs.java.clone().into()];
        words.extend(JVM.iter().chain(options).map(OsString::from));
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
        let arguments = ["format", "-t", &self.cluster, "-c", "server.properties"];
        words.extend(arguments.map(OsString::from));
        let log = self.directory.join("format.log");
        let mut kept = Kept::start(&words, &self.directory, &log)?;
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

    /// Nobody else knows the cluster's id, and a broker lists the others when all have registered.
    async fn ask(&self, port: u16) -> Result<(), String> {
        let (cluster, brokers) = (self.cluster.clone(), self.all.len());
        let asked = tokio::task::spawn_blocking(move || look(port));
        let (found, there) = asked.await.map_err(|error| error.to_string())??;
        if found.as_ref() != Some(&cluster) {
            return Err("another Kafka answers".to_owned());
        }
        if there != brokers {
            return Err(format!("{there} of {brokers} brokers are there"));
        }
        Ok(())
    }

    fn hide(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// The cluster's id and its number of brokers, as the one on this port knows them.
fn look(port: u16) -> Result<(Option<String>, usize), String> {
    let words = |error: rdkafka::error::KafkaError| error.to_string();
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", format!("127.0.0.1:{port}"))
        .create()
        .map_err(words)?;
    let metadata = client.fetch_metadata(None, ANSWER_WITHIN).map_err(words)?;
    // Known since the answer before.
    let cluster = client.client().fetch_cluster_id(ANSWER_WITHIN);
    Ok((cluster, metadata.brokers().len()))
}

/// 16 random bytes, written as Kafka does.
fn cluster_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    // The tool takes one that begins with a hyphen for an option.
    bytes[0] &= 0x7f;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
