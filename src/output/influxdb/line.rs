//! Line protocol: a point becomes a line. What the protocol cannot say is replaced, so that no text
//! ends a tag, a field or a line before its time.

use std::io::Write as _;

/// Adds `,key=value`; a tag without a value is none.
pub(super) fn push_tag(out: &mut String, key: &str, value: &str) {
    let value = value.trim();
    if value.is_empty() {
        return;
    }
    out.push(',');
    push_escaped(out, key.trim());
    out.push('=');
    push_escaped(out, value);
}

/// As a key or value of a tag. A backslash means nothing by itself and would take the meaning of what
/// follows; there is no way to write one that every store reads the same.
fn push_escaped(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            ',' | '=' | ' ' => out.extend(['\\', char]),
            '\\' => out.push('/'),
            char if char.is_control() => out.push_str("\\ "),
            char => out.push(char),
        }
    }
}

/// A field's text with its quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// One point, in the place of what was in `line`. `tags` are as [`push_tag`] writes them, `fields`
/// as the protocol has them.
pub(super) fn point(
    line: &mut Vec<u8>,
    measurement: &str,
    tags: &str,
    fields: std::fmt::Arguments<'_>,
    unix_ns: u64,
) {
    line.clear();
    line.extend_from_slice(measurement.as_bytes());
    line.extend_from_slice(tags.as_bytes());
    // Writing to a vector cannot fail.
    let _ = writeln!(line, " {fields} {unix_ns}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Splits where the byte stands without a backslash before it, and outside of quotes.
    fn split(text: &str, at: char, quotes: bool) -> Vec<String> {
        let (mut parts, mut escaped, mut quoted) = (vec![String::new()], false, false);
        for char in text.chars() {
            if !escaped && char == at && !quoted {
                parts.push(String::new());
                continue;
            }
            if quotes && !escaped && char == '"' {
                quoted = !quoted;
            }
            escaped = char == '\\' && !escaped;
            parts.last_mut().expect("a part").push(char);
        }
        parts
    }

    fn unescaped(text: &str, escapable: &str) -> String {
        let (mut out, mut chars) = (String::new(), text.chars().peekable());
        while let Some(char) = chars.next() {
            match chars.peek() {
                Some(next) if char == '\\' && escapable.contains(*next) => {
                    out.extend(chars.next());
                }
                _ => out.push(char),
            }
        }
        out
    }

    /// What line protocol can hold of a text.
    fn sayable(text: &str) -> String {
        let trimmed = text.trim();
        let replaced = trimmed.chars().map(|char| match char {
            '\\' => '/',
            char if char.is_control() => ' ',
            char => char,
        });
        replaced.collect()
    }

    #[test]
    fn what_would_end_a_tag_or_a_line_does_not() {
        let mut tags = String::new();
        push_tag(&mut tags, "name", "a,b=c d\\");
        push_tag(&mut tags, "empty", " ");
        push_tag(&mut tags, "other", "x\ny");
        let mut line = Vec::new();
        let text = quoted("say \"hi\"\n\\");
        point(&mut line, "m", &tags, format_args!("text={text}"), 7);
        let expected = "m,name=a\\,b\\=c\\ d/,other=x\\ y text=\"say \\\"hi\\\" \\\\\" 7\n";
        assert_eq!(String::from_utf8(line).expect("UTF-8"), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_by_who_knows_the_protocol(
            key in "[a-z]{1,5}", value: String, text: String,
        ) {
            let mut tags = String::new();
            push_tag(&mut tags, &key, &value);
            push_tag(&mut tags, "last", "one");
            let mut line = Vec::new();
            let field = quoted(&text);
            point(&mut line, "m", &tags, format_args!("text={field},n=1i"), 42);
            let line = String::from_utf8(line).expect("UTF-8");
            prop_assert_eq!(line.matches('\n').count(), 1);
            // Quotes mean something in fields only.
            let line = line.trim_end_matches('\n');
            let head = split(line, ' ', false).swap_remove(0);
            let parts = split(&line[head.len() + 1..], ' ', true);
            prop_assert_eq!(parts.len(), 2, "{:?}", parts);
            prop_assert_eq!(&parts[1], "42");
            let series = split(&head, ',', false);
            let mut pairs: Vec<(String, String)> = Vec::new();
            for pair in &series[1..] {
                let pair = split(pair, '=', false);
                prop_assert_eq!(pair.len(), 2);
                pairs.push((unescaped(&pair[0], ",= "), unescaped(&pair[1], ",= ")));
            }
            let mut expected = Vec::new();
            if !value.trim().is_empty() {
                expected.push((key, sayable(&value)));
            }
            expected.push(("last".to_owned(), "one".to_owned()));
            prop_assert_eq!(pairs, expected);
            let fields = split(&parts[0], ',', true);
            let quoted = fields[0].strip_prefix("text=\"").and_then(|text| text.strip_suffix('"'));
            let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            prop_assert_eq!(unescaped(quoted.expect("quotes"), "\"\\"), shown);
        }
    }
}
