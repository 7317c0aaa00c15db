//! A plan follows from text, overrides and the given environment alone.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;

use fcfs_bench::plan::{self, Overrides, Plan, Scale};
use fcfs_bench::scenario::Diagnostics;
use proptest::prelude::*;

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name);
    std::fs::read_to_string(path).expect("a scenario")
}

const SHIPPED: [&str; 17] = [
    "quickstart.yaml",
    "stampede.yaml",
    "coupon-ramp-1000.yaml",
    "spike.yaml",
    "steps-10-30-200.yaml",
    "soak.yaml",
    "own-system.yaml",
    "profiles.yaml",
    "embedded-kafka.yaml",
    "documents/a-redlock-after.yaml",
    "documents/a-redlock-before.yaml",
    "documents/a-redlock-fallback.yaml",
    "documents/b-redisson-steps.yaml",
    "documents/c-lua-1000.yaml",
    "documents/c-pessimistic-1000.yaml",
    "documents/c-queue-4500.yaml",
    "documents/c-queue-burst-2000.yaml",
];

/// A shipped scenario that takes its seed and its claim to be told apart from the environment.
fn scenario() -> impl Strategy<Value = String> {
    prop::sample::select(SHIPPED.to_vec()).prop_map(|name| {
        let text = text(name);
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("about:") && !line.starts_with("seed:"));
        let lines: Vec<&str> = lines.collect();
        format!(
            "{}\nabout: \"${{ABOUT}}\"\nseed: \"${{SEED}}\"\n",
            lines.join("\n")
        )
    })
}

fn overrides() -> impl Strategy<Value = Overrides> {
    let set = prop::sample::select(vec![
        "users.pool=5000",
        "users.repeat=10%",
        "subject.coupon.stock=7",
        "name=again",
        "no.such.key=1",
    ]);
    let scale = prop::sample::select(vec!["time=0.5", "vus=0.1,rate=3", "iterations=2"]);
    (
        prop::collection::vec(set, 0..3),
        scale,
        any::<Option<u64>>(),
    )
        .prop_map(|(set, scale, seed)| Overrides {
            set: set.into_iter().map(str::to_owned).collect(),
            scale: scale.parse::<Scale>().expect("factors"),
            seed,
            ..Overrides::default()
        })
}

fn planned(text: &str, overrides: &Overrides, about: &str, seed: u32) -> Result<Plan, Diagnostics> {
    let asked = RefCell::new(Vec::new());
    let environment = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        match name {
            "ABOUT" => Some(about.to_owned()),
            "SEED" => Some(seed.to_string()),
            _ => None,
        }
    };
    let plan = plan::load("x.yaml", text, overrides, &environment);
    // Nothing is asked for but what stands in the text.
    for name in asked.into_inner() {
        assert!(
            text.contains(&format!("${{{name}}}")),
            "{name} was asked for"
        );
    }
    plan
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_same_input_gives_the_same_plan_and_the_same_print(
        text in scenario(),
        overrides in overrides(),
        about in "[a-z ]{0,20}",
        seed: u32,
    ) {
        let once = planned(&text, &overrides, &about, seed);
        let again = planned(&text, &overrides, &about, seed);
        prop_assert_eq!(&once, &again);
        let unknown = overrides.set.iter().any(|set| set.starts_with("no.such.key"));
        prop_assert_eq!(once.is_err(), unknown, "{:?}", once);
        if let (Ok(once), Ok(again)) = (once, again) {
            prop_assert_eq!(plan::print(&once), plan::print(&again));
            prop_assert_eq!(once.seed, overrides.seed.unwrap_or(seed.into()));
        }
    }
}

#[test]
fn a_variable_of_the_process_is_not_seen_unless_it_is_given() {
    assert!(
        std::env::var_os("PATH").is_some(),
        "every process has a path"
    );
    let text =
        text("quickstart.yaml").replace("name: quickstart", "name: quickstart\nseed: \"${PATH}\"");
    let plan = plan::load("x.yaml", &text, &Overrides::default(), &|_| None);
    let error = plan.expect_err("no variable was given").to_string();
    assert!(error.contains("`PATH` is not set"), "{error}");
    let given = |name: &str| (name == "PATH").then(|| "11".to_owned());
    let plan = plan::load("x.yaml", &text, &Overrides::default(), &given);
    assert_eq!(plan.expect("a seed").seed, 11);
}

#[test]
fn a_process_with_another_environment_and_directory_prints_the_same_plan() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    for name in SHIPPED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("scenarios")
            .join(name);
        let printed = |change: fn(&mut Command)| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_fcfs-bench"));
            command.arg("plan").arg(&path).current_dir(elsewhere.path());
            change(&mut command);
            let ended = command.output().expect("the binary starts");
            assert!(ended.status.success(), "{ended:?}");
            String::from_utf8(ended.stdout).expect("text")
        };
        let bare = printed(|command| {
            command.env_clear();
        });
        let other = printed(|command| {
            command
                .current_dir("/")
                .env("TZ", "Asia/Seoul")
                .env("LANG", "ko_KR.UTF-8")
                .env("seed", "9");
        });
        assert_eq!(bare, other, "{name}");
        assert!(!bare.is_empty());
    }
}
