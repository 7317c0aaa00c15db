//! What a run takes of the machine: load threads, open files, and local ports.

mod needs;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use self::needs::Needs;
use super::error::RunError;
use super::machine;
use crate::fault::proxy::OPEN_ON_A_LINK;
use crate::load::Files;
use crate::load::http::Sources;
use crate::plan::{EngineKind, Plan, Segment, Target};

/// A bundled server needs cores of its own, or the load would measure its own hunger.
pub(super) fn threads(plan: &Plan) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match plan.target {
        Target::Stack(_) => (cores / 2).max(1),
        Target::Urls { .. } => cores,
    }
}

/// Allows as many open files as the plan needs, and says whose limit those of the load count against.
/// What the run starts inherits the limit.
///
/// # Errors
/// When the machine does not allow so many, or the load is to go by a link that takes fewer
/// connections.
pub(super) fn enough_files(plan: &Plan, threads: usize) -> Result<Files, RunError> {
    let needs = Needs::of(plan, threads);
    if needs.by_link && needs.to_one > OPEN_ON_A_LINK {
        return Err(RunError::Link {
            needed: needs.to_one,
            most: OPEN_ON_A_LINK,
        });
    }
    let together = needs.files(threads, Files::OfProcess);
    let limit = machine::raise_file_limit(together);
    if together <= limit {
        return Ok(Files::OfProcess);
    }
    let apart = needs.files(threads, Files::OfThread);
    // Goose has its users in one process, which knows nothing of our threads.
    let can_be = plan.engine == EngineKind::Native && Files::can_be_of_threads();
    if can_be && apart <= limit {
        return Ok(Files::OfThread);
    }
    let needed = if can_be { apart } else { together };
    Err(RunError::Files { needed, limit })
}

/// Where connections come from: the given addresses, or as many of loopback as they need, or as the
/// system chooses.
///
/// # Errors
/// When a given address is none of this machine, or all of them have fewer ports than are needed.
pub(super) async fn sources(plan: &Plan, given: &[IpAddr]) -> Result<Sources, RunError> {
    for address in given {
        // Whoever may listen there may come from there.
        TcpListener::bind((*address, 0)).map_err(|source| RunError::LocalAddress {
            address: *address,
            source,
        })?;
    }
    let needs = Needs::of(plan, 1);
    let to = targets(plan, needs.by_link).await;
    choose(
        &to,
        needs.to_one,
        machine::local_ports(),
        given,
        plan.segment,
    )
}

/// Where connections go; an instance whose name does not resolve is left to those who wait for it.
async fn targets(plan: &Plan, by_link: bool) -> Vec<SocketAddr> {
    let own = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    let Target::Urls { urls, .. } = &plan.target else {
        return own;
    };
    if by_link {
        return own;
    }
    let mut to = Vec::new();
    for url in urls {
        let found = tokio::net::lookup_host((url.host.as_str(), url.port)).await;
        to.extend(found.ok().and_then(|mut found| found.next()));
    }
    to
}

/// Of so many ports this share stays free: others of this machine want some, and connections that
/// are closed keep theirs for a minute.
const SPARE: u64 = 10;

