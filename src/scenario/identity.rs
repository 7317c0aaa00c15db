//! `users` as it was written.

use super::position::{At, Position};
use super::reader::Given;
use super::value::{Count, Share};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Users {
    pub(crate) position: Position,
    pub(crate) pool: Option<At<Count>>,
    pub(crate) repeat: Option<At<Share>>,
    pub(crate) random: Option<At<bool>>,
    pub(crate) per: Option<At<String>>,
    pub(crate) id: Option<At<String>>,
    pub(crate) from: Given<RecordSource>,
    /// The names behind `user.` in all templates of the scenario, as often as they occur.
    pub(crate) columns: Vec<At<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RecordSource {
    Csv(At<String>),
    JsonLines(At<String>),
    Sql { url: At<String>, query: At<String> },
}
