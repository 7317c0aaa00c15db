//! The steps of a flow: requests and pauses, and the steps that hold other steps.

use super::super::model::{Each, Items, Parallel, Poll, Step, TextMatch, Until, When};
use super::super::node::{Entry, Node, Value};
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;
use super::super::value::{Count, Name, Pattern, Span};
use super::flow;
use super::outcome;

/// Steps within steps: nobody reads more, and each level costs the stack.
const DEEPEST: usize = 8;

/// How often a poll asks, and how long, unless the scenario says otherwise.
const EVERY: Span = Span(std::time::Duration::from_millis(500));
const WITHIN: Span = Span(std::time::Duration::from_secs(30));

/// Branches of one user at one time.
const MOST_BRANCHES: u64 = 1_000;

/// Rounds of one `each`.
const MOST_ROUNDS: u64 = 10_000;

/// The steps that are right, and whether all are.
pub(super) fn list(report: &mut Report<'_>, items: &[Node]) -> (Vec<Step>, bool) {
    nested(report, items, 0)
}

fn nested(report: &mut Report<'_>, items: &[Node], depth: usize) -> (Vec<Step>, bool) {
    let steps: Vec<Option<Step>> = items.iter().map(|item| step(report, item, depth)).collect();
    let whole = steps.iter().all(|step| step.as_ref().is_some_and(is_whole));
    (steps.into_iter().flatten().collect(), whole)
}

/// Whether nothing of the step was left out. Steps within steps were looked at before.
fn is_whole(step: &Step) -> bool {
    match step {
        Step::Request(request) => request.whole,
        Step::Poll(poll) => poll.request.whole,
        Step::Think(..) | Step::When(_) | Step::Each(_) | Step::Parallel(_) => true,
    }
}

fn step(report: &mut Report<'_>, node: &Node, depth: usize) -> Option<Step> {
    if depth > DEEPEST {
        report.error_hint(
            node.position,
            format!("steps stand within steps more than {DEEPEST} deep"),
            "say it with fewer levels",
        );
        return None;
    }
    let mut fields = Fields::of(report, node, node.position)?;
    if let Some(entry) = fields.get("think") {
        fields.finish(report);
        return flow::think(report, &entry.node);
    }
    if let Some(entry) = fields.get("poll") {
        fields.finish(report);
        return poll(report, entry).map(|poll| Step::Poll(Box::new(poll)));
    }
    if let Some(entry) = fields.get("when") {
        return when(report, entry, fields, depth).map(|when| Step::When(Box::new(when)));
    }
    if let Some(entry) = fields.get("each") {
        return each(report, entry, fields, depth).map(|each| Step::Each(Box::new(each)));
    }
    if let Some(entry) = fields.get("parallel") {
        fields.finish(report);
        let parallel = parallel(report, entry, depth);
        return parallel.map(|parallel| Step::Parallel(Box::new(parallel)));
    }
    flow::request(report, fields).map(|request| Step::Request(Box::new(request)))
}

/// The steps behind a key; `None` if one of them is wrong, which was reported.
fn steps_of(report: &mut Report<'_>, entry: &Entry, depth: usize) -> Option<Vec<Step>> {
    let items = reader::items(report, &entry.node)?;
    if items.is_empty() {
        report.error_hint(
            entry.position,
            format!("`{}` has no step", entry.key),
            "write one, such as `- post: /issue`",
        );
        return None;
    }
    let (steps, whole) = nested(report, items, depth + 1);
    whole.then_some(steps)
}

