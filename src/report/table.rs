//! Stub.
use super::Summary;
/// The summary for a terminal.
pub fn terminal(_summary: &Summary, _colour: bool) -> String {
    todo!()
}
