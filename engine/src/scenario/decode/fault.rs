//! `faults`: what is broken, when and for how long.

use super::super::fault::{Blow, Fault, KINDS, KINDS_ELSEWHERE, Kind, Start, What};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields, Given, did_you_mean, list};
use super::super::report::Report;

/// Who can be broken, and the choice among several blows.
const WHAT: [&str; 10] = [
    "redis", "database", "kafka", "server", "coupon", "issuer", "queue", "router", "client",
    "chaos",
];

/// All that are right, and whether these are all.
pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> (Vec<Fault>, bool) {
    let Some(items) = reader::items(report, &entry.node) else {
        return (Vec::new(), false);
    };
    let faults: Vec<_> = items
        .iter()
        .filter_map(|item| fault(report, item))
        .collect();
    let whole = faults.len() == items.len();
    (faults, whole)
}

fn fault(report: &mut Report<'_>, node: &Node) -> Option<Fault> {
    let mut fields = Fields::of(report, node, node.position)?;
    let hint = "reports and thresholds call it so: `name: redis-outage`";
    let name = fields.need(report, "name", hint);
    let name = name.and_then(|entry| reader::value(report, &entry.node));
    let what = fields.one_of(report, &WHAT, "what is broken");
    let which = fields.get("which");
    let which = Given::read(which, |entry| reader::text(report, &entry.node));
    let start = fields.one_of(report, &["at", "after", "when"], "when it begins");
    let [lasts, every] = ["for", "every"].map(|key| {
        let entry = fields.get(key);
        Given::read(entry, |entry| reader::value(report, &entry.node))
    });
    let times = fields.get("times");
    let times = Given::read(times, |entry| reader::value(report, &entry.node));
    fields.finish(report);
    if which.is_broken() || lasts.is_broken() || every.is_broken() || times.is_broken() {
        return None;
    }
    let what = what.and_then(|entry| self::what(report, entry));
    let start = start.and_then(|entry| self::start(report, entry));
    Some(Fault {
        name: name?,
        what: what?,
        which: which.into_value(),
        start: start?,
        lasts: lasts.into_value(),
        every: every.into_value(),
        times: times.into_value(),
    })
}

fn what(report: &mut Report<'_>, entry: &Entry) -> Option<What> {
    if entry.key != "chaos" {
        return blow(report, entry).map(What::One);
    }
    let mut fields = Fields::behind(report, entry)?;
    let hint = "what it chooses from: `pick: [{ redis: freeze }, { database: read_only }]`";
    let pick = fields.need(report, "pick", hint);
    fields.finish(report);
    let items = pick.and_then(|pick| reader::items(report, &pick.node))?;
    let read: Vec<_> = items.iter().map(|item| one_blow(report, item)).collect();
    if items.is_empty() {
        report.error_hint(entry.position, "there is nothing to choose from", hint);
        return None;
    }
    Some(What::Chaos {
        position: entry.position,
        pick: read.into_iter().collect::<Option<_>>()?,
    })
}

fn one_blow(report: &mut Report<'_>, node: &Node) -> Option<Blow> {
    let mut fields = Fields::of(report, node, node.position)?;
    let parties = &WHAT[..WHAT.len() - 1];
    let entry = fields.one_of(report, parties, "what is broken");
    fields.finish(report);
    blow(report, entry?)
}

/// `redis: kill`, `redis: { delay: 200ms }` or `redis: { delay: { by: 200ms, jitter: 50ms } }`.
fn blow(report: &mut Report<'_>, entry: &Entry) -> Option<Blow> {
    let party = entry.key.as_str();
    let fitting = || KINDS.iter().filter(|kind| kind.parties.contains(&party));
    let (kind, position, settings) = if let Value::Map(kinds) = &entry.node.value {
        if let [one] = kinds.as_slice()
            && is_refused(party, &one.key)
        {
            let word = At {
                value: one.key.clone(),
                position: one.position,
                hidden: false,
            };
            refuse_kind(report, party, &word);
            return None;
        }
        let names: Vec<&'static str> = fitting()
            .filter(|kind| kind.has_settings())
            .map(|kind| kind.name)
            .collect();
        let mut fields = Fields::behind(report, entry)?;
        let one = fields.one_of(report, &names, "what is done to it");
        fields.finish(report);
        let one = one?;
        let kind = fitting().find(|kind| kind.name == one.key)?;
        (kind, one.position, settings(report, kind, one)?)
    } else {
        let word = reader::text(report, &entry.node)?;
        let kind = fitting().find(|kind| kind.name == word.value && kind.is_a_word());
        let Some(kind) = kind else {
            refuse_kind(report, party, &word);
            return None;
        };
        (kind, word.position, Vec::new())
    };
    Some(Blow {
        party: At {
            value: entry.key.clone(),
            position: entry.position,
            hidden: false,
        },
        kind: At {
            value: kind.name,
            position,
            hidden: false,
        },
        settings,
    })
}

