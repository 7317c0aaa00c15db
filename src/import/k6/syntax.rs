//! The script as a syntax tree, and where it is not JavaScript.

use tree_sitter::{Node, Parser, Tree};

use crate::import::SyntaxError;

/// Parses the whole script.
pub(super) fn parse(file: &str, text: &str) -> Result<Tree, SyntaxError> {
    let mut parser = Parser::new();
    let language = tree_sitter_javascript::LANGUAGE.into();
    parser
        .set_language(&language)
        .expect("the grammar is of a version that its runtime reads");
    let tree = parser
        .parse(text, None)
        .expect("a parser with a language and without a limit ends");
    match first_error(tree.root_node()) {
        None => Ok(tree),
        Some(node) => Err(describe(file, text, node)),
    }
}

/// The first place in the text that the grammar has no rule for.
fn first_error(node: Node<'_>) -> Option<Node<'_>> {
    if node.is_error() || node.is_missing() {
        // Within what is wrong as a whole, the innermost piece is where it begins to be.
        return Some(
            children(node)
                .into_iter()
                .find_map(first_error)
                .unwrap_or(node),
        );
    }
    if !node.has_error() {
        return None;
    }
    all_children(node).into_iter().find_map(first_error)
}

fn describe(file: &str, text: &str, node: Node<'_>) -> SyntaxError {
    let at = node.start_position();
    let line = text.lines().nth(at.row).unwrap_or_default();
    let before = line.get(..at.column).unwrap_or(line);
    let message = if node.is_missing() {
        format!("not JavaScript: `{}` is missing here", node.kind())
    } else {
        let found = text[node.byte_range()].lines().next().unwrap_or_default();
        format!("not JavaScript from here on: `{}`", shortened(found))
    };
    SyntaxError {
        file: file.to_owned(),
        line: at.row + 1,
        column: before.chars().count() + 1,
        message,
        text: line.to_owned(),
    }
}

/// On one line, and not too long for a message.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= MOST {
        return words;
    }
    words.chars().take(MOST).chain("...".chars()).collect()
}

/// The line, counted from 1.
pub(super) fn line(node: Node<'_>) -> usize {
    node.start_position().row + 1
}

/// Everything that is not punctuation or a comment.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    let named = node.named_children(&mut cursor);
    named.filter(|child| !child.is_extra()).collect()
}

fn all_children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// A child by the grammar's name for it.
pub(super) fn field<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    node.child_by_field_name(name)
}

/// What an escape sequence of a text stands for.
pub(super) fn unescaped(sequence: &str) -> String {
    let body = sequence.strip_prefix('\\').unwrap_or(sequence);
    let code = |digits: &str| {
        u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)
    };
    let hexadecimal = |digits: &str| code(digits.trim_matches(['{', '}']));
    match body.chars().next() {
        Some('n') => "\n".to_owned(),
        Some('t') => "\t".to_owned(),
        Some('r') => "\r".to_owned(),
        Some('0') => "\0".to_owned(),
        // A backslash at the end of a line joins it with the next.
        Some('\n' | '\r') => String::new(),
        Some('u' | 'x') => hexadecimal(&body[1..]).map_or_else(|| body.to_owned(), String::from),
        _ => body.to_owned(),
    }
}
