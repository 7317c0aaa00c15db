//! The address of a system under test: `http://host:port/prefix`.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// Scheme, host, port and path prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// TLS or not.
    pub https: bool,
    /// Without brackets for IPv6.
    pub host: String,
    /// Explicit, or the scheme's own.
    pub port: u16,
    /// Without a slash at its end; empty for none.
    pub prefix: String,
}

impl FromStr for Url {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let (https, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some((scheme, _)) => {
                return Err(ValueError::new(
                    format!("the scheme `{scheme}` is not supported"),
                    "write `http://` or `https://`",
                ));
            }
            None => {
                return Err(ValueError::new(
                    "a url has no scheme",
                    "write it like `http://127.0.0.1:3000`",
                ));
            }
        };
        // Messages do not repeat the text from here on: it may hold a password.
        if rest.contains(['?', '#']) {
            return Err(ValueError::new(
                "a target's url holds a query or a fragment",
                "write the query at the step: `query: { key: value }`",
            ));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(ValueError::new(
                "a target's url holds a user or a password",
                "send them as a header: `headers: { authorization: \"Basic ${TOKEN}\" }`",
            ));
        }
        let (host, port) = host_and_port(authority)?;
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ValueError::new(
                "a url's path holds a blank or a letter outside ASCII",
                "write such bytes as %XX",
            ));
        }
        Ok(Self {
            https,
            host: host.to_owned(),
            port: port.unwrap_or(if https { 443 } else { 80 }),
            prefix: path.trim_end_matches('/').to_owned(),
        })
    }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), ValueError> {
    let (host, port, is_ipv6) = match authority.strip_prefix('[') {
        Some(inside) => {
            let (host, behind) = inside.split_once(']').ok_or_else(no_host)?;
            let port = match behind {
                "" => None,
                _ => Some(behind.strip_prefix(':').ok_or_else(no_host)?),
            };
            (host, port, true)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port), false),
            None => (authority, None, false),
        },
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let right = if is_ipv6 {
        host.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        !host.is_empty() && host.chars().all(is_name)
    };
    if !right {
        return Err(no_host());
    }
    let port = port
        .map(|port| port.parse().ok().filter(|port| *port > 0))
        .map(|port: Option<u16>| {
            port.ok_or_else(|| {
                ValueError::new(
                    "a url's port is not a number from 1 to 65535",
                    "write it like `http://127.0.0.1:3000`",
                )
            })
        })
        .transpose()?;
    Ok((host, port))
}

fn no_host() -> ValueError {
    ValueError::new(
        "a url has no valid host",
        "write it like `http://127.0.0.1:3000` or `http://[::1]:3000`",
    )
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}{}", self.host, self.port, self.prefix)
        } else {
            write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        let table = [
            ("http://localhost", "http://localhost:80"),
            ("https://shop.example/", "https://shop.example:443"),
            ("http://127.0.0.1:3000/api/", "http://127.0.0.1:3000/api"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ];
        for (text, shown) in table {
            assert_eq!(text.parse::<Url>().expect(text).to_string(), shown);
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        let table = [
            "",
            "localhost:3000",
            "ftp://a",
            "http://",
            "http://:80",
            "http://a:0",
            "http://a:x",
            "http://a:99999",
            "http://u:p@a",
            "http://a/?q=1",
            "http://a b",
            "http://[::1",
            "http://[x]",
            "http://[::1]80",
            "http://a/ b",
        ];
        for text in table {
            assert!(text.parse::<Url>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn never_repeats_a_password() {
        let error = "http://user:hunter2@host"
            .parse::<Url>()
            .expect_err("userinfo");
        assert!(!error.to_string().contains("hunter2"));
    }
}
