//! `users` as it was written.

use super::position::{At, Position};
use super::value::{Count, Share};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Users {
    pub(crate) position: Position,
    pub(crate) pool: Option<At<Count>>,
    pub(crate) repeat: Option<At<Share>>,
    pub(crate) random: Option<At<bool>>,
    pub(crate) per: Option<At<String>>,
    pub(crate) id: Option<At<String>>,
}
