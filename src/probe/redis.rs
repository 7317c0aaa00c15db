//! Asks a Redis server with one read command.

mod info;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, Cmd, RedisError, Value};

use super::LIMIT;
use super::error::Fault;
use super::shape;
use crate::check::IssuedRow;
use crate::plan::is_redis_read;
pub(super) use info::InfoProbe;

/// A whole collection comes in one answer, which cannot be watched while it grows.
const COLLECTION_LIMIT: Duration = Duration::from_mins(1);

/// A server and the command for it.
#[derive(Debug)]
pub(super) struct RedisProbe {
    client: Client,
    command: Vec<String>,
    /// Taken out for the time of a call and put back only when that ended well.
    idle: Mutex<Option<Connection>>,
}

struct Connection(MultiplexedConnection);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl RedisProbe {
    pub(super) async fn open(url: &str, command: &[String]) -> Result<Self, Fault> {
        if url.starts_with("rediss:") {
            let words = "TLS to Redis is not supported yet; use a redis: URL";
            return Err(Fault::asked(words));
        }
        let Some(first) = command.first() else {
            return Err(Fault::asked("the command is empty"));
        };
        if !is_redis_read(first) {
            let words = format!("{} is not a known read command", shape::quoted(first));
            return Err(Fault::asked(words));
        }
        // The error itself may repeat parts of the URL.
        let client = Client::open(url).map_err(|_| Fault::asked("is no well-formed Redis URL"))?;
        let probe = Self {
            client,
            command: command.to_vec(),
            idle: Mutex::new(None),
        };
        let connection = probe.connect().await?;
        probe.keep(connection);
        Ok(probe)
    }

    pub(super) async fn rows(&self) -> Result<Vec<IssuedRow>, Fault> {
        let answer = self.ask(&self.command, COLLECTION_LIMIT).await?;
        rows_in(answer, Pairs::of(&self.command))
    }

    pub(super) async fn count(&self) -> Result<u64, Fault> {
        let Some(counting) = counting(&self.command) else {
            return Ok(self.rows().await?.len() as u64);
        };
        let number = number_in(self.ask(&counting, LIMIT).await?)?;
        Ok(u64::try_from(number).unwrap_or_default())
    }

    pub(super) async fn number(&self) -> Result<i64, Fault> {
        number_in(self.ask(&self.command, LIMIT).await?)
    }

    async fn ask(&self, words: &[String], limit: Duration) -> Result<Value, Fault> {
        let idle = self.lock().take();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut command = Cmd::new();
        command.arg(words);
        let asking = command.query_async::<Value>(&mut connection.0);
        let answer = tokio::time::timeout(limit, asking).await;
        let answer = answer.map_err(|_| Fault::slow(limit))?;
        let answer = answer.map_err(|error| fault(&error))?;
        self.keep(connection);
        Ok(answer)
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        // The limit on answers is the caller's.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(None);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let connected = tokio::time::timeout(LIMIT, connecting).await;
        let connected = connected.map_err(|_| Fault::slow(LIMIT))?;
        connected.map(Connection).map_err(|error| fault(&error))
    }

