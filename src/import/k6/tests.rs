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

/// What the users become, by how the script takes the id.
#[test]
fn ids_that_are_drawn_are_drawn_again() {
    let table = [
        ("Math.floor(Math.random() * 500) + 1", "pool: 500", None),
        ("Math.ceil(Math.random() * 40)", "pool: 40", None),
        ("randomIntBetween(1, 20)", "pool: 20", None),
        ("parseInt(Math.random() * 100) + 1", "pool: 100", None),
        ("(Math.random() * 30 | 0) + 1", "pool: 30", None),
        (
            "Math.floor(Math.random() * 1000)",
            "pool: 1000",
            Some("# TODO: the script draws from 0 to 999;"),
        ),
        (
            "randomIntBetween(1001, 1500)",
            "pool: 500",
            Some("# TODO: the script draws from 1001 to 1500;"),
        ),
        (
            "__ITER % 50 + 1",
            "pool: 50",
            Some("# The script's numbers come again in turn;"),
        ),
    ];
    for (id, pool, comment) in table {
        let body = format!("JSON.stringify({{ userId: {id} }})");
        let scenario = imported(&script("", &body, ""));
        holds(&scenario, pool);
        holds(&scenario, "random: true");
        holds(&scenario, "id: \"{{ n }}\"");
        if let Some(line) = comment {
            holds(&scenario, line);
        }
    }
}

#[test]
fn an_id_of_which_only_a_part_is_drawn_is_new_in_each_iteration() {
    let body = "JSON.stringify({ userId: `${__VU}-${Math.floor(Math.random() * 9)}` })";
    let scenario = imported(&script("", body, ""));
    holds(&scenario, "id: \"{{ vu }}-{{ n }}\"");
    assert!(!scenario.contains("random: true"), "{scenario}");
}

/// A flow that asks first for something, and then sends it.
fn in_two_steps(take: &str, send: &str) -> String {
    format!(
        "import http from 'k6/http';
         export default function () {{
           const first = http.post('http://a:1/session', JSON.stringify({{ userId: __VU }}));
           {take}
           http.post('http://a:1/issue', null, {{ headers: {{ {send} }} }});
         }}"
    )
}

#[test]
fn what_is_taken_from_an_answer_is_captured_under_its_name() {
    let table = [
        (
            "const token = first.json('token');",
            "Authorization: `Bearer ${token}`",
            "capture: { token: { json: \"/token\", secret: true } }",
            "Bearer {{ token }}",
        ),
        (
            "const { accessToken } = first.json();",
            "Authorization: 'Bearer ' + accessToken",
            "capture: { accessToken: { json: \"/accessToken\", secret: true } }",
            "Bearer {{ accessToken }}",
        ),
        (
            "const body = JSON.parse(first.body);",
            "'X-Ticket': body.data.ticket",
            "capture: { ticket: \"/data/ticket\" }",
            "{{ ticket }}",
        ),
        (
            "const place = first.headers['X-Place'];",
            "'X-Place': place",
            "capture: { place: { header: \"x-place\" } }",
            "{{ place }}",
        ),
        (
            "const sid = first.cookies.SID[0].value;",
            "Cookie: `SID=${sid}`",
            "capture: { sid: { cookie: \"SID\", secret: true } }",
            "SID={{ sid }}",
        ),
        (
            "const user = first.json('id');",
            "'X-Place': user",
            "capture: { user_2: \"/id\" }",
            "{{ user_2 }}",
        ),
    ];
    for (take, send, capture, sent) in table {
        let scenario = imported(&in_two_steps(take, send));
        holds(&scenario, capture);
        assert!(scenario.contains(sent), "no {sent}: {scenario}");
    }
}

#[test]
fn a_login_whose_answer_is_not_looked_at_counts_by_its_cookie() {
    let text = "import http from 'k6/http';
        export default function () {
          http.post('http://a:1/login', { user: `u${__VU}` });
          http.post('http://a:1/issue');
        }";
    holds(&imported(text), "cookies: true");
    let scenario = imported(&in_two_steps("", ""));
    assert!(!scenario.contains("cookies"), "{scenario}");
}

#[test]
fn what_another_function_captured_is_said_with_its_line() {
    let text = "import http from 'k6/http';
        let token;
        export const options = { scenarios: {
          a: { executor: 'constant-vus', vus: 1, duration: '1s', exec: 'first' },
          b: { executor: 'constant-vus', vus: 1, duration: '1s', exec: 'second' } } };
        export function first() { token = http.post('http://a:1/x').json('token'); }
        export function second() { http.get('http://a:1/y', { headers: { k: token } }); }";
    let scenario = imported(text);
    holds(&scenario, "headers: { k: \"TODO\" }");
    holds(
        &scenario,
        "# - line 7: `/token` of another function's answer",
    );
}

