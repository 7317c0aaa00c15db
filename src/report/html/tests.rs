//! The page as text: complete, the same each time, and closed to foreign text.

use super::super::{ResourceSample, fixture};
use super::*;

/// The page with markers in the place of what is ours but not of this run.
fn short(summary: &Summary) -> String {
    let mut page = html(summary);
    let parts = [
        (LIBRARY, "(uPlot)"),
        (LIBRARY_STYLE, "(style of uPlot)"),
        (STYLE, "(style)"),
        (EARLY, "(early script)"),
        (CHARTS, "(script of the charts)"),
    ];
    for (part, marker) in parts {
        assert_eq!(page.matches(part).count(), 1, "{marker}");
        page = page.replace(part, marker);
    }
    let data = format!(">{}<", escape::json(&data::data(summary)));
    page = page.replace(&data, ">(data)<");
    let hashes = policy();
    page = page.replace(&hashes, "(policy)");
    let mut out = String::new();
    let mut rest = page.as_str();
    while let Some((before, after)) = rest.split_once("<svg") {
        out += before;
        out += "(picture)";
        rest = after.split_once("</svg>").expect("pictures end").1;
    }
    out + rest
}

#[test]
fn a_failed_run_reads_well() {
    insta::assert_snapshot!(short(&fixture::failed()));
}

#[test]
fn an_empty_run_reads_well() {
    insta::assert_snapshot!(short(&fixture::empty()));
}

#[test]
fn nothing_in_a_page_can_be_fetched() {
    for summary in fixture::all() {
        let page = short(&summary);
        for door in [
            "src=",
            "@import",
            "url(",
            "<link",
            "<iframe",
            "<img",
            "http-equiv=\"refresh\"",
        ] {
            assert!(!page.contains(door), "{door}");
        }
        for quote in page.split("href=\"").skip(1) {
            let local = quote.starts_with('#') || quote.starts_with("cases.jsonl\"");
            assert!(local, "{}", &quote[..20]);
        }
    }
}

#[test]
fn foreign_text_is_no_markup() {
    let mut summary = fixture::hostile();
    let evil = "</script><script>alert(1)</script><!--<script>{{data}}";
    summary.name = evil.to_owned();
    summary.phases[0].phase = evil.to_owned();
    summary.faults[0].fault = evil.to_owned();
    summary.resources[0].source = evil.to_owned();
    summary.environment.version = evil.to_owned();
    summary.samples[0].outcomes.insert(evil.to_owned(), 9e9);
    let page = short(&summary);
    // Ours: three scripts and the data.
    assert_eq!(page.matches("<script").count(), 4);
    assert_eq!(page.matches("</script").count(), 4);
    assert!(!page.contains("<!--"));
    assert!(
        !page
            .chars()
            .any(|char| char.is_control() && char != '\n' && char != '\t')
    );
    let data = escape::json(&data::data(&summary));
    assert!(!data.contains('<'));
    let data: serde_json::Value = serde_json::from_str(&data).expect("it is JSON");
    assert_eq!(data["phases"][0]["name"], evil);
}

#[test]
fn every_sentence_of_the_markdown_is_there() {
    for summary in [fixture::failed(), fixture::not_healed(), fixture::passed()] {
        let page = html(&summary);
        let judged = summary.invariants.iter().chain(&summary.thresholds);
        let details = judged.flat_map(|one| [&one.name, &one.detail]);
        let all = summary
            .reasons
            .iter()
            .chain(&summary.warnings)
            .chain(details);
        for sentence in all.chain([&summary.environment.repeat]) {
            assert!(page.contains(&escape::text(sentence)), "{sentence}");
        }
        for section in sections(&summary) {
            assert!(
                page.contains(&format!("id=\"{}\"", section.id)),
                "{}",
                section.id
            );
        }
    }
}

#[test]
fn a_page_with_as_many_points_as_there_can_be_stays_small() {
    let mut summary = fixture::failed();
    summary.duration_s = 600.0;
    summary.samples = fixture::samples(600);
    for (second, sample) in (0_u32..).zip(&mut summary.samples) {
        sample.t_s = f64::from(second);
    }
    for resource in &mut summary.resources {
        let minute = std::mem::take(&mut resource.samples);
        let seconds = (0_u32..600).zip(minute.into_iter().cycle());
        resource.samples = seconds
            .map(|(second, sample)| ResourceSample {
                t_s: f64::from(second),
                ..sample
            })
            .collect();
    }
    let bytes = html(&summary).len();
    assert!(bytes < 350_000, "{bytes}");
}

#[test]
fn the_library_cannot_end_its_element() {
    for script in [LIBRARY, CHARTS, EARLY] {
        assert!(!script.contains("</") && !script.contains("<!--"));
    }
    for style in [LIBRARY_STYLE, STYLE] {
        assert!(!style.contains("</"));
    }
}
