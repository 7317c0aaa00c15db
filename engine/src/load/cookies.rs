//! The cookies of one user: kept as a browser keeps them (RFC 6265), sent where they belong.

use cookie_store::CookieStore;
use url::Url;

use super::http::Answer;

/// What one user's browser has been given.
#[derive(Debug, Clone, Default)]
pub struct Cookies(CookieStore);

impl Cookies {
    /// Keeps what an answer to a request for this URL sets. What is malformed, or meant for
    /// another host, is not kept.
    pub fn keep(&mut self, answer: &Answer, url: &Url) {
        for line in answer.header("set-cookie") {
            if let Ok(line) = std::str::from_utf8(line) {
                let _ = self.0.parse(line, url);
            }
        }
    }

    /// The value of the header `cookie` for a request for this URL; empty for none.
    pub fn header(&self, url: &Url) -> String {
        let mut pairs: Vec<_> = self.0.get_request_values(url).collect();
        // The jar has no order of its own, and the same run is to send the same bytes.
        pairs.sort_unstable();
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        Url::parse("http://shop.example:3000")
            .and_then(|base| base.join(path))
            .expect("a URL")
    }

    // Not on the loopback, which counts as secure without TLS, as it does in browsers.
    #[test]
    fn a_cookie_comes_back_where_it_belongs_until_it_is_taken_away() {
        let mut cookies = Cookies::default();
        let mut answer = Answer::default();
        for line in [
            "SID=a; Path=/; HttpOnly",
            "CART=b; Path=/shop",
            "OTHER=c; Domain=example.org",
            "SAFE=d; Secure; Path=/",
        ] {
            answer.push_header(b"Set-Cookie", line.as_bytes());
        }
        cookies.keep(&answer, &url("/login"));
        assert_eq!(cookies.header(&url("/")), "SID=a");
        assert_eq!(cookies.header(&url("/shop/cart")), "CART=b; SID=a");
        let mut gone = Answer::default();
        gone.push_header(b"set-cookie", b"SID=; Path=/; Max-Age=0");
        cookies.keep(&gone, &url("/logout"));
        assert_eq!(cookies.header(&url("/")), "");
    }
}
