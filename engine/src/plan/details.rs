//! What is recorded of some steps' attempts beside what is of all, and where it is found again: seats,
//! and the charges of accounts.

use std::time::Duration;

use super::slots::Slot;
use super::template::Template;
use super::truth::Source;

/// What the invariants `seats` and `balances` want to know of attempts. By default nothing, and then
/// nothing is recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// For `seats`.
    pub seats: Option<Seats>,
    /// For `balances`.
    pub balances: Option<Balances>,
}

/// Which attempts are about a seat, and which.
#[derive(Debug, Clone, PartialEq)]
pub struct Seats {
    /// The seat of an attempt.
    pub seat: Template,
    /// Steps whose `issued` says that the seat is sold to the user: indices into
    /// [`super::Plan::steps`], at least one.
    pub sold: Vec<u8>,
    /// What gives a user a seat for some time.
    pub hold: Option<Hold>,
    /// Steps that give a seat back.
    pub release: Vec<u8>,
}

/// Holding a seat for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Steps whose `issued` or `ok` grants it.
    pub steps: Vec<u8>,
    /// After so long it may be anybody's.
    pub lease: Duration,
}

/// Which attempts charge an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Balances {
    /// What the system knows a repeated charge by.
    pub key: Template,
    /// Whom it charges.
    pub account: Template,
    /// What the ledger's row must add to the account.
    pub amount: Option<Template>,
    /// Steps whose `issued` says that the charge was made; at least one.
    pub charge: Vec<u8>,
    /// Whether all accounts together hold what they held at the beginning.
    pub conserved: bool,
}

impl Details {
    /// Whether nothing is recorded.
    pub const fn is_empty(&self) -> bool {
        self.seats.is_none() && self.balances.is_none()
    }

    /// Whether the attempts of this step are recorded with what they are about.
    pub fn is_recorded(&self, step: u8) -> bool {
        let seats = self.seats.as_ref();
        let balances = self.balances.as_ref();
        seats.is_some_and(|seats| seats.concerns(step))
            || balances.is_some_and(|balances| balances.charge.contains(&step))
    }
}

impl Seats {
    /// Whether the attempts of this step are about a seat.
    pub fn concerns(&self, step: u8) -> bool {
        self.sold.contains(&step) || self.grants(step) || self.release.contains(&step)
    }

    /// Whether the step asks for a hold.
    pub fn grants(&self, step: u8) -> bool {
        let hold = self.hold.as_ref();
        hold.is_some_and(|hold| hold.steps.contains(&step))
    }
}

/// A table of the truth that is read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Sold seats: seat, owner.
    Seats,
    /// Entries in their order: key, account, amount.
    Ledger,
    /// Accounts: account, initial balance, final balance.
    Balances,
}

impl Table {
    /// All.
    pub const ALL: [Self; 3] = [Self::Seats, Self::Ledger, Self::Balances];

    /// As the scenario spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seats => "seats",
            Self::Ledger => "ledger",
            Self::Balances => "balances",
        }
    }

    /// What its columns are, by position.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Seats => &["seat", "owner"],
            Self::Ledger => &["key", "account", "amount"],
            Self::Balances => &["account", "initial balance", "final balance"],
        }
    }
}

/// Where the tables are read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    /// Sold seats.
    pub seats: Option<Source>,
    /// Entries of the ledger.
    pub ledger: Option<Source>,
    /// Accounts.
    pub balances: Option<Source>,
}

impl Tables {
    /// Where this one is read.
    pub const fn of(&self, table: Table) -> Option<&Source> {
        match table {
            Table::Seats => self.seats.as_ref(),
            Table::Ledger => self.ledger.as_ref(),
            Table::Balances => self.balances.as_ref(),
        }
    }

    /// The sources with what `before` has captured.
    ///
    /// # Errors
    /// As [`Source::filled_in`].
    pub fn filled_in(&self, slots: &[Slot], values: &[Option<String>]) -> Result<Self, String> {
        let fill = |source: &Option<Source>| {
            let filled = source.as_ref().map(|one| one.filled_in(slots, values));
            filled.transpose()
        };
        Ok(Self {
            seats: fill(&self.seats)?,
            ledger: fill(&self.ledger)?,
            balances: fill(&self.balances)?,
        })
    }
}
