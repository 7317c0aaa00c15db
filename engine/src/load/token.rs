//! Makes the token of a user, when the user is taken: a text, or a JWT that is signed here.

use std::io::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac::{self, HMAC_SHA256};

use crate::plan::{Template, Token, TokenMaker, Values};

/// `{"alg":"HS256","typ":"JWT"}` in base64url, as RFC 7515 writes it.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Makes tokens; what does not change between users is made ready once.
#[derive(Debug)]
pub(super) struct TokenSource {
    /// The slot that takes the token.
    pub(super) slot: u8,
    maker: Maker,
}

#[derive(Debug)]
enum Maker {
    Text(Template),
    Hs256 {
        key: hmac::Key,
        claims: Template,
        times: Vec<(String, Duration)>,
    },
}

impl TokenSource {
    /// Prepares the key.
    pub(super) fn new(token: &Token) -> Self {
        let maker = match &token.maker {
            TokenMaker::Text(template) => Maker::Text(template.clone()),
            TokenMaker::Hs256 {
                secret,
                claims,
                times,
            } => Maker::Hs256 {
                key: hmac::Key::new(HMAC_SHA256, secret.reveal().as_bytes()),
                claims: claims.clone(),
                times: times.clone(),
            },
        };
        Self {
            slot: token.slot,
            maker,
        }
    }

    /// Writes the token of this user at this Unix time into `out`, whose room is used again.
    pub(super) fn write(&self, values: &Values<'_>, unix_s: u64, out: &mut String) {
        out.clear();
        match &self.maker {
            Maker::Text(template) => out.push_str(&template.to_text(values)),
            Maker::Hs256 { key, claims, times } => {
                let mut json = Vec::with_capacity(256);
                claims.render(values, &mut json);
                append_times(&mut json, times, unix_s);
                sign(key, &json, out);
            }
        }
    }
}

/// Puts the times behind the other claims of the object.
fn append_times(json: &mut Vec<u8>, times: &[(String, Duration)], unix_s: u64) {
    for (name, after) in times {
        json.pop();
        let comma = if json.len() > 1 { "," } else { "" };
        let time = unix_s.saturating_add(after.as_secs());
        write!(json, "{comma}\"{name}\":{time}}}").expect("writing to memory cannot fail");
    }
}

/// The compact form of RFC 7515: header, claims and signature in base64url, with dots between.
fn sign(key: &hmac::Key, claims: &[u8], out: &mut String) {
    out.push_str(HEADER);
    out.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(claims, out);
    let signature = hmac::sign(key, out.as_bytes());
    out.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature.as_ref(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_token_is_the_one_that_other_libraries_make() {
        // The example that jwt.io has shown for years.
        let key = hmac::Key::new(HMAC_SHA256, b"your-256-bit-secret");
        let claims = br#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#;
        let mut token = String::new();
        sign(&key, claims, &mut token);
        let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
            eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
            SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        assert_eq!(token, expected);
    }

    #[test]
    fn times_are_so_long_after_the_moment_of_signing() {
        let hour = ("exp".to_owned(), Duration::from_hours(1));
        let now = ("iat".to_owned(), Duration::ZERO);
        let table = [
            ("{}", vec![hour.clone()], r#"{"exp":4600}"#),
            (
                r#"{"sub":1}"#,
                vec![now, hour],
                r#"{"sub":1,"iat":1000,"exp":4600}"#,
            ),
            (r#"{"sub":1}"#, vec![], r#"{"sub":1}"#),
        ];
        for (claims, times, expected) in table {
            let mut json = claims.as_bytes().to_vec();
            append_times(&mut json, &times, 1_000);
            assert_eq!(String::from_utf8_lossy(&json), expected);
        }
    }
}
