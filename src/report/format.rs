//! Numbers, verdicts and foreign text as reports write them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Latency, Summary};
use crate::measure::grouped;
use crate::verdict::Verdict;

/// What stands where nothing was measured: never a zero.
pub(super) const NO_DATA: &str = "no data";

/// A count with thousands separators.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun, which takes an s unless there is one of it.
pub(super) fn counted(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

/// Requests, time, rate, VUs and drops in one line.
pub(super) fn headline(summary: &Summary) -> String {
    let mut line = counted(summary.requests, "request");
    let _ = write!(line, " in {} s", grouped(summary.duration_s, 1));
    if summary.requests > 0 {
        let _ = write!(line, " ({}/s)", grouped(summary.rps, 1));
    }
    let _ = write!(
        line,
        ", {} at most, {} dropped",
        counted(summary.vus_max, "VU"),
        counted(summary.dropped_iterations, "iteration"),
    );
    line
}

/// Microseconds matter where two attempts of one user race.
pub(super) fn moment(nanoseconds: Option<u64>) -> String {
    nanoseconds.map_or_else(
        || "no certain answer".to_owned(),
        |ns| {
            format!(
                "{}.{:06} s",
                count(ns / 1_000_000_000),
                ns / 1000 % 1_000_000
            )
        },
    )
}

/// Whether some load started its iterations by a schedule.
pub(super) fn has_open_model(summary: &Summary) -> bool {
    summary.loads.iter().any(|load| load.model == "open")
}

/// Service time by step and, where an open model ran, response time below it. The row of all steps
/// comes first, and is left out where there is only one.
pub(super) fn latency_rows<'a>(
    service: &'a BTreeMap<String, Latency>,
    response: &'a BTreeMap<String, Latency>,
    open: bool,
) -> Vec<(&'a str, &'static str, &'a Latency)> {
    const ALL: &str = "all";
    let steps = service
        .keys()
        .map(String::as_str)
        .filter(|step| *step != ALL);
    let all = (steps.clone().count() != 1).then_some(ALL);
    let row = |step: &'a str| {
        let service = service.get(step).map(|times| (step, "service", times));
        let response = response.get(step).filter(|_| open);
        let response = response.map(|times| (step, "response", times));
        service.into_iter().chain(response)
    };
    let rows = all.into_iter().chain(steps).flat_map(row);
    rows.filter(|(_, _, times)| times.count > 0).collect()
}

/// What a reader has to know about the two times.
pub(super) fn model_note(summary: &Summary) -> &'static str {
    if has_open_model(summary) {
        "Service time runs from sending a request to the last byte of its answer; response time \
         runs from the moment at which the request was due, so it includes what users would have \
         waited."
    } else if summary.loads.is_empty() {
        "Service time runs from sending a request to the last byte of its answer."
    } else {
        "Service time runs from sending a request to the last byte of its answer. Each user waited \
         for an answer before asking again (closed model), so slow answers also slowed the load."
    }
}

/// What the invariant claims, in words.
pub(super) fn expectation(invariant: &str) -> &'static str {
    match invariant {
        "stock" => "issued no more than the stock, and sold out only when nothing was left",
        "one_per_user" => "at most one for each user",
        "acknowledged" => "every confirmation has its row, every row was asked for",
        "first_come_first_served" => {
            "some order of the attempts explains every answer: nobody was refused before somebody \
             who asked later got one"
        }
        "recovery" => "behind every fault all was as before again",
        "queue" => "who enters first is admitted first, and nobody past the queue or its limit",
        _ => "holds",
    }
}

/// What the drain phase did, as a sentence.
pub(super) fn drain_sentence(summary: &Summary) -> Option<String> {
    let drain = summary.drain?;
    let end = if drain.sold_out {
        "then it was sold out"
    } else {
        "no sold-out was seen: whether stock was left over is not certain"
    };
    Some(format!(
        "After the load {} asked, {} of them got one; {end}.",
        counted(drain.requests, "fresh user"),
        count(drain.issued),
    ))
}

/// Verdict as a word; a symbol before it helps the eye but carries nothing of its own.
pub(super) const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Unknown => "UNKNOWN",
        Verdict::Fail => "FAIL",
    }
}

/// Foreign text on one line: line breaks become spaces, and whatever could move a cursor, ring a
/// bell or turn the direction of writing is spelled out.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.trim().chars() {
        push_visible(
            &mut out,
            if matches!(char, '\n' | '\r' | '\t') {
                ' '
            } else {
                char
            },
        );
    }
    out
}

/// As [`one_line`], but line breaks stay.
pub(super) fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.replace("\r\n", "\n").chars() {
        match char {
            '\n' | '\t' => out.push(char),
            char => push_visible(&mut out, char),
        }
    }
    out
}

fn push_visible(out: &mut String, char: char) {
    let turns_direction =
        matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_line = matches!(char, '\u{2028}' | '\u{2029}');
    // Valid characters that XML, and so SVG, cannot hold.
    let unholdable = matches!(char, '\u{fffe}' | '\u{ffff}');
    if char.is_control() || turns_direction || breaks_line || unholdable {
        out.extend(char.escape_default());
    } else {
        out.push(char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(value), text);
        }
    }

    #[test]
    fn moments_keep_microseconds() {
        assert_eq!(moment(Some(12_345_678_999)), "12.345678 s");
        assert_eq!(moment(None), "no certain answer");
    }

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        assert_eq!(
            one_line(" a\r\nb\u{1b}[31m\u{202e} "),
            "a  b\\u{1b}[31m\\u{202e}"
        );
        assert_eq!(lines("a\r\nb\u{7}"), "a\nb\\u{7}");
        assert_eq!(one_line("쿠폰"), "쿠폰");
    }
}
