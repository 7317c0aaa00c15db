//! What services count of themselves, read from real ones: also after a restart, and by a user who
//! may do nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/databases.rs"]
#[allow(dead_code, reason = "not every database is asked here")]
mod databases;
#[path = "support/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::path::Path;
use std::time::Duration;

use databases::{mariadb, redis};
use fcfs_bench::measure::{Quantities, Quantity, ResourceKind};
use fcfs_bench::plan::{ConsumerGroup, Resource, ResourceOf, Secret};
use fcfs_bench::probe::outside::Meters;
use sqlx::{Connection as _, Executor as _, MySqlConnection};

/// Nobody waits so long; a source that is there answers at once.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn brokers_that_do_not_answer_are_a_gap_within_the_limit() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    let mut meters = meters(ResourceOf::Kafka(ConsumerGroup {
        brokers: format!("127.0.0.1:{port}"),
        group: "coupon-issuer".to_owned(),
        topic: "coupon-issued".to_owned(),
    }));
    let short = Duration::from_millis(100);
    for _ in 0..2 {
        let gap = meters.read(short, || 0).await.remove(0).values.unwrap_err();
        let words = format!("127.0.0.1:{port}: no answer within 100 ms");
        assert_eq!(gap, words);
    }
}

fn meters(of: ResourceOf) -> Meters {
    let name = "service".to_owned();
    Meters::new(&[Resource { name, of }], Path::new(""))
}

async fn read(meters: &mut Meters) -> Result<Quantities, String> {
    meters.read(LIMIT, || 0).await.remove(0).values
}

async fn session(url: &str) -> MySqlConnection {
    MySqlConnection::connect(url).await.unwrap()
}

#[tokio::test]
async fn a_user_without_any_right_may_ask_a_database_for_its_lock_waits() {
    let service = mariadb();
    let host = format!("127.0.0.1:{}", service.port);
    let shop = format!("mysql://bench:p4ssw0rd@{host}/shop");
    let (mut one, mut other) = (session(&shop).await, session(&shop).await);
    for statement in [
        "CREATE USER nobody@'%' IDENTIFIED BY 'n0b0dy'",
        "CREATE TABLE coupons (id INT PRIMARY KEY, stock INT) ENGINE = InnoDB",
        "INSERT INTO coupons VALUES (1, 10)",
    ] {
        one.execute(statement).await.unwrap();
    }
    let url = format!("mysql://nobody:n0b0dy@{host}");
    let mut meters = meters(ResourceOf::Sql(Secret::new(url)));
    let before = read(&mut meters).await.unwrap();
    let all: Vec<_> = before.keys().copied().collect();
    let mut expected = ResourceKind::Sql.quantities().to_vec();
    expected.sort_unstable();
    assert_eq!(all, expected);
    assert_eq!(before[&Quantity::RowLockWaits], 0);

    // The second waits for the first, until that has seen it wait.
    let lock = "SELECT stock FROM coupons WHERE id = 1 FOR UPDATE";
    one.execute("BEGIN").await.unwrap();
    one.execute(lock).await.unwrap();
    let waiting = tokio::spawn(async move { other.execute(lock).await.map(|_| ()) });
    while read(&mut meters).await.unwrap()[&Quantity::RowLockWaiting] == 0 {
        tokio::task::yield_now().await;
    }
    one.execute("COMMIT").await.unwrap();
    waiting.await.unwrap().unwrap();

    let after = read(&mut meters).await.unwrap();
    assert_eq!(after[&Quantity::RowLockWaits], 1);
    assert_eq!(after[&Quantity::RowLockWaiting], 0);
    assert!(after[&Quantity::Queries] > before[&Quantity::Queries]);
    assert!(after[&Quantity::Connections] >= 2);
}

#[tokio::test]
async fn a_redis_that_was_away_is_found_again_and_has_counted_anew() {
    let mut service = redis();
    let url = format!("redis://:p4ssw0rd@127.0.0.1:{}", service.port);
    let mut meters = meters(ResourceOf::Redis(Secret::new(url)));
    let before = read(&mut meters).await.unwrap();
    assert_eq!(before.len(), ResourceKind::Redis.quantities().len());
    for _ in 0..10 {
        read(&mut meters).await.unwrap();
    }
    let later = read(&mut meters).await.unwrap();
    assert!(later[&Quantity::Commands] >= before[&Quantity::Commands] + 10);
    assert_eq!(later[&Quantity::Connections], 1);

    service.stop();
    let gap = read(&mut meters).await.unwrap_err();
    let place = format!("redis://127.0.0.1:{}: ", service.port);
    assert!(
        gap.starts_with(&place) && !gap.contains("p4ssw0rd"),
        "{gap}"
    );

    service.start_again();
    let again = read(&mut meters).await.unwrap();
    assert!(again[&Quantity::Commands] < later[&Quantity::Commands]);
}

#[tokio::test]
async fn a_service_that_does_not_let_one_in_is_a_gap_without_the_password() {
    let (database, cache) = (mariadb(), redis());
    let sql = |host: &str| Secret::new(format!("mysql://bench:wr0ng@{host}/shop"));
    let redis = |host: &str| Secret::new(format!("redis://:wr0ng@{host}"));
    let [database, cache] = [database, cache].map(|one| (format!("127.0.0.1:{}", one.port), one));
    for of in [
        ResourceOf::Sql(sql(&database.0)),
        ResourceOf::Redis(redis(&cache.0)),
        // The other's protocol.
        ResourceOf::Redis(redis(&database.0)),
        ResourceOf::Sql(Secret::new("postgres://u:wr0ng@127.0.0.1/d")),
        ResourceOf::Redis(Secret::new("redis://u:wr0ng")),
    ] {
        let gap = meters(of.clone()).read(Duration::from_secs(2), || 0).await;
        let gap = gap.into_iter().next().unwrap().values.unwrap_err();
        assert!(!gap.contains("wr0ng"), "{of:?}: {gap}");
    }
}
