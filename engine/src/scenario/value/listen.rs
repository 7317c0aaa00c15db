//! Where something of the harness listens: `127.0.0.1:9464`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::ValueError;

/// An address of this machine and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Listen(pub SocketAddr);

impl FromStr for Listen {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() > 0 => Ok(Self(address)),
            Ok(_) => Err(ValueError::new(
                "nobody could know where port 0 is",
                "write a port from 1 to 65535: `127.0.0.1:9464`",
            )),
            Err(_) => Err(ValueError::new(
                format!("`{text}` is not an address with a port"),
                "write both as numbers: `127.0.0.1:9464` for this machine alone, `0.0.0.0:9464` for \
                 everybody who reaches it",
            )),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_port_and_both_are_numbers() {
        for text in ["127.0.0.1:9464", "[::1]:9464", "0.0.0.0:1"] {
            let listen: Listen = text.parse().expect(text);
            assert_eq!(listen.to_string(), text);
        }
        for text in [
            "",
            "9464",
            ":9464",
            "localhost:9464",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "::1:9464:1:2:3:4:5:6:7",
            "http://127.0.0.1:9464",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text:?}");
        }
    }
}
