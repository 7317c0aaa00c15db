//! Reads any column of a row as text.

use sqlx::mysql::{MySqlRow, MySqlTypeInfo};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Decode, MySql, Row, Sqlite, Type, TypeInfo, ValueRef};

use crate::probe::error::Fault;
use crate::probe::shape::hex;

/// A row whose columns can be read as text.
pub(super) trait Cells {
    /// How many columns there are.
    fn width(&self) -> usize;

    /// What a column is called.
    fn name(&self, column: usize) -> String;

    /// A column's text, bytes as lower-case hexadecimal digits; `None` for NULL.
    fn cell(&self, column: usize) -> Result<Option<String>, Fault>;
}

impl Cells for SqliteRow {
    fn width(&self) -> usize {
        self.len()
    }

    fn name(&self, column: usize) -> String {
        self.columns()[column].name().to_owned()
    }

    fn cell(&self, column: usize) -> Result<Option<String>, Fault> {
        let value = self
            .try_get_raw(column)
            .map_err(|e| unreadable(column, &e))?;
        if value.is_null() {
            return Ok(None);
        }
        // SQLite's types belong to values, not to columns.
        let kind = value.type_info().name().to_owned();
        let text = match kind.as_str() {
            "INTEGER" => <i64 as Decode<Sqlite>>::decode(value).map(|number| number.to_string()),
            "REAL" => <f64 as Decode<Sqlite>>::decode(value).map(|number| number.to_string()),
            "BLOB" => <Vec<u8> as Decode<Sqlite>>::decode(value).map(|bytes| hex(&bytes)),
            _ => <String as Decode<Sqlite>>::decode(value),
        };
        text.map(Some).map_err(|error| unreadable(column, &error))
    }
}

impl Cells for MySqlRow {
    fn width(&self) -> usize {
        self.len()
    }

    fn name(&self, column: usize) -> String {
        self.columns()[column].name().to_owned()
    }

    fn cell(&self, column: usize) -> Result<Option<String>, Fault> {
        let value = self
            .try_get_raw(column)
            .map_err(|e| unreadable(column, &e))?;
        if value.is_null() {
            return Ok(None);
        }
        let kind = kind_of(&value.type_info());
        let bytes = <&[u8] as Decode<MySql>>::decode(value).map_err(|e| unreadable(column, &e))?;
        match kind {
            Kind::Bytes => Ok(Some(hex(bytes))),
            Kind::Bits => Ok(Some(bits(bytes).to_string())),
            Kind::Text => text(column, bytes).map(Some),
        }
    }
}

impl Cells for PgRow {
    fn width(&self) -> usize {
        self.len()
    }

    fn name(&self, column: usize) -> String {
        self.columns()[column].name().to_owned()
    }

    fn cell(&self, column: usize) -> Result<Option<String>, Fault> {
        let value = self
            .try_get_raw(column)
            .map_err(|e| unreadable(column, &e))?;
        if value.is_null() {
            return Ok(None);
        }
        let written = value.as_str().map_err(|error| unreadable(column, &error))?;
        let text = match value.type_info().name() {
            "BYTEA" => written.strip_prefix("\\x").unwrap_or(written),
            // CHAR(n) is filled up with blanks that nobody stored.
            "CHAR" => written.trim_end_matches(' '),
            _ => written,
        };
        Ok(Some(text.to_owned()))
    }
}

enum Kind {
    Text,
    Bytes,
    Bits,
}

fn kind_of(info: &MySqlTypeInfo) -> Kind {
    // The name alone is not enough: text with a `_bin` collation is called VARBINARY, too.
    if <str as Type<MySql>>::compatible(info) {
        return Kind::Text;
    }
    match info.name() {
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => Kind::Bytes,
        "BIT" => Kind::Bits,
        _ => Kind::Text,
    }
}

/// BIT(n) holds at most 64 bits, the highest first.
fn bits(bytes: &[u8]) -> u64 {
    let join = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
    bytes.iter().fold(0, join)
}

fn text(column: usize, bytes: &[u8]) -> Result<String, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| unreadable(column, &error))?;
    Ok(text.to_owned())
}

fn unreadable(column: usize, error: &dyn std::fmt::Display) -> Fault {
    Fault::answer(format!("column {} cannot be read: {error}", column + 1))
}
