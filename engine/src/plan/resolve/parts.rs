//! What faults may break of a system that already runs: found by what, asked where.

use std::net::{Ipv4Addr, SocketAddr};

use super::truth::address;
use crate::plan::fault::Party;
use crate::plan::{Found, OwnPart, Process, Role, Secret};
use crate::scenario::value::Url;
use crate::scenario::{At, OwnFound, OwnPart as Written, PLACEHOLDER, Report};

/// As many as a report can show.
const MOST: usize = 64;

/// `None` when one is wrong.
pub(super) fn resolve(
    written: &[Written],
    compose: Option<&At<String>>,
    report: &mut Report<'_>,
) -> Option<Vec<OwnPart>> {
    let mut parts: Vec<OwnPart> = Vec::new();
    let mut whole = true;
    for one in written {
        let Some(part) = part(one, compose, report) else {
            whole = false;
            continue;
        };
        let same = parts.iter().filter(|other| other.party == part.party);
        let number = same.count() as u16 + 1;
        if part.found.is_some() && parts.iter().any(|other| other.found == part.found) {
            let hint = "let each part be there once: a fault of one would meet the other";
            report.error_hint(one.position, "this part is there twice", hint);
            return None;
        }
        parts.push(OwnPart { number, ..part });
    }
    if let Some(beyond) = written.get(MOST) {
        let message = format!("{} parts are too many", written.len());
        report.error_hint(
            beyond.position,
            message,
            format!("at most {MOST} are possible"),
        );
        return None;
    }
    if let Some(compose) = compose
        && !written
            .iter()
            .any(|one| matches!(one.found, Some(OwnFound::Service(_))))
    {
        let hint = "name one of its services: `parts: { redis: { service: redis } }`";
        report.error_hint(
            compose.position,
            "no part is a service of this project",
            hint,
        );
        return None;
    }
    whole.then_some(parts)
}

fn part(
    written: &Written,
    compose: Option<&At<String>>,
    report: &mut Report<'_>,
) -> Option<OwnPart> {
    let party = party(&written.party);
    let url = match &written.url {
        None => written
            .broker
            .as_ref()
            .map(|broker| self::broker(broker, report)),
        Some(url) => Some(self::url(url, &party, report)),
    };
    let admin = written
        .admin
        .as_ref()
        .map(|admin| self::url(admin, &party, report));
    let found = written
        .found
        .as_ref()
        .map(|found| self::found(found, compose, report));
    let via = written
        .via
        .as_ref()
        .map(|via| self::via(via, written, report));
    let topic = written
        .topic
        .as_ref()
        .map(|topic| named("topic", topic, report));
    let start = written
        .start
        .as_ref()
        .map(|start| self::start(start, written, report));
    // Each is looked at before any of them is given up.
    let part = OwnPart {
        party,
        number: 0,
        start: start.map_or(Some(None), |start| start.map(Some))?,
        found: found.map_or(Some(None), |found| found.map(Some))?,
        url: url.map_or(Some(None), |url| url.map(Some))?,
        admin: admin.map_or(Some(None), |admin| admin.map(Some))?,
        via: via.map_or(Some(None), |via| via.map(Some))?,
        topic: topic.map_or(Some(None), |topic| topic.map(Some))?,
    };
    if let (Some(_), None) = (&part.admin, &part.url) {
        let hint = "say where the system itself asks: `url`";
        report.error_hint(written.position, "`admin` needs `url`", hint);
        return None;
    }
    if part.found.is_none() && part.url.is_none() {
        let at = if part.party == Party::Kafka {
            "broker"
        } else {
            "url"
        };
        let hint = format!(
            "say what it is, by `pid`, `pid_file`, `container` or `service`, or where: `{at}`"
        );
        report.error_hint(written.position, "nothing says where this part is", hint);
        return None;
    }
    Some(part)
}

/// Only a file can say which process has come of it.
fn start(start: &At<String>, part: &Written, report: &mut Report<'_>) -> Option<Secret> {
    if !matches!(part.found, Some(OwnFound::PidFile(_))) {
        let hint = "name the file into which the process writes its number when it starts: \
                    `pid_file`; an engine starts containers by itself";
        report.error_hint(start.position, "`start` needs `pid_file`", hint);
        return None;
    }
    if start.value.trim().is_empty() {
        let hint = "write what starts the process and returns, or remove it";
        report.error_hint(start.position, "`start` is empty", hint);
        return None;
    }
    Some(Secret::new(&start.value))
}

