//! Single values: what is read as one the schema accepts, and what is none it rejects.

use std::str::FromStr;
use std::sync::LazyLock;

use fcfs_bench::scenario;
use fcfs_bench::scenario::value::{
    Count, HeaderName, HeaderValue, Name, Pointer, Rate, Share, Span, Status, Url,
};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::json;

/// Accepts what the type of the schema accepts.
fn type_validator(name: &str) -> Validator {
    let mut schema = scenario::schema();
    let node = json!({ "$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"].take() });
    jsonschema::draft202012::new(&node).expect("a valid schema")
}

/// Texts near to the values of a scenario.
fn nearly_a_value() -> impl Strategy<Value = String> {
    prop_oneof![
        r" ?[0-9_]{1,5}(\.[0-9_]{1,3})? ?(ns|us|ms|s|m|h|d|%|/s|/ m|/h|k|)[0-9]{0,2}(s|m|) ?",
        r"([0-9]{1,3}(h|m|s|ms)){1,4}",
        r" ?\+?[0-9]{3,4} ?",
        r"[0-6][xX]{1,3}",
        r"[/a-zA-Z0-9~01._-]{0,12}",
        r"(/([a-z]|~0|~1|~2|이){0,3}){0,4}",
        r"https?://[a-z0-9.\[\]:_-]{1,12}(:[0-9]{1,6})?(/[!-~]{0,6})?",
        r"[\pL\pN._ -]{0,70}",
        r"[!-~]{0,12}",
        r"\PC{0,12}",
        "(true|false|on|no)",
    ]
}

/// One type of the schema, the reader of the same values, and texts that neither takes.
type Pair = (&'static str, fn(&str) -> bool, &'static [&'static str]);

fn reads<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

const PAIRS: [Pair; 10] = [
    (
        "Count",
        reads::<Count>,
        &["", "-1", "1.5", "5k", "1e3", "_1", "1_"],
    ),
    (
        "Positive",
        |text| text.parse::<Count>().is_ok_and(|count| count.0 > 0),
        &["0", "0_0", ""],
    ),
    (
        "Span",
        reads::<Span>,
        &[
            "",
            "5",
            "1.5",
            "-1s",
            "1e3s",
            "5 s",
            "5x",
            "s5",
            "1.s",
            "5 minutes",
        ],
    ),
    (
        "Rate",
        reads::<Rate>,
        &["", "/s", "5/ms", "5/2s", "-1/s", "x/s"],
    ),
    ("Share", reads::<Share>, &["", "%", "-1%", "x", "nan"]),
    (
        "Status",
        reads::<Status>,
        &["", "99", "600", "6xx", "4x", "2000", "ok"],
    ),
    (
        "Name",
        reads::<Name>,
        &["", ".", "-rf", "a/b", "a b", "a:b"],
    ),
    (
        "Pointer",
        reads::<Pointer>,
        &["a", "a.b", "$.a", "/a~", "/a~2b"],
    ),
    ("HeaderValue", reads::<HeaderValue>, &["a\r\nb", "\0"]),
    (
        "Url",
        reads::<Url>,
        &[
            "",
            "localhost:3000",
            "ftp://a",
            "http://",
            "http://u:p@a",
            "http://a/?q",
        ],
    ),
];

#[test]
fn what_no_value_is_the_schema_rejects_too() {
    for (name, reads, wrong) in PAIRS {
        let validator = type_validator(name);
        for text in wrong {
            assert!(!reads(text), "{name} reads {text:?}");
            assert!(
                !validator.is_valid(&json!(text)),
                "the schema takes {text:?} as {name}"
            );
        }
        assert!(
            validator.is_valid(&json!("${NAME}")),
            "{name} from the environment"
        );
    }
}

/// In the order of [`PAIRS`].
static VALIDATORS: LazyLock<Vec<Validator>> = LazyLock::new(|| {
    PAIRS
        .iter()
        .map(|(name, ..)| type_validator(name))
        .collect()
});

static REQUEST: LazyLock<Validator> = LazyLock::new(|| type_validator("Request"));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_read_as_a_value_the_schema_accepts(texts in prop::collection::vec(nearly_a_value(), 40)) {
        for ((name, reads, _), validator) in PAIRS.iter().zip(&*VALIDATORS) {
            for text in texts.iter().filter(|text| reads(text)) {
                prop_assert!(validator.is_valid(&json!(text)), "{} as {}", text, name);
            }
        }
    }

    #[test]
    fn a_key_that_is_read_is_accepted(key in nearly_a_value()) {
        if reads::<HeaderName>(&key) {
            prop_assert!(REQUEST.is_valid(&json!({ "get": "/", "headers": { key.clone(): "x" } })), "{}", key);
        }
        if reads::<Pointer>(&key) {
            let outcomes = json!({ "ok": { "json": { key.clone(): 1 } } });
            prop_assert!(REQUEST.is_valid(&json!({ "get": "/", "outcomes": outcomes })), "{}", key);
        }
        if reads::<Name>(&key) {
            let outcomes = json!({ key.clone(): 200 });
            prop_assert!(REQUEST.is_valid(&json!({ "get": "/", "outcomes": outcomes })), "{}", key);
        }
    }
}