#[test]
fn setup_and_teardown_become_before_and_after() {
    let text = "import http from 'k6/http';
        export function setup() {
          const login = http.post('http://a:1/login', JSON.stringify({ name: 'admin' }));
          if (login.status !== 200) { throw new Error('no'); }
          http.post('http://a:1/reset', `${__VU}`);
          return { auth: login.json().token };
        }
        export default function ({ auth }) {
          http.post('http://a:1/issue', JSON.stringify({ userId: __ITER }), { headers: { auth } });
        }
        export function teardown(data) { http.del(`http://a:1/done?key=${data.auth}`); }";
    let scenario = imported(text);
    for line in [
        "before:",
        "post: \"/login\"",
        "capture: { auth: { json: \"/token\", secret: true } }",
        "# - line 5: `the VU` is not known: `TODO` stands in its place",
        "headers: { auth: \"{{ auth }}\" }",
        "after:",
        "delete: \"/done?key={{ auth }}\"",
    ] {
        holds(&scenario, line);
    }
    let at = |words: &str| scenario.find(words).expect("it is there");
    assert!(at("before:") < at("flows:") && at("flows:") < at("after:"));
}

#[test]
fn users_of_a_file_are_taken_as_the_script_takes_them() {
    let json = "JSON.parse(open('./data/users.json'))";
    let csv = "papaparse.parse(open('users.csv'), { header: true }).data";
    let lines = "open('tokens.txt').split('\\n')";
    let rows = "open('users.csv').split('\\n').slice(1).map((line) => { const [name, id] = line.split(','); return { name, id }; })";
    let jsonl = "from: { jsonl: \"data/users.jsonl\" }";
    let table = [
        (json, "all[__VU % all.length].id", jsonl, "per: vu"),
        (
            json,
            "all[Math.floor(Math.random() * all.length)].id",
            jsonl,
            "random: true",
        ),
        (json, "randomItem(all).id", jsonl, "random: true"),
        (json, "all[__ITER].id", jsonl, "id: \"{{ user.id }}\""),
        (json, "all[__ITER].email", jsonl, "id: \"{{ user.email }}\""),
        (
            json,
            "all[__ITER]",
            jsonl,
            "# TODO: write it as JSON lines, one object a line: jq -c '.[] | {value: .}' data/users.json > data/users.jsonl",
        ),
        (
            csv,
            "all[__VU - 1].userId",
            "from: { csv: \"users.csv\" }",
            "per: vu",
        ),
        (
            rows,
            "all[__VU - 1].id",
            "from: { csv: \"users.csv\" }",
            "json: { who: \"{{ user.column1 }}\" }",
        ),
        // A place that is left out: which columns the others are is not guessed.
        (
            "open('u.csv').split('\\n').map((line) => { const [, id] = line.split(','); return { id }; })",
            "all[__VU - 1].id",
            "from: { csv: \"u.csv\" }",
            "json: { who: \"TODO\" }",
        ),
        (
            lines,
            "all[__VU - 1].trim()",
            "from: { csv: \"tokens.txt\" }",
            "# TODO: its first line has to name all columns: column0",
        ),
    ];
    for (read, id, from, line) in table {
        let before = format!("const all = new SharedArray('all', () => {{ return {read}; }});");
        let body = format!("JSON.stringify({{ who: {id} }})");
        let scenario = imported(&script(&before, &body, ""));
        holds(&scenario, from);
        holds(&scenario, line);
    }
}

#[test]
fn what_is_asked_once_by_each_vu_is_said_to_be_asked_each_time() {
    let text = "import http from 'k6/http';
        let token = null;
        export default function () {
          if (!token) { token = http.post('http://a:1/login', { user: `u${__VU}` }).json('t'); }
          http.post('http://a:1/issue', null, { headers: { token } });
        }";
    let scenario = imported(text);
    holds(&scenario, "headers: { token: \"{{ token }}\" }");
    holds(
        &scenario,
        "# - line 4: requests that wait for `(!token)` are sent each time",
    );
}

#[test]
fn a_second_file_and_numbers_of_a_file_are_said_with_their_lines() {
    let text = "import http from 'k6/http';
        const users = JSON.parse(open('users.json'));
        const seats = JSON.parse(open('seats.json'));
        export default function () {
          const user = users[__VU - 1];
          http.post('http://a:1/x', JSON.stringify({ userId: user.id, seat: seats[__ITER].name }));
        }";
    let scenario = imported(text);
    holds(
        &scenario,
        "json: { userId: \"{{ user.id }}\", seat: \"TODO\" }",
    );
    holds(&scenario, "# - line 6: `seats.json` is a second file");
    holds(&scenario, "# - line 6: `userId` is sent as a text");
}

proptest! {
    #[test]
    fn no_text_makes_the_importer_panic(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "export default function () {", "}", "{", "(", ")", "[", "]", "http.post(", "'a'", "`x${", "__VU", "__ITER",
            ", ", "const userId = ", "options", " = ", "check(res, {", "(r) => ", "r.status", " === ", "200", ";\n", "...",
            "import http from 'k6/http';", "JSON.stringify(", "sleep(", "Math.random()", "JSON.parse(", "open('u.json')", "export function setup() {",
            "export function teardown(data) {", ".json('a')", "return ", "[__VU]", ".cookies", "new SharedArray('a', () => ", "|", " * ", " % ", "한글", "\\u{", "if (", "for (",
        ]), 0..40)
    ) {
        let _ = import("a.js", &pieces.concat());
    }
}
