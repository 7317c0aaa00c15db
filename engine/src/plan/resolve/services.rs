//! What each strategy of the bundled server needs of services, and whether what is written agrees.

use super::servers::Roles;
use crate::plan::{self, Database};
use crate::scenario::{At, Images, Kafka, Position, Redis, Report, did_you_mean};

/// The most instances of Redis that a stack may have.
const MOST_INSTANCES: u8 = 5;

/// One broker, or as many as can lose one.
const BROKERS: [u8; 2] = [1, 3];

/// Each strategy with what it works on; the first is the default.
const STRATEGIES: [(&str, Services); 13] = [
    ("sqlite-atomic", Services::NONE),
    ("sqlite-lock", Services::NONE),
    ("memory-then-sqlite", Services::NONE),
    ("memory-kafka", Services::NONE.with_kafka(Roles::WithIssuer)),
    ("db-pessimistic", Services::mysql(0)),
    ("db-conditional", Services::mysql(0)),
    ("redis-lua", Services::mysql(1)),
    // Four as in the incident document.
    ("redlock", Services::mysql(4).up_to(MOST_INSTANCES)),
    ("redisson", Services::mysql(1)),
    (
        "redis-kafka",
        Services::mysql(1).with_kafka(Roles::WithIssuer),
    ),
    (
        "fire-and-forget",
        Services::mysql(1).with_kafka(Roles::WithIssuer),
    ),
    ("outbox", Services::mysql(0).with_kafka(Roles::WithIssuer)),
    ("queue", Services::mysql(1).with_kafka(Roles::WithQueue)),
];

/// The strategy of a server that names none.
pub(super) const DEFAULT_STRATEGY: &str = STRATEGIES[0].0;

const DATABASES: [(&str, Database); 2] = [("mysql", Database::MySql), ("sqlite", Database::Sqlite)];

/// What a strategy works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Services {
    /// Instances.
    pub(super) redis: u8,
    /// The most instances that it can use.
    most_redis: u8,
    /// Brokers.
    pub(super) kafka: u8,
    pub(super) database: Database,
    pub(super) roles: Roles,
}

impl Services {
    const NONE: Self = Self {
        redis: 0,
        most_redis: 0,
        kafka: 0,
        database: Database::Sqlite,
        roles: Roles::Alike,
    };

    const fn mysql(redis: u8) -> Self {
        Self {
            redis,
            most_redis: redis,
            kafka: 0,
            database: Database::MySql,
            roles: Roles::Alike,
        }
    }

    const fn up_to(self, most_redis: u8) -> Self {
        Self { most_redis, ..self }
    }

    const fn with_kafka(self, roles: Roles) -> Self {
        Self {
            kafka: BROKERS[0],
            roles,
            ..self
        }
    }
}

/// What the scenario says.
pub(super) struct Wanted<'s> {
    pub(super) strategy: Option<&'s At<String>>,
    pub(super) redis: Option<&'s Redis>,
    pub(super) kafka: Option<&'s Kafka>,
    pub(super) database: Option<&'s At<String>>,
    pub(super) images: &'s Images,
}

/// Where the provider was chosen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'s> {
    Argument(&'s str),
    Scenario(Position),
}

impl Place<'_> {
    /// The provider that was chosen there cannot do it.
    pub(super) fn refuse(self, message: String, hint: String, report: &mut Report<'_>) {
        match self {
            Self::Argument(name) => {
                report.argument(format!("--provider {name}"), message, Some(hint));
            }
            Self::Scenario(position) => report.error_hint(position, message, hint),
        }
    }
}

pub(super) fn strategies() -> [&'static str; STRATEGIES.len()] {
    STRATEGIES.map(|(name, _)| name)
}

/// Those whose rows follow from events.
pub(super) fn with_events() -> Vec<&'static str> {
    let all = STRATEGIES.iter().filter(|(_, services)| services.kafka > 0);
    all.map(|(name, _)| *name).collect()
}

/// What the strategy needs; `None` for one that is not known, which is reported elsewhere.
pub(super) fn resolve(wanted: &Wanted<'_>, report: &mut Report<'_>) -> Option<Services> {
    let strategy = match wanted.strategy {
        Some(name) => name.value.as_str(),
        None => DEFAULT_STRATEGY,
    };
    let known = STRATEGIES.iter().find(|(name, _)| *name == strategy);
    let services = known.map(|(_, services)| *services);
    let mut services = match wanted.redis {
        Some(redis) => check_redis(redis, strategy, services, report),
        None => services,
    };
    if let Some(kafka) = wanted.kafka
        && let Some(brokers) = check_kafka(kafka, strategy, services, report)
        && let Some(services) = &mut services
    {
        services.kafka = brokers;
    }
    if let Some(database) = wanted.database {
        check_database(database, strategy, services, report);
    }
    check_images(wanted.images, strategy, services, report);
    services
}

