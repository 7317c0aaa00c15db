//! Where a run may send its load and its faults: to this machine, and to hosts that are allowed by
//! name where the command is typed, never by a file.

use std::net::IpAddr;

use super::{OwnPart, Plan, Target};

impl Plan {
    /// The hosts of the target and its parts that are neither this machine's loopback nor allowed.
    /// Names are not looked up: `localhost` and the names below it (RFC 6761) are this machine's,
    /// others are not.
    pub fn not_allowed(&self, allowed: &[String]) -> Vec<String> {
        let Target::Urls { urls, parts, .. } = &self.target else {
            return Vec::new();
        };
        let hosts = urls.iter().map(|url| url.host.clone());
        let hosts = hosts.chain(parts.iter().flat_map(OwnPart::hosts));
        let mut hosts: Vec<String> = hosts
            .filter(|host| !is_loopback(host))
            .filter(|host| !allowed.iter().any(|one| one.eq_ignore_ascii_case(host)))
            .collect();
        hosts.dedup();
        hosts
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_allowed_by_itself() {
        let table = [
            ("127.0.0.1", true),
            ("127.8.9.10", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("localhost", true),
            ("LOCALHOST.", true),
            ("shop.localhost", true),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("127.0.0.1.example.com", false),
            ("localhost.example.com", false),
            ("notlocalhost", false),
            ("shop.example", false),
            ("::2", false),
        ];
        for (host, loopback) in table {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }
}
