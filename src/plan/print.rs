//! The plan as text: what will run, before it runs.
use super::Plan;
/// The whole plan for people.
pub fn print(_plan: &Plan) -> String {
    todo!()
}
