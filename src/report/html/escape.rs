//! Foreign text inside of HTML: it shows as it is and never becomes markup.

use crate::report::format::{lines, one_line};

/// For an element or an attribute in double quotes.
pub(super) fn plain(text: &str) -> String {
    escaped(&one_line_keeping_ends(text))
}

/// Our words have spaces at their ends where a name follows.
fn one_line_keeping_ends(text: &str) -> String {
    let ends = |space: bool| if space { " " } else { "" };
    let middle = one_line(text);
    if middle.is_empty() {
        return ends(text.starts_with(' ')).to_owned();
    }
    let (before, after) = (text.starts_with(' '), text.ends_with(' '));
    format!("{}{middle}{}", ends(before), ends(after))
}

/// Running text. What stands between backticks is code.
pub(super) fn text(text: &str) -> String {
    let text = one_line(text);
    let pieces: Vec<_> = text.split('`').collect();
    let is_code = |at: usize| at % 2 == 1;
    let mut codes = pieces.iter().skip(1).step_by(2);
    if is_code(pieces.len() - 1) || codes.any(|piece| piece.trim().is_empty()) {
        return escaped(&text);
    }
    let pieces = pieces.iter().enumerate();
    let pieces = pieces.map(|(at, piece)| {
        if is_code(at) {
            code(piece)
        } else {
            escaped(piece)
        }
    });
    pieces.collect()
}

/// A name.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(&one_line(text)))
}

/// Lines that stay as they are.
pub(super) fn block(text: &str) -> String {
    escaped(lines(text).trim_end_matches('\n'))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
    out
}

/// JSON within a script element: no text in it can end the element or begin a comment there, and it
/// is the same JSON.
pub(super) fn json(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_code_and_markup_is_text() {
        assert_eq!(text("no `a<b` & c"), "no <code>a&lt;b</code> &amp; c");
        assert_eq!(text("one ` alone"), "one ` alone");
        assert_eq!(text("an empty `` pair"), "an empty `` pair");
        assert_eq!(plain(" and \"x\" "), " and &quot;x&quot; ");
    }

    #[test]
    fn json_cannot_end_its_element() {
        let escaped = json(r#"{"a":"</script><!--<script>"}"#);
        assert!(!escaped.contains('<') && !escaped.contains('>'));
        let read: serde_json::Value = serde_json::from_str(&escaped).expect("it is JSON");
        assert_eq!(read["a"], "</script><!--<script>");
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(input: String) {
            for out in [plain(&input), block(&input), text(&input).replace("<code>", "").replace("</code>", "")] {
                prop_assert!(!out.contains(['<', '>', '"', '\'']), "{out}");
            }
        }
    }
}
