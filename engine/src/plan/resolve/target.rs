//! What is loaded, after the command line had its say.

use super::{Overrides, bugs, parts, servers, services, standby};
use crate::plan::{BaseUrl, By, Provider, Stack, Target};
use crate::scenario::value::Url;
use crate::scenario::{
    self, At, Given, Position, Report, Scenario, Target as Written, did_you_mean,
};

const PROVIDERS: [(&str, Provider); 4] = [
    ("auto", Provider::Auto),
    ("embedded", Provider::Embedded),
    ("local", Provider::Local),
    ("docker", Provider::Docker),
];

pub(super) fn resolve(
    scenario: &Scenario,
    overrides: &Overrides,
    report: &mut Report<'_>,
) -> Option<Target> {
    if let Some(url) = &overrides.url {
        only_for_stacks(overrides, report);
        return by_url(scenario, url, report);
    }
    let written = match &scenario.target {
        Given::Absent => {
            report.error_hint(
                Position::START,
                "the key `target` is missing",
                "write `target: { url: http://127.0.0.1:3000 }` for a system that runs, or \
                 `target: { stack: { provider: auto } }` for the bundled one",
            );
            return None;
        }
        Given::Broken => return None,
        Given::Value(written) => written,
    };
    match written {
        Written::Urls {
            urls,
            ready,
            http2,
            ca,
            by,
            parts,
            compose,
            ..
        } => {
            only_for_stacks(overrides, report);
            Some(Target::Urls {
                urls: urls.iter().map(base_url).collect(),
                ready: ready_path(ready.as_ref(), report)?,
                http2: *http2,
                by: by_of(by.as_ref(), report)?,
                ca: ca.as_ref().map(|ca| ca.value.clone()),
                parts: parts::resolve(parts, compose.as_ref(), report)?,
            })
        }
        Written::Stack {
            provider,
            server,
            redis,
            kafka,
            database,
            images,
            position,
        } => {
            let (strategy, bug) = (&server.strategy, &server.bug);
            let chosen = chosen(provider.as_ref(), overrides, report);
            check_name(
                "strategy",
                strategy.as_ref(),
                &services::strategies(),
                report,
            );
            let services = services::resolve(
                &services::Wanted {
                    strategy: strategy.as_ref(),
                    redis: redis.as_deref(),
                    kafka: kafka.as_ref(),
                    database: database.as_ref(),
                    images,
                },
                report,
            );
            let place = provider_place(overrides, provider.as_ref(), *position);
            if chosen == Some(Provider::Embedded)
                && let Some(services) = services
            {
                services::refuse_embedded(services, place, report);
            }
            let standby = standby::resolve(redis.as_deref(), services, (chosen, place), report);
            if let (Some(Provider::Auto | Provider::Embedded), Some(services)) = (chosen, services)
            {
                services::refuse_image_of_embedded(images, services, report);
            }
            bugs::check(strategy.as_ref(), bug.as_ref(), overrides, report);
            let settings = servers::settings(server, report);
            if let Some(services) = services {
                servers::check_members(scenario, *position, services.roles, report);
            }
            let groups = services.map(|services| servers::groups(server, services.roles, report));
            Some(Target::Stack(Stack {
                provider: chosen?,
                strategy: strategy.as_ref().map(|name| name.value.clone()),
                bug: overrides
                    .bug
                    .clone()
                    .or(bug.as_ref().map(|name| name.value.clone())),
                groups: groups??,
                settings,
                redis: services?.redis,
                standby,
                kafka: services?.kafka,
                database: services?.database,
                images: services::images(images),
            }))
        }
    }
}

/// `--url` keeps how the scenario's own url is spoken to.
fn by_url(scenario: &Scenario, url: &str, report: &mut Report<'_>) -> Option<Target> {
    let base = url.parse::<Url>().map_err(|error| {
        report.argument("--url".to_owned(), error.message, error.hint);
    });
    let mut target = Target::Urls {
        urls: vec![base_url(&base.ok()?)],
        ready: None,
        http2: false,
        by: By::Turn,
        ca: None,
        parts: Vec::new(),
    };
    if let Target::Urls {
        ready,
        http2,
        ca,
        parts,
        ..
    } = &mut target
        && let Given::Value(Written::Urls {
            ready: own_ready,
            http2: own_http2,
            ca: own_ca,
            parts: own_parts,
            compose,
            ..
        }) = &scenario.target
    {
        *ready = ready_path(own_ready.as_ref(), report)?;
        *http2 = *own_http2;
        *ca = own_ca.as_ref().map(|ca| ca.value.clone());
        *parts = parts::resolve(own_parts, compose.as_ref(), report)?;
    }
    Some(target)
}