    fn keep(&self, connection: Connection) {
        *self.lock() = Some(connection);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the second of two values that belong together is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pairs {
    /// There are no pairs.
    None,
    /// A hash: field and value.
    Ids,
    /// A sorted set: member and score.
    Times,
}

impl Pairs {
    /// The older protocol sends pairs as a flat list, so only the command tells.
    fn of(command: &[String]) -> Self {
        let scores = |word: &String| word.eq_ignore_ascii_case("WITHSCORES");
        let first = command.first().map(String::as_str).unwrap_or_default();
        if first.eq_ignore_ascii_case("HGETALL") {
            Self::Ids
        } else if command.iter().skip(2).any(scores) {
            Self::Times
        } else {
            Self::None
        }
    }
}

/// The cheap command that counts what this one lists, if it lists all.
fn counting(command: &[String]) -> Option<Vec<String>> {
    let words: Vec<_> = command.iter().map(String::as_str).collect();
    let counter = match words.first()?.to_ascii_uppercase().as_str() {
        "SMEMBERS" if words.len() == 2 => "SCARD",
        "HGETALL" | "HKEYS" | "HVALS" if words.len() == 2 => "HLEN",
        "LRANGE" if matches!(words[1..], [_, "0", "-1"]) => "LLEN",
        "ZRANGE" | "ZREVRANGE" => match words[1..] {
            [_, "0", "-1"] => "ZCARD",
            [_, "0", "-1", last] if last.eq_ignore_ascii_case("WITHSCORES") => "ZCARD",
            _ => return None,
        },
        _ => return None,
    };
    Some(vec![counter.to_owned(), words[1].to_owned()])
}

fn rows_in(answer: Value, pairs: Pairs) -> Result<Vec<IssuedRow>, Fault> {
    let (items, pairs) = match answer {
        Value::Array(items) | Value::Set(items) => (items, pairs),
        Value::Map(entries) => {
            let items = entries.into_iter().flat_map(|(key, value)| [key, value]);
            (items.collect(), Pairs::Ids)
        }
        other => {
            let words = format!("answered with {} instead of a collection", shape_of(&other));
            return Err(Fault::answer(words));
        }
    };
    let mut rows = Vec::with_capacity(items.len());
    let mut items = items.into_iter();
    while let Some(item) = items.next() {
        // The newer protocol sends a member and its score as a list of two.
        let (user, second) = match item {
            Value::Array(pair) if pairs == Pairs::Times => {
                let mut pair = pair.into_iter();
                (pair.next().unwrap_or_default(), pair.next())
            }
            user if pairs == Pairs::None => (user, None),
            user => (user, items.next()),
        };
        let index = rows.len();
        let user = text(index, user)?;
        let second = second
            .map(|value| text(index, value))
            .transpose()?
            .flatten();
        rows.push(if pairs == Pairs::Times {
            shape::row(index, user, None, second.as_deref())?
        } else {
            shape::row(index, user, second, None)?
        });
    }
    Ok(rows)
}

fn number_in(answer: Value) -> Result<i64, Fault> {
    match answer {
        Value::Int(number) => Ok(number),
        Value::Boolean(yes) => Ok(i64::from(yes)),
        // A key that is missing is not a stock of zero: it may have another name.
        Value::Nil => Err(Fault::answer("the key is missing")),
        Value::Array(_) | Value::Set(_) | Value::Map(_) => {
            let words = "answered with a collection instead of a number";
            Err(Fault::answer(words))
        }
        other => {
            let text = text(0, other)?;
            shape::number(&text.unwrap_or_default())
        }
    }
}

fn text(index: usize, value: Value) -> Result<Option<String>, Fault> {
    let row = index + 1;
    match value {
        Value::Nil => Ok(None),
        Value::Int(number) => Ok(Some(number.to_string())),
        Value::Double(number) => Ok(Some(number.to_string())),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(Some(text)),
        Value::BulkString(bytes) => String::from_utf8(bytes).map(Some).map_err(|error| {
            let start = &error.as_bytes()[..error.as_bytes().len().min(32)];
            let words = format!(
                "row {row} is not UTF-8 (in hexadecimal: {})",
                shape::hex(start)
            );
            Fault::answer(words)
        }),
        other => {
            let words = format!("row {row} is {} instead of text", shape_of(&other));
            Err(Fault::answer(words))
        }
    }
}

const fn shape_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing (the key is missing)",
        Value::Int(_) | Value::Double(_) | Value::Boolean(_) => "a number",
        Value::BulkString(_) | Value::SimpleString(_) | Value::VerbatimString { .. } => "text",
        Value::Array(_) | Value::Set(_) | Value::Map(_) => "a collection",
        Value::ServerError(_) => "an error",
        _ => "something unknown",
    }
}

fn fault(error: &RedisError) -> Fault {
    // After its start a server answers LOADING until its data is there.
    let is_lost = error.is_io_error()
        || error.is_connection_dropped()
        || error.is_connection_refusal()
        || error.code() == Some("LOADING");
    if error.is_timeout() {
        Fault::slow(LIMIT)
    } else if is_lost {
        Fault::lost(error.to_string())
    } else {
        Fault::asked(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn words(command: &str) -> Vec<String> {
        command.split(' ').map(str::to_owned).collect()
    }

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn a_whole_collection_is_counted_without_reading_it() {
        let cases = [
            ("SMEMBERS k", Some("SCARD k")),
            ("hgetall k", Some("HLEN k")),
            ("LRANGE k 0 -1", Some("LLEN k")),
            ("ZRANGE k 0 -1", Some("ZCARD k")),
            ("ZRANGE k 0 -1 withscores", Some("ZCARD k")),
            // A part of it has to be read.
            ("LRANGE k 0 9", None),
            ("ZRANGE k 0 -1 BYSCORE", None),
            ("SUNION a b", None),
        ];
        for (command, counter) in cases {
            assert_eq!(counting(&words(command)), counter.map(words), "{command}");
        }
    }

    #[test]
    fn pairs_of_both_protocols_mean_the_same() {
        let flat = Value::Array(vec![bulk("u1"), bulk("c1"), bulk("u2"), bulk("c2")]);
        let map = Value::Map(vec![(bulk("u1"), bulk("c1")), (bulk("u2"), bulk("c2"))]);
        let rows = rows_in(flat, Pairs::Ids).unwrap();
        assert_eq!(rows, rows_in(map, Pairs::Ids).unwrap());
        assert_eq!(
            (rows[1].user.as_str(), rows[1].id.as_deref()),
            ("u2", Some("c2"))
        );

        let flat = Value::Array(vec![bulk("u1"), bulk("1700000000123")]);
        let pair = vec![bulk("u1"), Value::Double(1_700_000_000_123.0)];
        let rows = rows_in(flat, Pairs::Times).unwrap();
        assert_eq!(
            rows,
            rows_in(Value::Array(vec![Value::Array(pair)]), Pairs::Times).unwrap()
        );
        assert_eq!(rows[0].created_us, Some(1_700_000_000_123_000));
    }

    #[test]
    fn a_missing_key_is_no_number() {
        assert!(number_in(Value::Nil).unwrap_err().words.contains("missing"));
        assert_eq!(number_in(bulk("42")), Ok(42));
        assert!(number_in(bulk("many")).is_err());
        assert!(number_in(Value::Array(vec![])).is_err());
    }

    #[test]
    fn a_user_that_is_not_text_is_an_error() {
        let answer = Value::Array(vec![bulk("u1"), Value::BulkString(vec![0xff, 0x00])]);
        let fault = rows_in(answer, Pairs::None).unwrap_err();
        assert_eq!(fault.words, "row 2 is not UTF-8 (in hexadecimal: ff00)");
    }
}
