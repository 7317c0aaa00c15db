//! The zoo is whole: the bugs of the server, those that a scenario may name, the table and its
//! scenarios agree, and a bug without its strategy is refused.

#[path = "support/harness/mod.rs"]
mod harness;
#[path = "support/zoo.rs"]
mod zoo;

use std::collections::BTreeSet;

use clap::ValueEnum as _;
use harness::Bench;
use reference_server::{Bug, StrategyName};
use serde_json::Value;

fn bug_of(name: &str) -> Bug {
    Bug::from_str(name, false).unwrap_or_else(|_| panic!("{name} is no bug of the server"))
}

fn strategy_of(name: &str) -> StrategyName {
    StrategyName::from_str(name, false).unwrap_or_else(|_| panic!("{name} is no strategy"))
}

/// The words that a schema allows in the place of `name`.
fn words_of(name: &str) -> BTreeSet<String> {
    let text = include_str!("../docs/scenario.schema.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    let choices = schema["$defs"][name]["anyOf"].as_array().expect("choices");
    let words = choices.iter().filter_map(|one| one["const"].as_str());
    words.map(str::to_owned).collect()
}

#[test]
fn every_bug_has_a_row_with_a_check_and_a_place_where_it_is_known_from() {
    let rows = zoo::rows();
    assert!(Bug::value_variants().len() >= 24);
    for bug in Bug::value_variants() {
        let name = bug.to_string();
        assert!(rows.iter().any(|row| row.bug == name), "{name} has no row");
    }
    let names: BTreeSet<_> = rows.iter().map(zoo::Row::name).collect();
    assert_eq!(names.len(), rows.len(), "two rows of one name");
    for row in &rows {
        let name = row.name();
        let told = [&row.invariant, &row.part, &row.known_from];
        assert!(told.iter().all(|cell| !cell.is_empty()), "{name}: {told:?}");
        let chances = ["", "race", "seed", "timing"];
        assert!(
            chances.contains(&row.chance.as_str()),
            "{name}: {}",
            row.chance
        );
        let strategy = strategy_of(&row.strategy);
        assert!(
            row.bug.is_empty() || bug_of(&row.bug).fits(strategy),
            "{name}"
        );
        // A strategy that is the defect is not the right server.
        let has_right = !row.right.is_empty() && row.right != row.strategy;
        assert!(!row.bug.is_empty() || has_right, "{name}");
    }
}

#[test]
fn every_scenario_of_the_folder_is_in_the_table() {
    let files = std::fs::read_dir(zoo::folder()).expect("the folder");
    let paths = files.map(|file| file.expect("a file").path());
    let scenarios: BTreeSet<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    let used: BTreeSet<_> = zoo::rows().iter().map(zoo::Row::path).collect();
    assert_eq!(scenarios, used);
}

#[test]
fn every_row_can_be_run_with_its_bug_and_with_the_right_server() {
    let bench = Bench::new();
    for row in zoo::rows() {
        let path = row.path().display().to_string();
        let set = |strategy: &str| format!("target.stack.server.strategy={strategy}");
        let (with, right) = (set(&row.strategy), set(&row.right));
        let mut planted = vec!["plan", &path, "--set", &with];
        if !row.bug.is_empty() {
            planted.extend(["--bug", &row.bug]);
        }
        let plan = bench.run(&planted).expect(0).stdout;
        let judged = plan.lines().find(|line| line.starts_with("invariants"));
        let judged = judged.expect("a line of invariants");
        assert!(judged.contains(&row.invariant), "{}: {judged}", row.name());
        let has_faults = plan.contains("\nfaults");
        let breaks = row.fault.contains(": ");
        assert_eq!(has_faults, breaks, "{}: {plan}", row.name());
        if !row.right.is_empty() {
            bench.run(&["plan", &path, "--set", &right]).expect(0);
        }
    }
}

#[test]
fn the_bugs_that_a_scenario_may_name_are_those_of_the_server() {
    let bugs = Bug::value_variants().iter().map(ToString::to_string);
    assert_eq!(words_of("Bug"), bugs.collect());
}

/// A scenario is refused exactly where the server would not start.
#[test]
fn a_bug_is_refused_with_every_strategy_that_does_not_have_its_part() {
    let bench = Bench::new();
    let scenario = zoo::folder().join("crowd.yaml").display().to_string();
    // Two of those that have nothing in common with the rest stand for the others.
    let strategies = [
        StrategyName::SqliteAtomic,
        StrategyName::MemoryThenSqlite,
        StrategyName::DbPessimistic,
        StrategyName::RedisKafka,
        StrategyName::Redlock,
        StrategyName::Redisson,
    ];
    for bug in Bug::value_variants() {
        for strategy in strategies {
            let set = format!("target.stack.server.strategy={strategy}");
            let name = bug.to_string();
            let ended = bench.run(&["plan", &scenario, "--set", &set, "--bug", &name]);
            let words = format!("`{name}` is a bug of the strategy");
            let refused = ended.code == Some(104) && ended.stderr.contains(&words);
            assert_eq!(
                refused,
                !bug.fits(strategy),
                "{name}, {strategy}: {}",
                ended.all()
            );
        }
    }
}
