//! The claims that a checker judges.

use std::fmt;
use std::time::Duration;

use crate::scenario::value::Span;

/// A claim that a checker judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// Sold no more and no less than there was.
    Stock,
    /// At most one to each user.
    OnePerUser,
    /// What was confirmed is there, what is there was asked for.
    Acknowledged,
    /// Nobody was refused before somebody who asked later got one.
    FirstComeFirstServed(Duplicates),
    /// What was issued was published, and had its effect once.
    Delivery(Identity),
    /// Behind every fault all was as before again, within this time of the heal or within the run.
    Recovery(Option<Duration>),
    /// A waiting queue kept its order and its limit, as [`super::Plan::queue`] says.
    Queue,
    /// No seat belonged to two users at the same time; which attempts are about a seat is in
    /// [`super::Plan::details`].
    Seats,
    /// Every charge is in the ledger once, and the balances follow from it; which attempts charge is in
    /// [`super::Plan::details`].
    Balances,
}

/// What an event and an issued row have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// The coupon's own id.
    #[default]
    Coupon,
    /// The user.
    User,
}

impl Identity {
    /// All, the default first.
    pub const ALL: [Self; 2] = [Self::Coupon, Self::User];

    /// As the scenario spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coupon => "coupon",
            Self::User => "user",
        }
    }
}

/// What a user is told who holds one and asks again when nothing is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Duplicates {
    /// "Duplicate" or "sold out".
    #[default]
    Any,
    /// Always "duplicate": the system asks for an earlier one before it looks at the stock.
    First,
}

impl Duplicates {
    /// All, the default first.
    pub const ALL: [Self; 2] = [Self::Any, Self::First];

    /// As the scenario spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::First => "first",
        }
    }
}

impl Invariant {
    /// All, with their defaults, in the order in which they are explained.
    pub const ALL: [Self; 9] = [
        Self::Stock,
        Self::OnePerUser,
        Self::Acknowledged,
        Self::FirstComeFirstServed(Duplicates::Any),
        Self::Delivery(Identity::Coupon),
        Self::Queue,
        Self::Recovery(None),
        Self::Seats,
        Self::Balances,
    ];

    /// The one with this name, with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether it is decided by the issued rows.
    pub const fn needs_rows(self) -> bool {
        !matches!(
            self,
            Self::Queue | Self::Recovery(_) | Self::Seats | Self::Balances
        )
    }

    /// Whether it is decided where the stock ends: it needs to know how much there is, and that
    /// somebody asked until nothing was left.
    pub const fn is_of_the_end(self) -> bool {
        matches!(self, Self::Stock | Self::FirstComeFirstServed(_))
    }

    /// As the scenario spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::OnePerUser => "one_per_user",
            Self::Acknowledged => "acknowledged",
            Self::FirstComeFirstServed(_) => "first_come_first_served",
            Self::Delivery(_) => "delivery",
            Self::Queue => "queue",
            Self::Recovery(_) => "recovery",
            Self::Seats => "seats",
            Self::Balances => "balances",
        }
    }
}

/// With what is not its default.
impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::FirstComeFirstServed(Duplicates::First) => f.write_str(" (duplicates first)"),
            Self::Delivery(Identity::User) => f.write_str(" (by user)"),
            Self::Recovery(Some(within)) => write!(f, " (within {})", Span(*within)),
            _ => Ok(()),
        }
    }
}
