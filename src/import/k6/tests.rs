//! Small scripts, one question each.

use proptest::prelude::*;

use super::import;
use crate::plan::{self, Overrides};

/// A script whose one request has this body and is followed by these lines.
fn script(before: &str, body: &str, after: &str) -> String {
    format!(
        "import http from 'k6/http';
         {before}
         export default function () {{
           const res = http.post('http://a:1/issue', {body}, {{ headers: {{ x: 'y' }} }});
           {after}
         }}"
    )
}

fn imported(script: &str) -> String {
    let imported = import("script.js", script).expect("JavaScript");
    let environment = |_: &str| Some("1".to_owned());
    let planned = plan::load(
        "script.yaml",
        &imported.scenario,
        &Overrides::default(),
        &environment,
    );
    if let Err(diagnostics) = planned {
        panic!("{diagnostics}\n{}", imported.scenario);
    }
    imported.scenario
}

#[track_caller]
fn holds(scenario: &str, line: &str) {
    assert!(
        scenario.lines().any(|one| one.trim().starts_with(line)),
        "no {line:?} in\n{scenario}"
    );
}

#[test]
fn who_asks_is_found_by_name() {
    let table = [
        (
            "`u-${__VU}-${__ITER}`",
            "id: \"u-{{ vu }}-{{ iter }}\"",
            "json: { userId: \"{{ user }}\" }",
        ),
        (
            "__VU",
            "per: vu",
            "json: { userId: \"{{ user | number }}\" }",
        ),
        (
            "__VU * 1000 + __ITER",
            "id: \"{{ n }}\"",
            "json: { userId: \"{{ user | number }}\" }",
        ),
        (
            "String(exec.scenario.iterationInTest)",
            "id: \"{{ n }}\"",
            "json: { userId: ",
        ),
        (
            "Math.floor(Math.random() * 500) + 1",
            "pool: 500",
            "json: { userId: \"{{ user | number }}\" }",
        ),
        (
            "'m' + randomIntBetween(1, 20)",
            "pool: 20",
            "json: { userId: \"{{ user }}\" }",
        ),
        (
            "uuidv4()",
            "id: \"{{ uuid }}\"",
            "json: { userId: \"{{ user }}\" }",
        ),
        (
            "'the-same'",
            "id: \"the-same\"",
            "json: { userId: \"{{ user }}\" }",
        ),
        (
            "members[__VU]",
            "id: \"{{ n }}\"",
            "json: { userId: \"{{ user }}\" }",
        ),
    ];
    for (id, users, body) in table {
        let scenario = imported(&script(
            "",
            &format!("JSON.stringify({{ userId: {id} }})"),
            "",
        ));
        holds(&scenario, users);
        holds(&scenario, body);
    }
}

#[test]
fn who_asks_is_found_without_a_name() {
    let text = "import http from 'k6/http';
        export default () => { http.get(`http://a:1/try/${__VU}_${__ITER}?q=1`); }";
    let scenario = imported(text);
    holds(&scenario, "id: \"{{ vu }}_{{ iter }}\"");
    holds(&scenario, "get: \"/try/{{ vu }}_{{ iter }}?q=1\"");
}

#[test]
fn what_a_condition_tells_apart_becomes_an_outcome() {
    let table = [
        ("r.status === 201", "issued: { status: 201 }"),
        (
            "r.status >= 200 && r.status < 300",
            "issued: { status: 2xx }",
        ),
        (
            "[200, 201].includes(r.status)",
            "issued: { status: [200, 201] }",
        ),
        ("r.status === 202", "pending: { status: 202 }"),
        ("r.status === 429", "rate_limited: { status: 429 }"),
        // Two meanings, and no word that says which.
        (
            "r.status === 200 || r.status === 409",
            "status_409: { status: 409, is: unknown }",
        ),
        (
            "r.status === 400 && r.json('error.code') === 'SOLD_OUT'",
            "sold_out: { status: 400, json: { \"/error/code\": \"SOLD_OUT\" } }",
        ),
        (
            "r.json().result == 'ALREADY'",
            "duplicate: { json: { \"/result\": \"ALREADY\" } }",
        ),
        (
            "JSON.parse(r.body).ok === true",
            "answered: { json: { \"/ok\": true }, is: unknown }",
        ),
        (
            "r.body.includes('재고가 없습니다')",
            "sold_out: { body: \"재고가 없습니다\" }",
        ),
        (
            "{ const b = r.json(); return r.status === 200 && b.code === 0; }",
            "issued: { status: 200, json: { \"/code\": 0 } }",
        ),
    ];
    for (condition, outcome) in table {
        let check = format!("check(res, {{ 'as told': (r) => {condition} }});");
        let scenario = imported(&script("", "null", &check));
        holds(&scenario, outcome);
    }
}

