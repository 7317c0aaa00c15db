//! The provider `embedded`: Kafka as the mock cluster of librdkafka, in a thread of this process.
//!
//! Its brokers speak the protocol on the loopback address, and end with the process however that
//! ends. They keep everything in memory, and of each partition only the newest events.

use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tokio::sync::oneshot;

use super::NotReady;
use super::cluster;
use super::outside::Figures;
use super::settings::KAFKA_TOPIC;
use crate::plan::Stack;

/// Orders that may wait; one more is refused.
const ORDERS: usize = 16;

/// The running brokers.
#[derive(Debug)]
pub(super) struct Services {
    bootstrap: String,
    brokers: Vec<Arc<Broker>>,
    orders: mpsc::SyncSender<Order>,
    /// The handle of the brokers must stay in one thread.
    thread: Option<JoinHandle<()>>,
}

/// One broker, which can be taken down and up again at its address.
#[derive(Debug)]
pub(super) struct Broker {
    name: String,
    /// From 1, as the mock counts them.
    id: i32,
    port: u16,
    orders: mpsc::SyncSender<Order>,
}

/// What the thread of the brokers is told.
#[derive(Debug)]
enum Order {
    /// One of them closes its connections, and takes no more until it is up again.
    Turn {
        id: i32,
        up: bool,
        done: oneshot::Sender<Result<(), String>>,
    },
    /// All of them end.
    End,
}

type Cluster = MockCluster<'static, DefaultProducerContext>;

