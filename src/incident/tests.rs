//! Whole reports from evidence that is made up: what they say, and that nothing is said without a
//! figure that can be looked up.

mod world;

use proptest::prelude::*;

use super::cause::NotSeen;
use super::evidence::counted;
use super::{
    Evidence, Incident, Kind, Moments, Quantile, Severity, Source, find, markdown, shipped,
};
use crate::measure::Second;
use crate::messages::{Fig, Lang, Said};
use crate::report::fixture;
use world::World;

fn report(world: &World) -> Incident {
    find(&world.evidence(), &shipped().expect("they are right"))
}

fn text(world: &World, lang: Lang) -> String {
    markdown(&report(world), &world.evidence(), lang)
}

fn kinds(incident: &Incident) -> Vec<&Kind> {
    incident.phenomena.iter().map(|one| &one.kind).collect()
}

/// Every world of the tests.
fn worlds() -> Vec<World> {
    let of = |summary| World::coupon().with_summary(summary);
    let mut worlds = vec![
        World::coupon(),
        World::quiet(),
        World::coupon().without_seconds(),
    ];
    worlds.extend(
        [
            fixture::failed(),
            fixture::not_healed(),
            fixture::interrupted(),
        ]
        .map(of),
    );
    worlds.push(
        World::coupon()
            .with_summary(fixture::empty())
            .without_seconds(),
    );
    worlds.push(of(fixture::hostile()));
    worlds
}

#[test]
fn a_run_of_lock_errors_reads_well_in_english() {
    insta::assert_snapshot!(text(&World::coupon(), Lang::En));
}

#[test]
fn a_run_of_lock_errors_reads_well_in_korean() {
    insta::assert_snapshot!(text(&World::coupon(), Lang::Ko));
}

#[test]
fn a_run_of_faults_and_violations_reads_well() {
    let world = World::coupon()
        .with_summary(fixture::failed())
        .without_seconds();
    insta::assert_snapshot!(text(&world, Lang::En));
}

#[test]
fn the_four_phenomena_of_a_coupon_event_are_found_with_their_onsets() {
    let world = World::coupon();
    let incident = report(&world);
    let of = |kind: &Kind| {
        let found = incident.phenomena.iter().find(|one| one.kind == *kind);
        found.unwrap_or_else(|| panic!("no {kind:?}: {:?}", kinds(&incident)))
    };
    let lock = of(&Kind::Outcome {
        name: "lock_failed".to_owned(),
        failed: false,
    });
    let onset = lock.onset.expect("it has one");
    assert!((onset.at_s - World::LOCK_S).abs() <= 3.0, "{onset:?}");
    assert_eq!(onset.vus, Some(World::vus(onset.at_s as u64)));
    assert_eq!((lock.severity, lock.expected.is()), (Severity::P1, false));
    let cliff = of(&Kind::Latency {
        cliff: true,
        of: Quantile::P95,
    });
    let onset = cliff.onset.expect("it has one");
    assert!((onset.at_s - World::CLIFF_S).abs() <= 3.0, "{onset:?}");
    let sold_out = of(&Kind::SoldOut);
    let at_s = sold_out.onset.map(|onset| onset.at_s);
    assert_eq!(at_s, Some(World::SOLD_OUT_S));
    assert_eq!(
        (sold_out.severity, sold_out.expected.is()),
        (Severity::P3, true)
    );
    assert!(of(&Kind::Duplicates).expected.is());
    assert_eq!(incident.matches.len(), 1, "{:?}", incident.matches);
    assert_eq!(incident.matches[0].playbook.id, "coupon-lock-contention");
}

#[test]
fn a_quiet_run_has_no_phenomenon_and_says_so() {
    let world = World::quiet();
    let incident = report(&world);
    assert_eq!(
        kinds(&incident),
        [&Kind::Duplicates],
        "as the scenario wants them"
    );
    let none = world.without_duplicates();
    let incident = report(&none);
    assert!(incident.phenomena.is_empty() && incident.matches.is_empty());
    let english = text(&none, Lang::En);
    assert!(english.contains("No phenomenon was found"), "{english}");
    assert!(english.contains("No playbook matches"), "{english}");
}

#[test]
fn a_violated_invariant_and_a_fault_that_was_not_healed_are_the_gravest() {
    for summary in [fixture::failed(), fixture::not_healed()] {
        let incident = report(&World::coupon().with_summary(summary));
        let first = &incident.phenomena[0];
        assert_eq!(first.severity, Severity::P0);
        let stock = Kind::Invariant("stock".to_owned());
        let violated = incident.phenomena.iter().find(|one| one.kind == stock);
        let violated = violated.expect("oversold");
        assert!(!violated.expected.is());
        assert_eq!(violated.severity, Severity::P0);
    }
}

#[test]
fn nothing_is_made_up_of_a_run_without_seconds() {
    let world = World::coupon().without_seconds();
    let incident = report(&world);
    let timed = |one: &&super::Phenomenon| one.onset.is_some();
    assert_eq!(incident.phenomena.iter().filter(timed).count(), 0);
    assert!(incident.causes.is_empty(), "no onset, no cause");
    let english = text(&world, Lang::En);
    assert!(english.contains("no data by second"), "{english}");
}

