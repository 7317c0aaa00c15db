//! From the text of a playbook to its values; everything that is wrong with it is reported at once.

use std::path::Path;
use std::time::Duration;

use super::{Bilingual, Course, Measure, Playbook, Sign, Symptom};
use crate::scenario::reader::{self, Fields};
use crate::scenario::value::{Count, Name, Pattern, Rate, Share, Span};
use crate::scenario::{self, node::Entry, node::Node, yaml};
use crate::scenario::{Diagnostics, Origin, Report, Source, Value, did_you_mean};

/// What a playbook may look at, as it is written.
const SIGNS: [&str; 11] = [
    "response",
    "outcome",
    "failed",
    "connect_failures",
    "cpu",
    "memory",
    "connections",
    "row_lock_waits",
    "consumer_lag",
    "fault",
    "invariant",
];

/// Who faults can be of.
const PARTIES: [&str; 5] = ["redis", "database", "kafka", "server", "client"];

/// A level counts when it lasts for this long, unless the playbook says otherwise.
const LASTS: Duration = Duration::from_secs(5);

/// Reads one playbook.
///
/// # Errors
/// Everything that is wrong with it, with line and column.
pub fn read(file_name: &str, text: &str) -> Result<Playbook, Diagnostics> {
    let source = Source {
        file_name: file_name.to_owned(),
        text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        ..Source::default()
    };
    let mut report = Report::new(&source);
    let playbook = match yaml::parse(&source.text, Origin::File, 0) {
        Ok(tree) => playbook(&mut report, &tree),
        Err(error) => {
            report.error_maybe(error.position, error.message, error.hint);
            error.rest.and_then(|tree| playbook(&mut report, &tree))
        }
    };
    match playbook {
        Some(playbook) if !report.has_errors() => Ok(playbook),
        _ => Err(report.finish()),
    }
}

/// Reads the playbook of a file of at most so many bytes.
///
/// # Errors
/// When it cannot be read, and everything that is wrong with it.
pub fn read_file(path: &Path, most_bytes: u64) -> Result<Playbook, Diagnostics> {
    let name = path.display().to_string();
    let text = scenario::read::included(path, most_bytes).map_err(|error| {
        let message = format!("failed to read the playbook: {error}");
        Diagnostics::of_file(&name, message, None)
    })?;
    read(&name, &text)
}

fn playbook(report: &mut Report<'_>, tree: &Node) -> Option<Playbook> {
    let mut fields = Fields::of(report, tree, tree.position)?;
    let id = fields.need(report, "id", "a name for it: `id: redis-down`");
    let id = id.and_then(|entry| reader::value::<Name>(report, &entry.node));
    let title = fields.need(report, "title", TITLE);
    let title = title.and_then(|entry| bilingual(report, &entry.node));
    let steps = fields.get("steps");
    let steps = steps.map(|entry| reader::value::<Pattern>(report, &entry.node));
    let symptoms = fields.need(
        report,
        "symptoms",
        "signs of it: `- response: { above: 1s }`",
    );
    let symptoms = symptoms.and_then(|entry| list(report, entry, symptom));
    let needs = fields.get("needs");
    let needs = needs.map(|entry| reader::value::<Count>(report, &entry.node));
    let mut course = |report: &mut Report<'_>, key| {
        let hint = "`{ within: 20m, measures: [{ do: what to do }] }`";
        let entry = fields.need(report, key, hint)?;
        self::course(report, entry)
    };
    let (now, short, long) = (
        course(report, "now"),
        course(report, "short"),
        course(report, "long"),
    );
    let at_short = fields.get("short").map(|entry| entry.position);
    let prevention = fields.get("prevention");
    let prevention = prevention.map(|entry| list(report, entry, bilingual));
    fields.finish(report);
    let symptoms = symptoms?;
    let needs = match needs {
        None => 1,
        Some(needs) => {
            let needs = needs?;
            let most = symptoms.len();
            if !(1..=most as u64).contains(&needs.value.0) {
                let message = format!("`needs` is {}, but {}", needs.value.0, there_are(most));
                report.error_hint(needs.position, message, format!("write 1 to {most}"));
                return None;
            }
            needs.value.0 as usize
        }
    };
    let (now, short, long) = (now?, short?, long?);
    if now.within > short.within || short.within > long.within {
        let message = "`now`, `short` and `long` are not in the order of their `within`";
        report.error(at_short?, message);
    }
    Some(Playbook {
        id: id?.value.to_string(),
        title: title?,
        steps: match steps {
            None => None,
            Some(pattern) => Some(pattern?.value),
        },
        needs,
        symptoms,
        now,
        short,
        long,
        prevention: prevention.unwrap_or(Some(Vec::new()))?,
    })
}

