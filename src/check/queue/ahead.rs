//! The number of people ahead of one user never rises, as long as the user stays in the queue.

use super::gather::Line;
use super::{Judge, Needs, no_data};
use crate::check::draft::{DraftCase, DraftPart, count_of};

pub(super) fn part(line: &Line<'_>, judge: Judge<'_>) -> DraftPart {
    let name = "ahead";
    if line.numbers_seen == 0 {
        return no_data(name, none(line));
    }
    let rises = &line.rises;
    // An entry that was not kept could explain it.
    let verdict = judge.verdict(rises.count > 0, Needs::Whole);
    let answers = count_of(line.numbers_seen, "answer");
    let detail = match rises.count {
        0 => format!("{answers} with the number of people ahead, never more than before"),
        more => format!("{more} of {answers} with more people ahead than the same user had before"),
    };
    DraftPart::new(name, verdict, rises.count, detail).with(|| {
        rises.cases(|rise| {
            let text = format!(
                "told that {} are ahead, after it had been {}",
                rise.to, rise.from
            );
            DraftCase::of(rise.user, text).at(Some(rise.attempt))
        })
    })
}

/// Why there is no number.
pub(super) fn none(line: &Line<'_>) -> String {
    match (line.stays.len(), line.without_number) {
        (0, _) => "nobody certainly entered the queue".to_owned(),
        (_, 0) => "no answer with a number of people ahead was kept".to_owned(),
        (_, answers) => format!("no whole number in {}", count_of(answers, "answer")),
    }
}
