//! How grave a phenomenon is, by rules that are stated in the report.

use std::fmt;

/// P0 is the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The service does not do what it is for, or has done what it must never do.
    P0,
    /// A part of it does not work for a part of the users.
    P1,
    /// It works worse than it should.
    P2,
    /// Good to know; nothing has to be done.
    P3,
}

/// From this share of failed requests on the service is down.
pub(super) const DOWN: f64 = 0.5;

/// From this share of refused or failed attempts on a part of it does not work.
pub(super) const PARTLY: f64 = 0.05;

/// A response time above which users are taken to give up, in milliseconds.
pub(super) const SLOW_MS: f64 = 1_000.0;

impl Severity {
    /// Of attempts that failed or were refused for no reason of business.
    pub(super) fn of_share(share: f64, failed: bool) -> Self {
        match share {
            down if down >= DOWN && failed => Self::P0,
            partly if partly >= PARTLY => Self::P1,
            _ => Self::P2,
        }
    }

    /// The message that states its rule.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::P0 => "severity.p0",
            Self::P1 => "severity.p1",
            Self::P2 => "severity.p2",
            Self::P3 => "severity.p3",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_never_a_service_that_is_down_and_failures_are() {
        assert_eq!(Severity::of_share(0.9, true), Severity::P0);
        assert_eq!(Severity::of_share(0.9, false), Severity::P1);
        assert_eq!(Severity::of_share(0.05, true), Severity::P1);
        assert_eq!(Severity::of_share(0.01, true), Severity::P2);
        assert!(Severity::P0 < Severity::P3, "the gravest comes first");
    }
}