fn poll(report: &mut Report<'_>, entry: &Entry) -> Option<Poll> {
    let mut fields = Fields::behind(report, entry)?;
    let span = |report: &mut Report<'_>, entry: Option<&Entry>, otherwise: Span| match entry {
        None => Some(otherwise),
        Some(entry) => flow::timeout_of(report, &entry.node).map(|span| span.value),
    };
    let every = fields.get("every");
    let every = span(report, every, EVERY);
    let within_entry = fields.get("within");
    let within = span(report, within_entry, WITHIN);
    let until = fields.get("until");
    let until = until.map(|entry| until_of(report, entry));
    let request = flow::request(report, fields);
    let (every, within) = (every?, within?);
    if within.0 < every.0 {
        let position = within_entry.map_or(entry.position, |entry| entry.position);
        report.error_hint(
            position,
            format!("a poll `within: {within}` that asks `every: {every}` asks only once"),
            "let it go on for longer, or ask more often",
        );
        return None;
    }
    Some(Poll {
        request: request?,
        every,
        within,
        until: match until {
            None => None,
            Some(until) => Some(until?),
        },
    })
}

fn until_of(report: &mut Report<'_>, entry: &Entry) -> Option<Until> {
    let mut fields = Fields::behind(report, entry)?;
    let Some(outcome) = fields.get("outcome") else {
        let name: Option<At<Name>> = "until".parse().ok().map(|value| At {
            value,
            position: entry.position,
            hidden: false,
        });
        let answer = outcome::conditions(report, fields, name)?;
        return Some(Until::Answer(Box::new(answer)));
    };
    fields.finish(report);
    texts(report, &outcome.node).map(Until::Outcomes)
}

pub(super) fn texts(report: &mut Report<'_>, node: &Node) -> Option<Vec<At<String>>> {
    let items = reader::one_or_many(node);
    if items.is_empty() {
        report.error(node.position, "the list is empty");
        return None;
    }
    let read: Vec<_> = items
        .iter()
        .map(|item| reader::text(report, item))
        .collect();
    read.into_iter().collect()
}

fn when(
    report: &mut Report<'_>,
    entry: &Entry,
    mut fields: Fields<'_>,
    depth: usize,
) -> Option<When> {
    let then = fields.need(report, "then", "what is done then: `then: [ ... ]`");
    let then = then.map(|entry| steps_of(report, entry, depth));
    let otherwise = fields.get("else");
    let otherwise = otherwise.map(|entry| steps_of(report, entry, depth));
    fields.finish(report);
    let mut fields = Fields::behind(report, entry)?;
    let outcomes = fields.get("outcome");
    let outcomes = outcomes.map(|entry| outcomes_of(report, entry));
    let captures = fields.get("capture");
    let captures = captures.map(|entry| text_matches(report, entry));
    let position = fields.position();
    fields.finish(report);
    if outcomes.is_none() && captures.is_none() {
        report.error_hint(
            position,
            "`when` has no condition",
            "write `when: { outcome: { checkout: issued } }` or `when: { capture: { state: DONE } }`",
        );
        return None;
    }
    Some(When {
        outcomes: outcomes.unwrap_or_else(|| Some(Vec::new()))?,
        captures: captures.unwrap_or_else(|| Some(Vec::new()))?,
        then: then??,
        otherwise: otherwise.unwrap_or_else(|| Some(Vec::new()))?,
    })
}

/// A step and the outcomes that it may have had.
pub(super) type Outcomes = (At<String>, Vec<At<String>>);

