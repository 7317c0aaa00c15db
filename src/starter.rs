//! A first scenario for a system of one's own, from the few facts that nobody can guess.

use std::str::FromStr;

use serde_json::Value as Json;

use crate::scenario::value::{Pointer, Span, Status};
use crate::yaml::{flow, quoted};

/// The facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Starter {
    /// Where the system is.
    pub url: String,
    /// The request that gives something away.
    pub issue: Issue,
    /// Its JSON body.
    pub body: Option<Json>,
    /// How many there are.
    pub stock: u64,
    /// What an issued answer looks like.
    pub issued: Means,
    /// What a sold-out answer looks like, if that is known already.
    pub sold_out: Option<Means>,
    /// What a duplicate's answer looks like, if that is known already.
    pub duplicate: Option<Means>,
    /// The database with the issued rows.
    pub sql: String,
    /// The query that returns them.
    pub query: String,
    /// Users at the same time.
    pub vus: u64,
    /// How long they ask.
    pub duration: Span,
}

/// A method and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    method: String,
    path: String,
}

/// How an answer is recognised: a status, and a text or a JSON value of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    status: String,
    inside: Inside,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Inside {
    Anything,
    Text(String),
    Json(String, String),
}

impl FromStr for Issue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
        let (method, path) = text.trim().split_once(' ').unwrap_or(("POST", text.trim()));
        let (method, path) = (method.to_uppercase(), path.trim());
        if !METHODS.contains(&method.as_str()) || !path.starts_with('/') {
            return Err("write a method and a path, such as `POST /coupons/1/issue`".to_owned());
        }
        let path = path.to_owned();
        Ok(Self { method, path })
    }
}

impl FromStr for Means {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (status, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        Status::from_str(status).map_err(|_| {
            format!("`{status}` is no status: write `409`, `409 sold out` or `409 /code=SOLD_OUT`")
        })?;
        let inside = match rest.trim() {
            "" => Inside::Anything,
            rest => match rest.split_once('=') {
                Some((at, value)) if Pointer::from_str(at).is_ok() => {
                    Inside::Json(at.to_owned(), value.to_owned())
                }
                _ => Inside::Text(rest.to_owned()),
            },
        };
        let status = status.to_owned();
        Ok(Self { status, inside })
    }
}

impl Means {
    fn written(&self) -> String {
        let status = &self.status;
        match &self.inside {
            Inside::Anything => format!("{{ status: {status} }}"),
            Inside::Text(text) => format!("{{ status: {status}, body: {} }}", quoted(text)),
            Inside::Json(at, value) => {
                let value =
                    serde_json::from_str(value).unwrap_or_else(|_| Json::from(value.as_str()));
                format!(
                    "{{ status: {status}, json: {{ {}: {} }} }}",
                    quoted(at),
                    flow(&value)
                )
            }
        }
    }
}

/// The URL without its password, for which `${DB_PASSWORD}` stands; whether there was one.
fn without_password(url: &str) -> (String, bool) {
    let replaced = || {
        let (scheme, rest) = url.split_once("://")?;
        let (credentials, place) = rest.rsplit_once('@')?;
        let (user, password) = credentials.split_once(':')?;
        let literal = !password.is_empty() && !password.contains("${");
        literal.then(|| format!("{scheme}://{user}:${{DB_PASSWORD}}@{place}"))
    };
    replaced().map_or_else(|| (url.to_owned(), false), |url| (url, true))
}

impl Starter {
    /// Whether the database's URL holds a password, which is not written down.
    pub fn hides_password(&self) -> bool {
        without_password(&self.sql).1
    }

