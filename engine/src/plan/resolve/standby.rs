//! Who takes the place of a Redis that dies: its replicas, and the Sentinels that choose among them.

use super::services::{Place, Services};
use crate::plan::{Provider, Standby};
use crate::scenario::value::Count;
use crate::scenario::{At, Redis, Report};

/// More copies of a primary show nothing that two do not.
const REPLICAS: [u8; 2] = [1, 2];

/// Odd numbers: a majority of four is as many as of five.
const SENTINELS: [u8; 2] = [3, 5];

/// What is written of it; `None` where nothing is, or where it is wrong, which was reported.
pub(super) fn resolve(
    written: Option<&Redis>,
    services: Option<Services>,
    (provider, place): (Option<Provider>, Place<'_>),
    report: &mut Report<'_>,
) -> Option<Standby> {
    let redis = written?;
    let Some(replicas) = &redis.replicas else {
        if let Some(sentinels) = &redis.sentinels {
            report.error_hint(
                sentinels.position,
                "Sentinels without a replica have nobody to promote",
                "write `redis: { replicas: 1, sentinels: 3 }`, or leave `sentinels` away",
            );
        }
        return None;
    };
    let instances = services?.redis;
    if instances > 1 {
        report.error_hint(
            replicas.position,
            format!("the {instances} instances of Redis know nothing of each other"),
            "let there be one that has replicas: `redis: { instances: 1, replicas: 1 }`",
        );
        return None;
    }
    let count = one_of(replicas, REPLICAS, "replicas of Redis", report);
    let sentinels = match &redis.sentinels {
        None => Some(SENTINELS[0]),
        Some(sentinels) => one_of(sentinels, SENTINELS, "Sentinels", report),
    };
    if provider == Some(Provider::Docker) {
        refuse_docker(place, report);
    }
    Some(Standby {
        replicas: count?,
        sentinels: sentinels?,
    })
}

fn one_of(
    written: &At<Count>,
    possible: [u8; 2],
    what: &str,
    report: &mut Report<'_>,
) -> Option<u8> {
    let found = possible
        .into_iter()
        .find(|n| u64::from(*n) == written.value.0);
    if found.is_none() {
        let [one, other] = possible;
        report.error_hint(
            written.position,
            format!("{} {what} are not possible", written.value.0),
            format!("write {one} or {other}"),
        );
    }
    found
}

/// Sentinel tells where the primary is as the primary itself sees it: from within a container that
/// is no address of this machine.
fn refuse_docker(place: Place<'_>, report: &mut Report<'_>) {
    let message = "Redis with replicas and Sentinels is only started by `local`".to_owned();
    let hint = "write `provider: local`, or `auto`, which takes it then".to_owned();
    place.refuse(message, hint, report);
}

#[cfg(test)]
mod tests {
    use super::super::testing::planned_stack as planned;
    use crate::plan::{Standby, Target, print};

    #[test]
    fn replicas_and_sentinels_that_cannot_take_over_are_refused() {
        let table = [
            ("redis: { sentinels: 3 }", "have nobody to promote"),
            (
                "redis: { replicas: 0 }",
                "0 replicas of Redis are not possible",
            ),
            (
                "redis: { replicas: 3 }",
                "3 replicas of Redis are not possible",
            ),
            (
                "redis: { replicas: 1, sentinels: 2 }",
                "2 Sentinels are not possible",
            ),
            (
                "provider: docker, redis: { replicas: 1 }",
                "only started by `local`",
            ),
        ];
        for (rest, words) in table {
            let stack = format!("server: {{ strategy: redis-lua }}, {rest}");
            let error = planned(&stack).expect_err(&stack);
            assert!(error.contains(words), "{stack}: {error}");
            assert!(error.ends_with("\n1 error\n"), "{stack}: {error}");
        }
        let others = [
            (
                "server: { strategy: redlock }, redis: { replicas: 1 }",
                "the 4 instances of Redis know nothing of each other",
            ),
            (
                "server: { strategy: db-conditional }, redis: { replicas: 1 }",
                "the strategy `db-conditional` uses no Redis",
            ),
        ];
        for (stack, words) in others {
            let error = planned(stack).expect_err(stack);
            assert!(error.contains(words), "{stack}: {error}");
            assert!(error.ends_with("\n1 error\n"), "{stack}: {error}");
        }
    }

    #[test]
    fn what_takes_over_is_filled_in_and_printed() {
        let table = [
            (
                "server: { strategy: redis-lua }, redis: { replicas: 1 }",
                (1, 3),
                "one Redis with a replica and 3 Sentinels, MySQL\n",
            ),
            (
                "provider: local, server: { strategy: redisson }, redis: { replicas: 2, sentinels: 5 }",
                (2, 5),
                "one Redis with 2 replicas and 5 Sentinels, MySQL\n",
            ),
            (
                "server: { strategy: redlock }, redis: { instances: 1, replicas: 1 }",
                (1, 3),
                "one Redis with a replica and 3 Sentinels, MySQL\n",
            ),
        ];
        for (stack, (replicas, sentinels), printed) in table {
            let plan = planned(stack).unwrap_or_else(|error| panic!("{stack}: {error}"));
            let Target::Stack(target) = &plan.target else {
                panic!("{stack}: no stack");
            };
            let standby = Standby {
                replicas,
                sentinels,
            };
            assert_eq!(target.standby, Some(standby), "{stack}");
            let text = print(&plan);
            assert!(text.contains(printed), "{text}");
        }
    }
}
