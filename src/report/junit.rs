//! `junit.xml`: the summary for CI systems that show tests, one case for each claim.
//!
//! | Verdict | Case |
//! |---|---|
//! | pass | passed |
//! | fail | `failure` |
//! | unknown | `error`: what could not be decided must not look green, and nobody looks at `skipped` |
//!
//! What a run is blamed for beside its claims (guards, faults that were not healed, regressions) are
//! cases of their own. The shape is that of Jenkins' `junit-10.xsd`, which GitLab and the others
//! read as well.

use std::fmt::Write as _;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::format::{lines, moment, one_line};
use super::{Judged, Summary};
use crate::check::{Case, Finding, Part, Which};
use crate::verdict::Verdict;

/// The summary as `junit.xml`, in UTF-8. Characters that XML 1.0 cannot hold are spelled out.
///
/// # Panics
/// Never: writing to memory does not fail.
pub fn junit(summary: &Summary) -> String {
    let suite = Suite::of(summary);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let written = suite.write(&mut writer, summary);
    written.expect("memory takes whatever is written to it");
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

type Xml = Writer<Vec<u8>>;

/// All cases of a run.
struct Suite {
    name: String,
    cases: Vec<TestCase>,
}

/// One claim, or one reason that belongs to none.
struct TestCase {
    /// Behind the scenario's name.
    class: &'static str,
    name: String,
    verdict: Verdict,
    /// One line.
    message: String,
    /// The evidence.
    body: String,
    /// The case that takes the run's time; of the others nobody knows a share.
    seconds: f64,
}

impl Suite {
    fn of(summary: &Summary) -> Self {
        let invariants = summary.invariants.iter().map(|judged| {
            let mut findings = summary.findings.iter();
            let finding = findings.find(|finding| finding.checker == judged.name);
            let body = finding.map_or_else(String::new, evidence);
            TestCase::of(judged, "invariant", body)
        });
        let thresholds = summary.thresholds.iter();
        let thresholds = thresholds.map(|judged| TestCase::of(judged, "threshold", String::new()));
        let mut cases: Vec<_> = invariants.chain(thresholds).collect();
        cases.extend(of_the_run(summary, &cases));
        Self {
            name: one_line(&summary.name),
            cases,
        }
    }

    fn count(&self, verdict: Verdict) -> String {
        let cases = self.cases.iter();
        let count = cases.filter(|case| case.verdict == verdict).count();
        count.to_string()
    }

    fn write(&self, writer: &mut Xml, summary: &Summary) -> io::Result<()> {
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let (tests, time) = (self.cases.len().to_string(), seconds(summary.duration_s));
        let (failures, errors) = (self.count(Verdict::Fail), self.count(Verdict::Unknown));
        let counts = [
            ("tests", tests.as_str()),
            ("failures", &failures),
            ("errors", &errors),
            ("time", &time),
        ];
        let started = one_line(&summary.environment.started);
        let suites = writer.create_element("testsuites");
        let suites = suites.with_attribute(("name", "fcfs-bench"));
        suites
            .with_attributes(counts)
            .write_inner_content(|writer| {
                let suite = writer.create_element("testsuite");
                let suite = suite.with_attribute(("name", self.name.as_str()));
                let suite = suite.with_attributes(counts);
                let suite = suite.with_attribute(("skipped", "0"));
                let suite = suite.with_attribute(("timestamp", started.as_str()));
                suite.write_inner_content(|writer| {
                    properties(writer, summary)?;
                    let mut cases = self.cases.iter();
                    cases.try_for_each(|case| case.write(writer, &self.name))
                })?;
                Ok(())
            })?;
        Ok(())
    }
}

impl TestCase {
    fn of(judged: &Judged, class: &'static str, body: String) -> Self {
        Self {
            class,
            name: one_line(&judged.name),
            verdict: judged.verdict,
            message: one_line(&judged.detail),
            body,
            seconds: 0.0,
        }
    }

    fn write(&self, writer: &mut Xml, suite: &str) -> io::Result<()> {
        let class = format!("{suite}.{}", self.class);
        let time = seconds(self.seconds);
        let case = writer.create_element("testcase").with_attributes([
            ("classname", class.as_str()),
            ("name", &self.name),
            ("time", &time),
        ]);
        let element = match self.verdict {
            Verdict::Pass if self.message.is_empty() => {
                case.write_empty()?;
                return Ok(());
            }
            Verdict::Pass => None,
            Verdict::Fail => Some("failure"),
            Verdict::Unknown => Some("error"),
        };
        case.write_inner_content(|writer| {
            let Some(element) = element else {
                let out = writer.create_element("system-out");
                out.write_text_content(BytesText::new(&self.message))?;
                return Ok(());
            };
            let element = writer
                .create_element(element)
                .with_attributes([("message", self.message.as_str()), ("type", self.class)]);
            let body = if self.body.is_empty() {
                &self.message
            } else {
                &self.body
            };
            element.write_text_content(BytesText::new(body))?;
            Ok(())
        })?;
        Ok(())
    }
}

/// Reasons that no claim has given. A run without any has one case that passed; and one that ends
/// with another code than 0 has at least one that did not.
fn of_the_run(summary: &Summary, claims: &[TestCase]) -> Vec<TestCase> {
    let case = |name: String, verdict, message: &str| TestCase {
        class: "run",
        name,
        verdict,
        message: one_line(message),
        body: String::new(),
        seconds: 0.0,
    };
    let regressions = summary.comparison.iter();
    let regressions: Vec<_> = regressions.flat_map(|one| &one.regressions).collect();
    let mut numbers = [0_u32; 3];
    let mut numbered = |kind: usize, name: &str| {
        numbers[kind] += 1;
        format!("{name} {}", numbers[kind])
    };
    let reasons = summary.reasons.iter();
    let own = reasons.filter(|reason| !is_of_a_claim(summary, reason));
    let own = own.map(|reason| {
        if regressions.iter().any(|one| reason.ends_with(*one)) {
            case(numbered(0, "regression"), Verdict::Fail, reason)
        } else if summary.not_healed.contains(reason) {
            case(numbered(1, "not healed"), Verdict::Unknown, reason)
        } else {
            case(numbered(2, "doubt"), Verdict::Unknown, reason)
        }
    });
    let mut cases: Vec<_> = own.collect();
    let is_green = |case: &TestCase| case.verdict == Verdict::Pass;
    if cases.is_empty() {
        let all_green = claims.iter().all(is_green);
        let (verdict, message) = if summary.exit_code != 0 && all_green {
            (Verdict::Unknown, summary.exit_meaning.as_str())
        } else {
            (Verdict::Pass, "")
        };
        cases.push(case("completed".to_owned(), verdict, message));
    }
    if let Some(first) = cases.first_mut() {
        first.seconds = summary.duration_s;
    }
    cases
}

/// Whether the reason is that of an invariant or a threshold, or says that all hold.
fn is_of_a_claim(summary: &Summary, reason: &str) -> bool {
    let mut claims = summary.invariants.iter().chain(&summary.thresholds);
    let is_said_by = |judged: &Judged| {
        let rest = reason.strip_prefix(judged.name.as_str());
        let rest = rest.and_then(|rest| rest.strip_prefix(": "));
        rest == Some(judged.detail.as_str())
    };
    summary.verdict == Verdict::Pass && summary.exit_code == 0 || claims.any(is_said_by)
}

/// Each part that does not hold, with the cases that prove it.
fn evidence(finding: &Finding) -> String {
    let mut out = format!("{}\n", one_line(&finding.headline));
    let parts = finding.parts.iter();
    for part in parts.filter(|part| part.verdict != Verdict::Pass) {
        let Part { name, detail, .. } = part;
        let _ = writeln!(out, "{name}: {}", one_line(detail));
        for case in &part.cases {
            let _ = writeln!(out, "  {}", in_words(case));
        }
    }
    lines(&out)
}

fn in_words(case: &Case) -> String {
    let which = match case.which {
        Which::First => "first",
        Which::Worst => "worst",
        Which::Last => "last",
        Which::Any => "one",
    };
    let sent = case.inv_ns.map_or_else(String::new, |sent| {
        let (sent, answered) = (moment(Some(sent)), moment(case.ret_ns));
        format!(" (sent {sent}, answered {answered})")
    });
    let phase = case.phase.as_ref();
    let phase = phase.map_or_else(String::new, |phase| format!(" in {}", one_line(phase)));
    let (user, text) = (one_line(&case.user), one_line(&case.text));
    format!("{which}: user {user}{sent}{phase}: {text}")
}

fn properties(writer: &mut Xml, summary: &Summary) -> io::Result<()> {
    let it = &summary.environment;
    let properties = [
        ("verdict", summary.verdict.to_string()),
        ("exit-code", summary.exit_code.to_string()),
        ("version", it.version.clone()),
        ("seed", it.seed.to_string()),
        ("profile", it.profile.clone().unwrap_or_default()),
        ("target", it.target.clone()),
        ("provider", it.provider.clone()),
        ("repeat", it.repeat.clone()),
    ];
    let properties = properties.iter().filter(|(_, value)| !value.is_empty());
    writer
        .create_element("properties")
        .write_inner_content(|writer| {
            for (name, value) in properties {
                let value = one_line(value);
                let property = writer.create_element("property");
                let attributes = [("name", *name), ("value", &value)];
                property.with_attributes(attributes).write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

fn seconds(seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds } else { 0.0 };
    format!("{seconds:.3}")
}

#[cfg(test)]
mod tests;
