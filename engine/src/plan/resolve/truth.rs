//! Where the truth is read, with proof that reading changes nothing.

use std::time::Duration;

use super::read_only::{check_pages, check_redis, check_sql};
use super::resource::kafka;
use super::template::{self, Piece, Place, Words};
use super::{delivery, tables};
use crate::plan::{
    Backlog, BacklogOf, Invariant, Pages, Part, Query, Secret, Settle, Source, Subject, Target,
    Truth, Variable,
};
use crate::scenario::value::Count;
use crate::scenario::{
    At, Backlog as WrittenBacklog, BacklogOf as WrittenOf, Given, PLACEHOLDER,
    Pages as WrittenPages, Position, Query as Written, Report, Scenario, Truth as WrittenTruth,
    TruthSource,
};

const WITHIN: Duration = Duration::from_mins(1);
/// The bundled server writes before it answers.
const QUIET_BUNDLED: Duration = Duration::from_secs(1);
/// Others may write behind a queue.
const QUIET: Duration = Duration::from_secs(2);

/// All of them are read at once, again and again.
const MOST_BACKLOGS: usize = 8;

/// A page is held in memory.
const MOST_ROWS: u64 = 1_000_000;

pub(super) fn resolve(
    scenario: &Scenario,
    (target, subject): (Option<&Target>, Option<&Subject>),
    invariants: &[Invariant],
    can_sell_out: bool,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Truth> {
    let is_stack = matches!(target, Some(Target::Stack(_)));
    let written = scenario.truth.value();
    let drain = written.and_then(|truth| truth.drain.as_ref());
    let of_the_end = invariants.iter().any(|one| one.is_of_the_end());
    let delivery = delivery::resolve(scenario, target, subject, words, report);
    let mut truth = Truth {
        issued: written.and_then(|truth| given(&truth.issued, words, report)),
        stock: written.and_then(|truth| given(&truth.stock, words, report)),
        remaining: written.and_then(|truth| given(&truth.remaining, words, report)),
        delivery,
        tables: tables::resolve(scenario, words, report).into(),
        settle: settle(written, is_stack, report),
        pending: backlogs(written, words, report),
        drain: drain.map_or(can_sell_out && of_the_end, |drain| drain.value),
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
        if let Some(first) = written.and_then(|truth| truth.pending.first()) {
            report.error_hint(
                first.position,
                "`pending` says when the issued rows are final, and `truth.issued` is missing",
                "say where they are read, or remove `pending`",
            );
        }
    }
    demand_subject(scenario, report);
    if let Some(drain) = drain.filter(|drain| drain.value)
        && !(can_sell_out && of_the_end)
    {
        report.error_hint(
            drain.position,
            "`drain` decides the invariant `stock` or `first_come_first_served` by an outcome \
             `sold_out`, and one of them is missing",
            "add them, or remove `drain`",
        );
    }
    (written.is_some() || is_stack).then_some(truth)
}

fn demand_issued(scenario: &Scenario, report: &mut Report<'_>) {
    let names = scenario.invariants.iter().map(|written| &written.name);
    for name in names {
        if Invariant::named(&name.value).is_some_and(Invariant::needs_rows) {
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
    let names = scenario.invariants.iter().map(|written| &written.name);
    for name in names {
        let of_the_end = Invariant::named(&name.value).is_some_and(Invariant::is_of_the_end);
        if of_the_end && scenario.subject.is_absent() {
            report.error_hint(
                name.position,
                format!("the invariant `{}` needs a subject", name.value),
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

fn backlogs(
    written: Option<&WrittenTruth>,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Vec<Backlog> {
    let written = written.map(|truth| truth.pending.as_slice());
    if let Some(beyond) = written.and_then(|written| written.get(MOST_BACKLOGS)) {
        report.error_hint(
            beyond.position,
            "there are too many to be read side by side",
            format!("at most {MOST_BACKLOGS} can be waited for"),
        );
    }
    let written = written.unwrap_or_default().iter().take(MOST_BACKLOGS);
    let resolved = written
        .zip(1..)
        .filter_map(|(written, number)| backlog(written, number, words, report));
    resolved.collect()
}

/// `number` is its place in the list, by which a reason names it.
fn backlog(
    written: &WrittenBacklog,
    number: usize,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Backlog> {
    let (name, of) = match &written.of {
        WrittenOf::Lag(group) => {
            let group = kafka(group, report)?;
            let name = format!("the consumer lag of {}", group.group);
            (name, BacklogOf::Lag(group))
        }
        WrittenOf::Number(written) => {
            let source = source(written, words, report)?;
            let name = format!("number {number} of `pending`");
            (name, BacklogOf::Number(source))
        }
    };
    Some(Backlog { name, of })
}

pub(super) fn given(
    written: &Given<TruthSource>,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Option<Source> {
    source(written.value()?, words, report)
}

fn source(written: &TruthSource, words: Words<'_>, report: &mut Report<'_>) -> Option<Source> {
    let query = match &written.query {
        Written::Sql { url, query, pages } => {
            let url = address(
                url,
                &["mysql", "mariadb", "postgres", "postgresql", "sqlite"],
                report,
            );
            let query = literal(query, words, report).filter(|text| {
                let problem = check_sql(&with_a_name(text)).err();
                told(problem, query, report)
            });
            let pages = match pages {
                Some(written) => Some(paged(written, query.as_deref(), report)?),
                None => None,
            };
            Query::Sql {
                url: url?,
                query: query?,
                pages,
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
            if !is_absolute && !super::target::is_path(&with_a_name(&url)) {
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

/// The key is written into a query, so it is no more than a name.
fn paged(written: &WrittenPages, query: Option<&str>, report: &mut Report<'_>) -> Option<Pages> {
    let key = &written.key;
    if !is_a_name(&key.value) {
        report.error_hint(
            key.position,
            format!("`{}` is no name of a column", key.shown()),
            "name a column as the query gives it, in letters, digits and `_`; rename another with \
             `AS`",
        );
        return None;
    }
    if let Some(problem) = query.and_then(|text| check_pages(&with_a_name(text)).err()) {
        report.error_hint(key.position, problem.0, problem.1);
        return None;
    }
    let rows = written.rows.as_ref();
    if let Some(rows) = rows.filter(|rows| !(1..=MOST_ROWS).contains(&rows.value.0)) {
        report.error_hint(
            rows.position,
            "a page has another number of rows",
            format!("write one from 1 to {}", Count(MOST_ROWS)),
        );
        return None;
    }
    Some(Pages {
        key: key.value.clone(),
        rows: rows.map_or(Pages::ROWS, |rows| rows.value.0),
    })
}

fn is_a_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 64
        && text.chars().all(plain)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
}

/// A text that is the same for all users. What `before` captures stays as `{{ name }}` until it is
/// there, see [`Source::filled_in`].
fn literal(text: &At<String>, words: Words<'_>, report: &mut Report<'_>) -> Option<String> {
    let template = template::parse(text, Place::Raw, words, report)?;
    let mut known = String::new();
    for part in &template.parts {
        match (part, words.slots) {
            (Part::Literal(text), _) => known.push_str(text),
            (Part::Value(Variable::Slot(slot), _), Some(slots)) => {
                known.push_str("{{ ");
                known.push_str(slots.name(*slot));
                known.push_str(" }}");
            }
            (Part::Value(..), _) => {
                report.error_hint(
                    text.position,
                    "the truth is read for all users at once",
                    "only `{{ coupon.id }}` and what `before` captures can be filled in here",
                );
                return None;
            }
        }
    }
    Some(known)
}

/// The text as it looks when a captured value stands in it: such a value is one word.
fn with_a_name(text: &str) -> String {
    let pieces = template::pieces(text).unwrap_or_default();
    let word = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => (*text).to_owned(),
        Piece::Name { .. } => "x".to_owned(),
    };
    pieces.iter().map(word).collect()
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

#[cfg(test)]
mod tests {
    use super::super::testing::planned_target;
    use crate::plan::{Plan, print};

    fn planned(truth: &str) -> Result<Plan, String> {
        planned_target(
            "url: \"http://127.0.0.1:3000\"",
            &format!("truth: {{ {truth} }}\n"),
        )
    }

    const ISSUED: &str = "issued: { sql: { url: \"sqlite:a.db\", query: SELECT u FROM t } }";
    const PAGED: &str = "issued: { sql: { url: \"sqlite:a.db\", query: SELECT u FROM t, KEY } }";
    const NUMBER: &str = "{ sql: { url: \"mysql://u:secret@h/d\", query: SELECT 1 }, offset: -1 }";
    const LAG: &str = "{ kafka: { brokers: \"h:1\", group: g, topic: t } }";

    #[test]
    fn what_must_be_0_is_in_the_plan_without_a_password() {
        let truth = format!("{ISSUED}, settle: {{ pending: [ {NUMBER}, {LAG} ] }}");
        let plan = planned(&truth).unwrap_or_else(|error| panic!("{error}"));
        let text = print(&plan);
        for line in [
            "  pending   0 by then: sql mysql://h: SELECT 1, -1\n",
            "  pending   0 by then: kafka h:1, group g, topic t\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn rows_are_read_in_pages_where_a_key_is_named() {
        for (key, shown) in [("key: u", "10_000"), ("key: u, page: 7", "7")] {
            let plan = planned(&PAGED.replace("KEY", key));
            let text = print(&plan.unwrap_or_else(|error| panic!("{error}")));
            let line = format!("sqlite:***: SELECT u FROM t, in pages of {shown} by `u`\n");
            assert!(
                text.contains(&line) || text.contains(&line.replace("sqlite:***", "sqlite://a.db")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_waited_for_or_read_in_pages_is_refused() {
        let nine = [LAG; 9].join(", ");
        let table = [
            (
                PAGED.replace("KEY", "key: u, page: 0"),
                "a page has another number of rows",
            ),
            (
                PAGED.replace("KEY", "key: \"a, b\""),
                "`a, b` is no name of a column",
            ),
            (PAGED.replace("KEY", "page: 10"), "and `key` is missing"),
            (
                PAGED
                    .replace("KEY", "key: u")
                    .replace("FROM t", "FROM t LIMIT 5"),
                "`LIMIT` gives other rows for each page",
            ),
            (
                format!(
                    "{ISSUED}, stock: {{ sql: {{ url: \"sqlite:a.db\", query: SELECT 1, key: u }} }}"
                ),
                "unknown key `key`",
            ),
            (
                format!("settle: {{ pending: [ {LAG} ] }}"),
                "`truth.issued` is missing",
            ),
            (
                format!("{ISSUED}, settle: {{ pending: [ {nine} ] }}"),
                "at most 8 can be waited for",
            ),
            (
                format!("{ISSUED}, settle: {{ pending: {LAG} }}"),
                "expected a list, found a map",
            ),
        ];
        for (truth, words) in table {
            let error = planned(&truth).expect_err(words);
            assert!(error.contains(words), "{error}");
            assert!(error.ends_with("\n1 error\n"), "{error}");
        }
    }
}
