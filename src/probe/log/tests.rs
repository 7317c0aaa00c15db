#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::check::{Deliveries, TableReads, TablesRead};

fn deliveries() -> Deliveries {
    let ids = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
    let event = |offset, id: Option<&str>| Event {
        offset,
        id: id.map(Box::from),
        key: Some("줄\n".into()),
        sequence: id.map(|_| -4),
        at_us: Some(1_700_000_000_000_000),
        ..Event::default()
    };
    Deliveries {
        outbox: Ids {
            before: ids(&[]),
            last: ids(&["1", "x"]),
        },
        effects: Ids {
            before: None,
            last: ids(&["1", "1"]),
        },
        ends: Some(vec![End {
            partition: 0,
            end: 5,
        }]),
        events: Some(EventsRead {
            at_ns: 9,
            partitions: vec![Range {
                partition: 0,
                from: 0,
                to: 7,
            }],
            compacted: Some(true),
            others: 3,
            events: vec![event(5, Some("1")), event(6, None)],
        }),
    }
}

fn row(user: &str) -> IssuedRow {
    IssuedRow {
        user: user.to_owned(),
        id: Some(format!("c-{user}")),
        created_us: Some(1_700_000_000_000_000),
        grain_us: Some(1_000),
    }
}

fn read(at_ns: u64, users: &[&str]) -> IssuedRead {
    IssuedRead {
        at_ns,
        rows: users.iter().map(|user| row(user)).collect(),
    }
}

fn parse(text: &str) -> io::Result<Observations> {
    read_lines(text.as_bytes())
}

fn table(rows: &[[&str; 3]]) -> TableRead {
    TableRead {
        at_ns: 7,
        rows: rows.iter().copied().collect(),
    }
}

#[test]
fn what_was_written_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = TruthLog::create(directory.path()).unwrap();
    let reading = Reading {
        inv_ns: 1,
        ret_ns: 2,
        value: -3,
    };
    let odd = IssuedRow {
        user: "줄\n\"바꿈\"".to_owned(),
        id: None,
        created_us: None,
        grain_us: None,
    };
    let mut last = read(20, &["1", "2"]);
    last.rows.push(&odd);
    log.rows(When::Baseline, &read(10, &[])).unwrap();
    log.remaining(reading).unwrap();
    log.settled(&Settled::Quiet).unwrap();
    log.rows(When::Last, &last).unwrap();
    log.rows(When::Second, &read(30, &["1"])).unwrap();
    log.remaining_last(0).unwrap();
    log.stock(100).unwrap();
    log.failure("it did not answer").unwrap();
    let Deliveries {
        outbox,
        effects,
        ends,
        events,
    } = deliveries();
    log.ends(&ends.unwrap()).unwrap();
    log.ids(IdsOf::Outbox, When::Baseline, &outbox.before.unwrap())
        .unwrap();
    log.ids(IdsOf::Outbox, When::Last, &outbox.last.unwrap())
        .unwrap();
    log.events(&events.unwrap()).unwrap();
    log.ids(IdsOf::Effects, When::Last, &effects.last.unwrap())
        .unwrap();
    let (before, ledger) = (table(&[]), table(&[["k", "", "-1"], ["줄\n\"", "b", ""]]));
    log.table(Table::Ledger, When::Baseline, &before).unwrap();
    log.table(Table::Ledger, When::Last, &ledger).unwrap();

    let expected = Observations {
        baseline: Some(read(10, &[])),
        last: Some(last),
        second: Some(read(30, &["1"])),
        stock: Some(100),
        remaining: vec![reading],
        remaining_last: Some(0),
        settled: Some(Settled::Quiet),
        failures: vec!["it did not answer".to_owned()],
        deliveries: deliveries(),
        tables: Box::new(TablesRead {
            ledger: TableReads {
                before: Some(before),
                last: Some(ledger),
            },
            ..TablesRead::default()
        }),
    };
    assert_eq!(read_truth(directory.path()).unwrap(), expected);
}

#[test]
fn a_file_that_ends_anywhere_never_shows_a_part_of_a_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = TruthLog::create(directory.path()).unwrap();
    log.rows(When::Baseline, &read(10, &[])).unwrap();
    log.rows(When::Last, &read(20, &["1", "2", "3"])).unwrap();
    let whole = std::fs::read(path_in(directory.path())).unwrap();
    for end in 0..whole.len() {
        let observations = read_lines(&whole[..end]).unwrap();
        assert_eq!(observations.last, None, "cut at {end}");
    }
    assert!(read_lines(&whole[..]).unwrap().last.is_some());
}

