//! Where outputs go, and that what is said of each belongs together.

use std::time::Duration;

use super::prometheus;
use crate::plan::{FileOutput, Influxdb, InfluxdbTo, Outputs, Secret, Store, StoreGate};
use crate::scenario::value::{Count, Listen, Size, Span};
use crate::scenario::{
    At, FileOutput as WrittenFile, Influxdb as Written, InfluxdbTo as WrittenTo, Mask,
    Outputs as WrittenOutputs, Position, Report,
};

const EVERY: Duration = Duration::from_secs(1);
const BATCH: u64 = 5_000;
const SPOOL: u64 = 256 << 20;
const DRAIN: Duration = Duration::from_secs(30);

/// Tags that points have of their own.
const OWN_TAGS: [&str; 15] = [
    "name",
    "method",
    "status",
    "scenario",
    "group",
    "check",
    "proto",
    "expected_response",
    "testid",
    "phase",
    "outcome",
    "fault",
    "step",
    "kind",
    "time",
];

/// `metrics` is of the command line: where the page for Prometheus is.
pub(super) fn resolve(
    written: Option<&WrittenOutputs>,
    metrics: Option<Listen>,
    report: &mut Report<'_>,
) -> Outputs {
    let of_prometheus = written.and_then(|written| written.prometheus.as_ref());
    let prometheus = prometheus::resolve(of_prometheus, metrics, report);
    let Some(written) = written else {
        return Outputs {
            prometheus,
            ..Outputs::default()
        };
    };
    let influxdb: Vec<Influxdb> = written
        .influxdb
        .iter()
        .filter_map(|one| self::influxdb(one, report))
        .collect();
    let outputs = Outputs {
        influxdb,
        json: written.json.as_ref().and_then(|one| file(one, report)),
        csv: written.csv.as_ref().and_then(|one| file(one, report)),
        prometheus,
    };
    each_has_its_own_file(written, report);
    outputs
}

/// Credentials are repeated nowhere, also where they stand in the scenario itself.
pub(super) fn hide(written: Option<&WrittenOutputs>, mask: &mut Mask) {
    let stores = written.map_or(&[][..], |outputs| &outputs.influxdb);
    let secrets = stores.iter().flat_map(|one| [&one.token, &one.password]);
    for secret in secrets.flatten() {
        mask.add(&secret.value, "***");
    }
}

fn file(written: &WrittenFile, report: &mut Report<'_>) -> Option<FileOutput> {
    Some(FileOutput {
        file: path(&written.file, report)?,
        mode: written.mode.unwrap_or_default(),
    })
}

/// Names that the run directory has of its own.
const OWN_FILES: [&str; 20] = [
    "run.json",
    "scenario.yaml",
    "included",
    "plan.txt",
    "events.jsonl",
    "history.bin",
    "details.bin",
    "names.tsv",
    "queue.bin",
    "intervals.hlog",
    "seconds.jsonl",
    "resources.jsonl",
    "truth.jsonl",
    "cases.jsonl",
    "summary.json",
    "report.md",
    "chart.svg",
    "junit.xml",
    "stack",
    "spool",
];

fn path(written: &At<String>, report: &mut Report<'_>) -> Option<String> {
    let text = written.value.trim();
    let first = text.trim_start_matches("./").split('/').next();
    let problem = if text.is_empty() || text.ends_with('/') {
        format!("`{}` names no file", written.shown())
    } else if text.split('/').any(|part| part == "..") {
        format!("`{}` leads out of the run directory", written.shown())
    } else if first.is_some_and(|first| OWN_FILES.contains(&first)) {
        format!("the run directory has a `{}` of its own", written.shown())
    } else {
        return Some(text.to_owned());
    };
    report.error_hint(
        written.position,
        problem,
        "a relative path is in the run directory: `file: attempts.jsonl`; for another place write \
         an absolute one",
    );
    None
}