fn by_of(by: Option<&At<String>>, report: &mut Report<'_>) -> Option<By> {
    match by.map(|by| (by, by.value.as_str())) {
        None | Some((_, "turn")) => Some(By::Turn),
        Some((_, "vu")) => Some(By::Vu),
        Some((by, other)) => {
            report.error_hint(
                by.position,
                format!("`{}` is not a way to choose an instance", by.shown()),
                did_you_mean(other, &["turn", "vu"]),
            );
            None
        }
    }
}

fn only_for_stacks(overrides: &Overrides, report: &mut Report<'_>) {
    let given = [
        ("--provider", &overrides.provider),
        ("--bug", &overrides.bug),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            report.argument(
                format!("{name} {value}"),
                format!("`{name}` is for the bundled stack, but the target is a url"),
                Some("remove it, or load a stack: `target: { stack: { provider: auto } }`".into()),
            );
        }
    }
}

fn provider_place<'s>(
    overrides: &'s Overrides,
    written: Option<&At<String>>,
    stack: Position,
) -> services::Place<'s> {
    match &overrides.provider {
        Some(name) => services::Place::Argument(name),
        None => services::Place::Scenario(written.map_or(stack, |name| name.position)),
    }
}

/// The command line comes before the scenario, which must be right all the same.
fn chosen(
    written: Option<&At<String>>,
    overrides: &Overrides,
    report: &mut Report<'_>,
) -> Option<Provider> {
    let written = written.map(|name| provider_of(name, report));
    match &overrides.provider {
        Some(name) => provider_argument(name, report),
        None => written.unwrap_or(Some(Provider::Auto)),
    }
}

fn provider_of(name: &At<String>, report: &mut Report<'_>) -> Option<Provider> {
    let found = PROVIDERS.iter().find(|(known, _)| *known == name.value);
    if found.is_none() {
        report.error_hint(
            name.position,
            format!("unknown provider `{}`", name.shown()),
            did_you_mean(&name.value, &PROVIDERS.map(|(known, _)| known)),
        );
    }
    found.map(|(_, provider)| *provider)
}

fn provider_argument(name: &str, report: &mut Report<'_>) -> Option<Provider> {
    if let Some((_, provider)) = PROVIDERS.iter().find(|(known, _)| *known == name) {
        return Some(*provider);
    }
    let hint = did_you_mean(name, &PROVIDERS.map(|(known, _)| known));
    let message = "unknown provider".to_owned();
    report.argument(format!("--provider {name}"), message, Some(hint));
    None
}

pub(super) fn check_name(
    what: &str,
    name: Option<&At<String>>,
    known: &[&str],
    report: &mut Report<'_>,
) {
    let Some(name) = name else { return };
    if known.contains(&name.value.as_str()) {
        return;
    }
    report.error_hint(
        name.position,
        format!("unknown {what} `{}`", name.shown()),
        did_you_mean(&name.value, known),
    );
}

#[allow(clippy::option_option)] // Absent is right here, wrong is not.
fn ready_path(ready: Option<&At<String>>, report: &mut Report<'_>) -> Option<Option<String>> {
    let Some(ready) = ready else {
        return Some(None);
    };
    if !is_path(&ready.value) {
        report.error_hint(
            ready.position,
            "`ready` is not a path",
            "write it like `ready: /health`",
        );
        return None;
    }
    Some(Some(ready.value.clone()))
}

/// What may stand between the host and the end of a request line.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

pub(super) fn base_url(url: &scenario::value::Url) -> BaseUrl {
    BaseUrl {
        https: url.https,
        host: url.host.clone(),
        port: url.port,
        prefix: url.prefix.clone(),
    }
}
