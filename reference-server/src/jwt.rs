//! Who a request comes from: a JSON Web Token with HS256 (RFC 7515, RFC 7519).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac::{self, HMAC_SHA256};
use serde::Deserialize;

use crate::coupon::UserId;

/// The secret that tokens are signed with; shown to nobody.
#[derive(Clone)]
pub struct JwtSecret(String);

impl JwtSecret {
    /// The variable that holds it. A command line can be read by everybody on the machine.
    pub(crate) const VARIABLE: &str = "FCFS_JWT_SECRET";

    /// Takes any text but an empty one.
    pub fn new(secret: String) -> Option<Self> {
        (!secret.is_empty()).then_some(Self(secret))
    }

    /// What the environment says.
    pub(crate) fn from_environment() -> Option<Self> {
        std::env::var(Self::VARIABLE).ok().and_then(Self::new)
    }
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Why a request comes from nobody; said to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadToken {
    #[error("a token is needed: Authorization: Bearer JWT")]
    Missing,
    #[error("the token is not signed with HS256")]
    OtherAlgorithm,
    #[error("the token's signature is wrong")]
    WrongSignature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    TooEarly,
    #[error("the token is no JWT whose sub is a member's number")]
    Malformed,
}

impl BadToken {
    /// As the public code of document C names it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::WrongSignature => "JWT_01",
            Self::Expired | Self::TooEarly => "JWT_02",
            Self::OtherAlgorithm => "JWT_03",
            Self::Missing | Self::Malformed => "JWT_04",
        }
    }
}

/// Checks tokens with a key that is made ready once.
pub(crate) struct Members(hmac::Key);

#[derive(Deserialize)]
struct Algorithm<'a> {
    alg: &'a str,
}

/// Times are `NumericDate`: seconds of Unix time, which may have a fraction.
#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    sub: Subject<'a>,
    exp: Option<f64>,
    nbf: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Subject<'a> {
    Number(u64),
    Text(&'a str),
}

impl Members {
    /// `{"alg":"HS256","typ":"JWT"}` and `{"alg":"HS256"}`, which need not be read again.
    const USUAL_HEADERS: [&str; 2] = [
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJhbGciOiJIUzI1NiJ9",
    ];

    pub(crate) fn new(secret: &JwtSecret) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, secret.0.as_bytes()))
    }

    /// The member that a request comes from, by this machine's clock.
    pub(crate) fn member(&self, headers: &HeaderMap) -> Result<UserId, BadToken> {
        let header = headers.get(header::AUTHORIZATION);
        let header = header.ok_or(BadToken::Missing)?.as_bytes();
        let (scheme, token) = header.split_at_checked(7).ok_or(BadToken::Missing)?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return Err(BadToken::Missing);
        }
        let token = std::str::from_utf8(token).map_err(|_| BadToken::Malformed)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.check(token.trim(), now.unwrap_or_default().as_secs_f64())
    }

    /// The algorithm and the signature first: before them nothing of the claims is believed.
    fn check(&self, token: &str, now_s: f64) -> Result<UserId, BadToken> {
        let (signed, signature) = token.rsplit_once('.').ok_or(BadToken::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(BadToken::Malformed)?;
        check_algorithm(header)?;
        let signature = decode(signature)?;
        hmac::verify(&self.0, signed.as_bytes(), &signature)
            .map_err(|_| BadToken::WrongSignature)?;
        let claims = decode(claims)?;
        let claims: Claims<'_> =
            serde_json::from_slice(&claims).map_err(|_| BadToken::Malformed)?;
        if claims.exp.is_some_and(|end| now_s >= end) {
            return Err(BadToken::Expired);
        }
        if claims.nbf.is_some_and(|start| now_s < start) {
            return Err(BadToken::TooEarly);
        }
        member_of(&claims.sub)
    }
}

fn check_algorithm(header: &str) -> Result<(), BadToken> {
    if Members::USUAL_HEADERS.contains(&header) {
        return Ok(());
    }
    let header = decode(header)?;
    let header: Algorithm<'_> = serde_json::from_slice(&header).map_err(|_| BadToken::Malformed)?;
    match header.alg {
        "HS256" => Ok(()),
        _ => Err(BadToken::OtherAlgorithm),
    }
}