/// Whether a kind is wrong whatever is said about it.
fn is_refused(party: &str, name: &str) -> bool {
    let is_it = |kind: &&Kind| kind.name == name;
    let takes = |kind: &Kind| kind.parties.contains(&party) && kind.has_settings();
    let known = KINDS.iter().find(is_it);
    known.is_some_and(|kind| !takes(kind)) || KINDS_ELSEWHERE.iter().any(|kind| kind.name == name)
}

fn refuse_kind(report: &mut Report<'_>, party: &str, word: &At<String>) {
    let kind = word.value.as_str();
    if let Some(elsewhere) = KINDS_ELSEWHERE.iter().find(|other| other.name == kind) {
        let message = format!("`{kind}` is no fault here: {}", elsewhere.why);
        return report.error_hint(word.position, message, elsewhere.hint);
    }
    let Some(known) = KINDS.iter().find(|known| known.name == kind) else {
        let fitting = KINDS.iter().filter(|kind| kind.parties.contains(&party));
        let names: Vec<&str> = fitting.map(|kind| kind.name).collect();
        let message = format!("unknown fault `{}`", word.shown());
        return report.error_hint(word.position, message, did_you_mean(kind, &names));
    };
    if known.parties.contains(&party) && !known.has_settings() {
        let message = format!("nothing can be said about `{kind}`");
        let hint = format!("write `{party}: {kind}`");
        return report.error_hint(word.position, message, hint);
    }
    if known.parties.contains(&party) {
        let key = known.alone().unwrap_or_default();
        let message = format!("`{kind}` needs `{key}`");
        let hint = format!("write it like `{party}: {{ {kind}: ... }}`; see docs/faults.md");
        return report.error_hint(word.position, message, hint);
    }
    report.error_hint(
        word.position,
        format!("`{kind}` cannot be done to `{party}`"),
        format!("it can be done to {}", list(known.parties)),
    );
}

fn settings(
    report: &mut Report<'_>,
    kind: &'static Kind,
    entry: &Entry,
) -> Option<Vec<(&'static str, At<String>)>> {
    if let Value::Scalar(_) = &entry.node.value {
        let text = reader::text(report, &entry.node)?;
        return Some(vec![(kind.alone()?, text)]);
    }
    let mut fields = Fields::behind(report, entry)?;
    let mut found = Vec::new();
    for key in kind.needed {
        let hint = format!(
            "write `{{ {}: {{ {key}: ... }} }}`; see docs/faults.md",
            kind.name
        );
        found.push((*key, fields.need(report, key, &hint)));
    }
    if !kind.either.is_empty() {
        let one = fields.one_of(report, kind.either, "when it happens");
        let key = one.and_then(|one| kind.either.iter().find(|key| **key == one.key));
        found.push((key.copied().unwrap_or_default(), one));
    }
    let mut read: Option<Vec<_>> = Some(Vec::new());
    for (key, entry) in found {
        let text = entry.and_then(|entry| reader::text(report, &entry.node));
        read = read.zip(text).map(|(mut read, text)| {
            read.push((key, text));
            read
        });
    }
    for key in kind.other {
        let Some(entry) = fields.get(key) else {
            continue;
        };
        let text = reader::text(report, &entry.node);
        read = read.zip(text).map(|(mut read, text)| {
            read.push((*key, text));
            read
        });
    }
    fields.finish(report);
    read
}

fn start(report: &mut Report<'_>, entry: &Entry) -> Option<Start> {
    match entry.key.as_str() {
        "at" => reader::text(report, &entry.node).map(Start::At),
        "after" => reader::value(report, &entry.node).map(Start::After),
        _ => reader::text(report, &entry.node).map(Start::When),
    }
}
