//! Where the truth is read, with proof that reading changes nothing.

use std::time::Duration;

use super::read_only::{check_redis, check_sql};
use super::template::{self, Place, Words};
use crate::plan::{Invariant, Query, Secret, Settle, Source, Target, Truth};
use crate::scenario::{
    At, Given, PLACEHOLDER, Position, Query as Written, Report, Scenario, Truth as WrittenTruth,
    TruthSource,
};

const WITHIN: Duration = Duration::from_mins(1);
/// The bundled server writes before it answers.
const QUIET_BUNDLED: Duration = Duration::from_secs(1);
/// Others may write behind a queue.
const QUIET: Duration = Duration::from_secs(2);

pub(super) fn resolve(
    scenario: &Scenario,
    target: Option<&Target>,
    invariants: &[Invariant],
    can_sell_out: bool,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Truth> {
    let is_stack = matches!(target, Some(Target::Stack(_)));
    let written = scenario.truth.value();
    let drain = written.and_then(|truth| truth.drain.as_ref());
    let mut truth = Truth {
        issued: written.and_then(|truth| source(&truth.issued, words, report)),
        stock: written.and_then(|truth| source(&truth.stock, words, report)),
        remaining: written.and_then(|truth| source(&truth.remaining, words, report)),
        settle: settle(written, is_stack, report),
        drain: drain.map_or(
            can_sell_out && invariants.contains(&Invariant::Stock),
            |drain| drain.value,
        ),
    };
    let absent = |pick: fn(&WrittenTruth) -> &Given<TruthSource>| match &scenario.truth {
        Given::Absent => true,
        Given::Broken => false,
        Given::Value(truth) => pick(truth).is_absent(),
    };
    let bundled = || Source {
        query: Query::Bundled,
        offset: 0,
    };
    let issued_is_absent = absent(|truth| &truth.issued);
    if is_stack && issued_is_absent {
        truth.issued = Some(bundled());
    }
    if is_stack && absent(|truth| &truth.remaining) {
        truth.remaining = Some(bundled());
    }
    // Without a target nobody knows whether the truth is bundled.
    if issued_is_absent && !is_stack && target.is_some() {
        demand_issued(scenario, report);
    }
    demand_subject(scenario, report);
    if let Some(drain) = drain.filter(|drain| drain.value)
        && !(can_sell_out && invariants.contains(&Invariant::Stock))
    {
        report.error_hint(
            drain.position,
            "`drain` decides the invariant `stock` by an outcome `sold_out`, and one of them is missing",
            "add them, or remove `drain`",
        );
    }
    (written.is_some() || is_stack).then_some(truth)
}

fn demand_issued(scenario: &Scenario, report: &mut Report<'_>) {
    for name in &scenario.invariants {
        if Invariant::ALL
            .iter()
            .any(|known| known.name() == name.value)
        {
            report.error_hint(
                name.position,
                format!("the invariant `{}` needs `truth.issued`", name.value),
                "say where the issued rows are read: `truth: { issued: { sql: { url: \"${DB}\", \
                 query: SELECT user_id, id, created_at FROM coupons } } }`",
            );
        }
    }
}

fn demand_subject(scenario: &Scenario, report: &mut Report<'_>) {
    for name in &scenario.invariants {
        if name.value == Invariant::Stock.name() && scenario.subject.is_absent() {
            report.error_hint(
                name.position,
                "the invariant `stock` needs a subject",
                "say how many there are: `subject: { coupon: { id: 1, stock: 5000 } }`",
            );
        }
    }
}

fn settle(written: Option<&WrittenTruth>, is_stack: bool, report: &mut Report<'_>) -> Settle {
    let quiet = written.and_then(|truth| truth.quiet.as_ref());
    let within = written.and_then(|truth| truth.within.as_ref());
    let default = if is_stack { QUIET_BUNDLED } else { QUIET };
    let settle = Settle {
        quiet: quiet.map_or(default, |span| span.value.0),
        within: within.map_or(WITHIN, |span| span.value.0),
    };
    if let Some(at) = within.or(quiet)
        && settle.within < settle.quiet
    {
        report.error_hint(
            at.position,
            "the state can never be quiet for so long within that time",
            "`within` must be longer than `quiet`",
        );
    }
    settle
}

fn source(
    written: &Given<TruthSource>,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Source> {
    let written = written.value()?;
    let query = match &written.query {
        Written::Sql { url, query } => {
            let url = address(
                url,
                &["mysql", "mariadb", "postgres", "postgresql", "sqlite"],
                report,
            );
            let query = literal(query, words, report).filter(|text| {
                let problem = check_sql(text).err();
                told(problem, query, report)
            });
            Query::Sql {
                url: url?,
                query: query?,
            }
        }
        Written::Redis { url, command } => {
            let url = address(url, &["redis"], report);
            let words: Option<Vec<String>> = command
                .iter()
                .map(|word| literal(word, words, report))
                .collect();
            let words = words?;
            if let Some(problem) = check_redis(&words).err() {
                let at = command
                    .first()
                    .map_or(Position::START, |word| word.position);
                report.error_hint(at, problem.0, problem.1);
                return None;
            }
            Query::Redis {
                url: url?,
                command: words,
            }
        }
        Written::Http {
            get,
            headers,
            at,
            user,
            id,
            time,
        } => {
            let url = literal(get, words, report)?;
            let is_absolute = url.starts_with("http://") || url.starts_with("https://");
            if !is_absolute && !super::target::is_path(&url) {
                report.error_hint(
                    get.position,
                    "neither a url nor a path",
                    "write `get: /admin/issued` for a path on the target, or the whole url",
                );
                return None;
            }
            let secret = |text: Option<&crate::scenario::value::Pointer>| {
                text.map(|pointer| pointer.as_str().to_owned())
            };
            Query::Http {
                url: Secret::new(url),
                headers: headers
                    .iter()
                    .map(|(name, value)| {
                        let value = Secret::new(value.value.as_str());
                        (name.value.as_str().to_owned(), value)
                    })
                    .collect(),
                pointer: at.as_str().to_owned(),
                user: secret(user.as_ref()).unwrap_or_default(),
                id: secret(id.as_ref()),
                time: secret(time.as_ref()),
            }
        }
    };
    Some(Source {
        query,
        offset: written.offset,
    })
}

/// A text whose templates are all known when planning.
fn literal(text: &At<String>, words: Words<'_>, report: &mut Report<'_>) -> Option<String> {
    let template = template::parse(text, Place::Raw, words, report)?;
    let known = template.as_literal().map(str::to_owned);
    if known.is_none() {
        report.error_hint(
            text.position,
            "the truth is read for all users at once",
            "only `{{ coupon.id }}` can be filled in here",
        );
    }
    known
}

fn told(problem: Option<(String, String)>, text: &At<String>, report: &mut Report<'_>) -> bool {
    match problem {
        None => true,
        Some((message, hint)) => {
            template::report_wrong(text, message, hint, report);
            false
        }
    }
}

pub(super) fn address(
    url: &At<String>,
    schemes: &[&str],
    report: &mut Report<'_>,
) -> Option<Secret> {
    let scheme = url.value.split_once(':').map(|(scheme, _)| scheme);
    let known = scheme.is_some_and(|scheme| schemes.contains(&scheme));
    if known || (url.hidden && url.value.contains(PLACEHOLDER)) {
        return Some(Secret::new(&url.value));
    }
    // The text is not repeated: it may hold a password.
    let known: Vec<String> = schemes
        .iter()
        .map(|scheme| format!("`{scheme}:`"))
        .collect();
    report.error_hint(
        url.position,
        "the address has no scheme that can be read",
        format!("write one that begins with {}", known.join(", ")),
    );
    None
}