/// The decoder lets no other name through.
fn party(name: &str) -> Party {
    match name {
        "redis" => Party::Redis,
        "database" => Party::Database,
        "kafka" => Party::Kafka,
        "coupon" => Party::Server(Role::Coupon),
        "issuer" => Party::Server(Role::Issuer),
        "queue" => Party::Server(Role::Queue),
        "router" => Party::Server(Role::Router),
        _ => Party::Server(Role::All),
    }
}

fn found(
    written: &OwnFound,
    compose: Option<&At<String>>,
    report: &mut Report<'_>,
) -> Option<Found> {
    match written {
        OwnFound::Pid(pid) => self::pid(pid, report),
        OwnFound::PidFile(file) => {
            named("pid_file", file, report).map(|file| Found::Process(Process::PidFile(file)))
        }
        OwnFound::Container(name) => word("container", name, report).map(Found::Container),
        OwnFound::Service(name) => {
            let service = word("service", name, report);
            let Some(compose) = compose else {
                let hint =
                    "name it beside `parts`: `compose: PROJECT`, as `docker compose ls` does";
                report.error_hint(name.position, "a service of which project?", hint);
                return None;
            };
            let project = word("compose", compose, report)?;
            Some(Found::Service {
                project,
                service: service?,
            })
        }
    }
}

fn pid(pid: &At<crate::scenario::value::Count>, report: &mut Report<'_>) -> Option<Found> {
    let number = u32::try_from(pid.value.0).ok();
    let number = number.filter(|pid| (1..=i32::MAX.cast_unsigned()).contains(pid));
    let (message, hint) = match number {
        Some(1) => (
            "process 1 holds all others of its machine".to_owned(),
            "name the process of the system itself",
        ),
        None => (
            format!("{} is no process", pid.value.0),
            "write its number, as `pgrep` shows it",
        ),
        Some(pid) => return Some(Found::Process(Process::Pid(pid))),
    };
    report.error_hint(pid.position, message, hint);
    None
}

fn named(key: &str, text: &At<String>, report: &mut Report<'_>) -> Option<String> {
    if !text.value.is_empty() {
        return Some(text.value.clone());
    }
    report.error_hint(
        text.position,
        format!("`{key}` is empty"),
        "write a name, or remove it",
    );
    None
}

/// A name that an engine can have given.
fn word(key: &str, text: &At<String>, report: &mut Report<'_>) -> Option<String> {
    let is_one = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let unset = text.hidden && text.value.contains(PLACEHOLDER);
    if unset || !text.value.is_empty() && text.value.chars().all(is_one) {
        return Some(text.value.clone());
    }
    report.error_hint(
        text.position,
        format!("`{}` is no name for `{key}`", text.shown()),
        "letters, digits, `_`, `.` and `-` are possible, as in `shop-redis-1`",
    );
    None
}

fn url(url: &At<String>, party: &Party, report: &mut Report<'_>) -> Option<Secret> {
    let secret = match party {
        Party::Redis => address(url, &["redis"], report)?,
        Party::Database => address(url, &["mysql", "mariadb"], report)?,
        _ => return http(url, report),
    };
    let unset = url.hidden && url.value.contains(PLACEHOLDER);
    if !unset && url::Url::parse(&url.value).is_err() {
        // The text is not repeated: it may hold a password.
        let hint = "special characters of a password are written as %XX";
        report.error_hint(url.position, "the address is no well-formed URL", hint);
        return None;
    }
    Some(secret)
}

fn http(url: &At<String>, report: &mut Report<'_>) -> Option<Secret> {
    match url.value.parse::<Url>() {
        Ok(_) => Some(Secret::new(&url.value)),
        Err(error) => {
            report.error_maybe(url.position, error.message, error.hint);
            None
        }
    }
}

fn broker(broker: &At<String>, report: &mut Report<'_>) -> Option<Secret> {
    let unset = broker.hidden && broker.value.contains(PLACEHOLDER);
    let is_one = !broker.value.contains(',') && super::resource::is_address(&broker.value);
    if unset || is_one {
        return Some(Secret::new(&broker.value));
    }
    report.error_hint(
        broker.position,
        format!("`{}` is not where a broker listens", broker.shown()),
        "write its `HOST:PORT`: `broker: \"127.0.0.1:9092\"`; each broker is a part of its own",
    );
    None
}

