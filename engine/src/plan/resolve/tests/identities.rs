//! Who the users are and what they show: what fits together, and what is refused.

use super::Case;

#[test]
fn users_at_random_are_wanted_collisions_and_no_worry_where_they_have_an_outcome() {
    let plan = Case::new()
        .with("users", "{ pool: 5, random: true }")
        .with("subject", "{ coupon: { id: 1, stock: 3 } }")
        .with("invariants", "[stock, one_per_user]")
        .plan();
    assert_eq!(plan.warnings, Vec::<String>::new());
    assert_eq!(super::super::expect::users(&plan), (None, Some(5)));
    let text = crate::plan::print(&plan);
    assert!(text.contains("pool of 5, one of them at random"), "{text}");
}

#[test]
fn identities_that_do_not_fit_together_are_refused() {
    let url = |more: &str| Case::new().with("target", &format!("{{ url: \"http://a\", {more} }}"));
    let table = [
        (
            url("auth: { bearer: \"{{ token }}\" }"),
            "unknown name `token` in a template",
        ),
        (
            url("auth: { basic: { user: \"{{ user }}\", password: x } }"),
            "the same for all users",
        ),
        (
            url("auth: { basic: { user: \"a:b\", password: x } }"),
            "holds a `:`",
        ),
        (url("auth: { basic: { user: a } }"), "`password` is missing"),
        (url("auth: {}"), "write one of `basic`, `bearer`"),
        (url("by: chance"), "not a way to choose an instance"),
        (
            Case::new().with("target", "{ stack: {}, auth: { bearer: x } }"),
            "`auth` cannot stand beside `stack`",
        ),
        (
            Case::new().with("users", "{ token: { hs256: { secret: \"\" } } }"),
            "the secret is empty",
        ),
        (
            Case::new().with(
                "users",
                "{ token: { hs256: { secret: x, claims: { exp: 60 } } } }",
            ),
            "has no unit",
        ),
        (
            Case::new().with("users", "{ token: \"{{ user.jwt }}\" }"),
            "unknown name `user.jwt`",
        ),
        (
            Case::new().with("users", "{ from: { xml: a } }"),
            "what the users are read from is missing",
        ),
    ];
    for (case, expected) in table {
        let error = case.error();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_broken_token_is_one_error_and_not_one_for_each_use() {
    let error = Case::new()
        .with(
            "target",
            "{ url: \"http://a\", auth: { bearer: \"{{ token }}\" } }",
        )
        .with(
            "users",
            "{ from: { csv: \"\" }, token: { hs256: { secret: \"\" } } }",
        )
        .with(
            "flows",
            "{ f: [ { post: /x, text: \"{{ token }} {{ user.name }}\" } ] }",
        )
        .error();
    assert!(error.contains("the file has no name"), "{error}");
    assert!(!error.contains("unknown name"), "{error}");
}