/// The names as a run takes them.
pub(super) fn images(written: &Images) -> plan::Images {
    let name = |image: &Option<At<plan::Image>>| image.as_ref().map(|image| image.value.clone());
    plan::Images {
        redis: name(&written.redis),
        mysql: name(&written.mysql),
        kafka: name(&written.kafka),
    }
}

/// An image of a service that nobody starts would be in vain.
fn check_images(
    images: &Images,
    strategy: &str,
    services: Option<Services>,
    report: &mut Report<'_>,
) {
    let Some(services) = services else { return };
    let needed = [
        (&images.redis, "Redis", services.redis > 0),
        (&images.mysql, "MySQL", services.database == Database::MySql),
        (&images.kafka, "Kafka", services.kafka > 0),
    ];
    for (image, service, needed) in needed {
        if let Some(image) = image
            && !needed
        {
            report.error_hint(
                image.position,
                format!("the strategy `{strategy}` uses no {service}"),
                "remove the image, or choose a strategy that does: \
                 `server: { strategy: redis-kafka }`",
            );
        }
    }
}

/// The services with so many instances as are written.
fn check_redis(
    redis: &Redis,
    strategy: &str,
    services: Option<Services>,
    report: &mut Report<'_>,
) -> Option<Services> {
    let written = redis.instances.as_ref();
    if let Some(written) = written
        && !(1..=u64::from(MOST_INSTANCES)).contains(&written.value.0)
    {
        report.error_hint(
            written.position,
            format!("{} instances of Redis are not possible", written.value.0),
            format!("write a number from 1 to {MOST_INSTANCES}"),
        );
        return services;
    }
    let services = services?;
    if services.redis == 0 {
        report.error_hint(
            redis.position,
            format!("the strategy `{strategy}` uses no Redis"),
            "remove `redis`, or choose a strategy that does: `server: { strategy: redis-lua }`",
        );
    }
    let Some(written) = written.filter(|_| services.redis > 0) else {
        return Some(services);
    };
    match u8::try_from(written.value.0) {
        Ok(redis) if redis <= services.most_redis => Some(Services { redis, ..services }),
        _ => {
            report.error_hint(
                written.position,
                format!(
                    "the strategy `{strategy}` cannot use {} instances of Redis",
                    written.value.0
                ),
                format!(
                    "write `instances: {}`, or leave `redis` away",
                    services.redis
                ),
            );
            Some(services)
        }
    }
}

/// The brokers that are written, if they are right.
fn check_kafka(
    kafka: &Kafka,
    strategy: &str,
    services: Option<Services>,
    report: &mut Report<'_>,
) -> Option<u8> {
    if services.is_some_and(|services| services.kafka == 0) {
        report.error_hint(
            kafka.position,
            format!("the strategy `{strategy}` uses no Kafka"),
            "remove `kafka`, or choose a strategy that does: `server: { strategy: redis-kafka }`",
        );
        return None;
    }
    let written = kafka.brokers.as_ref()?;
    let brokers = BROKERS
        .into_iter()
        .find(|&n| u64::from(n) == written.value.0);
    if brokers.is_none() {
        report.error_hint(
            written.position,
            format!("{} brokers of Kafka are not possible", written.value.0),
            "write `brokers: 1`, or 3: with three, one of them may be gone",
        );
    }
    brokers
}

fn check_database(
    written: &At<String>,
    strategy: &str,
    services: Option<Services>,
    report: &mut Report<'_>,
) {
    let known = DATABASES.iter().find(|(name, _)| *name == written.value);
    let Some((name, database)) = known else {
        report.error_hint(
            written.position,
            format!("unknown database `{}`", written.shown()),
            did_you_mean(&written.value, &DATABASES.map(|(known, _)| known)),
        );
        return;
    };
    let Some(services) = services else { return };
    if services.database != *database {
        let other = DATABASES.iter().find(|(known, _)| known != name);
        let other = other.map_or("", |(other, _)| other);
        report.error_hint(
            written.position,
            format!("the strategy `{strategy}` does not keep its rows in `{name}`"),
            format!("write `database: {other}`, leave it away, or choose another strategy"),
        );
    }
}

