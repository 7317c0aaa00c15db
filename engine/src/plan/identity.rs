//! Who asks, as plain data: how users are taken, what is known of each, and how each proves it.

use std::time::Duration;

use super::template::{Escape, Part, Template, Variable};
use super::truth::Secret;

/// Who asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Users {
    /// Numbers 1 to `pool` are given out in an order that the seed decides. With records, how many
    /// are used; 0 until they have been read.
    pub pool: u64,
    /// The share of iterations, 0 to 1, that ask again as an earlier user on purpose.
    pub repeat: f64,
    /// How often the same user may come.
    pub draw: Draw,
    /// When a new user is taken.
    pub per: Per,
    /// Turns the number into the id that is sent.
    pub id: Template,
    /// What is known of each user, one record for each.
    pub records: Option<Records>,
    /// How each user proves who it is.
    pub token: Option<Token>,
    /// Whether each user keeps the cookies that answers set, and sends them back.
    pub cookies: bool,
}

/// How often the same user comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Each once, in an order that the seed decides.
    Once,
    /// Each iteration draws from the whole pool, so that some come again.
    AtRandom,
}

/// When a new user is taken from the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Each iteration is somebody new.
    Iteration,
    /// Each VU stays who it is.
    Vu,
}

/// Where the users' records are read when a run begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Records {
    /// What is read.
    pub source: RecordSource,
    /// The columns that the scenario uses, each with the slot that takes its value.
    pub columns: Vec<(u8, String)>,
    /// The column `id` stands for `user_id` where there is no `id`.
    pub id_by_default: bool,
    /// Use the first so many; an error where there are fewer.
    pub most: Option<u64>,
}

/// What records are read from.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordSource {
    /// A file with a header line; relative to the scenario's directory.
    Csv(String),
    /// A file with one JSON object a line; relative to the scenario's directory.
    JsonLines(String),
    /// A single SELECT.
    Sql {
        /// `mysql:`, `postgres:` or `sqlite:`.
        url: Secret,
        /// What is read.
        query: String,
    },
}

/// How a user's token comes about, when the user is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// The slot that takes it.
    pub slot: u8,
    /// How it is made.
    pub maker: TokenMaker,
}

/// How a token is made.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenMaker {
    /// A text with places, such as a column.
    Text(Template),
    /// A JWT (RFC 7519) signed with HMAC-SHA-256.
    Hs256 {
        /// The key.
        secret: Secret,
        /// The claims as a JSON object, without the times.
        claims: Template,
        /// Claims that are times: so long after the moment of signing, in Unix seconds.
        times: Vec<(String, Duration)>,
    },
}

impl Users {
    /// Whether it holds something that is known of each user.
    pub fn fills(&self, slot: u8) -> bool {
        let records = self.records.iter().flat_map(|records| &records.columns);
        let mut filled = records.map(|(slot, _)| *slot);
        filled.any(|filled| filled == slot)
            || self.token.as_ref().is_some_and(|token| token.slot == slot)
    }

    /// What their tokens are signed with, if they are.
    pub fn token_secret(&self) -> Option<&Secret> {
        match self.token.as_ref().map(|token| &token.maker) {
            Some(TokenMaker::Hs256 { secret, .. }) => Some(secret),
            Some(TokenMaker::Text(_)) | None => None,
        }
    }

    /// So many records were read.
    pub const fn found(&mut self, records: u64) {
        self.pool = records;
    }

    /// Users with nothing but a number, each once.
    pub fn numbered(pool: u64) -> Self {
        Self {
            pool,
            repeat: 0.0,
            draw: Draw::Once,
            per: Per::Iteration,
            id: Template {
                parts: vec![Part::Value(Variable::Number, Escape::Raw)],
            },
            records: None,
            token: None,
            cookies: false,
        }
    }
}