#[test]
fn a_condition_that_says_only_what_an_answer_is_not_is_left_out() {
    for condition in [
        "r.status < 500",
        "r.status !== 500",
        "r.timings.duration < 200",
        "!r.error",
    ] {
        let check = format!("check(res, {{ 'fine': (r) => {condition} }});");
        let imported = import("a.js", &script("", "null", &check)).expect("JavaScript");
        holds(
            &imported.scenario,
            "issued: { status: [200, 201] }   # TODO: the script does not say it",
        );
        assert!(
            imported.notes.iter().any(|note| note.line == 5),
            "{condition}: {:?}",
            imported.notes
        );
    }
}

#[test]
fn options_become_loads_with_the_defaults_of_k6() {
    let table = [
        ("{}", "per_vu_iterations:", "iterations: 1"),
        ("{ vus: 5, duration: '10s' }", "constant_vus:", "vus: 5"),
        (
            "{ vus: 5, iterations: 20 }",
            "shared_iterations:",
            "iterations: 20",
        ),
        (
            "{ stages: [{ duration: '1m30s', target: 7 }] }",
            "ramping_vus:",
            "start: 1",
        ),
        (
            "{ vus: parseInt(__ENV.VUS || '12'), duration: 5000 }",
            "constant_vus:",
            "vus: 12",
        ),
        (
            "{ scenarios: { a: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1m', duration: '1m', preAllocatedVUs: 3 } } }",
            "constant_arrival_rate:",
            "rate: 30/m",
        ),
        (
            "{ scenarios: { a: { executor: 'ramping-arrival-rate', timeUnit: '10s', preAllocatedVUs: 3, maxVUs: 9, stages: [{ duration: '1s', target: 50 }] } } }",
            "ramping_arrival_rate:",
            "- { for: 1s, to: 5/s }",
        ),
        (
            "{ vus: __ENV.VUS, duration: '1s' }",
            "constant_vus:",
            "vus: 1",
        ),
    ];
    for (options, executor, line) in table {
        let scenario = imported(&script(
            &format!("export const options = {options};"),
            "null",
            "",
        ));
        holds(&scenario, executor);
        holds(&scenario, line);
    }
}

#[test]
fn a_default_of_the_environment_is_taken_and_a_variable_without_one_is_kept() {
    let text = "import http from 'k6/http';
        const BASE = __ENV.BASE ?? 'https://shop:8443/v2';
        export default function () {
          http.put(`${BASE}/issue`, 'x', { headers: { authorization: `Bearer ${__ENV.TOKEN}` } });
        }";
    let scenario = imported(text);
    holds(&scenario, "target: { url: \"https://shop:8443\" }");
    holds(&scenario, "put: \"/v2/issue\"");
    holds(&scenario, "headers: { authorization: \"Bearer ${TOKEN}\" }");
}

#[test]
fn what_depends_on_an_unset_variable_is_decided() {
    let before = "function env(name, fallback) {
          const raw = __ENV[name];
          if (raw === undefined || raw === '') { return fallback; }
          return Number(raw);
        }
        export const options = { vus: env('VUS', 33), iterations: __ENV.MANY !== 'yes' ? 40 : 4000 };";
    let scenario = imported(&script(before, "null", ""));
    holds(&scenario, "vus: 33");
    holds(&scenario, "iterations: 40");
}

#[test]
fn the_words_of_a_branch_say_what_a_refusal_is() {
    let after = "if (res.status === 200) { ok.add(1); return; }
        if (res.status === 409) { duplicates.add(1); soldOut.add(0); return; }
        if (res.status === 400) { soldOut.add(1); duplicates.add(0); }";
    let scenario = imported(&script("", "null", after));
    holds(&scenario, "issued: { status: 200 }");
    holds(&scenario, "duplicate: { status: 409 }");
    holds(&scenario, "sold_out: { status: 400 }");
}

#[test]
fn functions_that_call_each_other_end() {
    let before = "function a() { b(); b(); b(); } function b() { a(); a(); a(); }";
    imported(&script(before, "null", "a();"));
}

#[test]
fn a_script_without_a_request_becomes_a_valid_draft() {
    let scenario = imported("export default function () { grpc.invoke('x'); }");
    holds(
        &scenario,
        "- get: /   # TODO: no request was found in the script",
    );
    holds(
        &scenario,
        "# - line 1: `grpc.invoke('x')` is not understood",
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_importer_panic(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "export default function () {", "}", "{", "(", ")", "[", "]", "http.post(", "'a'", "`x${", "__VU", "__ITER",
            ", ", "const userId = ", "options", " = ", "check(res, {", "(r) => ", "r.status", " === ", "200", ";\n", "...",
            "import http from 'k6/http';", "JSON.stringify(", "sleep(", "Math.random()", " * ", " % ", "한글", "\\u{", "if (", "for (",
        ]), 0..40)
    ) {
        let _ = import("a.js", &pieces.concat());
    }
}
