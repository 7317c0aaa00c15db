//! The samples under `reports/samples` are what the program renders today from what it kept of their
//! runs: whoever changes a report renews them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fcfs_bench::incident;
use fcfs_bench::messages::Lang;
use fcfs_bench::report::{
    Comparison, Summary, chart, compared_markdown, html, junit, markdown, scalability_chart,
    timeline, timeline_file,
};
use fcfs_bench::run::{self, RunDirectory};

/// Pages are large: one of them is kept.
const WITH_PAGE: [&str; 1] = ["fault"];

/// What their incident reports are made of is kept as well.
const WITH_INCIDENT: [&str; 2] = ["redlock-before", "redlock-after"];

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/samples")
}

/// What is rendered of a run, by the file's name.
fn rendered(summary: &Summary) -> Vec<(String, String)> {
    let mut files = vec![
        ("report.md".to_owned(), markdown(summary)),
        ("junit.xml".to_owned(), junit(summary)),
        ("chart.svg".to_owned(), chart(summary)),
    ];
    let growth = scalability_chart(summary);
    files.extend(growth.map(|picture| ("scalability.svg".to_owned(), picture)));
    for finding in &summary.findings {
        for part in &finding.parts {
            let picture = part.explanation.as_ref().and_then(timeline);
            let name = timeline_file(&finding.checker, &part.name);
            files.extend(picture.map(|picture| (name, picture)));
        }
    }
    files
}

/// In both languages, by the file's name.
fn incidents(sample: &Path) -> Vec<(String, String)> {
    let directory = RunDirectory::open(sample).expect("a run directory");
    let left = run::left(summary(sample), &directory, &|_| None).expect("it can be read");
    let evidence = left.evidence();
    let playbooks = incident::shipped().expect("shipped playbooks are right");
    let found = incident::find(&evidence, &playbooks);
    let written = [Lang::En, Lang::Ko].map(|lang| {
        let text = incident::markdown(&found, &evidence, lang);
        let name = directory.incident_file(lang);
        let name = name.file_name().expect("a name").to_string_lossy();
        (name.into_owned(), text)
    });
    written.into()
}

fn summary(sample: &Path) -> Summary {
    let path = sample.join("summary.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("a summary")
}

fn held_against(folder: &Path, files: Vec<(String, String)>) {
    for (name, fresh) in files {
        let path = folder.join(&name);
        if std::env::var_os("UPDATE_SAMPLES").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, &fresh).expect("written");
            continue;
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == fresh,
            "{} is not what is rendered today: renew it from what was kept of the run with\n    \
             UPDATE_SAMPLES=1 cargo test --test report_samples\nor run all of them again with\n    \
             scripts/samples BINARY",
            path.display()
        );
    }
}

#[test]
fn every_sample_is_what_is_rendered_today() {
    let mut names = BTreeSet::new();
    let entries = std::fs::read_dir(samples()).expect("there are samples");
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let name = name.into_owned();
        if name == "comparison" {
            let text = std::fs::read(path.join("comparison.json")).expect("a comparison");
            let comparison: Comparison = serde_json::from_slice(&text).expect("a comparison");
            let of = |lang| compared_markdown(&comparison, lang);
            let files = [
                ("compare.md", of(Lang::En)),
                ("compare.ko.md", of(Lang::Ko)),
            ];
            held_against(
                &path,
                files.map(|(name, text)| (name.to_owned(), text)).into(),
            );
        } else {
            let summary = summary(&path);
            held_against(&path, rendered(&summary));
            if WITH_PAGE.contains(&name.as_str()) {
                held_against(&path, vec![("report.html".to_owned(), html(&summary))]);
            }
            if WITH_INCIDENT.contains(&name.as_str()) {
                held_against(&path, incidents(&path));
            }
        }
        names.insert(name);
    }
    let expected = [
        "comparison",
        "fault",
        "pass",
        "redlock-after",
        "redlock-before",
        "steps",
        "violation",
    ];
    assert_eq!(names, BTreeSet::from(expected.map(str::to_owned)));
}

#[test]
fn each_sample_shows_what_it_is_there_for() {
    let of = |name: &str| summary(&samples().join(name));
    assert_eq!(of("pass").exit_code, 0);
    let violation = of("violation");
    assert_eq!(violation.exit_code, 111);
    let mut parts = violation.findings.iter().flat_map(|finding| &finding.parts);
    assert!(parts.any(|part| part.explanation.is_some()));
    assert!(of("fault").faults.iter().any(|fault| fault.effect_seen));
    let steps = of("steps").scalability.expect("steps");
    assert_eq!(steps.steps.len(), 3);
    let comparison = samples().join("comparison/comparison.json");
    let text = std::fs::read(comparison).expect("a comparison");
    let comparison: Comparison = serde_json::from_slice(&text).expect("a comparison");
    let names = (comparison.base.name, comparison.new.name);
    assert_eq!(
        names,
        ("a-redlock-before".to_owned(), "a-redlock-after".to_owned())
    );
    assert!(
        comparison
            .differs
            .iter()
            .any(|one| one.contains("`redis_pool`: 10 before, 100 now"))
    );
}