const TITLE: &str = "what it is called: `title: { en: Redis is down, ko: Redis 중단 }`";

fn there_are(symptoms: usize) -> String {
    match symptoms {
        1 => "there is one symptom".to_owned(),
        more => format!("there are {more} symptoms"),
    }
}

/// A list with at least one item; `None` if any of them is wrong.
fn list<T>(
    report: &mut Report<'_>,
    entry: &Entry,
    mut read: impl FnMut(&mut Report<'_>, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    let items = reader::items(report, &entry.node)?;
    if items.is_empty() {
        report.error(entry.position, format!("`{}` is empty", entry.key));
        return None;
    }
    let all: Vec<_> = items.iter().map(|item| read(report, item)).collect();
    all.into_iter().collect()
}

/// `{ en: ..., ko: ... }`, or one text for both.
fn bilingual(report: &mut Report<'_>, node: &Node) -> Option<Bilingual> {
    if !matches!(node.value, Value::Map(_)) {
        let text = filled(report, node)?;
        return Some(Bilingual {
            en: text.clone(),
            ko: text,
        });
    }
    let mut fields = Fields::of(report, node, node.position)?;
    let mut of = |report: &mut Report<'_>, key| {
        let hint = "or write one text for both languages in the place of the map";
        let entry = fields.need(report, key, hint)?;
        filled(report, &entry.node)
    };
    let (en, ko) = (of(report, "en"), of(report, "ko"));
    fields.finish(report);
    Some(Bilingual { en: en?, ko: ko? })
}

fn filled(report: &mut Report<'_>, node: &Node) -> Option<String> {
    let text = reader::text(report, node)?;
    if text.value.trim().is_empty() {
        report.error(node.position, "the text is empty");
        return None;
    }
    Some(text.value)
}

fn course(report: &mut Report<'_>, entry: &Entry) -> Option<Course> {
    let mut fields = Fields::behind(report, entry)?;
    let within = fields.need(report, "within", "by when: `within: 20m`, `2h` or `14d`");
    let within = within.and_then(|entry| reader::value::<Span>(report, &entry.node));
    let measures = fields.need(report, "measures", "what to do: `- do: restart the server`");
    let measures = measures.and_then(|entry| list(report, entry, measure));
    fields.finish(report);
    let within = within?;
    if within.value.0.is_zero() {
        report.error(within.position, "nothing is done within no time");
        return None;
    }
    Some(Course {
        within: within.value.0,
        measures: measures?,
    })
}

fn measure(report: &mut Report<'_>, node: &Node) -> Option<Measure> {
    let mut fields = Fields::of(report, node, node.position)?;
    let what = fields.need(report, "do", "what to do: `do: restart the server`");
    let what = what.and_then(|entry| bilingual(report, &entry.node));
    let owner = fields.get("owner");
    let owner = owner.map(|entry| bilingual(report, &entry.node));
    fields.finish(report);
    Some(Measure {
        what: what?,
        owner: match owner {
            None => None,
            Some(owner) => Some(owner?),
        },
    })
}

