//! `invariants`: what must hold.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::shape;
use super::text::{AnyKey, Count, Flag, OneOrMany, Span, Template, Text, word_types, words};

/// What must hold.
pub(super) struct Invariant;

const INVARIANTS: [(&str, &str); 6] = [
    (
        "stock",
        "no more was issued than there was, and sold out was said only when nothing was left; needs `subject`",
    ),
    ("one_per_user", "nobody holds more than one"),
    (
        "acknowledged",
        "everything that was confirmed is there, and everything that is there was asked for",
    ),
    (
        "first_come_first_served",
        "some order of the attempts explains every answer, so nobody was refused before somebody who asked later got one; needs `subject`",
    ),
    (
        "delivery",
        "what was issued was published, and had its effect once; needs `truth.outbox`, `truth.events` or `truth.effects`, which the bundled server's strategies with events have by themselves",
    ),
    (
        "recovery",
        "behind every fault all was as before again; needs `faults`",
    ),
];

impl JsonSchema for Invariant {
    fn schema_name() -> Cow<'static, str> {
        "Invariant".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = words(generator, &INVARIANTS);
        let with_options = generator.subschema_for::<WithOptions>().to_value();
        if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
            forms.push(with_options);
        }
        schema
    }
}

/// An invariant with options.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = one)]
struct WithOptions {
    /// A waiting queue kept its order and its limit, as far as its keys say how it is told of. What
    /// is not set is not judged.
    #[schemars(example = json!({
        "entered": { "enter": "entered" }, "waiting": { "order": "waiting" },
        "admitted": { "order": "admitted" }, "at_most": 500,
    }))]
    queue: Option<Queue>,
    /// Some order of the attempts explains every answer.
    #[schemars(example = json!({ "duplicates": "first" }))]
    first_come_first_served: Option<FirstComeFirstServed>,
    /// What was issued was published, and had its effect once.
    #[schemars(example = json!({ "by": "user" }))]
    delivery: Option<Delivery>,
    /// Behind every fault all was as before again.
    #[schemars(example = json!({ "within": "30s" }))]
    recovery: Option<Recovery>,
    /// No seat belongs to two users at the same time, and every seat that was sold has its row; needs
    /// `truth.seats`.
    #[schemars(example = json!({ "seat": "{{ seat }}", "hold": { "step": "hold", "lease": "5m" } }))]
    seats: Option<Seats>,
    /// Every charge is in the ledger once, the balances follow from it, and none is below zero; needs
    /// `truth.ledger` and `truth.balances`.
    #[schemars(example = json!({ "key": "{{ order }}", "amount": "-{{ price }}" }))]
    balances: Option<Balances>,
}

fn one(schema: &mut Schema) {
    let names = [
        "first_come_first_served",
        "delivery",
        "queue",
        "recovery",
        "seats",
        "balances",
    ];
    shape::exactly_one(schema, &names);
}

/// How a waiting queue is told of, and what must hold.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Queue {
    /// Steps with one or several outcomes by which a user has a place in the queue, and had none
    /// before. `ticket`, `ahead` and `waiting` need it.
    #[schemars(example = json!({ "enter": "entered" }))]
    entered: Option<BTreeMap<AnyKey, OneOrMany<Text>>>,
    /// Steps with one or several outcomes by which a user still waits. With `entered` and
    /// `admitted`: who entered first is admitted first.
    #[schemars(example = json!({ "order": "waiting" }))]
    waiting: Option<BTreeMap<AnyKey, OneOrMany<Text>>>,
    /// Steps with one or several outcomes by which a user is let in. `at_most` and `before` need it.
    #[schemars(example = json!({ "order": "admitted" }))]
    admitted: Option<BTreeMap<AnyKey, OneOrMany<Text>>>,
    /// A capture of a step of `entered`: the number by which users are let in, the lowest first. No
    /// two users have the same, and who enters later has a higher one.
    #[schemars(example = &"ticket")]
    ticket: Option<Text>,
    /// `true`: tickets are counted one by one, so that none is missing but those of requests without
    /// a certain answer.
    #[schemars(extend("default" = false), example = true)]
    gapless: Option<Flag>,
    /// A capture of steps of `entered` and `waiting`: how many people are ahead. It never rises, and
    /// two users never change places.
    #[schemars(example = &"rank")]
    ahead: Option<Text>,
    /// How many may be inside at the same time.
    #[schemars(example = 500)]
    at_most: Option<Count>,
    /// How long a user who was let in is certainly inside without asking for anything; for
    /// `at_most`. Without it, until the user asks for something else.
    #[schemars(example = "60s")]
    lease: Option<Span>,
    /// One or several steps that are answered `issued` to nobody who was not let in before.
    #[schemars(example = &"issue")]
    before: Option<OneOrMany<Text>>,
}

/// How soon.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Recovery {
    /// How long it may take from the heal of a fault. Otherwise until the load has ended.
    #[schemars(example = "30s")]
    within: Option<Span>,
}

/// How events are compared with the issued rows.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Delivery {
    /// What an event, an outbox row and an effect have in common with an issued row.
    #[schemars(extend("default" = "coupon"), example = &"user")]
    by: Option<Identity>,
}

/// Which attempts are about a seat, and which.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Seats {
    /// What names the seat of an attempt, as `truth.seats` has it: of a value that the answer itself
    /// brings, or of one that was known before.
    #[schemars(example = &"{{ seat }}")]
    seat: Template,
    /// The steps whose `issued` says that the seat is sold to the user; otherwise all that have this
    /// outcome and ask for no hold.
    #[schemars(example = &"buy")]
    sold: Option<OneOrMany<Text>>,
    /// What gives a user a seat for some time.
    #[schemars(example = json!({ "step": "hold", "lease": "5m" }))]
    hold: Option<Hold>,
    /// The steps that give a seat back.
    #[schemars(example = &"cancel")]
    release: Option<OneOrMany<Text>>,
}

/// Holding a seat for some time.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Hold {
    /// The steps whose `issued` or `ok` grants it.
    #[schemars(example = &"hold")]
    step: OneOrMany<Text>,
    /// From when it is granted: after so long the seat may be anybody's.
    #[schemars(example = &"5m")]
    lease: Span,
}

/// Which attempts charge an account.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Balances {
    /// What the system knows a repeated charge by, as `truth.ledger` has it.
    #[schemars(example = &"{{ order }}")]
    key: Template,
    /// Whom it charges, as `truth.ledger` has it.
    #[schemars(extend("default" = "{{ user }}"), example = &"{{ wallet }}")]
    account: Option<Template>,
    /// What the row of the ledger must add to the account; otherwise any amount is right.
    #[schemars(example = &"-{{ price }}")]
    amount: Option<Template>,
    /// The steps whose `issued` says that the charge was made; otherwise all that have this outcome.
    #[schemars(example = json!(["pay", "pay-again"]))]
    charge: Option<OneOrMany<Text>>,
    /// Whether all accounts together must hold what they held at the beginning.
    #[schemars(extend("default" = false))]
    conserved: Option<Flag>,
}

/// How the system answers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FirstComeFirstServed {
    /// What a user is told who holds one and asks again when nothing is left.
    #[schemars(extend("default" = "any"), example = &"first")]
    duplicates: Option<Duplicates>,
}

word_types! {
    /// What an event has in common with an issued row.
    Identity: [
        ("coupon", "the coupon's own id"),
        ("user", "the user, where each gets at most one"),
    ];

    /// What a user is told who holds one and asks again when nothing is left.
    Duplicates: [
        ("any", "duplicate or sold out"),
        ("first", "always duplicate: an earlier one is looked for before the stock"),
    ];
}
