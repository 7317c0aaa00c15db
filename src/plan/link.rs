//! What can be done to the bytes between two parties.

/// One fault of a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {}
