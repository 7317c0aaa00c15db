//! Writes the rows of published events and what follows from them: a consumer whose place in the topic moves on only behind
//! rows that are committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::bug::Bugs;
use crate::coupon::{CouponId, IssueError, UserCoupon};
use crate::kafka::{Lag, Member, Place, event};
use crate::queue::{self, Queue};
use crate::tables::{TableStock, Tables};

/// How long the batch in hand may take when the server stops. What is not written then stays in
/// Kafka, for the next issuer of the group.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How long a start waits for its part of the topic. The brokers give a killed issuer up after its
/// session, and then begin to share the topic out again.
const JOIN_LIMIT: Duration = Duration::from_secs(12);

/// How long leaving the group may take.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// Events of one transaction.
const BATCH: usize = 1000;

/// Between two tries, doubled each time up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What an issuer works on.
pub(crate) struct Work {
    pub(crate) place: Place,
    pub(crate) tables: Tables,
    pub(crate) stock: TableStock,
    pub(crate) bugs: Arc<Bugs>,
    /// The queue that users leave with their row.
    pub(crate) queue: Option<Arc<Queue>>,
    pub(crate) lag: Arc<Lag>,
}

/// The running issuer.
pub(crate) struct Issuer {
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
    lag: Arc<Lag>,
}

impl Issuer {
    /// Joins the group, and waits until it has a part of the topic, or the word that others have
    /// all of it: from then on rows follow their events without a pause.
    pub(crate) async fn start(work: Work) -> Result<Self, KafkaError> {
        let mut client = work.place.client();
        client
            .set("group.id", &work.place.group)
            .set("enable.auto.commit", "false")
            // An event of before the group's first day needs its row as well.
            .set("auto.offset.reset", "earliest")
            // The least that brokers take: the part of a killed issuer is soon another's.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500")
            // A broker wakes a reader who waits for a new event. The mock cluster of the library does
            // not, and lets him wait for as long as this.
            .set("fetch.wait.max.ms", "100");
        let (member, mut joined) = Member::new();
        let consumer: StreamConsumer<Member> = client.create_with_context(member)?;
        consumer.subscribe(&[&work.place.topic])?;
        let (stop, stopped) = watch::channel(false);
        let lag = Arc::clone(&work.lag);
        let task = tokio::spawn(run(consumer, work, stopped));
        if timeout(JOIN_LIMIT, joined.wait_for(|joined| *joined))
            .await
            .is_err()
        {
            tracing::warn!(event = "group_not_joined", "rows follow once it is");
        }
        Ok(Self {
            stop,
            task: Mutex::new(Some(task)),
            lag,
        })
    }

    /// Sets the gauges of what the group has not written yet.
    pub(crate) async fn measure_lag(&self) {
        self.lag.measure().await;
    }

    /// Finishes the batch in hand, and leaves the group.
    pub(crate) async fn stop(&self) {
        // Nobody listens when the task has ended.
        let _ = self.stop.send(true);
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(event = "issuer_failed", %error);
        }
    }
}

async fn run(consumer: StreamConsumer<Member>, work: Work, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let batch = tokio::select! {
            batch = gather(&consumer) => batch,
            // What was gathered is not committed, and read again.
            _ = stop.changed() => break,
        };
        if work.bugs.moves_on_before_the_rows() {
            commit(&consumer, &work.place.topic, &batch.next);
            work.bugs.remote_call().await;
        }
        let written = tokio::select! {
            () = work.work_off(&consumer, &batch) => true,
            () = too_long(&mut stop) => false,
        };
        if !written {
            tracing::warn!(event = "batch_left", rows = batch.rows.len());
            break;
        }
    }
    leave(consumer).await;
}

async fn too_long(stop: &mut watch::Receiver<bool>) {
    // An error means that the issuer was dropped, which is a wish to stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(STOP_LIMIT).await;
}

/// Events that were read, and where to go on in each partition.
#[derive(Default)]
struct Batch {
    rows: Vec<UserCoupon>,
    next: BTreeMap<i32, i64>,
}

