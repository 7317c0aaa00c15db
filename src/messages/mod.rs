//! What reports say in a language: statements without one, and the messages of `messages/` that make
//! sentences of them. What a sentence is written in (Markdown, HTML, a terminal) is for reports to
//! know.

mod catalog;
mod said;
#[cfg(test)]
mod tests;

pub use catalog::{Catalog, Lang, Piece, joined};
pub use said::{Fig, Said, Value};
pub(crate) use said::{code, said};
