//! Files of users as people have them: whole, and wrong in each way.

use super::*;
use crate::plan::{self, Overrides};

/// A plan whose users come from this, and whose steps use the column `token`.
fn plan_of(users: &str) -> Plan {
    let text = format!(
        "name: x\ntarget: {{ url: \"http://a\" }}\nusers: {users}\n\
         load: {{ a: {{ constant_vus: {{ vus: 1, for: 1s }} }} }}\n\
         flows: {{ a: [ {{ post: /x, headers: {{ authorization: \"{{{{ user.token }}}}\" }} }} ] }}\n"
    );
    let plan = plan::load("x.yaml", &text, &Overrides::default(), &|_| None);
    plan.unwrap_or_else(|error| panic!("{error}"))
}

fn read_as(users: &str, file: &str, content: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join(file), content).expect("a file");
    let plan = plan_of(users);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let read = runtime.block_on(read(&plan, directory.path()));
    let place = format!("{}/", directory.path().display());
    let records = read.map_err(|error| error.to_string().replace(&place, ""))?;
    let records = records.expect("the users have records");
    let mut slots = vec![None; plan.slots.len()];
    let rows = (1..=records.count()).map(|number| {
        assert!(records.fill(number, &mut slots));
        slots.iter().flatten().cloned().collect()
    });
    Ok(rows.collect())
}

const CSV: &str = "{ from: { csv: u.csv } }";
const JSON: &str = "{ from: { jsonl: u.jsonl } }";

type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static [&'static str]],
);

#[test]
fn records_are_read_as_they_are() {
    // What it is, users, file, content, the used columns of each record.
    let table: [Case; 8] = [
        (
            "plain",
            CSV,
            "u.csv",
            "id,token\n1,a\n2,b\n",
            &[&["1", "a"], &["2", "b"]],
        ),
        (
            "another order, more columns",
            CSV,
            "u.csv",
            "x,token,id\n9,a,1\n",
            &[&["1", "a"]],
        ),
        (
            "user_id in the place of id",
            CSV,
            "u.csv",
            "user_id,token\n7,a\n",
            &[&["7", "a"]],
        ),
        (
            "windows line ends, a byte order mark",
            CSV,
            "u.csv",
            "\u{feff}id,token\r\n1,a\r\n",
            &[&["1", "a"]],
        ),
        (
            "quotes, commas, line breaks",
            CSV,
            "u.csv",
            "id,token\n1,\"a,\"\"b\"\"\nc\"\n",
            &[&["1", "a,\"b\"\nc"]],
        ),
        (
            "a smaller pool",
            "{ pool: 1, from: { csv: u.csv } }",
            "u.csv",
            "id,token\n1,a\n1,b\n",
            &[&["1", "a"]],
        ),
        (
            "JSON lines",
            JSON,
            "u.jsonl",
            "{\"id\":1,\"token\":\"é\"}\n\n{\"token\":true,\"id\":\"2\"}\n",
            &[&["1", "é"], &["2", "true"]],
        ),
        (
            "an id of two columns",
            "{ id: \"{{ user.a }}-{{ user.b }}\", from: { csv: u.csv } }",
            "u.csv",
            "a,b,token\n1,2,t\n1,3,t\n",
            &[&["1", "2", "t"], &["1", "3", "t"]],
        ),
    ];
    for (name, users, file, content, expected) in table {
        let rows = read_as(users, file, content.as_bytes());
        let rows = rows.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rows, expected, "{name}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let table: [(&str, &str, &[u8], &str); 15] = [
        (CSV, "u.csv", b"", "u.csv: it is empty"),
        (
            CSV,
            "u.csv",
            b"id,token\n",
            "u.csv: there is no record in it",
        ),
        (
            CSV,
            "u.csv",
            b"id,token\n1,a\n2\n",
            "u.csv:3: the record has 1 columns, the header has 2",
        ),
        (
            CSV,
            "u.csv",
            b"id,token\n1,a,b\n",
            "u.csv:2: the record has 3 columns",
        ),
        (
            CSV,
            "u.csv",
            b"id,token\n1,\"a\n2,b\n",
            "u.csv:2: a quote is not closed",
        ),
        (
            CSV,
            "u.csv",
            b"id,token\n1,a\n2,\xff\n",
            "u.csv:3: it is not UTF-8",
        ),
        (
            CSV,
            "u.csv",
            b"id,token\n1,a\n2,b\n1,c\n",
            "u.csv:4: the record has the same id as line 2",
        ),
        (
            CSV,
            "u.csv",
            b"id,token\n,a\n",
            "u.csv:2: the record's id is empty",
        ),
        (
            CSV,
            "u.csv",
            b"member,token\n1,a\n",
            "there is no column `id` or `user_id`",
        ),
        (
            CSV,
            "u.csv",
            b"id,tokn\n1,a\n",
            "u.csv:1: `{{ user.token }}` names no column\n  hint: did you mean `tokn`?",
        ),
        (
            CSV,
            "u.csv",
            b"id;token\n1;a\n",
            "columns are separated by commas",
        ),
        (
            CSV,
            "u.csv",
            b"id,id,token\n1,2,a\n",
            "u.csv:1: the column `id` is there twice",
        ),
        (
            CSV,
            "other.csv",
            b"",
            "failed to read the users from u.csv: No such file",
        ),
        (
            "{ pool: 3, from: { csv: u.csv } }",
            "u.csv",
            b"id,token\n1,a\n",
            "`users.pool` asks for 3 users, but there are 1 records",
        ),
        (
            JSON,
            "u.jsonl",
            b"{\"id\":1,\"token\":2}\n{\"id\":2}\n",
            "u.jsonl:2: the record has no `token`",
        ),
    ];
    for (users, file, content, expected) in table {
        let error = read_as(users, file, content).expect_err(expected);
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let error = read_as(JSON, "u.jsonl", b"{\"id\":1,\"token\":2}\n[1]\n");
    let error = error.expect_err("a list is no record");
    assert!(
        error.starts_with("u.jsonl:2: it is no JSON object"),
        "{error}"
    );
}

#[test]
fn looking_reads_the_columns_and_no_record() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("u.csv");
    let plan = plan_of(CSV);
    let looked = look(&plan, directory.path()).expect("nothing is wrong");
    assert_eq!(looked, Looked::NotThere(file.clone()));
    std::fs::write(&file, "id,token\nbroken\n").expect("a file");
    let looked = look(&plan, directory.path()).expect("the columns are there");
    assert_eq!(looked, Looked::Fine);
    std::fs::write(&file, "id\n").expect("a file");
    let error = look(&plan, directory.path()).expect_err("a column is missing");
    assert!(error.to_string().contains("names no column"), "{error}");
}