/// Links listen on 127.0.0.1 only.
fn via(via: &At<String>, part: &Written, report: &mut Report<'_>) -> Option<u16> {
    let Some(url) = &part.url else {
        let hint = "say where it leads: `url`";
        report.error_hint(via.position, "`via` needs `url`", hint);
        return None;
    };
    let at: Option<SocketAddr> = via.value.parse().ok();
    let at = at.filter(|at| at.ip() == Ipv4Addr::LOCALHOST && at.port() > 0);
    let Some(at) = at else {
        report.error_hint(
            via.position,
            format!("`{}` is nowhere a link can listen", via.shown()),
            "write `127.0.0.1:PORT`, with a port that nobody has",
        );
        return None;
    };
    let own = url::Url::parse(&url.value).ok().and_then(|url| url.port());
    if own == Some(at.port()) {
        let hint = "the service has this port itself: choose another one for the link";
        report.error_hint(via.position, "the link would lead to itself", hint);
        return None;
    }
    Some(at.port())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::super::testing::planned_target;
    use crate::plan::Plan;

    fn planned(target: &str) -> Result<Plan, String> {
        planned_target(target, "")
    }

    const URL: &str = "url: \"http://127.0.0.1:3000\"";

    #[test]
    fn a_part_that_cannot_be_found_or_asked_is_refused_once() {
        let table = [
            ("parts: { redis: {} }", "nothing says where this part is"),
            ("parts: { redis: [] }", "`redis` has no part"),
            ("parts: { rediss: { pid: 2 } }", "unknown key `rediss`"),
            (
                "parts: { server: { pid: 1 } }",
                "process 1 holds all others",
            ),
            (
                "parts: { server: { pid: 4294967295 } }",
                "4294967295 is no process",
            ),
            (
                "parts: { server: { pid_file: \"\" } }",
                "`pid_file` is empty",
            ),
            (
                "parts: { server: { pid: 7, start: ./run } }",
                "`start` needs `pid_file`",
            ),
            (
                "parts: { server: { pid_file: a, start: \" \" } }",
                "`start` is empty",
            ),
            (
                "parts: { server: { pid: 2, container: a } }",
                "`container` cannot stand beside `pid`",
            ),
            (
                "parts: { redis: { container: \"a b\" } }",
                "`a b` is no name for `container`",
            ),
            (
                "parts: { redis: { service: a } }",
                "a service of which project?",
            ),
            (
                "parts: { redis: { container: a } }, compose: shop",
                "no part is a service of this project",
            ),
            (
                "parts: { server: [ { pid: 7 }, { pid: 7 } ] }",
                "this part is there twice",
            ),
            (
                "parts: { redis: { url: \"mysql://127.0.0.1\" } }",
                "the address has no scheme that can be read",
            ),
            (
                "parts: { database: { url: \"mysql://u:p/w@127.0.0.1:x/d\" } }",
                "the address is no well-formed URL",
            ),
            (
                "parts: { server: { url: \"127.0.0.1:80\" } }",
                "a url has no scheme",
            ),
            (
                "parts: { kafka: { broker: \"a:1,b:2\" } }",
                "`a:1,b:2` is not where a broker listens",
            ),
            (
                "parts: { kafka: { container: a, via: \"127.0.0.1:9\" } }",
                "unknown key `via`",
            ),
            (
                "parts: { redis: { container: a, via: \"127.0.0.1:9\" } }",
                "`via` needs `url`",
            ),
            (
                "parts: { redis: { url: \"redis://127.0.0.1:9\", via: \"127.0.0.1:9\" } }",
                "the link would lead to itself",
            ),
            (
                "parts: { redis: { url: \"redis://127.0.0.1:9\", via: \"0.0.0.0:10\" } }",
                "`0.0.0.0:10` is nowhere a link can listen",
            ),
            (
                "parts: { database: { container: a, admin: \"mysql://r@127.0.0.1\" } }",
                "`admin` needs `url`",
            ),
        ];
        for (parts, words) in table {
            let error = planned(&format!("{URL}, {parts}")).expect_err(parts);
            assert!(error.contains(words), "{parts}: {error}");
            assert!(error.ends_with("\n1 error\n"), "{parts}: {error}");
        }
        let error = planned("stack: {}, parts: { redis: { pid: 7 } }").expect_err("both");
        assert!(
            error.contains("`parts` cannot stand beside `stack`"),
            "{error}"
        );
    }

    #[test]
    fn a_part_of_another_machine_is_not_touched_unless_it_is_allowed() {
        let parts = "parts: { redis: { url: \"redis://:p@10.0.0.1:6379\" }, \
                     database: { url: \"mysql://u:p@localhost/d\", admin: \"mysql://r@db.example/d\" }, \
                     kafka: { broker: \"10.0.0.2:9092\" }, \
                     server: { url: \"http://[::1]:8080/health\" } }";
        let plan = planned(&format!("{URL}, {parts}")).unwrap();
        let refused = plan.not_allowed(&["10.0.0.2".to_owned()]);
        assert_eq!(refused, ["10.0.0.1", "db.example"]);
    }
}