/// All that is claimed in the parts about phenomena, causes and the conclusion.
fn claims(incident: &Incident) -> Vec<&Said> {
    let mut all: Vec<&Said> = Vec::new();
    for one in &incident.phenomena {
        all.extend(one.period.iter().chain(&one.effect));
        all.extend([&one.severity_why, one.expected.why()]);
    }
    for cause in &incident.causes {
        for hypothesis in &cause.hypotheses {
            all.push(&hypothesis.title);
            all.extend(hypothesis.support.iter().chain(&hypothesis.missing));
            assert!(!hypothesis.support.is_empty(), "{hypothesis:?}");
        }
        all.extend(cause.not_seen.iter().map(|one| match one {
            NotSeen::Measured(said) | NotSeen::NotMeasured(said) => said,
        }));
    }
    all.extend(&incident.conclusion);
    all.extend(
        incident
            .matches
            .iter()
            .flat_map(|one| &one.shown)
            .map(|one| &one.said),
    );
    all
}

#[test]
fn every_claim_rests_on_a_figure_that_is_there() {
    for world in worlds() {
        let incident = report(&world);
        let there = incident.figures.list().len();
        for said in claims(&incident) {
            assert!(!said.figures.is_empty(), "{said:?}");
            let known = |fig: &Fig| fig.0 < there;
            assert!(said.figures.iter().all(known), "{said:?}");
        }
    }
}

#[test]
fn every_reference_in_the_text_leads_to_a_row() {
    let reference = regex::Regex::new(r"\[(F\d+)\]").expect("a pattern");
    for world in worlds() {
        for lang in [Lang::En, Lang::Ko] {
            let text = text(&world, lang);
            let parts: Vec<&str> = text.split("\n## ").collect();
            for part in parts.iter().filter(|part| {
                ["3.", "4.", "8."]
                    .iter()
                    .any(|number| part.starts_with(number))
            }) {
                let bullets = part
                    .lines()
                    .filter(|line| line.trim_start().starts_with("- "));
                for line in bullets {
                    assert!(reference.is_match(line), "no figure: {line}");
                }
            }
            let figures = parts.last().expect("the last part is that of the figures");
            for found in reference.captures_iter(&text) {
                let fig = &found[1];
                let row = format!("<a id=\"{}\"></a>{fig} |", fig.to_lowercase());
                assert!(figures.contains(&row), "{fig} leads nowhere");
            }
        }
    }
}

#[test]
fn every_figure_is_what_its_file_says() {
    for world in worlds() {
        let incident = report(&world);
        let evidence = world.evidence();
        let summary = serde_json::to_value(evidence.summary).expect("JSON");
        for figure in incident.figures.list() {
            match &figure.source {
                Source::Summary(pointer) if !pointer.contains('*') => {
                    let value = summary.pointer(pointer);
                    let value = value.unwrap_or_else(|| panic!("{pointer} leads nowhere"));
                    if let Some(count) = value.as_u64().filter(|_| !pointer.ends_with("bytes")) {
                        let with_unit = pointer.ends_with("_ns");
                        assert!(with_unit || figure.value == counted(count), "{figure:?}");
                    }
                    if let Some(text) = value.as_str() {
                        assert_eq!(figure.value, text, "{pointer}");
                    }
                }
                Source::Seconds {
                    from,
                    to,
                    how: super::How::Sum,
                    field,
                } => assert_eq!(figure.value, counted(sum(&evidence, *from, *to, field))),
                _ => {}
            }
        }
    }
}

/// Worked out again from the file's own fields.
fn sum(evidence: &Evidence<'_>, from: u64, to: u64, field: &str) -> u64 {
    let of = |second: &Second| -> u64 {
        let parts = field.split(" + ").map(|part| match part {
            "requests" => second.requests,
            part => {
                let name = part.strip_prefix("outcomes.").expect("an outcome");
                second.outcomes.get(name).copied().unwrap_or_default()
            }
        });
        parts.sum()
    };
    let inside = evidence
        .seconds
        .iter()
        .filter(|one| (from..to).contains(&one.t));
    inside.map(of).sum()
}

#[test]
fn foreign_texts_stay_texts_and_no_place_stays_open() {
    let place = regex::Regex::new(r"\{[a-z_]+\}").expect("a pattern");
    for world in worlds() {
        for lang in [Lang::En, Lang::Ko] {
            let text = text(&world, lang);
            let open: Vec<_> = place.find_iter(&text).map(|found| found.as_str()).collect();
            assert!(open.is_empty(), "{open:?}");
            assert!(!text.contains('\u{1b}'), "no control reaches a terminal");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_seconds_make_a_report(
        rows in prop::collection::vec(
            (0_u64..2_000, 0_u64..500, 0_u64..500, prop::option::of(0.0_f64..1e5)),
            0..60,
        ),
    ) {
        let world = World::coupon().with_rows(&rows);
        let incident = report(&world);
        for said in claims(&incident) {
            prop_assert!(!said.figures.is_empty());
        }
        for one in &incident.phenomena {
            let onset = one.onset.map_or(0.0, |onset| onset.at_s);
            prop_assert!(onset <= rows.len() as f64);
        }
        text(&world, Lang::Ko);
    }
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let mut world = World::coupon();
    world.moments = Moments {
        ended: false,
        ..world.moments
    };
    let english = text(&world, Lang::En);
    assert!(english.contains("did not come to its end"), "{english}");
}
