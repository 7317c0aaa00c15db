//! Where the truth is read, as plain data; what may hold a password is shown nowhere.

use std::fmt;
use std::time::Duration;

use super::backlog::Backlog;
use super::delivery::Delivery;
use super::details::Tables;
use super::slots::Slot;

/// Where the truth is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The issued rows.
    pub issued: Option<Source>,
    /// The stock that the system says it had; must agree with [`super::Subject::stock`].
    pub stock: Option<Source>,
    /// What the system says is left, read all through the run.
    pub remaining: Option<Source>,
    /// The way of what was issued.
    pub delivery: Delivery,
    /// Seats, ledger, balances.
    pub tables: Box<Tables>,
    /// When the state counts as final.
    pub settle: Settle,
    /// What must be 0 by then, beside what a bundled system knows of its own.
    pub pending: Vec<Backlog>,
    /// Whether fresh users ask after the load until the first sold-out.
    pub drain: bool,
}

/// When the state counts as final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settle {
    /// The rows did not change for so long.
    pub quiet: Duration,
    /// After this the run is `Unknown`.
    pub within: Duration,
}

/// One read from outside; read-only.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// What is asked.
    pub query: Query,
    /// Added to a number that was read, or to the count of rows (a sentinel member is -1).
    pub offset: i64,
}

impl Source {
    /// The source with what `before` has captured in the places that name it.
    ///
    /// # Errors
    /// When such a value is not there, or is more than one plain word: a query is a text, and a
    /// value must not become more than a value in it.
    pub fn filled_in(&self, slots: &[Slot], values: &[Option<String>]) -> Result<Self, String> {
        let fill = |text: &str| filled_in(text, slots, values);
        let query = match &self.query {
            Query::Sql { url, query, pages } => Query::Sql {
                url: url.clone(),
                query: fill(query)?,
                pages: pages.clone(),
            },
            Query::Redis { url, command } => Query::Redis {
                url: url.clone(),
                command: command
                    .iter()
                    .map(|word| fill(word))
                    .collect::<Result<_, _>>()?,
            },
            Query::Http {
                url,
                headers,
                pointer,
                user,
                id,
                time,
            } => Query::Http {
                url: Secret::new(fill(url.reveal())?),
                headers: headers.clone(),
                pointer: pointer.clone(),
                user: user.clone(),
                id: id.clone(),
                time: time.clone(),
            },
            Query::Bundled => Query::Bundled,
        };
        Ok(Self {
            query,
            offset: self.offset,
        })
    }
}

fn filled_in(text: &str, slots: &[Slot], values: &[Option<String>]) -> Result<String, String> {
    let mut out = text.to_owned();
    for (slot, value) in std::iter::zip(slots, values) {
        let place = format!("{{{{ {} }}}}", slot.name);
        if !text.contains(&place) {
            continue;
        }
        let value = value
            .as_ref()
            .ok_or_else(|| format!("`{}` was not captured", slot.name))?;
        if !is_plain_word(value) {
            return Err(format!(
                "the captured `{}` is not a plain word (letters, digits, `_`, `.`, single `-`)",
                slot.name
            ));
        }
        out = out.replace(&place, value);
    }
    Ok(out)
}

/// Nothing that any of the query languages takes for more than a part of a value: two hyphens
/// begin a comment.
fn is_plain_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.len() <= 128 && text.chars().all(plain) && !text.contains("--")
}

/// How a truth is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// Columns by position: user, id, time for rows; the first column of the first row for a
    /// number.
    Sql {
        /// `mysql:`, `postgres:` or `sqlite:`.
        url: Secret,
        /// A single SELECT.
        query: String,
        /// How its rows are read piece by piece; `None`: with one statement.
        pages: Option<Pages>,
    },
    /// A read command: a set or list gives users, a hash gives users and ids, an integer or text a
    /// number.
    Redis {
        /// `redis:` or `rediss:`.
        url: Secret,
        /// The words of the command.
        command: Vec<String>,
    },
    /// A GET with a JSON answer.
    Http {
        /// Absolute, or a path on the target.
        url: Secret,
        /// Sent with it.
        headers: Vec<(String, Secret)>,
        /// Pointer to the array of rows, or to the number.
        pointer: String,
        /// Pointers within a row; empty `user` means that the row itself is the user.
        user: String,
        /// The coupon's id within a row.
        id: Option<String>,
        /// The time within a row.
        time: Option<String>,
    },
    /// The bundled server's own truth: its database file is only known when it has started.
    Bundled,
}

/// How the rows of a query are read piece by piece, so that no statement gives all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// A column of the query that does not change while a row is there. Rows may share a value.
    pub key: String,
    /// How many rows are asked for at a time, at least 1; those that share a value come together.
    pub rows: u64,
}

impl Pages {
    /// How many rows are asked for at a time where nobody says it.
    pub const ROWS: u64 = 10_000;
}

/// Text that may hold a password: shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that connects with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Scheme and host for people, without user, password, path or query. What does not look like
    /// a host is not shown: a password may hold any of the characters that divide a URL.
    pub fn redacted(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once(':') else {
            return "***".to_owned();
        };
        if !scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '+')
        {
            return "***".to_owned();
        }
        let rest = rest.trim_start_matches('/');
        let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let port_is_number = host.rsplit_once(':').is_none_or(|(_, port)| {
            port.ends_with(']') || port.chars().all(|c| c.is_ascii_digit())
        });
        let path = behind.split(['?', '#']).next().unwrap_or_default();
        if port_is_number && !path.contains('@') {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}:***")
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_value_in_a_query_is_one_plain_word() {
        let source = Source {
            query: Query::Sql {
                url: Secret::new("sqlite:x"),
                query: "SELECT u FROM t WHERE c = {{ coupon }}".to_owned(),
                pages: None,
            },
            offset: 0,
        };
        let slots = [Slot {
            name: "coupon".to_owned(),
            secret: false,
        }];
        let filled = |value: Option<&str>| {
            let source = source.filled_in(&slots, &[value.map(str::to_owned)])?;
            let Query::Sql { query, .. } = source.query else {
                return Err("another kind".to_owned());
            };
            Ok(query)
        };
        let right = filled(Some("c-17.A_b"));
        assert_eq!(right, Ok("SELECT u FROM t WHERE c = c-17.A_b".to_owned()));
        for wrong in ["", "1 OR 1=1", "1;DROP TABLE t", "1--", "'x'", "이"] {
            let error = filled(Some(wrong)).expect_err(wrong);
            assert!(error.contains("`coupon` is not a plain word"), "{error}");
        }
        assert!(filled(None).expect_err("missing").contains("not captured"));
    }

    #[test]
    fn a_secret_shows_at_most_its_scheme_and_host() {
        let table = [
            ("mysql://root:secret@db:3307/shop", "mysql://db:3307"),
            ("http://h/x?mail=a@b&token=secret", "http://h"),
            ("redis://:secret@[::1]:6380/2", "redis://[::1]:6380"),
            ("mysql://root:se/cret@db/shop", "mysql:***"),
            ("mysql://root:12/secret@db/shop", "mysql:***"),
            ("secret", "***"),
            ("my secret: yes", "***"),
        ];
        for (text, shown) in table {
            assert_eq!(format!("{:?}", Secret::new(text)), shown);
        }
    }
}
