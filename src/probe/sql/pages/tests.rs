#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use crate::plan::{Pages, Query, Secret, Source};
use crate::probe::{Probe, Reason};

/// A database with a table `issued (user, k)` whose second column is declared like this.
async fn table(directory: &std::path::Path, declared: &str, values: &[String]) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(directory.join("shop.db"));
    let options = options.create_if_missing(true);
    let mut writer = options
        .pragma("journal_mode", "WAL")
        .connect()
        .await
        .unwrap();
    run(
        &mut writer,
        format!("CREATE TABLE issued (user, k {declared})"),
    )
    .await;
    for (user, value) in values.iter().enumerate() {
        run(
            &mut writer,
            format!("INSERT INTO issued VALUES ({user}, {value})"),
        )
        .await;
    }
    writer
}

async fn run(connection: &mut SqliteConnection, statement: String) {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    connection.execute(statement).await.unwrap();
}

async fn open(directory: &std::path::Path, query: &str, key: &str, rows: u64) -> Probe {
    let source = Source {
        query: Query::Sql {
            url: Secret::new(format!("sqlite:{}", directory.join("shop.db").display())),
            query: query.to_owned(),
            pages: Some(Pages {
                key: key.to_owned(),
                rows,
            }),
        },
        offset: 0,
    };
    Probe::open(&source, None).await.unwrap()
}

/// The users of each page, smallest first.
async fn pages(probe: &Probe) -> Vec<Vec<u64>> {
    let (mut all, mut pages) = (Vec::new(), probe.pages());
    while let Some(rows) = pages.next().await.unwrap() {
        let mut users: Vec<u64> = rows.iter().map(|row| row.user.parse().unwrap()).collect();
        users.sort_unstable();
        all.push(users);
    }
    all
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// The keys of the rows, how many rows a page has, and the users of each page.
type Case = (&'static [&'static str], u64, &'static [&'static [u64]]);

#[tokio::test]
async fn a_page_ends_behind_the_last_row_of_its_key() {
    let nothing: &[&[u64]] = &[&[], &[]];
    // The first page is of rows without a key, the last of what is behind the last full one.
    let cases: [Case; 9] = [
        (&[], 2, nothing),
        (&["1", "2", "3"], 2, &[&[], &[0, 1], &[2]]),
        // A table that ends where a page does.
        (&["4", "3", "2", "1"], 2, &[&[], &[2, 3], &[0, 1], &[]]),
        // Three share the key at the boundary: all of them come.
        (&["1", "2", "2", "2", "3"], 2, &[&[], &[0, 1, 2, 3], &[4]]),
        // All share one.
        (&["5", "5", "5"], 1, &[&[], &[0, 1, 2], &[]]),
        (&["NULL", "1", "NULL"], 1, &[&[0, 2], &[1], &[]]),
        // The largest and the smallest number.
        (
            &["9223372036854775807", "-9223372036854775808", "0"],
            1,
            &[&[], &[1], &[2], &[0], &[]],
        ),
        // Numbers, texts with quotes, and bytes, in the order of the database.
        (
            &["x'00'", "'it''s'", "0.1", "''", "'한'", "1e300"],
            1,
            &[&[], &[2], &[5], &[3], &[1], &[4], &[0], &[]],
        ),
        (&["1", "2"], 1_000_000, &[&[], &[0, 1]]),
    ];
    for (values, rows, expected) in cases {
        let directory = tempfile::tempdir().unwrap();
        drop(table(directory.path(), "", &owned(values)).await);
        let probe = open(directory.path(), "SELECT user, k FROM issued", "k", rows).await;
        assert_eq!(pages(&probe).await, expected, "{values:?}");
    }
}

#[tokio::test]
async fn keys_that_compare_as_equal_come_together() {
    let directory = tempfile::tempdir().unwrap();
    let values = owned(&["'b'", "'A'", "'B'", "'a'", "'c'"]);
    drop(table(directory.path(), "TEXT COLLATE NOCASE", &values).await);
    let probe = open(directory.path(), "SELECT user, k FROM issued", "k", 1).await;
    let expected: [&[u64]; 5] = [&[], &[1, 3], &[0, 2], &[4], &[]];
    assert_eq!(pages(&probe).await, expected);
}