/// One member is one number, however it is written.
fn member_of(subject: &Subject<'_>) -> Result<UserId, BadToken> {
    let number = match subject {
        Subject::Number(number) => Ok(*number),
        Subject::Text(text) => text.parse(),
    };
    let number: u64 = number.map_err(|_| BadToken::Malformed)?;
    UserId::new(&number.to_string()).ok_or(BadToken::Malformed)
}

fn decode(part: &str) -> Result<Vec<u8>, BadToken> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(part);
    decoded.map_err(|_| BadToken::Malformed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    const NOW: f64 = 1_700_000_000.0;

    fn members(secret: &str) -> Members {
        Members::new(&JwtSecret::new(secret.to_owned()).unwrap())
    }

    fn token(secret: &str, header: &str, claims: &str) -> String {
        let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{claims}");
        let signature = hmac::sign(&members(secret).0, signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn refuses_what_is_not_a_members_token() {
        const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
        let changed = token("right", HS256, r#"{"sub":"1"}"#).replacen("IxI", "IyI", 1);
        let cases = [
            (
                token("wrong", HS256, r#"{"sub":"1"}"#),
                BadToken::WrongSignature,
            ),
            (changed, BadToken::WrongSignature), // another member under the first one's signature
            // Signed rightly, but whoever believes "none" believes anybody.
            (
                token("right", r#"{"alg":"none"}"#, r#"{"sub":"1"}"#),
                BadToken::OtherAlgorithm,
            ),
            (
                token("right", r#"{"alg":"RS256"}"#, r#"{"sub":"1"}"#),
                BadToken::OtherAlgorithm,
            ),
            (
                token("right", HS256, r#"{"sub":"1","exp":1699999999}"#),
                BadToken::Expired,
            ),
            (
                token("right", HS256, r#"{"sub":"1","exp":1700000000}"#),
                BadToken::Expired,
            ), // to the second
            (
                token("right", HS256, r#"{"sub":"1","nbf":1700000001}"#),
                BadToken::TooEarly,
            ),
            (
                token("right", HS256, r#"{"sub":"kim"}"#),
                BadToken::Malformed,
            ), // not a number
            (token("right", HS256, r#"{"sub":-1}"#), BadToken::Malformed),
            (token("right", HS256, "{}"), BadToken::Malformed), // nobody
            (token("right", HS256, "sub"), BadToken::Malformed),
            ("a.b".to_owned(), BadToken::Malformed),
            (String::new(), BadToken::Malformed),
        ];
        for (token, why) in cases {
            assert_eq!(members("right").check(&token, NOW), Err(why), "{token}");
        }
    }

    #[test]
    fn knows_a_member_by_number() {
        let cases = [
            (r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"12"}"#),
            (r#"{"alg":"HS256"}"#, r#"{"sub":12,"exp":1700000001}"#),
            (
                r#"{"typ":"JWT","alg":"HS256"}"#,
                r#"{"name":"kim","sub":"0012","exp":1.8e9}"#,
            ),
        ];
        for (header, claims) in cases {
            let user = members("right").check(&token("right", header, claims), NOW);
            assert_eq!(user.unwrap().as_str(), "12", "{claims}");
        }
    }

    #[test]
    fn reads_the_token_from_the_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(members("right").member(&headers), Err(BadToken::Missing));
        let token = token("right", r#"{"alg":"HS256"}"#, r#"{"sub":7}"#);
        for (value, expected) in [
            (format!("Bearer {token}"), Ok("7")),
            (format!("bearer {token}"), Ok("7")),
            (format!("Basic {token}"), Err(BadToken::Missing)),
            ("Bearer".to_owned(), Err(BadToken::Missing)),
        ] {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            let user = members("right").member(&headers);
            assert_eq!(user.as_ref().map(UserId::as_str).map_err(|e| *e), expected);
        }
    }

    #[test]
    fn never_shows_its_secret() {
        let secret = JwtSecret::new("s3cret".to_owned());
        assert_eq!(format!("{secret:?}"), "Some((secret))");
        assert!(JwtSecret::new(String::new()).is_none());
    }
}
