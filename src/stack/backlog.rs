//! What the bundled server has still to write, read at its services themselves: no fault stands on
//! the way there.

use super::cluster;
use super::services::Services;
use crate::plan::{Backlog, BacklogOf, Query, Secret, Source, Stack};

/// The strategy whose events wait in the database before they wait in Kafka.
const OUTBOX: &str = "outbox";

/// From where an event begins its way to where it ends; nothing for a server that writes by itself.
pub(super) fn of(stack: &Stack, services: &Services) -> Vec<Backlog> {
    let has_outbox = stack.strategy.as_deref() == Some(OUTBOX);
    let database = services.mysql_admin_url().filter(|_| has_outbox);
    let lag = services.kafka().map(|brokers| Backlog {
        name: "the consumer lag".to_owned(),
        of: BacklogOf::Lag(cluster::issuers(&brokers)),
    });
    database.map(unpublished).into_iter().chain(lag).collect()
}

fn unpublished(database: Secret) -> Backlog {
    let query = "SELECT COUNT(*) FROM outbox_events WHERE publishedAt IS NULL".to_owned();
    let url = database;
    Backlog {
        name: "the outbox".to_owned(),
        of: BacklogOf::Number(Source {
            query: Query::Sql {
                url,
                query,
                pages: None,
            },
            offset: 0,
        }),
    }
}