impl Services {
    /// Brokers that answer, and the topic of the events: the mock lets no client make one.
    pub(super) fn start(stack: &Stack) -> Result<Self, NotReady> {
        let (brokers, partitions) = (stack.kafka.into(), stack.partitions().into());
        let start = move || {
            let cluster = MockCluster::new(brokers)?;
            cluster.create_topic(KAFKA_TOPIC, partitions, brokers)?;
            Ok::<_, KafkaError>(cluster)
        };
        let (orders, taken) = mpsc::sync_channel(ORDERS);
        let (say, said) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("kafka".to_owned());
        let thread = thread.spawn(move || match start() {
            Ok(cluster) => {
                // Nobody waits for it any more if this fails.
                let _ = say.send(Ok(cluster.bootstrap_servers()));
                obey(&cluster, &taken);
            }
            Err(error) => drop(say.send(Err(error.to_string()))),
        })?;
        let bootstrap = said.recv().map_err(|_| ended())?;
        let bootstrap = bootstrap.map_err(|problem| NotReady::Service {
            service: "kafka".to_owned(),
            problem,
            log: String::new(),
        })?;
        Ok(Self {
            brokers: brokers_of(&bootstrap, &orders)?,
            bootstrap,
            orders,
            thread: Some(thread),
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

    /// How far the issuers are behind. The brokers are no process of their own: what they use is in
    /// the figures of the harness.
    pub(super) fn outside(&self) -> Vec<Figures> {
        cluster::figures(self.kafka(), iter::once(None))
    }
}

impl Drop for Services {
    /// The brokers are gone when this returns.
    fn drop(&mut self) {
        // The thread has ended if one of these fails.
        let _ = self.orders.send(Order::End);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The mock lists its brokers in their order.
fn brokers_of(
    bootstrap: &str,
    orders: &mpsc::SyncSender<Order>,
) -> Result<Vec<Arc<Broker>>, NotReady> {
    let broker = |(address, id): (&str, i32)| {
        let port = address.rsplit(':').next()?.parse().ok()?;
        Some(Arc::new(Broker {
            name: format!("kafka-{id}"),
            id,
            port,
            orders: orders.clone(),
        }))
    };
    let brokers = bootstrap.split(',').zip(1..).map(broker);
    let brokers: Option<Vec<_>> = brokers.collect();
    brokers.ok_or_else(|| {
        let words = format!("the mock of Kafka has the addresses {bootstrap}, one without a port");
        NotReady::Io(io::Error::other(words))
    })
}

/// Until the end is ordered, or nobody can order any more.
fn obey(cluster: &Cluster, orders: &mpsc::Receiver<Order>) {
    while let Ok(Order::Turn { id, up, done }) = orders.recv() {
        let turned = if up {
            cluster.broker_up(id)
        } else {
            cluster.broker_down(id)
        };
        // Who has ordered it may be gone.
        let _ = done.send(turned.map_err(|error| error.to_string()));
    }
}

fn ended() -> io::Error {
    io::Error::other("the thread of the mock of Kafka has ended")
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
        self.turn(false).await
    }

    /// It takes connections again.
    ///
    /// # Errors
    /// In words, when the mock is gone.
    pub(super) async fn up(&self) -> Result<(), String> {
        self.turn(true).await
    }

    async fn turn(&self, up: bool) -> Result<(), String> {
        let (done, turned) = oneshot::channel();
        let order = Order::Turn {
            id: self.id,
            up,
            done,
        };
        // One for each broker at most: two faults never meet the same one at the same time.
        let ordered = self.orders.try_send(order);
        ordered.map_err(|error| format!("the mock of Kafka takes no order: {error}"))?;
        turned.await.map_err(|_| ended().to_string())?
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

    use super::*;
    use crate::plan::{KEPT_BY_MOCK, Overrides, Target, load};

    const LIMIT: Duration = Duration::from_mins(1);

    fn services(kafka: &str) -> Services {
        let text = format!(
            "name: case\n\
             target: {{ stack: {{ server: {{ strategy: memory-kafka, {kafka} }} }} }}\n\
             subject: {{ coupon: {{ id: 1, stock: 10 }} }}\n\
             load: {{ a: {{ shared_iterations: {{ vus: 2, iterations: 100 }} }} }}\n\
             flows: {{ f: [ {{ post: /x, outcomes: {{ issued: 201, sold_out: 409 }} }} ] }}\n"
        );
        let plan = load("case.yaml", &text, &Overrides::default(), &|_| None);
        let Target::Stack(stack) = plan.expect("a plan").target else {
            panic!("no stack");
        };
        Services::start(&stack).expect("brokers")
    }

    fn client<T: rdkafka::config::FromClientConfig>(services: &Services) -> T {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", services.kafka());
        config.create().expect("a client")
    }

    /// Events of a partition that were thrown away after so many bytes in events of 1,000.
    fn thrown_away_after(bytes: usize) -> i64 {
        let services = services("kafka_partitions: 1");
        let producer: BaseProducer = client(&services);
        let payload = "x".repeat(1000);
        for _ in 0..bytes / payload.len() {
            let record = BaseRecord::<(), _>::to(KAFKA_TOPIC).payload(&payload);
            producer.send(record).expect("a place in the queue");
        }
        producer.flush(LIMIT).expect("all are there");
        let asker: BaseConsumer = client(&services);
        let (oldest, _) = asker.fetch_watermarks(KAFKA_TOPIC, 0, LIMIT).expect("two");
        oldest
    }

    #[test]
    fn a_partition_keeps_so_many_bytes_and_then_forgets_the_oldest() {
        assert!(thrown_away_after(KEPT_BY_MOCK + 1_000_000) > 0);
        assert_eq!(thrown_away_after(KEPT_BY_MOCK - 1_000_000), 0);
    }

    #[test]
    fn the_topic_has_as_many_partitions_as_the_scenario_says() {
        for (setting, partitions) in [("", 3), ("kafka_partitions: 7", 7)] {
            let services = services(setting);
            let asker: BaseConsumer = client(&services);
            let metadata = asker.fetch_metadata(Some(KAFKA_TOPIC), LIMIT).expect("it");
            assert_eq!(metadata.topics()[0].partitions().len(), partitions);
        }
    }
}