fn each_has_its_own_file(written: &WrittenOutputs, report: &mut Report<'_>) {
    let of_stores = written.influxdb.iter().filter_map(|one| match &one.to {
        WrittenTo::File(file) => Some(file),
        WrittenTo::Url(_) => None,
    });
    let files = written.json.iter().chain(&written.csv).map(|one| &one.file);
    let mut seen: Vec<&str> = Vec::new();
    for file in of_stores.chain(files) {
        if seen.contains(&file.value.trim()) {
            report.error_hint(
                file.position,
                format!("two outputs write to `{}`", file.shown()),
                "give each its own file",
            );
        }
        seen.push(file.value.trim());
    }
}

fn influxdb(written: &Written, report: &mut Report<'_>) -> Option<Influxdb> {
    let tags = tags(written, report);
    let testid = match &written.testid {
        None => Some(None),
        Some(testid) => value_of_tag(testid, report).map(Some),
    };
    let to = match &written.to {
        WrittenTo::File(file) => {
            no_store(written, report);
            path(file, report).map(InfluxdbTo::File)
        }
        WrittenTo::Url(url) => {
            let text = url.value.to_string();
            let at = url.position;
            let store = store(written, &text, at, report);
            store.map(|store| InfluxdbTo::Store(Box::new(store)))
        }
    };
    Some(Influxdb {
        to: to?,
        mode: written.mode.unwrap_or_default(),
        testid: testid?,
        tags: tags?,
    })
}

/// A file is written to as it goes, and asks for nothing.
fn no_store(written: &Written, report: &mut Report<'_>) {
    let at = |text: &Option<At<String>>| text.as_ref().map(|text| text.position);
    let of_store = [
        ("org", at(&written.org)),
        ("bucket", at(&written.bucket)),
        ("token", at(&written.token)),
        ("db", at(&written.db)),
        ("user", at(&written.user)),
        ("password", at(&written.password)),
        ("every", written.every.as_ref().map(|one| one.position)),
        ("batch", written.batch.as_ref().map(|one| one.position)),
        ("gzip", written.gzip.as_ref().map(|one| one.position)),
        ("spool", written.spool.as_ref().map(|one| one.position)),
        ("drain", written.drain.as_ref().map(|one| one.position)),
    ];
    beside(
        &of_store,
        "file",
        "it says how a store is written to",
        report,
    );
}

fn beside(
    keys: &[(&str, Option<Position>)],
    other: &str,
    why: &str,
    report: &mut Report<'_>,
) -> bool {
    let mut found = false;
    for (key, position) in keys {
        if let Some(position) = position {
            found = true;
            report.error_hint(
                *position,
                format!("`{key}` cannot stand beside `{other}`"),
                format!("remove `{key}`: {why}"),
            );
        }
    }
    found
}

fn store(written: &Written, url: &str, at: Position, report: &mut Report<'_>) -> Option<Store> {
    let gate = gate(written, at, report);
    let every = span(written.every.as_ref(), EVERY, (100, 60_000), report);
    let drain = span(written.drain.as_ref(), DRAIN, (0, 3_600_000), report);
    let batch = match &written.batch {
        None => Some(BATCH),
        Some(At {
            value: Count(batch @ 1..=50_000),
            ..
        }) => Some(*batch),
        Some(batch) => {
            let message = format!("a batch of {} points is not possible", batch.value);
            report.error_hint(batch.position, message, "write 1 to 50_000: `batch: 5000`");
            None
        }
    };
    Some(Store {
        url: url.trim_end_matches('/').to_owned(),
        gate: gate?,
        every: every?,
        batch: batch?,
        gzip: written.gzip.as_ref().is_none_or(|gzip| gzip.value),
        spool: written
            .spool
            .as_ref()
            .map_or(SPOOL, |one: &At<Size>| one.value.0),
        drain: drain?,
    })
}