fn choose(
    to: &[SocketAddr],
    needed: u64,
    ports: Option<u64>,
    given: &[IpAddr],
    segment: Segment,
) -> Result<Sources, RunError> {
    let sources = Sources::of(given.to_vec());
    let Some(ports) = ports else {
        return Ok(sources);
    };
    // More than half of its ports, and the kernel has to look long for a free one.
    let each = (ports / 2).max(1);
    let spread = given.is_empty() && needed > each;
    for to in to {
        let addresses = sources.towards(*to).count() as u64;
        if addresses == 0 && !given.is_empty() {
            return Err(RunError::NoLocalAddress { to: to.ip() });
        }
        let is_spread = spread && to.is_ipv4() && to.ip().is_loopback();
        let has = addresses.max(1) * (ports - ports / SPARE);
        if needed > has && !is_spread {
            return Err(RunError::Ports {
                needed,
                to: to.ip(),
                addresses: addresses.max(1),
                has,
            });
        }
    }
    if !spread {
        return Ok(sources);
    }
    let count = u32::try_from(needed.div_ceil(each)).unwrap_or(u32::MAX);
    // Segments may be on one machine.
    let before = u32::try_from(segment.number() - 1).unwrap_or(u32::MAX);
    Ok(Sources::loopback(before.saturating_mul(count), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux has them.
    const PORTS: Option<u64> = Some(28_232);

    fn chosen(to: &[&str], needed: u64, given: &[&str]) -> Result<Vec<String>, String> {
        let to: Vec<SocketAddr> = to
            .iter()
            .map(|to| to.parse().expect("an address"))
            .collect();
        let given: Vec<IpAddr> = given.iter().map(|one| one.parse().expect("one")).collect();
        let sources = choose(&to, needed, PORTS, &given, Segment::WHOLE);
        let sources = sources.map_err(|error| error.to_string())?;
        let to = to.first().expect("a target");
        Ok(sources.towards(*to).map(|one| one.to_string()).collect())
    }

    #[test]
    fn loopback_is_spread_as_soon_as_one_address_is_half_full() {
        let to = ["127.0.0.1:80"];
        assert_eq!(chosen(&to, 14_116, &[]), Ok(Vec::new()));
        let two = vec!["127.0.0.2".to_owned(), "127.0.0.3".to_owned()];
        assert_eq!(chosen(&to, 14_117, &[]), Ok(two.clone()));
        assert_eq!(chosen(&to, 28_232, &[]), Ok(two));
        assert_eq!(chosen(&to, 1_000_000, &[]).map(|all| all.len()), Ok(71));
    }

    #[test]
    fn segments_of_one_machine_do_not_take_each_others_addresses() {
        let to = ["127.0.0.1:80".parse().expect("an address")];
        let second = Segment::new(2, 3).expect("the second of three");
        let sources = choose(&to, 20_000, PORTS, &[], second).expect("enough");
        let all: Vec<_> = sources.towards(to[0]).map(|one| one.to_string()).collect();
        assert_eq!(all, ["127.0.0.4", "127.0.0.5"]);
    }

    #[test]
    fn elsewhere_too_few_ports_are_told_with_their_number_before_anything_starts() {
        let elsewhere = ["10.0.0.9:80"];
        assert_eq!(chosen(&elsewhere, 25_409, &[]), Ok(Vec::new()));
        let error = chosen(&elsewhere, 25_410, &[]).expect_err("too many");
        assert!(error.contains("25410 connections to 10.0.0.9"), "{error}");
        assert!(error.contains("--local-ips"), "{error}");
        // A second address has as many again; one of loopback is of no use there.
        let both = ["10.0.0.1", "10.0.0.2"];
        let all = both.map(str::to_owned).to_vec();
        assert_eq!(chosen(&elsewhere, 50_818, &both), Ok(all));
        assert!(chosen(&elsewhere, 50_819, &both).is_err());
        let error = chosen(&elsewhere, 1, &["127.0.0.2"]).expect_err("no use");
        assert!(error.contains("none of `--local-ips`"), "{error}");
        // What is spread on loopback does not help the other instance.
        let mixed = ["127.0.0.1:80", "10.0.0.9:80"];
        assert!(chosen(&mixed, 30_000, &[]).is_err());
        // IPv6 has one address of loopback.
        assert!(chosen(&["[::1]:80"], 30_000, &[]).is_err());
    }

    #[test]
    fn given_addresses_are_taken_also_where_none_is_needed() {
        let given = ["127.0.0.9"];
        assert_eq!(
            chosen(&["127.0.0.1:80"], 1, &given),
            Ok(vec!["127.0.0.9".to_owned()])
        );
    }

    #[tokio::test]
    async fn an_address_that_this_machine_has_not_is_refused() {
        let text = "name: a\ntarget: { url: \"http://127.0.0.1:1\" }\nload: { l: { constant_vus: { vus: 1, for: 1s } } }\nflows: { f: [ { get: / } ] }";
        let overrides = crate::plan::Overrides::default();
        let plan = crate::plan::load("a.yaml", text, &overrides, &|_| None).expect("a plan");
        let foreign = "192.0.2.1".parse().expect("an address");
        let error = sources(&plan, &[foreign])
            .await
            .expect_err("no such address");
        assert!(error.to_string().contains("192.0.2.1"), "{error}");
    }
}
