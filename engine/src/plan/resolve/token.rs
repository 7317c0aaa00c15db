//! `users.token`: how each user's token is made, and the slot that takes it.

use super::body;
use super::template::{self, Place, Words};
use crate::plan::slots::SlotTable;
use crate::plan::{Body, Secret, Template, Token, TokenMaker};
use crate::scenario::{At, Body as WrittenBody, Hs256, Report, Token as Written};

/// As templates name it.
pub(super) const NAME: &str = "token";

pub(super) fn resolve(
    written: &Written,
    coupon: Option<&str>,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Option<Token> {
    let words = Words {
        coupon,
        slots: Some(slots),
    };
    let (maker, position) = match written {
        Written::Text(text) => {
            let template = template::parse(text, Place::Raw, words, report)?;
            (TokenMaker::Text(template), text.position)
        }
        Written::Hs256(written) => (hs256(written, words, report)?, written.secret.position),
    };
    let Some(slot) = slots.declare(NAME, true) else {
        report.error(
            position,
            format!("more than {} values are captured or read", SlotTable::MOST),
        );
        return None;
    };
    Some(Token { slot, maker })
}

fn hs256(written: &Hs256, words: Words<'_>, report: &mut Report<'_>) -> Option<TokenMaker> {
    if written.secret.value.is_empty() {
        report.error_hint(
            written.secret.position,
            "the secret is empty",
            "write `secret: \"${JWT_SECRET}\"`",
        );
        return None;
    }
    let claims = match &written.claims {
        Some(node) => body::resolve(&WrittenBody::Json(node.clone()), words, report)?.0,
        None => subject(words, report)?,
    };
    let Body::Text(claims) = claims else {
        return None;
    };
    Some(TokenMaker::Hs256 {
        secret: Secret::new(&written.secret.value),
        claims,
        times: written
            .times
            .iter()
            .map(|(name, after)| (name.clone(), after.0))
            .collect(),
    })
}

/// Without claims a token says whose it is.
fn subject(words: Words<'_>, report: &mut Report<'_>) -> Option<Body> {
    let text = At {
        value: "{{ user }}".to_owned(),
        position: crate::scenario::Position::START,
        hidden: false,
    };
    let user = template::parse(&text, Place::Json, words, report)?;
    let mut claims = Template::literal("{\"sub\":\"");
    claims.parts.extend(user.parts);
    template::push_literal(&mut claims, "\"}");
    Some(Body::Text(claims))
}
