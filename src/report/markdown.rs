//! Stub.
use super::Summary;
/// The report for people.
pub fn markdown(_summary: &Summary) -> String {
    todo!()
}
