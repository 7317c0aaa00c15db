//! Gives what a source answered the shape in which the checkers take it.

use super::error::Fault;
use super::time::moment;
use crate::check::IssuedRow;

/// A row from its texts; `index` counts from 0 and names the row when it has no user.
pub(super) fn row(
    index: usize,
    user: Option<String>,
    id: Option<String>,
    time: Option<&str>,
) -> Result<IssuedRow, Fault> {
    let Some(user) = user else {
        let words = format!("row {} has no user", index + 1);
        return Err(Fault::answer(words));
    };
    let at = time.and_then(moment);
    Ok(IssuedRow {
        user,
        id,
        created_us: at.map(|at| at.at_us),
        grain_us: at.map(|at| at.grain_us),
    })
}

/// A whole number from text; decimals must be zero, as in `120.00`.
pub(super) fn number(text: &str) -> Result<i64, Fault> {
    let trimmed = text.trim();
    let (whole, fraction) = trimmed.split_once('.').unwrap_or((trimmed, ""));
    let whole = whole.parse().ok();
    let whole = whole.filter(|_| fraction.bytes().all(|digit| digit == b'0'));
    whole.ok_or_else(|| Fault::answer(format!("{} is not a whole number", quoted(text))))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

/// The first 200 characters of a text in quotes, on one line, unable to move a terminal's cursor.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    for character in text.chars().take(200) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.push_str(if text.chars().nth(200).is_some() {
        "\"..."
    } else {
        "\""
    });
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn numbers_may_be_written_with_decimals_that_are_zero() {
        let cases = [("7", 7), (" -3 ", -3), ("120.00", 120), ("9.", 9)];
        for (text, expected) in cases {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
        for text in ["", "1.5", "x", "1e3", "99999999999999999999", ".0"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_row_without_user_is_named() {
        let fault = row(41, None, None, None).unwrap_err();
        assert_eq!(fault.words, "row 42 has no user");
    }

    #[test]
    fn quoted_text_is_short_and_cannot_control_a_terminal() {
        assert_eq!(quoted("a\n\u{1b}[2J한"), "\"a\\n\\u{1b}[2J한\"");
        let long = quoted(&"x".repeat(201));
        assert!(long.ends_with("x\"...") && long.len() == 205, "{long}");
    }

    #[test]
    fn bytes_become_lower_case_hex() {
        assert_eq!(hex(&[0x00, 0xab, 0x7f]), "00ab7f");
    }
}
