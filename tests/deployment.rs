//! What is shipped in `docker-compose.yml` and `deploy/` fits together: every name that one file
//! gives is one that another file has, and the tools that read these files take them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::{Map, Value};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let read = std::fs::read_to_string(root().join(name));
    read.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn compose() -> Value {
    yaml("docker-compose.yml")
}

fn services(compose: &Value) -> &Map<String, Value> {
    compose["services"].as_object().unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    let list = value.as_array().into_iter().flatten();
    list.map(|text| text.as_str().unwrap()).collect()
}

/// A program must end well; what it says is returned.
fn run(program: &str, args: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = command.args(args).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run: scripts/services"));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {said}");
    said.into_owned()
}

/// What `${NAME:-default}` stands for without an environment.
fn by_default(text: &str) -> String {
    let variable = Regex::new(r"\$\{\w+:-([^}]*)\}").unwrap();
    variable.replace_all(text, "$1").into_owned()
}

#[test]
fn every_volume_port_file_and_service_that_is_named_is_there() {
    let compose = compose();
    let docs = read("docs/monitoring.md");
    let declared: BTreeSet<&str> = compose["volumes"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let (mut mounted, mut published) = (BTreeSet::new(), BTreeSet::new());
    for (name, service) in services(&compose) {
        for volume in texts(&service["volumes"]) {
            let (source, _) = volume.split_once(':').unwrap();
            if source.starts_with("./") {
                assert!(root().join(source).exists(), "{name}: {source}");
                assert!(volume.ends_with(":ro"), "{name}: {volume}");
            } else {
                assert!(mounted.insert(source), "{name}: {source} is mounted twice");
            }
        }
        for port in texts(&service["ports"]) {
            let (host, _) = port.rsplit_once(':').unwrap();
            let number = host.strip_prefix("127.0.0.1:");
            let number = number.unwrap_or_else(|| panic!("{name}: {port} is open to everybody"));
            assert!(
                published.insert(number),
                "{name}: {port} is published twice"
            );
            let told = format!("127.0.0.1:{number}");
            assert!(docs.contains(&told), "{name}: {told} is not in the docs");
        }
        for other in service["depends_on"].as_object().into_iter().flatten() {
            let (other, how) = other;
            let waited_for = &services(&compose)[other];
            assert!(waited_for["healthcheck"].is_object(), "{name} -> {other}");
            assert_eq!(how["condition"], "service_healthy", "{name} -> {other}");
        }
        assert!(service["healthcheck"]["test"].is_array(), "{name}");
    }
    assert_eq!(mounted, declared);
}

#[test]
fn every_image_has_a_tag_and_those_of_runs_are_the_same() {
    let compose = compose();
    for (name, service) in services(&compose) {
        let image = by_default(service["image"].as_str().unwrap());
        let (_, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{image}"));
        assert!(tag != "latest" && !tag.contains('$'), "{name}: {image}");
    }
    let images = &read("docs/scenario.md");
    for name in ["redis", "mysql", "kafka"] {
        let image = by_default(compose["services"][name]["image"].as_str().unwrap());
        let row = format!("| `{name}` | text | `{image}` |");
        assert!(images.contains(&row), "{row}");
    }
    let dockerfile = read("deploy/docker/Dockerfile");
    let version = read("Cargo.toml");
    let version = Regex::new("rust-version = \"([^\"]+)\"")
        .unwrap()
        .captures(&version)
        .unwrap()[1]
        .to_owned();
    assert!(
        dockerfile.contains(&format!("FROM rust:{version}-")),
        "{dockerfile}"
    );
}

#[test]
fn the_example_of_an_environment_has_every_variable_and_its_default() {
    let text = read("docker-compose.yml");
    let variable = Regex::new(r"\$\{(\w+):-([^}]*)\}").unwrap();
    let mut used = BTreeMap::new();
    for found in variable.captures_iter(&text) {
        let (name, default) = (found[1].to_owned(), found[2].to_owned());
        let before = used.insert(name.clone(), default.clone());
        assert!(before.is_none_or(|before| before == default), "{name}");
    }
    // One without a default would be a manual step.
    let plain = Regex::new(r"[^$]\$\{?(\w+)\}?").unwrap();
    for found in plain.captures_iter(&text) {
        assert!(used.contains_key(&found[1]), "{}", &found[0]);
    }
    let example = read(".env.example");
    let lines = example.lines().filter_map(|line| line.split_once('='));
    let given: BTreeMap<_, _> = lines.map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    assert_eq!(given, used);
    assert!(read(".gitignore").lines().any(|line| line == "/.env"));
    assert_eq!(
        read("deploy/alertmanager/secrets/.gitignore"),
        "*\n!.gitignore\n"
    );
}

#[test]
fn docker_compose_takes_the_file() {
    let said = run("docker-compose", &["config", "--quiet"]);
    assert_eq!(said.trim(), "");
}

#[test]
fn the_server_is_started_with_options_that_it_has() {
    let compose = compose();
    let server = &compose["services"]["server"];
    let help = run(env!("CARGO_BIN_EXE_fcfs-bench"), &["serve", "--help"]);
    let command = texts(&server["command"]);
    assert_eq!(command[0], "serve");
    for option in &command[1..] {
        let (name, _) = option.split_once('=').unwrap();
        assert!(
            help.contains(&format!("{name} ")),
            "{name} is not in\n{help}"
        );
    }
    for name in server["environment"].as_object().unwrap().keys() {
        assert!(
            help.contains(&format!("[env: {name}")),
            "{name} is not in\n{help}"
        );
    }
}

/// `host:port` of the services, and of this machine.
fn addresses(compose: &Value) -> BTreeSet<String> {
    let mut known = BTreeSet::from(["host.docker.internal:9464".to_owned()]);
    for (name, service) in services(compose) {
        for port in texts(&service["ports"]) {
            let (_, inside) = port.rsplit_once(':').unwrap();
            known.insert(format!("{name}:{inside}"));
        }
    }
    known
}

#[test]
fn prometheus_alertmanager_and_grafana_look_at_services_that_are_there() {
    let compose = compose();
    let known = addresses(&compose);
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let mut named: Vec<String> = Vec::new();
    for job in prometheus["scrape_configs"].as_array().unwrap() {
        named.extend(
            texts(&job["static_configs"][0]["targets"])
                .into_iter()
                .map(str::to_owned),
        );
    }
    named.retain(|target| target != "localhost:9090");
    let told = &prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"];
    named.extend(texts(told).into_iter().map(str::to_owned));
    let url = Regex::new(r"https?://([\w.]+:\d+)").unwrap();
    for file in [
        "deploy/alertmanager/alertmanager.yml",
        "deploy/alertmanager/alertmanager.channels.yml",
        "deploy/grafana/provisioning/datasources/datasources.yml",
    ] {
        let text = read(file);
        named.extend(url.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    assert!(named.len() >= 9, "{named:?}");
    for address in named {
        assert!(
            known.contains(&address),
            "{address} is not one of {known:?}"
        );
    }
    // What a datasource takes from the environment is in that of Grafana.
    let datasources = read("deploy/grafana/provisioning/datasources/datasources.yml");
    let environment = &compose["services"]["grafana"]["environment"];
    for found in Regex::new(r"\$\{(\w+)\}")
        .unwrap()
        .captures_iter(&datasources)
    {
        assert!(environment[&found[1]].is_string(), "{}", &found[1]);
    }
    let bucket = &compose["services"]["influxdb"]["environment"]["DOCKER_INFLUXDB_INIT_BUCKET"];
    assert_eq!(&environment["INFLUX_BUCKET"], bucket);
    // Dashboards are where their provider looks.
    let provider = yaml("deploy/grafana/provisioning/dashboards/dashboards.yml");
    let place = provider["providers"][0]["options"]["path"]
        .as_str()
        .unwrap();
    let mount = format!("./deploy/grafana/dashboards:{place}:ro");
    let volumes = texts(&compose["services"]["grafana"]["volumes"]);
    assert!(volumes.contains(&mount.as_str()), "{volumes:?}");
    let home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
        .as_str()
        .unwrap();
    let home = home.strip_prefix(place).unwrap().trim_start_matches('/');
    assert!(
        root().join("deploy/grafana/dashboards").join(home).exists(),
        "{home}"
    );
}

#[test]
fn the_chaos_scenario_breaks_what_the_compose_file_starts() {
    let (compose, scenario) = (compose(), yaml("scenarios/chaos-redis.yaml"));
    let container = &scenario["target"]["parts"]["redis"]["container"];
    assert_eq!(&compose["services"]["redis"]["container_name"], container);
    let mut ports = BTreeSet::new();
    for service in services(&compose).values() {
        for port in texts(&service["ports"]) {
            ports.insert(port.rsplit_once(':').unwrap().0.to_owned());
        }
    }
    let text = read("scenarios/chaos-redis.yaml");
    let addresses = Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    for found in addresses.find_iter(&text) {
        assert!(ports.contains(found.as_str()), "{}", found.as_str());
    }
    let rules = ["p0", "p1", "p2"].map(|name| read(&format!("deploy/prometheus/rules/{name}.yml")));
    for alert in texts(&scenario["alerts"]["only"]) {
        let rule = format!("- alert: {alert}\n");
        assert!(rules.iter().any(|text| text.contains(&rule)), "{alert}");
    }
}

#[test]
fn promtool_takes_the_rules_and_each_fires_and_does_not_fire_in_its_tests() {
    run(
        "promtool",
        &["check", "config", "deploy/prometheus/prometheus.yml"],
    );
    for name in ["p0", "p1", "p2"] {
        let (rules, tests) = (
            format!("deploy/prometheus/rules/{name}.yml"),
            format!("deploy/prometheus/tests/{name}.yml"),
        );
        run("promtool", &["test", "rules", &tests]);
        let (rules, tests) = (yaml(&rules), yaml(&tests));
        let cases = tests["tests"].as_array().unwrap();
        let asked: Vec<&Value> = cases
            .iter()
            .flat_map(|case| case["alert_rule_test"].as_array().unwrap())
            .collect();
        for rule in rules["groups"][0]["rules"].as_array().unwrap() {
            let of_it = asked
                .iter()
                .filter(|test| test["alertname"] == rule["alert"]);
            let (fires, silent): (Vec<&&Value>, Vec<_>) =
                of_it.partition(|test| !test["exp_alerts"].as_array().unwrap().is_empty());
            assert!(!fires.is_empty() && !silent.is_empty(), "{}", rule["alert"]);
            let priority = name.to_uppercase();
            assert_eq!(rule["labels"]["priority"], *priority, "{}", rule["alert"]);
        }
    }
}

#[test]
fn alertmanager_takes_both_files_and_sends_each_priority_where_it_belongs() {
    for name in ["alertmanager.yml", "alertmanager.channels.yml"] {
        let file = format!("deploy/alertmanager/{name}");
        run("amtool", &["check-config", &file]);
        let config = format!("--config.file={file}");
        for (priority, receiver) in [("P0", "p0"), ("P1", "p1"), ("P2", "p2"), ("P9", "p2")] {
            let label = format!("priority={priority}");
            let told = run("amtool", &["config", "routes", "test", &config, &label]);
            assert_eq!(told.lines().next(), Some(receiver), "{name}: {told}");
        }
    }
    let channels = yaml("deploy/alertmanager/alertmanager.channels.yml");
    let kinds = |name: &str| -> BTreeSet<String> {
        let all = channels["receivers"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name).unwrap();
        let keys = one.as_object().unwrap().keys().cloned();
        keys.filter(|key| key != "name").collect()
    };
    assert_eq!(
        kinds("p0"),
        ["pagerduty_configs", "slack_configs"]
            .map(str::to_owned)
            .into()
    );
    assert_eq!(kinds("p1"), ["slack_configs"].map(str::to_owned).into());
    assert_eq!(kinds("p2"), ["webhook_configs"].map(str::to_owned).into());
    // What is secret is in files, whose names alone are here.
    let text = channels.to_string();
    for secret in ["\"routing_key\":", "\"api_url\":", "\"service_key\":"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn dashboards_are_tidy() {
    let provisioned = yaml("deploy/grafana/provisioning/datasources/datasources.yml");
    let uids: BTreeSet<&str> = provisioned["datasources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["uid"].as_str().unwrap())
        .collect();
    let mut seen = BTreeSet::new();
    let docs = read("docs/monitoring.md");
    let directory = root().join("deploy/grafana/dashboards");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        check_dashboard(&path, &uids, &docs);
        let text = std::fs::read_to_string(&path).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        for key in ["uid", "title"] {
            let value = dashboard[key].as_str().unwrap().to_owned();
            assert!(seen.insert(value), "{}: {key}", path.display());
        }
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}

fn check_dashboard(path: &Path, uids: &BTreeSet<&str>, docs: &str) {
    let (name, text) = (path.display(), std::fs::read_to_string(path).unwrap());
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(docs.contains(&file), "{file} is not in the docs");
    assert_eq!(dashboard["schemaVersion"], 39, "{name}");
    let (mut ids, mut titles, mut places) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: {title}");
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{name}: {title}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(
                    places.insert((x, y)),
                    "{name}: {title} covers another panel"
                );
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(titles.insert(title.to_owned()), "{name}: {title} twice");
        let words = panel["description"].as_str().unwrap();
        assert!(words.ends_with('.'), "{name}: {title}: {words}");
        assert!(
            panel["fieldConfig"]["defaults"]["unit"].is_string(),
            "{name}: {title}"
        );
        let mut references = BTreeSet::new();
        for target in panel["targets"].as_array().unwrap() {
            assert!(
                references.insert(target["refId"].to_string()),
                "{name}: {title}"
            );
            assert_eq!(target["datasource"], panel["datasource"], "{name}: {title}");
        }
    }
    let mut sources = Vec::new();
    gather("datasource", &dashboard, &mut sources);
    assert!(sources.len() > 10, "{name}");
    for source in sources {
        assert!(
            uids.contains(source["uid"].as_str().unwrap()),
            "{name}: {source}"
        );
    }
}

fn gather<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if name == key {
                    found.push(value);
                }
                gather(key, value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| gather(key, value, found)),
        _ => {}
    }
}