/// A Kafka in this program is not made of an image.
pub(super) fn refuse_image_of_embedded(
    images: &Images,
    services: Services,
    report: &mut Report<'_>,
) {
    let embeds = services.redis == 0 && services.database == Database::Sqlite;
    if let Some(image) = &images.kafka
        && embeds
        && services.kafka > 0
    {
        report.error_hint(
            image.position,
            "the Kafka of this strategy is a part of this program, not a container",
            "remove the image, or ask for a container: `provider: docker`",
        );
    }
}

/// A strategy that needs services cannot do without them, except for Kafka.
pub(super) fn refuse_embedded(services: Services, place: Place<'_>, report: &mut Report<'_>) {
    let needs = [
        (services.redis > 0, "Redis"),
        (services.database == Database::MySql, "MySQL"),
    ];
    let needs: Vec<_> = needs
        .iter()
        .filter(|need| need.0)
        .map(|need| need.1)
        .collect();
    let Some((last, others)) = needs.split_last() else {
        return;
    };
    let needs = match others {
        [] => (*last).to_owned(),
        others => format!("{} and {last}", others.join(", ")),
    };
    let message = format!("the strategy needs {needs}, which `embedded` does not have");
    let hint = "let the run start real ones: `local`, or `auto`".to_owned();
    place.refuse(message, hint, report);
}

#[cfg(test)]
mod tests {
    use super::super::testing::planned_stack as planned;
    use crate::plan::{Database, Target, print};