fn symptom(report: &mut Report<'_>, node: &Node) -> Option<Symptom> {
    let mut fields = Fields::of(report, node, node.position)?;
    let sign = fields.one_of(report, &SIGNS, "what is looked at");
    fields.finish(report);
    let sign = sign?;
    match sign.key.as_str() {
        "response" => level(report, sign, Sign::Response, span_ms),
        "outcome" => {
            let mut fields = Fields::behind(report, sign)?;
            let name = fields.need(report, "name", "which: `name: lock_failed`");
            let name = name.and_then(|entry| reader::value::<Name>(report, &entry.node));
            let above = above(report, &mut fields, share);
            fields.finish(report);
            Some(whole(Sign::Outcome(name?.value.to_string()), above?))
        }
        "failed" => of_run(report, sign, Sign::Failed, share),
        "connect_failures" => of_run(report, sign, Sign::ConnectFailures, count),
        "cpu" => level(report, sign, Sign::Cpu, share),
        "memory" => level(report, sign, Sign::Memory, share),
        "connections" => level(report, sign, Sign::Connections, share),
        "row_lock_waits" => level(report, sign, Sign::RowLockWaits, rate),
        "consumer_lag" => level(report, sign, Sign::ConsumerLag, count),
        "fault" => named(report, sign, &PARTIES).map(|name| whole(Sign::Fault(name), 0.0)),
        _ => named(report, sign, &[]).map(|name| whole(Sign::Invariant(name), 0.0)),
    }
}

const fn whole(of: Sign, above: f64) -> Symptom {
    Symptom {
        of,
        above,
        lasts_s: 0,
    }
}

/// The one name behind the key; up to its first point one of `known`, if there are any.
fn named(report: &mut Report<'_>, entry: &Entry, known: &[&str]) -> Option<String> {
    let name = reader::value::<Name>(report, &entry.node)?;
    let text = name.value.to_string();
    let first = text.split('.').next().unwrap_or_default();
    if !known.is_empty() && !known.contains(&first) {
        let hint = did_you_mean(first, known);
        report.error_hint(name.position, format!("nobody is called `{first}`"), hint);
        return None;
    }
    Some(text)
}

