//! `target.parts`: what faults may break of a system that already runs.

use schemars::{JsonSchema, Schema};
use serde_json::json;

use super::shape;
use super::text::{OneOrMany, Positive, Text};

/// What faults may break, by whom they name: one, or a list, whose order `which` counts.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    example = json!({ "server": [{ "pid_file": "run/app.pid" }, { "container": "shop-app-2" }] }),
)]
pub(super) struct Parts {
    /// Redis.
    #[schemars(example = json!({ "container": "shop-redis", "url": "redis://127.0.0.1:6379" }))]
    redis: Option<OneOrMany<OwnRedis>>,
    /// The database server.
    #[schemars(example = json!({ "container": "shop-mysql" }))]
    database: Option<OneOrMany<OwnDatabase>>,
    /// The brokers, each for itself.
    #[schemars(example = json!({ "container": "shop-kafka", "broker": "127.0.0.1:9092" }))]
    kafka: Option<OneOrMany<OwnBroker>>,
    /// The application.
    #[schemars(example = json!({ "pid_file": "run/app.pid" }))]
    server: Option<OneOrMany<OwnServer>>,
    /// Servers that issue, where others have other roles; `server` means them, too.
    #[schemars(example = json!({ "container": "shop-coupon" }))]
    coupon: Option<OneOrMany<OwnServer>>,
    /// Workers that write rows from events.
    #[schemars(example = json!({ "pid": 4711 }))]
    issuer: Option<OneOrMany<OwnServer>>,
    /// Servers that keep the order of those who wait.
    #[schemars(example = json!({ "container": "shop-queue" }))]
    queue: Option<OneOrMany<OwnServer>>,
    /// Servers at the entry.
    #[schemars(example = json!({ "container": "shop-nginx" }))]
    router: Option<OneOrMany<OwnServer>>,
}

const FOUND: [&str; 4] = ["pid", "pid_file", "container", "service"];

fn one(schema: &mut Schema) {
    shape::at_most_one(schema, &FOUND);
    schema.insert(
        "dependentRequired".to_owned(),
        json!({ "start": ["pid_file"] }),
    );
}

/// A type whose instances are found on this machine, with more keys.
macro_rules! found {
    ($(#[doc = $about:literal] $name:ident { $($(#[$more:meta])+ $key:ident,)* })+) => {
        $(
            #[doc = $about]
            #[derive(JsonSchema)]
            #[schemars(deny_unknown_fields, transform = one)]
            struct $name {
                /// The process with this number; the processes that it has started belong to it.
                #[schemars(example = 4711)]
                pid: Option<Positive>,
                /// The one whose number stands in this file, which is read each time; relative to
                /// the scenario's directory.
                #[schemars(example = &"run/app.pid")]
                pid_file: Option<Text>,
                /// What starts the process of `pid_file` again, for a shell in the scenario's
                /// directory. It returns when it has started it, with exit status 0, and what it
                /// has started writes its number into `pid_file`.
                #[schemars(example = &"systemctl start shop-app")]
                start: Option<Text>,
                /// A container of the engine of this machine, by its name or id.
                #[schemars(example = &"shop-app-1")]
                container: Option<Text>,
                /// The container of this service of the project `compose`.
                #[schemars(example = &"app")]
                service: Option<Text>,
                $($(#[$more])+ $key: Option<Text>,)*
            }
        )+
    };
}

found! {
    /// A Redis.
    OwnRedis {
        /// Where it is asked, and asked to break itself.
        #[schemars(example = &"redis://127.0.0.1:6379")]
        url,
        /// `127.0.0.1:PORT`, where a link of the fault proxy leads to `url` as long as the run lasts.
        /// The system must use it in the place of `url`.
        #[schemars(example = &"127.0.0.1:16379")]
        via,
    }
    /// A `MySQL` or `MariaDB`.
    OwnDatabase {
        /// Where it is asked, as the user of the system.
        #[schemars(example = &"mysql://shop:${DB_PASSWORD}@127.0.0.1:3306/shop")]
        url,
        /// The same with a user who may do what a fault does; without it that of `url`.
        #[schemars(example = &"mysql://root:${DB_ROOT}@127.0.0.1:3306/shop")]
        admin,
        /// `127.0.0.1:PORT`, where a link of the fault proxy leads to `url` as long as the run lasts.
        /// The system must use it in the place of `url`.
        #[schemars(example = &"127.0.0.1:13306")]
        via,
    }
    /// A broker of Kafka.
    OwnBroker {
        /// Where it listens: `HOST:PORT`.
        #[schemars(example = &"127.0.0.1:9092")]
        broker,
        /// The topic that events go through.
        #[schemars(example = &"coupon-issued")]
        topic,
    }
    /// A process of the system.
    OwnServer {
        /// Where it is asked whether it answers, below 500; without it, it is only looked at.
        #[schemars(example = &"http://127.0.0.1:8081/health")]
        url,
    }
}
