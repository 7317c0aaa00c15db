//! Small scenarios for the tests of planning.

use crate::plan::{Overrides, Plan, load};

/// With this stack, a subject, and flows that know when it is sold out.
pub(super) fn planned_stack(stack: &str) -> Result<Plan, String> {
    planned(&format!(
        "name: case\ntarget: {{ stack: {{ {stack} }} }}\n\
         subject: {{ coupon: {{ id: 1, stock: 10 }} }}\n\
         load: {{ a: {{ shared_iterations: {{ vus: 2, iterations: 100 }} }} }}\n\
         flows: {{ f: [ {{ post: /x, outcomes: {{ issued: 201, sold_out: 409 }} }} ] }}\n"
    ))
}

/// With this target, and more sections below the others.
pub(super) fn planned_target(target: &str, sections: &str) -> Result<Plan, String> {
    planned(&format!(
        "name: case\ntarget: {{ {target} }}\n\
         load: {{ a: {{ shared_iterations: {{ vus: 2, iterations: 100 }} }} }}\n\
         flows: {{ f: [ {{ post: /x, outcomes: {{ issued: 201 }} }} ] }}\n{sections}"
    ))
}

fn planned(text: &str) -> Result<Plan, String> {
    let plan = load("case.yaml", text, &Overrides::default(), &|_| None);
    plan.map_err(|error| error.to_string())
}