#[tokio::test]
async fn rows_added_while_others_are_read_neither_hide_nor_repeat_one() {
    let directory = tempfile::tempdir().unwrap();
    let values: Vec<String> = (0..20).map(|number| (number * 10).to_string()).collect();
    let mut writer = table(directory.path(), "INTEGER", &values).await;
    let probe = open(directory.path(), "SELECT user, k FROM issued", "k", 3).await;
    let (mut seen, mut pages, mut next) = (Vec::new(), probe.pages(), 100);
    while let Some(rows) = pages.next().await.unwrap() {
        seen.extend(rows.into_iter().map(|row| row.user));
        // Before, within and behind what was read, and at a key that is there.
        for key in [-5, 1, 30, 95, 95, 1_000 + next] {
            if next < 160 {
                run(
                    &mut writer,
                    format!("INSERT INTO issued VALUES ({next}, {key})"),
                )
                .await;
                next += 1;
            }
        }
    }
    let mut each_once = seen.clone();
    each_once.sort();
    each_once.dedup();
    assert_eq!(each_once.len(), seen.len(), "{seen:?}");
    let missing: Vec<_> = (0..20)
        .filter(|user| !seen.contains(&user.to_string()))
        .collect();
    assert_eq!(missing, [0; 0], "{seen:?}");
}

#[tokio::test]
async fn any_query_that_gives_the_key_can_be_read_in_pages() {
    let directory = tempfile::tempdir().unwrap();
    drop(table(directory.path(), "", &owned(&["3", "1", "2", "1"])).await);
    for query in [
        "SELECT user, NULL, NULL, k FROM issued ORDER BY user; ",
        "SELECT user, k FROM issued -- all of them",
        "WITH x AS (SELECT * FROM issued) SELECT user, k FROM x",
        "SELECT user, k FROM issued WHERE user < 2 UNION ALL SELECT user, k FROM issued WHERE user >= 2",
        "SELECT i.user, k * 2 AS k FROM issued AS i JOIN (SELECT 1 AS one) ON one = 1",
    ] {
        let probe = open(directory.path(), query, "k", 1).await;
        let expected: [&[u64]; 5] = [&[], &[1, 3], &[2], &[0], &[]];
        assert_eq!(pages(&probe).await, expected, "{query}");
        assert_eq!(probe.count().await.unwrap(), 4, "{query}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_serve_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    drop(table(directory.path(), "", &owned(&["9e999", "1"])).await);
    let probe = open(directory.path(), "SELECT user FROM issued", "k", 1).await;
    assert_eq!(probe.rows().await.unwrap_err().reason(), Reason::Asked);
    let probe = open(directory.path(), "SELECT user, k FROM issued", "k", 2).await;
    let error = probe.rows().await.unwrap_err().to_string();
    assert!(
        error.ends_with("column 1 is no number to read pages by"),
        "{error}"
    );
}

#[tokio::test]
async fn a_row_without_a_user_is_named_by_its_place_among_all_rows() {
    let directory = tempfile::tempdir().unwrap();
    drop(table(directory.path(), "", &owned(&["2", "1"])).await);
    let query = "SELECT CASE WHEN k > 1 THEN NULL ELSE user END, k FROM issued";
    let probe = open(directory.path(), query, "k", 1).await;
    let error = probe.rows().await.unwrap_err().to_string();
    assert!(error.ends_with("row 2 has no user"), "{error}");
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..6_i64).prop_map(|number| number.to_string()),
        1 => Just("NULL".to_owned()),
        2 => "[aAbB' ]{0,2}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        1 => (0..3_u8).prop_map(|byte| format!("x'{byte:02x}'")),
        1 => (0..4_i32).prop_map(|number| format!("{}", f64::from(number) / 3.0)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Whatever the keys are and however many rows a page has: each row comes once, in one page,
    /// and with all rows that share its key.
    #[test]
    fn every_row_comes_once(
        values in prop::collection::vec(value(), 0..24),
        declared in prop::sample::select(vec!["", "TEXT", "TEXT COLLATE NOCASE", "NUMERIC", "TEXT COLLATE RTRIM"]),
        rows in 1..6_u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            drop(table(directory.path(), declared, &values).await);
            let probe = open(directory.path(), "SELECT user, k FROM issued", "k", rows).await;
            let pages = pages(&probe).await;
            let mut seen: Vec<u64> = pages.iter().flatten().copied().collect();
            seen.sort_unstable();
            let expected: Vec<u64> = (0..values.len() as u64).collect();
            prop_assert_eq!(seen, expected, "{:?}", pages);
            // A page that is not the last is full.
            let full = pages.iter().skip(1).rev().skip(1);
            prop_assert!(full.clone().all(|page| page.len() as u64 >= rows), "{:?}", pages);
            Ok(())
        })?;
    }
}