type Limit = fn(&mut Report<'_>, &Node) -> Option<f64>;

/// A sign of the whole run.
fn of_run(report: &mut Report<'_>, entry: &Entry, of: Sign, limit: Limit) -> Option<Symptom> {
    let mut fields = Fields::behind(report, entry)?;
    let above = above(report, &mut fields, limit);
    fields.finish(report);
    Some(whole(of, above?))
}

/// A sign that must last.
fn level(report: &mut Report<'_>, entry: &Entry, of: Sign, limit: Limit) -> Option<Symptom> {
    let mut fields = Fields::behind(report, entry)?;
    let above = above(report, &mut fields, limit);
    let lasts = fields.get("for");
    let lasts = lasts.map(|entry| reader::value::<Span>(report, &entry.node));
    fields.finish(report);
    let lasts = match lasts {
        None => LASTS,
        Some(lasts) => {
            let lasts = lasts?;
            if lasts.value.0 < Duration::from_secs(1) {
                let hint = "figures are of whole seconds: write `1s` or more";
                report.error_hint(lasts.position, "that is too short to be seen", hint);
                return None;
            }
            lasts.value.0
        }
    };
    Some(Symptom {
        of,
        above: above?,
        lasts_s: lasts.as_secs_f64().ceil() as u64,
    })
}

fn above(report: &mut Report<'_>, fields: &mut Fields<'_>, limit: Limit) -> Option<f64> {
    let entry = fields.need(report, "above", "the limit: `above: 1s`, `90%` or `1000`")?;
    limit(report, &entry.node)
}

fn span_ms(report: &mut Report<'_>, node: &Node) -> Option<f64> {
    let span = reader::value::<Span>(report, node)?;
    Some(span.value.0.as_secs_f64() * 1e3)
}

fn share(report: &mut Report<'_>, node: &Node) -> Option<f64> {
    Some(reader::value::<Share>(report, node)?.value.0)
}

fn rate(report: &mut Report<'_>, node: &Node) -> Option<f64> {
    Some(reader::value::<Rate>(report, node)?.value.0)
}

fn count(report: &mut Report<'_>, node: &Node) -> Option<f64> {
    Some(reader::value::<Count>(report, node)?.value.0 as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
id: slow
title: { en: Slow, ko: 느림 }
steps: product
needs: 2
symptoms:
  - response: { above: 500ms, for: 10s }
  - cpu: { above: 90% }
  - outcome: { name: lock_failed, above: 1% }
  - fault: redis
now: { within: 20m, measures: [{ do: restart, owner: { en: team, ko: 팀 } }] }
short: { within: 2h, measures: [{ do: scale }] }
long: { within: 14d, measures: [{ do: { en: redesign, ko: 재설계 } }] }
prevention: [test]
";

    #[test]
    fn reads_all_of_it() {
        let playbook = read("p.yaml", GOOD).expect("it is right");
        assert_eq!((playbook.id.as_str(), playbook.needs), ("slow", 2));
        let signs: Vec<_> = playbook.symptoms.iter().map(|one| &one.of).collect();
        let lock = Sign::Outcome("lock_failed".to_owned());
        let redis = Sign::Fault("redis".to_owned());
        assert_eq!(signs, [&Sign::Response, &Sign::Cpu, &lock, &redis]);
        let limits = playbook.symptoms.iter().map(|one| (one.above, one.lasts_s));
        let limits: Vec<_> = limits.collect();
        assert_eq!(limits, [(500.0, 10), (0.9, 5), (0.01, 0), (0.0, 0)]);
        assert_eq!(playbook.long.within, Duration::from_hours(14 * 24));
        assert_eq!(playbook.long.measures[0].what.ko, "재설계");
        assert_eq!(playbook.prevention[0].ko, "test", "one text for both");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        // What is changed, what is said, where.
        let table = [
            ("id: slow", "ide: slow", "unknown key `ide`", "p.yaml:1:1"),
            (
                "needs: 2",
                "needs: 5",
                "`needs` is 5, but there are 4 symptoms",
                "p.yaml:4:8",
            ),
            (
                "above: 500ms",
                "above: 500",
                "`500` has no unit",
                "p.yaml:6:24",
            ),
            (
                "fault: redis",
                "fault: rediz",
                "nobody is called `rediz`",
                "p.yaml:9:12",
            ),
            ("- cpu:", "- cpus:", "unknown key `cpus`", "p.yaml:7:5"),
            (
                "ko: 느림",
                "jp: 느림",
                "the key `ko` is missing",
                "p.yaml:2:8",
            ),
            (
                "within: 2h",
                "within: 1m",
                "not in the order",
                "p.yaml:11:1",
            ),
            ("do: scale", "do: ''", "the text is empty", "p.yaml:11:39"),
            ("for: 10s", "for: 10ms", "too short", "p.yaml:6:36"),
            ("steps: product", "steps: '('", "", "p.yaml:3:8"),
            (
                "prevention: [test]",
                "prevention: []",
                "`prevention` is empty",
                "p.yaml:13:1",
            ),
        ];
        for (right, wrong, said, place) in table {
            let text = GOOD.replace(right, wrong);
            assert_ne!(text, GOOD, "{right}");
            let told = read("p.yaml", &text).expect_err(wrong).to_string();
            assert!(told.contains(said), "{wrong}: {told}");
            assert!(told.contains(place), "{wrong}: {told}");
        }
    }

    #[test]
    fn several_mistakes_are_said_at_once() {
        let text = GOOD
            .replace("id: slow", "ide: slow")
            .replace("needs: 2", "needs: x");
        let told = read("p.yaml", &text).expect_err("wrong").to_string();
        assert!(told.contains("`ide`") && told.contains(":4:8"), "{told}");
    }
}