/// Waits for one event, and takes with it what is there already.
async fn gather(consumer: &StreamConsumer<Member>) -> Batch {
    let mut batch = Batch::default();
    loop {
        match consumer.recv().await {
            Ok(message) => {
                batch.add(&message);
                break;
            }
            Err(error) => {
                tracing::warn!(event = "events_not_read", %error);
                sleep(PAUSE).await;
            }
        }
    }
    while batch.rows.len() < BATCH
        && let Some(Ok(message)) = consumer.recv().now_or_never()
    {
        batch.add(&message);
    }
    batch
}

impl Batch {
    fn add(&mut self, message: &impl Message) {
        let (partition, offset) = (message.partition(), message.offset());
        self.next.insert(partition, offset + 1);
        if let Some(row) = message.payload().and_then(event::read) {
            self.rows.push(row);
        } else {
            // Nothing would ever make it readable.
            tracing::error!(event = "event_unreadable", partition, offset);
        }
    }
}

impl Work {
    /// Moves on in the topic when all that the events ask for is committed, unless a bug parts what
    /// belongs together.
    async fn work_off(&self, consumer: &StreamConsumer<Member>, batch: &Batch) {
        self.persist(&batch.rows).await;
        self.let_leave(&batch.rows).await;
        let move_on = || commit(consumer, &self.place.topic, &batch.next);
        if self.bugs.commits_before_the_effect() {
            move_on();
            self.bugs.remote_call().await;
            self.take_effect(&batch.rows).await;
        } else if self.bugs.repeats_the_effect() {
            self.take_effect(&batch.rows).await;
            self.bugs.remote_call().await;
            move_on();
        } else {
            move_on();
        }
    }

    /// The rows are there, so their users are done. One who could not leave is dropped for silence.
    async fn let_leave(&self, rows: &[UserCoupon]) {
        let Some(queue) = &self.queue else {
            return;
        };
        let mut users: BTreeMap<CouponId, Vec<&str>> = BTreeMap::new();
        for row in rows {
            users.entry(row.coupon).or_default().push(row.user.as_str());
        }
        for (coupon, users) in users {
            if let Err(error) = queue::leave(queue.redis(), coupon, &users).await {
                tracing::warn!(event = "users_not_left", coupon, users = users.len(), %error);
            }
        }
    }

    /// Tries until the database takes the rows: they were acknowledged.
    async fn persist(&self, rows: &[UserCoupon]) {
        until_written(rows.len(), || {
            self.tables.write(rows, self.stock, &self.bugs)
        })
        .await;
    }

    /// Tries until the database takes the effects.
    async fn take_effect(&self, rows: &[UserCoupon]) {
        until_written(rows.len(), || self.tables.write_effects(rows, &self.bugs)).await;
    }
}

async fn until_written<W>(rows: usize, write: impl Fn() -> W)
where
    W: Future<Output = Result<(), IssueError>>,
{
    let mut pause = PAUSE;
    while let Err(error) = write().await {
        tracing::warn!(event = "write_retried", rows, %error);
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Not waited for: what is not committed is read again.
fn commit(consumer: &StreamConsumer<Member>, topic: &str, next: &BTreeMap<i32, i64>) {
    let committed =
        offsets(topic, next).and_then(|offsets| consumer.commit(&offsets, CommitMode::Async));
    if let Err(error) = committed {
        tracing::warn!(event = "offsets_not_committed", %error);
    }
}

fn offsets(topic: &str, next: &BTreeMap<i32, i64>) -> Result<TopicPartitionList, KafkaError> {
    let mut offsets = TopicPartitionList::new();
    for (partition, next) in next {
        offsets.add_partition_offset(topic, *partition, Offset::Offset(*next))?;
    }
    Ok(offsets)
}

/// In a thread of its own, since it blocks, for however long a broker does not answer.
async fn leave(consumer: StreamConsumer<Member>) {
    let (done, left) = oneshot::channel();
    let thread = std::thread::Builder::new().name("leave-group".into());
    let started = thread.spawn(move || {
        drop(consumer);
        // Nobody may be waiting any more.
        let _ = done.send(());
    });
    if started.is_err() || timeout(LEAVE_LIMIT, left).await.is_err() {
        tracing::warn!(
            event = "group_not_left",
            "the brokers find out by themselves"
        );
    }
}
