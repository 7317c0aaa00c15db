//! Decides whether a user has to queue for an event.

/// What Redis knows of an event in the instant of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// In the last minute, this one included.
    pub(crate) requests: u64,
    pub(crate) waiting: u64,
    pub(crate) running: u64,
    pub(crate) threshold: u64,
    /// The setting `trafficRpm`.
    pub(crate) rpm_limit: u64,
    /// Whether the queue has let this user through already.
    pub(crate) admitted: bool,
}

/// Where a request for the event page goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToEvent,
    ToQueue(Reason),
}

/// Why a queue is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody waits, and nobody may overtake.
    Waiting,
    /// As many as there may be are admitted.
    Running,
    /// More requests in a minute than the event takes.
    Traffic,
}

impl Traffic {
    /// Whoever was admitted goes in: sent back, the user would queue for ever.
    pub(crate) fn way(&self) -> Way {
        if self.admitted {
            Way::ToEvent
        } else if self.waiting > 0 {
            Way::ToQueue(Reason::Waiting)
        } else if self.running >= self.threshold {
            Way::ToQueue(Reason::Running)
        } else if self.requests >= self.rpm_limit {
            Way::ToQueue(Reason::Traffic)
        } else {
            Way::ToEvent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_a_queue_for_each_of_three_reasons_alone() {
        let quiet = Traffic {
            requests: 1,
            waiting: 0,
            running: 0,
            threshold: 10,
            rpm_limit: 100,
            admitted: false,
        };
        let full = Traffic {
            running: 10,
            ..quiet
        };
        let cases = [
            (quiet, Way::ToEvent),
            (
                Traffic {
                    waiting: 1,
                    ..quiet
                },
                Way::ToQueue(Reason::Waiting),
            ),
            (
                Traffic {
                    running: 9,
                    ..quiet
                },
                Way::ToEvent,
            ), // one place left
            (full, Way::ToQueue(Reason::Running)),
            (
                Traffic {
                    running: 11,
                    ..quiet
                },
                Way::ToQueue(Reason::Running),
            ), // threshold was lowered
            (
                Traffic {
                    requests: 99,
                    ..quiet
                },
                Way::ToEvent,
            ),
            (
                Traffic {
                    requests: 100,
                    ..quiet
                },
                Way::ToQueue(Reason::Traffic),
            ),
            (
                Traffic { waiting: 1, ..full },
                Way::ToQueue(Reason::Waiting),
            ), // the first reason
            (
                Traffic {
                    threshold: 0,
                    ..quiet
                },
                Way::ToQueue(Reason::Running),
            ), // closed for all
            (
                Traffic {
                    rpm_limit: 0,
                    ..quiet
                },
                Way::ToQueue(Reason::Traffic),
            ), // always a queue
            (
                Traffic {
                    waiting: 5,
                    admitted: true,
                    ..full
                },
                Way::ToEvent,
            ), // was let through
        ];
        for (traffic, way) in cases {
            assert_eq!(traffic.way(), way, "{traffic:?}");
        }
    }
}