#[test]
fn a_torn_table_is_named_and_never_shown_in_part() {
    let torn = "{\"table\":\"seats\",\"when\":\"last\",\"at_ns\":1,\"count\":2}\n{\"cells\":[\"a\",\"b\",\"\"]}\n{\"ce";
    let observations = parse(torn).unwrap();
    assert_eq!(*observations.tables, TablesRead::default());
    let expected = "the last seats read in truth.jsonl is torn: 1 of its rows are missing";
    assert_eq!(observations.failures, [expected]);
    assert!(parse("{\"stock\":1}\n{\"cells\":[\"a\",\"b\",\"\"]}\n").is_err());
}

#[test]
fn a_torn_read_is_named_among_the_failures() {
    let torn = r#"{"read":"last","at_ns":1,"rows":3}
{"user":"1"}
{"us"#;
    let failures = parse(torn).unwrap().failures;
    let expected = "the last read in truth.jsonl is torn: 2 of its rows are missing";
    assert_eq!(failures, [expected]);
}

#[test]
fn a_read_that_another_line_interrupts_is_left_out() {
    let text = r#"{"read":"last","at_ns":1,"rows":2}
{"user":"1"}
{"stock":5}
"#;
    let observations = parse(text).unwrap();
    assert_eq!((observations.last, observations.stock), (None, Some(5)));
}

#[test]
fn a_damaged_line_is_an_error_with_its_number() {
    let cases = [
        "{\"stock\":1}\nnonsense\n",
        "{\"stock\":1}\n{\"user\":\"1\"}\n",
        "{\"stock\":1}\n{\"stocks\":1}\n",
        "{\"stock\":1}\n\n",
        // A row too many belongs to no read.
        "{\"read\":\"last\",\"at_ns\":1,\"rows\":0}\n{\"user\":\"1\"}\n",
    ];
    for text in cases {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with("line 2 is damaged"), "{text}: {error}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = read_truth(directory.path()).unwrap_err();
    assert!(error.to_string().contains("truth.jsonl"), "{error}");
}

#[test]
fn how_the_wait_has_ended_is_read_back_also_from_an_older_version() {
    let waiting = || "the outbox is 3 after 60s".to_owned();
    let table = [
        (Settled::Quiet, r#"{"settled":true}"#),
        (
            Settled::Stuck(waiting()),
            r#"{"settled":false,"rested":true,"waiting":"the outbox is 3 after 60s"}"#,
        ),
        (
            Settled::Moving(Some(waiting())),
            r#"{"settled":false,"waiting":"the outbox is 3 after 60s"}"#,
        ),
        // As versions before this one have written it.
        (Settled::Moving(None), r#"{"settled":false}"#),
    ];
    for (settled, line) in table {
        let directory = tempfile::tempdir().unwrap();
        let mut log = TruthLog::create(directory.path()).unwrap();
        log.settled(&settled).unwrap();
        let written = std::fs::read_to_string(path_in(directory.path())).unwrap();
        assert_eq!(written, format!("{line}\n"));
        let read = read_truth(directory.path()).unwrap();
        assert_eq!(read.settled, Some(settled), "{line}");
    }
}

#[test]
fn rows_are_written_as_they_come_and_a_read_that_failed_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = TruthLog::create(directory.path()).unwrap();
    let mut failed = log.begin_rows(When::Last).unwrap();
    failed.push(&[row("1"), row("2")]).unwrap();
    failed.abandon().unwrap();
    log.stock(7).unwrap();
    let mut rows = log.begin_rows(When::Last).unwrap();
    rows.push(&[row("3")]).unwrap();
    rows.push(&[]).unwrap();
    rows.push(&[row("4"), row("5")]).unwrap();
    assert_eq!(rows.finish(9).unwrap(), 3);
    log.remaining_last(0).unwrap();
    let observations = read_truth(directory.path()).unwrap();
    let expected = Observations {
        last: Some(read(9, &["3", "4", "5"])),
        stock: Some(7),
        remaining_last: Some(0),
        ..Observations::default()
    };
    assert_eq!(observations, expected);
}

#[test]
fn rows_without_an_end_are_torn() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = TruthLog::create(directory.path()).unwrap();
    let mut rows = log.begin_rows(When::Second).unwrap();
    rows.push(&[row("1"), row("2")]).unwrap();
    drop(log);
    let observations = read_truth(directory.path()).unwrap();
    assert_eq!(observations.second, None);
    let words = "the second read in truth.jsonl is torn: its end is missing";
    assert_eq!(observations.failures, [words]);
}
