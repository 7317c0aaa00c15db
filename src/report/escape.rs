//! Foreign text inside markdown: it shows as it is and never becomes markup.

use super::format::{lines, one_line};

/// Running text or a table cell. What stands between backticks is code here too.
pub(crate) fn text(text: &str) -> String {
    let text = one_line(text);
    let pieces: Vec<_> = text.split('`').collect();
    let code_at = |at: usize| at % 2 == 1;
    let paired = code_at(pieces.len());
    // Code within a cell needs its bars escaped, and code outside must not have it: the one text
    // that could be both has no code.
    let safe = |(at, piece): (usize, &&str)| {
        !code_at(at) || !(piece.trim().is_empty() || piece.contains('|'))
    };
    if !paired || !pieces.iter().enumerate().all(safe) {
        return escaped(&text);
    }
    let pieces = pieces.iter().enumerate();
    let pieces = pieces.map(|(at, piece)| {
        if code_at(at) {
            code(piece)
        } else {
            escaped(piece)
        }
    });
    pieces.collect()
}

fn escaped(text: &str) -> String {
    let chars: Vec<_> = text.chars().collect();
    let inside_word = |at: usize| {
        let is_word = |at: Option<usize>| {
            at.and_then(|at| chars.get(at))
                .is_some_and(|char| char.is_alphanumeric() || *char == '_')
        };
        is_word(at.checked_sub(1)) && is_word(at.checked_add(1))
    };
    let mut out = String::with_capacity(text.len());
    for (at, &char) in chars.iter().enumerate() {
        match char {
            // An underscore inside of a word is never emphasis, and names are full of them.
            '_' if inside_word(at) => out.push(char),
            // Escaped even where it would be harmless: what is harmless depends on the reader.
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '$' => {
                out.push('\\');
                out.push(char);
            }
            '&' => out.push_str("&amp;"),
            // A user named @somebody must not be notified by the pull request.
            '@' => out.push_str("&#64;"),
            char => out.push(char),
        }
    }
    out
}

/// A code span outside of tables.
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // Without the spaces a backtick at an end would join the fence, and nothing is no span.
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code span in a table, where a bar would end the cell even inside of code.
pub(crate) fn cell_code(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A block that no content can end early.
pub(crate) fn block(language: &str, text: &str) -> String {
    let text = lines(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let text = text.trim_end_matches('\n');
    format!("{fence}{language}\n{text}\n{fence}\n")
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for char in text.chars() {
        run = if char == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_in_foreign_text_is_only_text() {
        assert_eq!(
            text("a|b *d* _e_ <script> [x](y)\nz @all"),
            "a\\|b \\*d\\* \\_e\\_ \\<script\\> \\[x\\](y) z &#64;all"
        );
    }

    #[test]
    fn pairs_of_backticks_stay_code() {
        for (input, output) in [
            ("no `lock_failed` < 1", "no `lock_failed` \\< 1"),
            ("lock_failed", "lock_failed"),
            ("one ` alone", "one \\` alone"),
            ("an empty `` pair", "an empty \\`\\` pair"),
            ("a `b|c`", "a \\`b\\|c\\`"),
        ] {
            assert_eq!(text(input), output);
        }
    }

    #[test]
    fn code_holds_backticks_and_bars() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a``"), "``` `a`` ```");
        assert_eq!(code(""), "`  `");
        assert_eq!(cell_code("a|b"), "`a\\|b`");
    }

    #[test]
    fn a_block_is_longer_than_any_fence_in_it() {
        assert_eq!(block("", "a\n```\nb\n"), "````\na\n```\nb\n````\n");
        assert_eq!(block("sh", "x"), "```sh\nx\n```\n");
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_cell(input: String) {
            for cell in [text(&input), cell_code(&input)] {
                prop_assert!(!cell.chars().any(char::is_control));
                let bars = cell.match_indices('|').all(|(at, _)| cell[..at].ends_with('\\'));
                prop_assert!(bars, "{cell}");
            }
        }
    }
}