/// A length of time between so many milliseconds.
fn span(
    written: Option<&At<Span>>,
    otherwise: Duration,
    (least, most): (u64, u64),
    report: &mut Report<'_>,
) -> Option<Duration> {
    let Some(written) = written else {
        return Some(otherwise);
    };
    let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
    if (least..=most).contains(&written.value.0) {
        return Some(written.value.0);
    }
    let message = format!("`{}` is too short or too long here", written.value);
    let hint = format!("write {} to {}", Span(least), Span(most));
    report.error_hint(written.position, message, hint);
    None
}

fn gate(written: &Written, at: Position, report: &mut Report<'_>) -> Option<StoreGate> {
    let position = |text: &Option<At<String>>| text.as_ref().map(|text| text.position);
    match (&written.bucket, &written.db) {
        (Some(bucket), None) => {
            let of_v1 = [
                ("user", position(&written.user)),
                ("password", position(&written.password)),
            ];
            let wrong = beside(&of_v1, "bucket", "a bucket has a `token`", report);
            let Some(org) = &written.org else {
                report.error_hint(
                    bucket.position,
                    "the organization of the bucket is missing",
                    "write it: `org: shop`",
                );
                return None;
            };
            let (org, bucket) = (plain(org, report)?, plain(bucket, report)?);
            let token = written.token.as_ref();
            let token = token.map(|token| Secret::new(token.value.trim()));
            (!wrong).then_some(StoreGate::V2 { org, bucket, token })
        }
        (None, Some(db)) => {
            let of_v2 = [
                ("org", position(&written.org)),
                ("token", position(&written.token)),
            ];
            let why = "a database has a `user` and a `password`";
            let wrong = beside(&of_v2, "db", why, report);
            let account = match (&written.user, &written.password) {
                (None, None) => None,
                (Some(user), Some(password)) => {
                    Some((user.value.clone(), Secret::new(password.value.clone())))
                }
                (Some(one), None) | (None, Some(one)) => {
                    report.error_hint(
                        one.position,
                        "`user` and `password` come together",
                        "write both: `user: k6, password: \"${INFLUX_PASSWORD}\"`",
                    );
                    return None;
                }
            };
            let db = plain(db, report)?;
            (!wrong).then_some(StoreGate::V1 { db, account })
        }
        (Some(_), Some(db)) => {
            report.error_hint(
                db.position,
                "`db` cannot stand beside `bucket`",
                "write `bucket`, `org` and `token` for InfluxDB 2, or `db` for InfluxDB 1",
            );
            None
        }
        (None, None) => {
            report.error_hint(
                at,
                "where in the store is missing",
                "write `org: shop, bucket: load, token: \"${INFLUX_TOKEN}\"` for InfluxDB 2, or \
                 `db: load` for InfluxDB 1",
            );
            None
        }
    }
}

fn plain(written: &At<String>, report: &mut Report<'_>) -> Option<String> {
    let text = written.value.trim();
    if !text.is_empty() && !text.chars().any(char::is_control) {
        return Some(text.to_owned());
    }
    report.error_hint(
        written.position,
        "the name is empty, or has control characters",
        "write it as the store has it",
    );
    None
}

/// What line protocol can say: no line breaks, and a backslash only before what it escapes.
fn value_of_tag(written: &At<String>, report: &mut Report<'_>) -> Option<String> {
    let text = plain(written, report)?;
    if text.contains('\\') {
        report.error_hint(
            written.position,
            "a tag holds a backslash, which line protocol cannot write",
            "write it without",
        );
        return None;
    }
    Some(text)
}

fn tags(written: &Written, report: &mut Report<'_>) -> Option<Vec<(String, String)>> {
    let mut tags = Vec::new();
    let mut right = true;
    for (name, value) in &written.tags {
        if OWN_TAGS.contains(&name.value.as_str()) || name.value.starts_with('_') {
            report.error_hint(
                name.position,
                format!("`{}` is a tag that points have already", name.value),
                "give it another name",
            );
            right = false;
            continue;
        }
        match (value_of_tag(name, report), value_of_tag(value, report)) {
            (Some(name), Some(value)) => tags.push((name, value)),
            _ => right = false,
        }
    }
    right.then_some(tags)
}
