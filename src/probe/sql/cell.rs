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

    /// A column's value as its database reads it in a statement; `None` for NULL.
    fn literal(&self, column: usize) -> Result<Option<String>, Fault>;
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

    fn literal(&self, column: usize) -> Result<Option<String>, Fault> {
        let value = self
            .try_get_raw(column)
            .map_err(|e| unreadable(column, &e))?;
        let kind = value.type_info().name().to_owned();
        let text = self.cell(column)?;
        let literal = |text: String| match kind.as_str() {
            "INTEGER" | "REAL" => bare(column, text),
            "BLOB" => Ok(format!("X'{text}'")),
            _ => Ok(in_quotes(&text)),
        };
        text.map(literal).transpose()
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

    fn literal(&self, column: usize) -> Result<Option<String>, Fault> {
        let value = self
            .try_get_raw(column)
            .map_err(|e| unreadable(column, &e))?;
        let info = value.type_info().into_owned();
        let text = self.cell(column)?;
        let literal = |text: String| match kind_of(&info) {
            Kind::Bytes => Ok(format!("X'{text}'")),
            Kind::Bits => Ok(text),
            Kind::Text if is_number(&info) => bare(column, text),
            // Neither a mode of the server nor a character in it changes how digits are read.
            Kind::Text => Ok(format!("_utf8mb4 X'{}'", hex(text.as_bytes()))),
        };
        text.map(literal).transpose()
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

    fn literal(&self, column: usize) -> Result<Option<String>, Fault> {
        let value = self
            .try_get_raw(column)
            .map_err(|e| unreadable(column, &e))?;
        if value.is_null() {
            return Ok(None);
        }
        // A text in quotes has the type of what it is compared with.
        let written = value.as_str().map_err(|error| unreadable(column, &error))?;
        Ok(Some(in_quotes(written)))
    }
}

fn is_number(info: &MySqlTypeInfo) -> bool {
    let kinds = [
        "TINYINT",
        "SMALLINT",
        "MEDIUMINT",
        "INT",
        "BIGINT",
        "DECIMAL",
        "FLOAT",
        "DOUBLE",
        "YEAR",
        "BOOLEAN",
    ];
    let first = info.name().split(' ').next().unwrap_or_default();
    kinds.contains(&first)
}

/// A number as it is; nothing else is written into a statement without quotes.
fn bare(column: usize, text: String) -> Result<String, Fault> {
    let part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if !text.is_empty() && text.chars().all(part) {
        return Ok(text);
    }
    let words = format!("column {} is no number to read pages by", column + 1);
    Err(Fault::answer(words))
}

fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
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
