//! How Redis, MySQL and Kafka of a run are set, whoever starts them: what is measured must not
//! depend on it.

/// As `redis.conf` has it: a name, a blank and a value in each line.
pub(super) const REDIS: &str = r#"# More connections than any pool opens: a refused one would be the stack's fault, not the server's.
maxclients 10000
# A pool opens all its connections at one instant.
tcp-backlog 1024

# Durable to the last second: what was written is in the append-only file, which is synced once a
# second. A killed process loses nothing of it, a machine without power up to a second.
appendonly yes
appendfsync everysec
# Neither snapshots nor rewrites of the file: both fork, which stops the process for a while in the
# middle of a measurement, and a run is too short to need them.
save ""
auto-aof-rewrite-percentage 0

# When memory ends, writes are refused; no key that counts the stock is ever thrown away.
maxmemory-policy noeviction
"#;

/// Beside [`REDIS`], of each Redis that has replicas or is one.
pub(super) const REDIS_IN_GROUP: &str =
    "# A replica that asks for everything is not kept waiting for others that may ask, too (5 s).
repl-diskless-sync-delay 0
";

/// How Sentinels watch, as `sentinel.conf` has it: a second of silence is a dead primary, and when
/// nobody could be promoted they try again after twice the second time.
pub(super) fn sentinel(group: &str) -> String {
    format!(
        "sentinel down-after-milliseconds {group} 1000
sentinel failover-timeout {group} 5000
sentinel parallel-syncs {group} 1
"
    )
}

/// As a section of `my.cnf` has it: a name, or a name and a value around ` = `, in each line.
pub(super) const MYSQL: &str = "skip-name-resolve

# More connections than any pool opens (1000) and than read the truth: a refused one would be the
# stack's fault, not the server's.
max_connections = 1100
# A pool opens all its connections at one instant.
back_log = 1100

# Durable: a commit is on the disk before it is answered, so neither a killed process nor a machine
# without power loses it. These are the costs that a run measures.
innodb_flush_log_at_trx_commit = 1
innodb_doublewrite = ON
# No replica reads it.
skip-log-bin

# Times are read as UTC, and two users are the same only if each byte is.
default-time-zone = +00:00
character-set-server = utf8mb4
collation-server = utf8mb4_bin
";

/// Locks the coupons of the bundled servers, whatever their ids are.
pub(super) const MYSQL_LOCK: &str = "SELECT id FROM fcfs_coupons FOR UPDATE";

/// What the events of a run go through, and who writes their rows. The servers are told the same
/// that the reading from outside asks for.
pub(super) const KAFKA_TOPIC: &str = "coupon-issued";
pub(super) const KAFKA_GROUP: &str = "coupon-issuer";
/// As `server.properties` has it: a name, `=` and a value in each line.
pub(super) const KAFKA: &str = "process.roles=broker,controller

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

/// A heap that a broker of a run needs, and a collector without threads of its own.
pub(super) const KAFKA_JVM: [&str; 3] = ["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC"];

/// On how many brokers everything is, in lines as those of [`KAFKA`].
pub(super) fn replicas(brokers: u8) -> String {
    // With three, one of them may be gone.
    let in_sync = if brokers >= 3 { 2 } else { 1 };
    format!(
        "default.replication.factor={brokers}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={brokers}
transaction.state.log.replication.factor={brokers}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={brokers}
share.coordinator.state.topic.min.isr={in_sync}
"
    )
}

/// The lines that set something.
pub(super) fn lines(settings: &str) -> impl Iterator<Item = &str> {
    let lines = settings.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}
