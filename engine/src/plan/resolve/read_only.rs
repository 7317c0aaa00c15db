//! Proves that a query of the truth only reads, before it is ever sent.

/// What is wrong, and what would be right.
type Problem = (String, String);

/// Words that change something, or lock it, wherever they stand outside quotes: `WITH x AS
/// (DELETE ...) SELECT` and `SELECT ... INTO` and `SELECT ... FOR UPDATE` begin like reads.
const WRITES: [&str; 16] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "UPSERT", "INTO", "DROP", "ALTER", "CREATE", "TRUNCATE",
    "GRANT", "REVOKE", "CALL", "LOCK", "ATTACH", "PRAGMA",
];

/// Commands that only read, in the order of the alphabet.
const REDIS_READS: [&str; 28] = [
    "BITCOUNT",
    "EXISTS",
    "GET",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HVALS",
    "LINDEX",
    "LLEN",
    "LRANGE",
    "PFCOUNT",
    "SCARD",
    "SDIFF",
    "SINTER",
    "SISMEMBER",
    "SMEMBERS",
    "STRLEN",
    "SUNION",
    "XLEN",
    "ZCARD",
    "ZCOUNT",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZREVRANGE",
    "ZREVRANGEBYSCORE",
    "ZSCORE",
];

/// Whether a Redis command is known to only read, so that it may serve as a truth.
pub fn is_redis_read(word: &str) -> bool {
    REDIS_READS
        .binary_search(&word.to_ascii_uppercase().as_str())
        .is_ok()
}

/// A single statement that begins with SELECT or WITH and holds no word that writes.
pub(super) fn check_sql(query: &str) -> Result<(), Problem> {
    let words = words(query)?;
    let hint = "the truth is only read: write one SELECT".to_owned();
    match words.first().map(String::as_str) {
        Some("SELECT" | "WITH") => {}
        Some(first) => return Err((format!("`{first}` is not a read"), hint)),
        None => return Err(("the query is empty".to_owned(), hint)),
    }
    if let Some(word) = words.iter().find(|word| WRITES.contains(&word.as_str())) {
        return Err((
            format!("`{word}` is not a read"),
            format!("{hint}; quote it if it is the name of a column"),
        ));
    }
    let end = words.iter().position(|word| word == ";");
    if end.is_some_and(|at| words[at..].iter().any(|word| word != ";")) {
        return Err(("there is more than one statement".to_owned(), hint));
    }
    Ok(())
}

/// Words that pick or number rows: what they give depends on which other rows are there.
const PICKS: [&str; 4] = ["LIMIT", "OFFSET", "FETCH", "OVER"];

/// Whether the rows of the query are the same ones for whoever asks for a part of them.
pub(super) fn check_pages(query: &str) -> Result<(), Problem> {
    match words(query)?
        .iter()
        .find(|word| PICKS.contains(&word.as_str()))
    {
        None => Ok(()),
        Some(word) => Err((
            format!("`{word}` gives other rows for each page"),
            "leave it out of the query, or leave out `key`; quote it if it is the name of a column"
                .to_owned(),
        )),
    }
}

/// The bare words in upper case, and semicolons; quotes and comments are left out.
fn words(query: &str) -> Result<Vec<String>, Problem> {
    let (mut words, mut rest) = (Vec::new(), query);
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '\'' | '"' | '`' => quoted(rest, first)?,
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest)?,
            ';' => {
                words.push(";".to_owned());
                1
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                let end = end.unwrap_or(rest.len());
                words.push(rest[..end].to_uppercase());
                end
            }
            c => c.len_utf8(),
        };
        rest = &rest[skipped..];
    }
    Ok(words)
}

/// Length of a quoted piece. Backslashes are not taken as escapes: databases differ, and the
/// stricter reading only ever sees more words.
fn quoted(text: &str, quote: char) -> Result<usize, Problem> {
    let end = text[1..].find(quote).map(|at| at + 2);
    end.ok_or_else(|| {
        (
            "a quote in the query is not closed".to_owned(),
            format!("close it with `{quote}`"),
        )
    })
}

fn comment(text: &str) -> Result<usize, Problem> {
    if text.starts_with("/*!") || text.starts_with("/*+") {
        return Err((
            "the query holds a comment that the database executes".to_owned(),
            "remove it".to_owned(),
        ));
    }
    let end = text.find("*/").map(|at| at + 2);
    end.ok_or_else(|| {
        (
            "a comment in the query is not closed".to_owned(),
            "close it with `*/`".to_owned(),
        )
    })
}

/// A command of the list, with a key.
pub(super) fn check_redis(command: &[String]) -> Result<(), Problem> {
    let hint = format!("the truth is only read: {}", REDIS_READS.join(", "));
    match command {
        [] => Err(("the command is empty".to_owned(), hint)),
        [name, ..] if !is_redis_read(name) => {
            Err((format!("`{name}` is not a read that is known here"), hint))
        }
        [name] => Err((
            format!("`{name}` has no key"),
            format!("write it like `{name} issued-users`"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pass() {
        for query in [
            "SELECT user_id, id, created_at FROM user_coupons WHERE coupon_id = 1",
            "  select count(*) from t; ",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "-- the rows\nSELECT 'DELETE' AS \"update\", updated_at FROM t",
            "SELECT `delete` FROM t /* insert */",
        ] {
            assert_eq!(check_sql(query), Ok(()), "{query}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for query in [
            "",
            "DELETE FROM t",
            "SELECT 1; DELETE FROM t",
            "SELECT 1; SELECT 2",
            "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
            "SELECT * INTO u FROM t",
            "SELECT * FROM t FOR UPDATE",
            "SELECT /*! DELETE */ 1",
            "SELECT 'open",
            "/* open",
            "EXPLAIN ANALYZE DELETE FROM t",
            "SELECT 'a\\'; DELETE FROM t; --'", // a backslash hides nothing
        ] {
            assert!(check_sql(query).is_err(), "{query}");
        }
    }

    #[test]
    fn redis_commands_are_read_from_a_list() {
        let check = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            check_redis(&words)
        };
        assert!(REDIS_READS.is_sorted(), "it is searched by halves");
        for line in ["SMEMBERS issued:1", "get stock", "LRANGE l 0 -1"] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
        for line in [
            "",
            "GET",
            "DEL x",
            "KEYS *",
            "EVAL x 0",
            "FLUSHALL x",
            "SPOP x",
        ] {
            assert!(check(line).is_err(), "{line}");
        }
    }
}