    #[test]
    #[allow(clippy::too_many_lines, reason = "one table")]
    fn services_that_do_not_fit_the_strategy_are_refused() {
        let table = [
            ("redis: {}", "the strategy `sqlite-atomic` uses no Redis"),
            (
                "server: { strategy: db-conditional }, redis: { instances: 1 }",
                "the strategy `db-conditional` uses no Redis",
            ),
            (
                "server: { strategy: redis-lua }, redis: { instances: 3 }",
                "cannot use 3 instances of Redis",
            ),
            (
                "server: { strategy: redis-lua }, redis: { instances: 6 }",
                "6 instances of Redis are not possible",
            ),
            (
                "server: { strategy: redis-lua }, redis: { instances: 0 }",
                "0 instances of Redis are not possible",
            ),
            (
                "server: { strategy: redis-lua }, redis: { replica: 1 }",
                "unknown key `replica`",
            ),
            (
                "database: mysql",
                "`sqlite-atomic` does not keep its rows in `mysql`",
            ),
            (
                "server: { strategy: db-pessimistic }, database: sqlite",
                "`db-pessimistic` does not keep its rows in `sqlite`",
            ),
            ("database: mysq", "unknown database `mysq`"),
            (
                "provider: embedded, server: { strategy: redis-lua }",
                "the strategy needs Redis and MySQL, which `embedded` does not have",
            ),
            (
                "provider: embedded, server: { strategy: db-pessimistic }",
                "the strategy needs MySQL, which `embedded` does not have",
            ),
            (
                "images: { redis: redis:7 }",
                "the strategy `sqlite-atomic` uses no Redis",
            ),
            (
                "server: { strategy: redis-lua }, images: { mysql: my sql }",
                "`my sql` is not the name of an image",
            ),
            (
                "images: { kafka: apache/kafka }",
                "the strategy `sqlite-atomic` uses no Kafka",
            ),
            ("kafka: {}", "the strategy `sqlite-atomic` uses no Kafka"),
            (
                "server: { strategy: redis-lua }, kafka: { brokers: 1 }",
                "the strategy `redis-lua` uses no Kafka",
            ),
            (
                "server: { strategy: outbox }, kafka: { brokers: 2 }",
                "2 brokers of Kafka are not possible",
            ),
            (
                "provider: embedded, server: { strategy: redis-kafka }",
                "the strategy needs Redis and MySQL, which `embedded` does not have",
            ),
            (
                "provider: embedded, server: { strategy: outbox }",
                "the strategy needs MySQL, which `embedded` does not have",
            ),
            (
                "server: { strategy: memory-kafka }, images: { kafka: apache/kafka }",
                "the Kafka of this strategy is a part of this program",
            ),
            (
                "server: { strategy: memory-kafka }, kafka: { brokers: 2 }",
                "2 brokers of Kafka are not possible",
            ),
            (
                "server: { strategy: memory-kafka }, redis: {}",
                "the strategy `memory-kafka` uses no Redis",
            ),
            ("replicas: 2", "unknown key `replicas`"),
            (
                "server: { replicas: 0 }",
                "0 processes of one role are not possible",
            ),
            (
                "server: { replicas: 33 }",
                "33 processes of one role are not possible",
            ),
            (
                "server: { replicas: { router: 2 } }",
                "no processes for the role `router`",
            ),
            (
                "server: { replicas: { routers: 2 } }",
                "unknown key `routers`",
            ),
            (
                "server: { database_pool: 0 }",
                "`database_pool` cannot be `0`",
            ),
            (
                "server: { lock_timeout: 1500us }",
                "`lock_timeout` cannot be `1.5ms`",
            ),
            (
                "server: { log_level: loud }",
                "`log_level` cannot be `loud`",
            ),
            (
                "server: { redis_pool: 4 }",
                "the strategy `sqlite-atomic` does not use `redis_pool`",
            ),
        ];
        for (stack, words) in table {
            let error = planned(stack).expect_err(stack);
            assert!(error.contains(words), "{stack}: {error}");
            assert!(error.ends_with("\n1 error\n"), "{stack}: {error}");
        }
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "one table")]
    fn what_a_strategy_needs_is_filled_in_and_printed() {
        let table = [
            ("", 0, Database::Sqlite, "provider auto\n"),
            ("database: sqlite", 0, Database::Sqlite, "provider auto\n"),
            (
                "provider: local, server: { strategy: db-conditional }",
                0,
                Database::MySql,
                "provider local, strategy db-conditional, MySQL\n",
            ),
            (
                "server: { strategy: redis-lua, database_pool: 8 }",
                1,
                Database::MySql,
                "provider auto, strategy redis-lua, one Redis, MySQL, database pool 8\n",
            ),
            (
                "server: { replicas: 2, lock_timeout: 1500ms }",
                0,
                Database::Sqlite,
                "provider auto, 2 replicas, lock timeout 1.5s\n",
            ),
            (
                "server: { strategy: redlock, lock_drift_factor: 2% }",
                4,
                Database::MySql,
                "strategy redlock, 4 instances of Redis, MySQL, lock drift factor 2%\n",
            ),
            (
                "server: { strategy: redlock }, redis: { instances: 5 }",
                5,
                Database::MySql,
                "strategy redlock, 5 instances of Redis, MySQL\n",
            ),
            (
                "provider: docker, server: { strategy: db-pessimistic }, images: { mysql: mariadb:11 }",
                0,
                Database::MySql,
                "provider docker, strategy db-pessimistic, MySQL, image mariadb:11\n",
            ),
            (
                "server: { strategy: redis-lua }, redis: { instances: 1 }, database: mysql",
                1,
                Database::MySql,
                "provider auto, strategy redis-lua, one Redis, MySQL\n",
            ),
        ];
        let with_kafka = [
            (
                "server: { strategy: memory-kafka }",
                0,
                Database::Sqlite,
                "provider auto, strategy memory-kafka, Kafka (embedded), 1 issuer, 1 coupon\n",
            ),
            (
                "provider: embedded, server: { strategy: memory-kafka }, kafka: { brokers: 3 }",
                0,
                Database::Sqlite,
                "strategy memory-kafka, Kafka with 3 brokers (embedded), 1 issuer, 1 coupon\n",
            ),
            (
                "provider: docker, server: { strategy: memory-kafka }, images: { kafka: own/kafka:4 }",
                0,
                Database::Sqlite,
                "strategy memory-kafka, Kafka, image own/kafka:4, 1 issuer, 1 coupon\n",
            ),
            (
                "server: { strategy: redis-kafka }",
                1,
                Database::MySql,
                "provider auto, strategy redis-kafka, one Redis, MySQL, Kafka, 1 issuer, 1 coupon\n",
            ),
            (
                "server: { strategy: outbox }, kafka: { brokers: 3 }",
                0,
                Database::MySql,
                "provider auto, strategy outbox, MySQL, Kafka with 3 brokers, 1 issuer, 1 coupon\n",
            ),
        ];
        for (stack, redis, database, printed) in table.into_iter().chain(with_kafka) {
            let plan = planned(stack).unwrap_or_else(|error| panic!("{stack}: {error}"));
            let Target::Stack(target) = &plan.target else {
                panic!("{stack}: no stack");
            };
            assert_eq!(
                (target.redis, target.database),
                (redis, database),
                "{stack}"
            );
            let text = print(&plan);
            assert!(text.contains(printed), "{text}");
        }
    }
}
