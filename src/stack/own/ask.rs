//! One question to a part of a system that already runs, in the part's own protocol.

use std::str::FromStr as _;

use rustls::pki_types::CertificateDer;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::super::{cluster, external};
use crate::plan::fault::Party;
use crate::plan::{OwnPart, Secret};

/// How it is asked.
#[derive(Debug)]
pub(super) enum Asks {
    /// `PING`
    Redis(Secret),
    /// `SELECT 1`
    Database(Secret),
    /// For the cluster.
    Broker(String),
    /// For an answer below 500.
    Http {
        url: String,
        roots: Vec<CertificateDer<'static>>,
    },
    /// Nothing says where.
    Nowhere,
}

impl Asks {
    pub(super) fn of(part: &OwnPart, roots: &[CertificateDer<'static>]) -> Self {
        let Some(url) = part.url.clone() else {
            return Self::Nowhere;
        };
        match part.party {
            Party::Redis => Self::Redis(url),
            Party::Database => Self::Database(url),
            Party::Kafka => Self::Broker(url.reveal().to_owned()),
            Party::Server(_) | Party::Client => Self::Http {
                url: url.reveal().to_owned(),
                roots: roots.to_vec(),
            },
        }
    }

    /// `None` where nothing says where to ask.
    pub(super) async fn ask(&self) -> Option<Result<(), String>> {
        Some(match self {
            Self::Redis(url) => ping(url).await,
            Self::Database(url) => select(url).await,
            Self::Broker(address) => cluster::answers_at(address.clone()).await,
            Self::Http { url, roots } => external::ask(url, roots).await,
            Self::Nowhere => return None,
        })
    }
}

async fn ping(url: &Secret) -> Result<(), String> {
    let asked = async {
        let client = redis::Client::open(url.reveal())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("PING").exec_async(&mut connection).await
    };
    asked.await.map_err(|error| error.to_string())
}

async fn select(url: &Secret) -> Result<(), String> {
    // The error itself may repeat parts of the URL.
    let options = MySqlConnectOptions::from_str(url.reveal())
        .map_err(|_| "its URL is not well-formed".to_owned())?
        .disable_statement_logging();
    let asked = async {
        let mut connection = options.connect().await?;
        connection.execute("SELECT 1").await?;
        connection.close().await
    };
    asked.await.map_err(|error| error.to_string())
}
