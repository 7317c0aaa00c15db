//! Whether a queue kept its order, from what its users saw.

/// What one user saw, in nanoseconds of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Journey {
    /// When the request to enter was sent, and when it was answered.
    pub(crate) entered: Option<(u64, u64)>,
    /// When the last question was sent that was answered with "waiting".
    pub(crate) last_waiting_sent: Option<u64>,
    /// When "admitted" was answered.
    pub(crate) admitted_answered: Option<u64>,
}

/// Users who were certainly before somebody else, and certainly waiting when that one was inside:
/// they had their answer before the other one asked to enter, and were told "waiting" to a question
/// that they sent after the other one was told "admitted". So nobody is accused whose place depends
/// on the order in which requests arrived.
///
/// One pass over the users from the last to have entered to the first, with the earliest admission
/// of all who asked to enter later.
pub(crate) fn overtaken(journeys: &[Journey]) -> Vec<Journey> {
    let mut admitted: Vec<(u64, u64)> = journeys
        .iter()
        .filter_map(|one| Some((one.entered?.0, one.admitted_answered?)))
        .collect();
    // The last to have asked comes last, and is taken first.
    admitted.sort_unstable();
    let mut waiting: Vec<(u64, u64, Journey)> = journeys
        .iter()
        .filter_map(|one| Some((one.entered?.1, one.last_waiting_sent?, *one)))
        .collect();
    waiting.sort_unstable_by_key(|(answered, ..)| std::cmp::Reverse(*answered));
    let mut earliest = u64::MAX;
    let mut found = Vec::new();
    for (answered, still_waiting, journey) in waiting {
        while let Some((_, inside)) = admitted.pop_if(|(asked, _)| *asked > answered) {
            earliest = earliest.min(inside);
        }
        if still_waiting > earliest {
            found.push(journey);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn user(entered: (u64, u64), waiting: u64, admitted: u64) -> Journey {
        Journey {
            entered: Some(entered),
            last_waiting_sent: Some(waiting),
            admitted_answered: Some(admitted),
        }
    }

    #[test]
    fn who_was_first_and_still_waits_was_overtaken() {
        let first = user((0, 10), 60, 100);
        let second = user((20, 30), 40, 50);
        assert_eq!(overtaken(&[first, second]), [first]);
        assert_eq!(overtaken(&[second, first]), [first]);
    }

    #[test]
    fn nobody_is_accused_whose_order_nobody_knows() {
        let table = [
            // They asked to enter at the same time.
            [user((0, 25), 60, 100), user((20, 30), 40, 50)],
            // The question of the first was under way when the second was admitted.
            [user((0, 10), 50, 100), user((20, 30), 40, 55)],
            // In order.
            [user((0, 10), 30, 40), user((20, 30), 50, 60)],
        ];
        for pair in table {
            assert_eq!(overtaken(&pair), [], "{pair:?}");
        }
    }
}
