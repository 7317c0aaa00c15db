//! `faults` as they were written.

use super::position::{At, Position};
use super::value::{Count, Name, Span};

/// One entry of the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) name: At<Name>,
    pub(crate) what: What,
    pub(crate) which: Option<At<String>>,
    pub(crate) start: Start,
    pub(crate) lasts: Option<At<Span>>,
    pub(crate) every: Option<At<Span>>,
    pub(crate) times: Option<At<Count>>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    One(Blow),
    /// At each beginning one of these, chosen by the seed.
    Chaos {
        position: Position,
        pick: Vec<Blow>,
    },
}

/// Something is broken somehow: `redis: { delay: 200ms }`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blow {
    pub(crate) party: At<String>,
    pub(crate) kind: At<String>,
    pub(crate) settings: Settings,
}

/// What stands behind the kind: nothing, one value, or a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Settings {
    None,
    One(At<String>),
    Map(Vec<(At<String>, At<String>)>),
}

/// When it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Start {
    /// `hold + 30s`
    At(At<String>),
    After(At<Span>),
    /// `issued >= 50%`
    When(At<String>),
}