pub(super) fn outcomes_of(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<Outcomes>> {
    let read: Vec<_> = reader::entries(report, &entry.node)?
        .iter()
        .map(|entry| {
            let step = At {
                value: entry.key.clone(),
                position: entry.position,
                hidden: false,
            };
            Some((step, texts(report, &entry.node)?))
        })
        .collect();
    read.into_iter().collect()
}

fn text_matches(report: &mut Report<'_>, entry: &Entry) -> Option<Vec<(At<String>, TextMatch)>> {
    let read: Vec<_> = reader::entries(report, &entry.node)?
        .iter()
        .map(|entry| {
            let name = At {
                value: entry.key.clone(),
                position: entry.position,
                hidden: false,
            };
            Some((name, text_match(report, entry)?))
        })
        .collect();
    read.into_iter().collect()
}

fn text_match(report: &mut Report<'_>, entry: &Entry) -> Option<TextMatch> {
    if !matches!(entry.node.value, Value::Map(_)) {
        let texts = texts(report, &entry.node)?;
        let texts = texts.into_iter().map(|text| text.value).collect();
        return Some(TextMatch::AnyOf(texts));
    }
    let mut fields = Fields::behind(report, entry)?;
    let found = fields.one_of(report, &["exists", "matches"], "the condition");
    fields.finish(report);
    let found = found?;
    if found.key == "exists" {
        return reader::flag(report, &found.node).map(TextMatch::Exists);
    }
    let pattern = reader::value::<Pattern>(report, &found.node)?;
    Some(TextMatch::Matches(pattern.value))
}

fn each(
    report: &mut Report<'_>,
    entry: &Entry,
    mut fields: Fields<'_>,
    depth: usize,
) -> Option<Each> {
    let hint = "what is done for each: `do: [ ... ]`";
    let steps = fields.need(report, "do", hint);
    let steps = steps.and_then(|entry| steps_of(report, entry, depth));
    fields.finish(report);
    let [only] = reader::entries(report, &entry.node)? else {
        report.error_hint(
            entry.position,
            "`each` goes over the values of one name",
            "write `each: { seat: [A1, A2] }`, `each: { try: { from: 1, to: 3 } }` or \
             `each: { id: { in: captured_list } }`",
        );
        return None;
    };
    let name = reader::key(report, only);
    let items = items_of(report, only);
    Some(Each {
        name: name?,
        items: items?,
        steps: steps?,
    })
}

fn items_of(report: &mut Report<'_>, entry: &Entry) -> Option<Items> {
    if !matches!(entry.node.value, Value::Map(_)) {
        return texts(report, &entry.node).map(Items::List);
    }
    let mut fields = Fields::behind(report, entry)?;
    if let Some(list) = fields.get("in") {
        fields.finish(report);
        return reader::text(report, &list.node).map(Items::In);
    }
    let hint = "write `{ from: 1, to: 3 }`";
    let mut bound = |report: &mut Report<'_>, key: &'static str| {
        let entry = fields.need(report, key, hint)?;
        reader::value::<Count>(report, &entry.node)
    };
    let (from, to) = (bound(report, "from"), bound(report, "to"));
    fields.finish(report);
    let (from, to) = (from?, to?);
    let rounds = to.value.0.checked_sub(from.value.0);
    if rounds.is_none_or(|rounds| rounds >= MOST_ROUNDS) {
        report.error_hint(
            to.position,
            format!("`to` is not in the {MOST_ROUNDS} numbers from `from` on"),
            hint,
        );
        return None;
    }
    Some(Items::Range(from.value.0, to.value.0))
}

fn parallel(report: &mut Report<'_>, entry: &Entry, depth: usize) -> Option<Parallel> {
    if matches!(entry.node.value, Value::Seq(_)) {
        let steps = steps_of(report, entry, depth)?;
        return Some(Parallel {
            position: entry.position,
            times: 1,
            branches: steps.into_iter().map(|step| vec![step]).collect(),
        });
    }
    let mut fields = Fields::behind(report, entry)?;
    let hint = "how often at the same time: `times: 50`";
    let times = fields.need(report, "times", hint);
    let times = times.and_then(|entry| reader::value::<Count>(report, &entry.node));
    let steps = fields.need(report, "do", "what is done: `do: [ ... ]`");
    let steps = steps.and_then(|entry| steps_of(report, entry, depth));
    fields.finish(report);
    let times = times?;
    if !(1..=MOST_BRANCHES).contains(&times.value.0) {
        report.error(
            times.position,
            format!("expected 1 to {MOST_BRANCHES} times at the same time"),
        );
        return None;
    }
    Some(Parallel {
        position: entry.position,
        times: times.value.0,
        branches: vec![steps?],
    })
}