    /// The scenario with its comments.
    pub fn write(&self, name: &str) -> String {
        let Issue { method, path } = &self.issue;
        let body = self
            .body
            .as_ref()
            .map(|body| format!("      json: {}\n", flow(body)));
        let (sql, _) = without_password(&self.sql);
        format!(
            r#"# Loads {url} and judges whether more was given away than there was.
#
#   fcfs-bench validate {name}.yaml           what is wrong with this file
#   fcfs-bench validate --probe {name}.yaml   asks once, and shows what each answer was taken for
#   fcfs-bench run {name}.yaml --scale time=0.1,vus=0.1
#   fcfs-bench run {name}.yaml
#
# Set the system to the stock below before each run: rows of an earlier run count against it.
name: {shown}

# Change it, or override it with --url. Several instances: `urls: [http://a:8080, http://b:8080]`.
target:
  url: {address}

# What the system calls the thing that is given away, and how many there are of it.
subject:
  coupon: {{ id: 1, stock: {stock} }}

# Each iteration is a new user with a number from 1 to `pool`; {{{{ user }}}} is what `id` makes of it.
# If only some users exist in the system, say how many in `pool`.
users:
  pool: 1_000_000
  id: "{{{{ n }}}}"
  # repeat: 5%              # so many ask twice on purpose; needs the outcome `duplicate`

# Up to {vus} users who ask again and again. Make it longer or more until it sells out.
load:
  opening:
    ramping_vus:
      stages:
        - {{ name: warm, for: {warm}, to: {few} }}
        - {{ name: rush, for: {duration}, to: {vus} }}

flows:
  issue:
    - {verb}: {path}
{body}      # headers: {{ authorization: "Bearer ${{TOKEN}}" }}   # from the environment, never shown
      timeout: 10s
      # What each answer means; the first that matches wins. What matches none is `unknown`: it
      # counts as failed, and as something that may have happened. By status, by a text in the body
      # (`body: ...`), by a JSON value (`json: {{ /code: ... }}`), or by a header.
      outcomes:
        issued: {issued}
{others}    - think: {{ from: 50ms, to: 150ms }}

# One row for each that was given out: the user as the system stores it, and, if there are any, the
# own id and the time. It is only ever read; an account that may only SELECT is enough.
truth:
  issued:
    sql:
      url: {sql}
      query: {query}
  settle: {{ quiet: 2s, within: 60s }}   # longer, if a queue writes the rows

# What must hold: no more than the stock, one for each user, every confirmation with its row.
invariants: [stock, one_per_user, acknowledged]
thresholds:
  http_req_duration: ["p(95)<1s"]
  http_req_failed: ["rate<1%"]
"#,
            url = self.url,
            shown = quoted(name),
            address = quoted(&self.url),
            stock = self.stock,
            vus = self.vus,
            warm = Span(self.duration.0 / 10),
            few = (self.vus / 10).max(1),
            duration = self.duration,
            verb = method.to_lowercase(),
            path = quoted(path),
            body = body.unwrap_or_default(),
            issued = self.issued.written(),
            others = self.refusals(),
            sql = quoted(&sql),
            query = quoted(&self.query),
        )
    }

    fn refusals(&self) -> String {
        let line = |name: &str, means: Option<&Means>, example: &str| match means {
            Some(means) => format!("        {name}: {}\n", means.written()),
            None => format!("        # {name}: {example}   # TODO: as your system answers it\n"),
        };
        let sold_out = "{ status: 409, json: { /code: SOLD_OUT } }";
        let duplicate = "{ status: 409, json: { /code: DUPLICATE } }";
        line("sold_out", self.sold_out.as_ref(), sold_out)
            + &line("duplicate", self.duplicate.as_ref(), duplicate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_or_answer_is_refused() {
        for wrong in ["", "coupons/1", "FETCH /coupons", "POST coupons"] {
            assert!(wrong.parse::<Issue>().is_err(), "{wrong:?}");
        }
        for wrong in ["", "sold out", "7", "600 x"] {
            assert!(wrong.parse::<Means>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_answer_is_recognised_by_what_was_said() {
        let table = [
            ("201", "{ status: 201 }"),
            ("4xx", "{ status: 4xx }"),
            (
                "400 stock is empty",
                "{ status: 400, body: \"stock is empty\" }",
            ),
            (
                "200 /data/code=3",
                "{ status: 200, json: { \"/data/code\": 3 } }",
            ),
            (
                "200 /code=OUT",
                "{ status: 200, json: { \"/code\": \"OUT\" } }",
            ),
            ("400 a=b", "{ status: 400, body: \"a=b\" }"),
        ];
        for (said, written) in table {
            let means: Means = said.parse().expect(said);
            assert_eq!(means.written(), written);
        }
    }

    #[test]
    fn a_password_is_never_written_down() {
        let table = [
            ("mysql://a:secret@h/db", "mysql://a:${DB_PASSWORD}@h/db"),
            ("mysql://a:s@c:r@h/db", "mysql://a:${DB_PASSWORD}@h/db"),
            ("mysql://a:${PW}@h/db", "mysql://a:${PW}@h/db"),
            ("sqlite:shop.db", "sqlite:shop.db"),
            ("postgres://a@h/db", "postgres://a@h/db"),
        ];
        for (given, written) in table {
            assert_eq!(without_password(given).0, written);
        }
    }
}
