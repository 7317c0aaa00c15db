//! How Redis, MySQL and Kafka of a run are set, whoever starts them: what is measured must not depend on
//! it.

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

/// What the events of a run go through, and who writes their rows. The servers are told the same
/// that the reading from outside asks for.
pub(super) const KAFKA_TOPIC: &str = "coupon-issued";
pub(super) const KAFKA_GROUP: &str = "coupon-issuer";

/// The lines that set something.
pub(super) fn lines(settings: &str) -> impl Iterator<Item = &str> {
    let lines = settings.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}
