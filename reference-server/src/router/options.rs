//! The settings of a router: where it forwards to, and how much at once.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;

use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{Uri, uri};

use crate::error::ServerError;

/// Everything that can be set about a router.
#[derive(clap::Args, Clone, Debug)]
pub struct RouterOptions {
    /// Coupon server that a router forwards to, http://HOST:PORT; several are used in turn
    #[arg(long, value_name = "URL")]
    pub coupon_url: Vec<Upstream>,

    /// Queue server that a router forwards to, http://HOST:PORT; several are used in turn
    #[arg(long, value_name = "URL")]
    pub queue_url: Vec<Upstream>,

    /// Requests that a router sends to one server at once; more wait for their turn
    #[arg(long, value_name = "N", default_value = "256")]
    pub upstream_connections: NonZeroUsize,

    /// Longest time of a forwarded request with its wait, in milliseconds; then 503 or 504
    #[arg(long, value_name = "MS", default_value = "5000")]
    pub upstream_timeout_ms: NonZeroU32,
}

impl RouterOptions {
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        let missing = |what, hint| ServerError::Missing {
            who: "--role router".to_owned(),
            what,
            hint,
        };
        if self.coupon_url.is_empty() {
            return Err(missing(
                "--coupon-url URL",
                "give --coupon-url http://HOST:PORT",
            ));
        }
        if self.queue_url.is_empty() {
            return Err(missing(
                "--queue-url URL",
                "give --queue-url http://HOST:PORT",
            ));
        }
        Ok(())
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.upstream_timeout_ms.get().into())
    }
}

/// A server that requests are forwarded to, in plain HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream(Authority);

/// What was given is no server's URL.
#[derive(Debug, thiserror::Error)]
#[error("expected http://HOST:PORT, without a path or credentials")]
pub struct BadUpstream;

impl FromStr for Upstream {
    type Err = BadUpstream;

    fn from_str(text: &str) -> Result<Self, BadUpstream> {
        let parts = text.parse::<Uri>().map_err(|_| BadUpstream)?.into_parts();
        let is_root = parts.path_and_query.is_none_or(|path| path == "/");
        match (parts.scheme, parts.authority) {
            (Some(scheme), Some(authority))
                if scheme == Scheme::HTTP && is_root && !authority.as_str().contains('@') =>
            {
                Ok(Self(authority))
            }
            _ => Err(BadUpstream),
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl Upstream {
    /// The same path and query at this server.
    pub(super) fn uri(&self, path: &PathAndQuery) -> Uri {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.0.clone());
        parts.path_and_query = Some(path.clone());
        Uri::from_parts(parts).expect("a scheme, an authority and a path are a URI")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn takes_the_address_of_a_server_and_nothing_else() {
        for text in [
            "http://127.0.0.1:80",
            "http://coupon:3000/",
            "http://[::1]:1",
        ] {
            let upstream: Upstream = text.parse().unwrap();
            assert_eq!(upstream.to_string(), text.trim_end_matches('/'));
        }
        let texts = [
            "",
            "127.0.0.1:80",
            "https://coupon", // no TLS between the servers
            "http://coupon/api",
            "http://coupon?x=1",
            "http://kim:s3cret@coupon",
        ];
        for text in texts {
            assert!(text.parse::<Upstream>().is_err(), "{text}");
        }
    }

    #[test]
    fn keeps_path_and_query() {
        let upstream: Upstream = "http://queue:1".parse().unwrap();
        let uri = upstream.uri(&PathAndQuery::from_static("/a/b?c=d%20e"));
        assert_eq!(uri.to_string(), "http://queue:1/a/b?c=d%20e");
    }
}
