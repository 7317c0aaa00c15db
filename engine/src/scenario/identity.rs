//! Who asks, as it was written: `users`, and `auth` of the target.

use super::node::Node;
use super::position::{At, Position};
use super::reader::Given;
use super::value::{Count, Share, Span};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Users {
    pub(crate) position: Position,
    pub(crate) pool: Option<At<Count>>,
    pub(crate) repeat: Option<At<Share>>,
    pub(crate) random: Option<At<bool>>,
    pub(crate) per: Option<At<String>>,
    pub(crate) id: Option<At<String>>,
    pub(crate) from: Given<RecordSource>,
    pub(crate) token: Given<Token>,
    pub(crate) cookies: bool,
    /// The names behind `user.` in all templates of the scenario, as often as they occur.
    pub(crate) columns: Vec<At<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RecordSource {
    Csv(At<String>),
    JsonLines(At<String>),
    Sql { url: At<String>, query: At<String> },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Text(At<String>),
    Hs256(Hs256),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hs256 {
    pub(crate) secret: At<String>,
    /// A map without the times.
    pub(crate) claims: Option<Node>,
    pub(crate) times: Vec<(String, Span)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Auth {
    Basic {
        user: At<String>,
        password: At<String>,
    },
    Bearer(At<String>),
}
