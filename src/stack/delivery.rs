//! The way of the bundled server's rows, read at its services themselves: no fault stands on the way
//! there.

use super::cluster;
use super::services::Services;
use crate::plan::{Delivery, Events, EventsOf, Query, Secret, Source};

/// Of each event the id of its row.
const OUTBOX: &str = "SELECT reservationId FROM outbox_events";

/// Each as often as it is there.
const EFFECTS: &str = "SELECT eventId FROM coupon_notices";

/// What the plan names, with the server's own places where it leaves them to the server.
pub(super) fn of(planned: Delivery, database: &Secret, services: &Services) -> Delivery {
    let fill = |source: Option<Source>, query: &str| {
        let source = source?;
        let query = match source.query {
            Query::Bundled => Query::Sql {
                url: database.clone(),
                query: query.to_owned(),
                pages: None,
            },
            own => own,
        };
        Some(Source { query, ..source })
    };
    Delivery {
        outbox: fill(planned.outbox, OUTBOX),
        events: planned.events.map(|events| filled(events, services)),
        effects: fill(planned.effects, EFFECTS),
    }
}

fn filled(events: Events, services: &Services) -> Events {
    let of = match (events.of, services.kafka()) {
        (EventsOf::Bundled, Some(brokers)) => EventsOf::Kafka(cluster::events(&brokers)),
        (of, _) => of,
    };
    Events { of, ..events }
}
