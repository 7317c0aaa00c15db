//! The address of a store: a URL whose password is shown to nobody.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A URL as it was given. It is checked where it is used: the command line would repeat a wrong
/// one in its message, password and all.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// With its secrets, for the driver alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// The scheme and what follows the credentials, without parameters. A password may hold `@`, so
/// all up to the last one goes; where the text is not a URL at all, nothing of it is shown.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str("(not a URL)");
        };
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let place = place.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn shows_the_place_and_never_the_credentials() {
        let cases = [
            ("mysql://bench:s3cret@db:3306/shop", "mysql://db:3306/shop"),
            ("mysql://bench:s3cr@t@db/shop", "mysql://db/shop"), // not encoded as it should be
            ("mysql://db/shop?password=s3cret", "mysql://db/shop"),
            ("redis://:s3cret@[::1]:6379/2", "redis://[::1]:6379/2"),
            ("redis://127.0.0.1", "redis://127.0.0.1"),
            ("bench:s3cret@db", "(not a URL)"),
        ];
        for (url, shown) in cases {
            let url: StoreUrl = url.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }
}
