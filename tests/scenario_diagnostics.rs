//! What a scenario's author reads: every shipped scenario plans, every invalid one says why.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fcfs_bench::plan::{self, Overrides, Plan, Scale};
use fcfs_bench::scenario::{self, Diagnostics};
use proptest::prelude::*;

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    let name = path.file_stem().expect("a name").to_string_lossy();
    name.into_owned()
}

fn plan_file(path: &Path, overrides: &Overrides) -> Result<Plan, Diagnostics> {
    let mut written = scenario::gather(path)?;
    // The same names on every machine.
    written.file_name = format!("{}.yaml", name(path));
    let folder = path.parent().expect("a folder");
    for file in &mut written.included {
        let local = Path::new(&file.name).strip_prefix(folder);
        file.name = local.expect("a file beside it").display().to_string();
    }
    // The only one that a shipped scenario reads: that of docker-compose.yml.
    let password = |name: &str| (name == "MYSQL_PASSWORD").then(|| "fcfs-dev".to_owned());
    plan::validate(&written, overrides, &password)
}

#[test]
fn every_shipped_scenario_plans_without_a_warning() {
    let folders = [
        "scenarios",
        "scenarios/documents",
        "scenarios/chaos",
        "scenarios/zoo",
    ];
    let all = folders.map(files).concat();
    assert!(all.len() >= 7, "{all:?}");
    for path in all {
        let plan = plan_file(&path, &Overrides::default());
        let plan = plan.unwrap_or_else(|error| panic!("{}\n{error}", path.display()));
        assert_eq!(plan.warnings, Vec::<String>::new(), "{}", path.display());
        assert_eq!(plan.name, name(&path), "the file is called as the scenario");
        insta::assert_snapshot!(format!("plan-{}", name(&path)), plan::print(&plan));
    }
}

#[test]
fn every_invalid_scenario_says_what_would_be_right() {
    let all = files("scenarios/invalid");
    assert!(all.len() >= 30, "{all:?}");
    for path in all {
        let error = plan_file(&path, &Overrides::default());
        let error = error.expect_err(&path.display().to_string());
        insta::assert_snapshot!(format!("invalid-{}", name(&path)), error.to_string());
    }
}

#[test]
fn eight_mistakes_are_said_at_once_each_with_its_line() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/invalid/eight-mistakes.yaml");
    let error = plan_file(&path, &Overrides::default()).expect_err("mistakes");
    let lines = error.list.iter().map(|diagnostic| match diagnostic.place {
        scenario::Place::Line { line, .. } => line,
        _ => 0,
    });
    assert_eq!(lines.collect::<Vec<_>>(), [2, 3, 4, 7, 10, 14, 15, 17]);
}

#[test]
fn overrides_of_the_command_line_are_checked_too() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/own-system.yaml");
    let overrides = Overrides {
        set: vec![
            "load.opening.ramping_vus.stages.7.to=1".to_owned(),
            "load.opening.ramping_vus.stages.0.to=many".to_owned(),
            "subject.coupon.stok=1".to_owned(),
        ],
        bug: Some("oversell".to_owned()),
        url: Some("ftp://x".to_owned()),
        ..Overrides::default()
    };
    let error = plan_file(&path, &overrides).expect_err("wrong overrides");
    insta::assert_snapshot!("overrides", error.to_string());
}

#[test]
fn overrides_change_the_plan() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/coupon-ramp-1000.yaml");
    let overrides = Overrides {
        set: vec!["load.opening.ramping_vus.stages.0.to=100".to_owned()],
        scale: "time=0.1,vus=0.5".parse::<Scale>().expect("factors"),
        bug: Some("oversell".to_owned()),
        seed: Some(7),
        ..Overrides::default()
    };
    let plan = plan_file(&path, &overrides).expect("right overrides");
    insta::assert_snapshot!("plan-overridden", plan::print(&plan));
}

#[test]
fn a_value_of_the_environment_is_never_shown() {
    let text = "name: secret\n\
        target: { url: \"${TARGET}\" }\n\
        load: { a: { constant_vus: { vus: \"${VUS}\", for: 1s } } }\n\
        flows: { a: [ { post: /x, headers: { authorization: \"Bearer ${KEY} {{ nobody }}\" } } ] }\n\
        truth: { issued: { sql: { url: \"${DB}\", query: \"DROP ${KEY}\" } } }\n";
    let environment = |name: &str| Some(format!("hunter2-{name}"));
    let error = plan::load("x.yaml", text, &Overrides::default(), &environment);
    let shown = error.expect_err("nothing of it is valid").to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("${TARGET}"), "{shown}");
}

