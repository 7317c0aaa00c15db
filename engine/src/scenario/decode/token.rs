//! `users.token`: a text, or a JWT to sign.

use super::super::identity::{Hs256, Token};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;
use super::super::value::Span;

/// Claims that are times (RFC 7519, section 4.1).
const TIMES: [&str; 3] = ["exp", "iat", "nbf"];

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Token> {
    if !matches!(entry.node.value, Value::Map(_)) {
        return reader::text(report, &entry.node).map(Token::Text);
    }
    let mut fields = Fields::behind(report, entry)?;
    let hint = "write `token: { hs256: { secret: \"${JWT_SECRET}\", claims: { sub: \"{{ user }}\", exp: 1h } } }`";
    let inside = fields.need(report, "hs256", hint);
    fields.finish(report);
    let mut fields = Fields::behind(report, inside?)?;
    let secret = fields.need(
        report,
        "secret",
        "what the system checks tokens with: `secret: \"${JWT_SECRET}\"`",
    );
    let secret = secret.and_then(|entry| reader::text(report, &entry.node));
    let claims = fields.get("claims").map(|entry| claims_of(report, entry));
    fields.finish(report);
    let (claims, times) = match claims {
        None => (None, Vec::new()),
        Some(claims) => {
            let (claims, times) = claims?;
            (Some(claims), times)
        }
    };
    Some(Token::Hs256(Hs256 {
        secret: secret?,
        claims,
        times,
    }))
}

/// The claims, and apart from them those that are times.
fn claims_of(report: &mut Report<'_>, entry: &Entry) -> Option<(Node, Vec<(String, Span)>)> {
    let entries = reader::entries(report, &entry.node)?;
    let is_time = |entry: &&Entry| TIMES.contains(&entry.key.as_str());
    let (times, others): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(is_time);
    let times: Vec<Option<(String, Span)>> = times
        .into_iter()
        .map(|entry| {
            let after: At<Span> = reader::value(report, &entry.node)?;
            Some((entry.key.clone(), after.value))
        })
        .collect();
    let claims = Node {
        position: entry.node.position,
        value: Value::Map(others.into_iter().cloned().collect()),
    };
    Some((claims, times.into_iter().collect::<Option<_>>()?))
}
