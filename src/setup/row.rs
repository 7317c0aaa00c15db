//! Reads one column of a database's row as text, to be captured.

use sqlx::mysql::{MySqlQueryResult, MySqlRow};
use sqlx::postgres::{PgQueryResult, PgRow};
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{Error, Row, TypeInfo, ValueRef};

/// A row whose columns can be captured.
pub(super) trait Captured: Row {
    /// Its text; `None` for a type that has no plain text, which is given back by its name.
    fn text(&self, column: usize) -> Result<Result<String, String>, Error>;
}

/// What a statement has changed.
pub(super) trait Changed {
    fn rows(&self) -> u64;
}

impl Changed for SqliteQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

impl Changed for MySqlQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

impl Changed for PgQueryResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

impl Captured for SqliteRow {
    fn text(&self, column: usize) -> Result<Result<String, String>, Error> {
        let kind = self.try_get_raw(column)?.type_info().name().to_owned();
        let text = match kind.as_str() {
            "INTEGER" => self.try_get_unchecked::<i64, _>(column)?.to_string(),
            "REAL" => self.try_get_unchecked::<f64, _>(column)?.to_string(),
            "TEXT" => self.try_get_unchecked::<String, _>(column)?,
            _ => return Ok(Err(kind)),
        };
        Ok(Ok(text))
    }
}

impl Captured for MySqlRow {
    fn text(&self, column: usize) -> Result<Result<String, String>, Error> {
        let kind = self.try_get_raw(column)?.type_info().name().to_owned();
        let text = match kind.as_str() {
            kind if kind.contains("INT") && kind.ends_with("UNSIGNED") => {
                self.try_get_unchecked::<u64, _>(column)?.to_string()
            }
            kind if kind.contains("INT") || kind == "BOOLEAN" => {
                self.try_get_unchecked::<i64, _>(column)?.to_string()
            }
            kind if kind.contains("CHAR") || kind.contains("TEXT") || kind == "DECIMAL" => {
                self.try_get_unchecked::<String, _>(column)?
            }
            _ => return Ok(Err(kind)),
        };
        Ok(Ok(text))
    }
}

impl Captured for PgRow {
    fn text(&self, column: usize) -> Result<Result<String, String>, Error> {
        let value = self.try_get_raw(column)?;
        let kind = value.type_info().name().to_owned();
        let text = match kind.as_str() {
            "INT2" => self.try_get::<i16, _>(column)?.to_string(),
            "INT4" => self.try_get::<i32, _>(column)?.to_string(),
            "INT8" => self.try_get::<i64, _>(column)?.to_string(),
            "TEXT" | "VARCHAR" | "NAME" => self.try_get::<String, _>(column)?,
            "UUID" => match value.format() {
                sqlx::postgres::PgValueFormat::Text => self.try_get_unchecked(column)?,
                sqlx::postgres::PgValueFormat::Binary => {
                    let bytes = value.as_bytes().map_err(Error::Decode)?;
                    uuid(bytes)
                }
            },
            _ => return Ok(Err(kind)),
        };
        Ok(Ok(text))
    }
}

/// Sixteen bytes as RFC 9562 writes them.
fn uuid(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}