#[test]
fn a_scenario_that_ran_plans_again_without_its_secrets() {
    let text = "name: again\n\
        target: { url: \"${TARGET}\" }\n\
        load: { a: { constant_vus: { vus: 1, for: 1s } } }\n\
        flows: { a: [ { post: /x, headers: { authorization: \"${KEY}\" }, outcomes: { issued: 200 } } ] }\n\
        truth: { issued: { sql: { url: \"${DB}\", query: SELECT user FROM rows } } }\n\
        invariants: [one_per_user]\n";
    let environment = |_: &str| Some(scenario::PLACEHOLDER.to_owned());
    let plan = plan::load("x.yaml", text, &Overrides::default(), &environment);
    assert!(plan.is_ok(), "{plan:?}");
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let before = format!("*a{}", n - 1);
        let list = [before.as_str(); 10].join(", ");
        writeln!(text, "a{n}: &a{n} [{list}]").expect("memory");
    }
    let error = plan::load("x.yaml", &text, &Overrides::default(), &|_| None);
    let shown = error.expect_err("a bomb").to_string();
    assert!(shown.contains("failed to read the YAML"), "{shown}");
}

#[test]
fn depth_without_end_is_refused() {
    for text in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "a: ".repeat(10_000),
    ] {
        let error = plan::load("x.yaml", &text, &Overrides::default(), &|_| None);
        assert!(error.is_err());
    }
}

/// Lines of scenarios in any order and number, so that the reader gets beyond the first key.
fn shuffled_scenario() -> impl Strategy<Value = String> {
    let texts: Vec<String> = files("scenarios")
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a scenario"))
        .collect();
    let lines: Vec<String> = texts
        .iter()
        .flat_map(|text| text.lines().map(str::to_owned))
        .collect();
    proptest::collection::vec(proptest::sample::select(lines), 0..60)
        .prop_map(|lines| lines.join("\n"))
}

/// A shipped scenario with one line lost and one piece of another replaced.
fn damaged_scenario() -> impl Strategy<Value = String> {
    let texts: Vec<String> = files("scenarios")
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a scenario"))
        .collect();
    let piece = prop_oneof!["[a-z0-9{}\\[\\]:,.%/\"&*!|> -]{0,12}", "\\PC{0,6}"];
    (
        proptest::sample::select(texts),
        any::<u16>(),
        any::<u16>(),
        piece,
    )
        .prop_map(|(text, lost, at, piece)| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.remove(usize::from(lost) % lines.len());
            let text = lines.join("\n");
            let at = text
                .char_indices()
                .nth(usize::from(at) % text.chars().count());
            let at = at.map_or(0, |(at, _)| at);
            format!("{}{piece}{}", &text[..at], &text[at..])
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = plan::load("x.yaml", &text, &Overrides::default(), &|_| None);
    }

    #[test]
    fn no_mixture_of_lines_panics(text in shuffled_scenario()) {
        let _ = plan::load("x.yaml", &text, &Overrides::default(), &|_| None);
    }

    #[test]
    fn a_damaged_scenario_is_refused_or_planned_and_never_panics(text in damaged_scenario()) {
        match plan::load("x.yaml", &text, &Overrides::default(), &|_| None) {
            Ok(plan) => prop_assert!(!plan::print(&plan).is_empty()),
            Err(error) => prop_assert!(error.has_errors()),
        }
    }

    #[test]
    fn no_override_panics(set in "[a-z.0-9_]{0,30}=?\\PC{0,20}") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.yaml");
        let overrides = Overrides { set: vec![set], ..Overrides::default() };
        let _ = plan_file(&path, &overrides);
    }

    #[test]
    fn no_damaged_profile_panics(at: u16, piece in "[a-z{}:~, \\n-]{0,6}") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/invalid/profiles.yaml");
        let mut written = scenario::gather(&path).expect("a scenario");
        let at = usize::from(at) % written.text.len();
        let at = written.text.floor_char_boundary(at);
        written.text.insert_str(at, &piece);
        let overrides = Overrides { profile: Some("smoke".to_owned()), ..Overrides::default() };
        let _ = plan::validate(&written, &overrides, &|_| None);
    }

    #[test]
    fn the_same_text_gives_the_same_plan(seed: u64, text in damaged_scenario()) {
        let overrides = Overrides { seed: Some(seed), ..Overrides::default() };
        let once = plan::load("x.yaml", &text, &overrides, &|_| None);
        let again = plan::load("x.yaml", &text, &overrides, &|_| None);
        prop_assert_eq!(once, again);
    }
}
