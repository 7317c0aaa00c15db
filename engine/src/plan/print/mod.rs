//! The plan as text: what will run, before it runs.

mod curve;
mod details;
mod fault;
mod outputs;
mod parts;
mod resource;
mod setup;
mod steps;

use std::fmt::Write as _;

use super::resolve::expect::{self, Starts};
use super::{
    BacklogOf, By, Database, Draw, EngineKind, EventId, Events, EventsOf, Executor, Group, Images,
    Load, Pages, Per, Plan, Provider, Query, RecordSource, Role, Segment, Source, Table, Target,
    TokenMaker, Truth,
};
use crate::measure::CustomMetric;
use crate::scenario::value::{Count, Rate, Share, Span};
pub use fault::what as what_is_broken;
pub use steps::conditions;
use steps::shown;

/// The whole plan for people. Header values, bodies and passwords are not shown.
pub fn print(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, so the results say nothing.
    let _ = head(plan, &mut out);
    for load in &plan.loads {
        let _ = one_load(load, plan, &mut out);
    }
    let _ = expectation(plan, &mut out);
    let _ = steps::print(plan, &mut out);
    let _ = parts::print(plan, &mut out);
    let _ = fault::print(plan, &mut out);
    let _ = setup::print(plan, &mut out);
    let _ = claims(plan, &mut out);
    plan.mask.hide(&out)
}

type Done = std::fmt::Result;

fn head(plan: &Plan, out: &mut String) -> Done {
    writeln!(out, "scenario    {}", plan.name)?;
    if let Some(profile) = &plan.profile {
        writeln!(out, "profile     {profile}")?;
    }
    if let Some(about) = &plan.about {
        writeln!(out, "about       {}", about.trim())?;
    }
    writeln!(out, "seed        {}", plan.seed)?;
    if plan.engine == EngineKind::Goose {
        writeln!(out, "engine      goose, in a process of its own")?;
    }
    segment(plan.segment, out)?;
    writeln!(out, "target      {}", target(&plan.target))?;
    if let Some(subject) = &plan.subject {
        let lease = subject.lease.map(Span);
        let lease = lease.map_or(String::new(), |lease| {
            format!(", each back after {lease} perhaps")
        });
        writeln!(
            out,
            "subject     coupon {}, stock {}{lease}",
            subject.coupon,
            Count(subject.stock)
        )?;
    }
    let users = &plan.users;
    match (&users.records, users.pool) {
        (Some(_), 0) => write!(out, "users       one for each record")?,
        (_, pool) => write!(out, "users       pool of {}", Count(pool))?,
    }
    if let Some(records) = &users.records {
        let source = match &records.source {
            RecordSource::Csv(file) | RecordSource::JsonLines(file) => file.clone(),
            RecordSource::Sql { url, .. } => format!("sql {}", url.redacted()),
        };
        let columns: Vec<&str> = records
            .columns
            .iter()
            .map(|(_, name)| name.as_str())
            .collect();
        write!(out, " from {source} (columns {})", columns.join(", "))?;
    }
    if users.repeat > 0.0 {
        write!(out, ", {} ask again", Share(users.repeat))?;
    }
    let per = match users.per {
        Per::Iteration if users.draw == Draw::AtRandom => {
            "one of them at random for each iteration"
        }
        Per::Iteration => "a new one for each iteration",
        Per::Vu => "each VU stays the same one",
    };
    write!(out, ", {per}, id {}", shown(&users.id, &plan.slots))?;
    match users.token.as_ref().map(|token| &token.maker) {
        None => {}
        Some(TokenMaker::Text(template)) => {
            write!(out, ", token {}", shown(template, &plan.slots))?;
        }
        Some(TokenMaker::Hs256 { times, .. }) => {
            write!(out, ", token signed by HS256")?;
            for (name, after) in times {
                write!(out, ", {name} {}", Span(*after))?;
            }
        }
    }
    writeln!(out)
}

fn segment(segment: Segment, out: &mut String) -> Done {
    if segment.is_whole() {
        return Ok(());
    }
    let (number, of) = (segment.number(), segment.of());
    let rest = if segment.leads() {
        "what is done once is done here: steps before and after, faults, the truth"
    } else {
        "what is done once is done by segment 1"
    };
    writeln!(out, "segment     {number} of {of}; {rest}")
}

fn target(target: &Target) -> String {
    match target {
        Target::Stack(stack) => {
            let provider = match stack.provider {
                Provider::Auto => "auto",
                Provider::Embedded => "embedded",
                Provider::Local => "local",
                Provider::Docker => "docker",
            };
            let mut text = format!("bundled system, provider {provider}");
            if let Some(strategy) = &stack.strategy {
                let _ = write!(text, ", strategy {strategy}");
            }
            match stack.redis {
                0 => {}
                1 => text.push_str(", one Redis"),
                more => {
                    let _ = write!(text, ", {more} instances of Redis");
                }
            }
            if let Some(standby) = stack.standby {
                let replicas = match standby.replicas {
                    1 => "a replica".to_owned(),
                    more => format!("{more} replicas"),
                };
                let _ = write!(text, " with {replicas} and {} Sentinels", standby.sentinels);
            }
            if stack.database == Database::MySql {
                text.push_str(", MySQL");
            }
            match stack.kafka {
                0 => {}
                1 => text.push_str(", Kafka"),
                more => {
                    let _ = write!(text, ", Kafka with {more} brokers");
                }
            }
            if stack.embeds_kafka() {
                text.push_str(" (embedded)");
            }
            let Images {
                redis,
                mysql,
                kafka,
            } = &stack.images;
            for image in [redis, mysql, kafka].into_iter().flatten() {
                let _ = write!(text, ", image {image}");
            }
            for Group { role, count } in &stack.groups {
                let _ = match (role, count) {
                    (Role::All, 1) => Ok(()),
                    (Role::All, count) => write!(text, ", {count} replicas"),
                    (role, count) => write!(text, ", {count} {role}"),
                };
            }
            for setting in &stack.settings {
                let name = setting.key.replace('_', " ");
                let _ = write!(text, ", {name} {}", setting.shown);
            }
            if let Some(bug) = &stack.bug {
                let _ = write!(text, ", planted bug {bug}");
            }
            text
        }
        Target::Urls {
            urls,
            ready,
            http2,
            by,
            ca,
            ..
        } => {
            let urls: Vec<String> = urls.iter().map(ToString::to_string).collect();
            let mut text = urls.join(", ");
            if *by == By::Vu {
                text.push_str(", each VU stays with one");
            }
            if *http2 {
                text.push_str(", HTTP/2");
            }
            if let Some(ca) = ca {
                let _ = write!(text, ", trusting {ca}");
            }
            if let Some(ready) = ready {
                let _ = write!(text, ", ready when {ready} answers");
            }
            text
        }
    }
}

fn one_load(load: &Load, plan: &Plan, out: &mut String) -> Done {
    let model = if load.executor.is_open() {
        "open model: starts follow the schedule"
    } else {
        "closed model: starts follow the answers"
    };
    writeln!(out, "\nload {} ({model})", load.name)?;
    if let Some(flow) = plan.flows.get(load.flow) {
        writeln!(out, "  flow      {}", flow.name)?;
    }
    writeln!(out, "  shape     {}", shape(&load.executor))?;
    here(load, plan.segment, out)?;
    writeln!(
        out,
        "  graceful  {} for iterations under way",
        Span(load.graceful_stop)
    )?;
    let phases = plan
        .phases
        .get(usize::from(load.phases.start)..usize::from(load.phases.end))
        .unwrap_or_default();
    let width = phases.iter().map(|phase| phase.name.chars().count()).max();
    let width = width.unwrap_or(0);
    let steps = stage_lines(&load.executor);
    for (phase, step) in std::iter::zip(phases, steps) {
        writeln!(
            out,
            "  phase     {:width$}  {:>8} .. {:<8} {step}",
            phase.name,
            Span(phase.from).to_string(),
            Span(phase.to).to_string(),
        )?;
    }
    curve::draw(load, plan.segment, out)?;
    let starts = match expect::starts(load, &plan.flows, plan.segment) {
        Starts::Exactly(starts) => Count(starts).to_string(),
        Starts::AtMost { vu_seconds, bound } => {
            let bound = bound.map_or(String::new(), |bound| format!(", at most {}", Count(bound)));
            let seconds = Count(vu_seconds.round() as u64);
            format!("depend on the answers: {seconds} VU-seconds{bound}")
        }
    };
    writeln!(out, "  starts    {starts}")
}

/// What of a shape is this segment's.
fn here(load: &Load, segment: Segment, out: &mut String) -> Done {
    if segment.is_whole() {
        return Ok(());
    }
    let most = load.executor.max_vus();
    let Some(among) = segment.among(most) else {
        return writeln!(
            out,
            "  here      nothing: there are only {} VUs",
            Count(most)
        );
    };
    let vus = Count(among.share(most));
    let rate = |rate: f64| Rate(rate / among.of() as f64);
    let what = match &load.executor {
        Executor::ConstantVus { .. } | Executor::PerVuIterations { .. } => format!("{vus} VUs"),
        Executor::RampingVus { .. } => format!("{vus} VUs at most"),
        Executor::SharedIterations { iterations, .. } => {
            let iterations = Count(among.share(*iterations));
            format!("{vus} VUs, {iterations} iterations together")
        }
        Executor::ConstantArrivalRate {
            rate: all,
            vus: first,
            ..
        } => {
            let first = Count(among.share(*first));
            format!("{}, {first} VUs, at most {vus}", rate(*all))
        }
        Executor::RampingArrivalRate {
            start, vus: first, ..
        } => {
            let first = Count(among.share(*first));
            format!("from {}, {first} VUs, at most {vus}", rate(*start))
        }
        Executor::Stampede { connect_within, .. } => format!(
            "{vus} users, released after {}, as nobody knows when all are connected",
            Span(*connect_within)
        ),
    };
    writeln!(out, "  here      {what}")
}

fn shape(executor: &Executor) -> String {
    match executor {
        Executor::ConstantVus { vus, .. } => format!("constant_vus: {} VUs", Count(*vus)),
        Executor::RampingVus { start, .. } => {
            format!("ramping_vus: from {} VUs", Count(*start))
        }
        Executor::PerVuIterations {
            vus, iterations, ..
        } => format!(
            "per_vu_iterations: {} VUs, {} iterations each",
            Count(*vus),
            Count(*iterations)
        ),
        Executor::SharedIterations {
            vus, iterations, ..
        } => format!(
            "shared_iterations: {} VUs, {} iterations together",
            Count(*vus),
            Count(*iterations)
        ),
        Executor::ConstantArrivalRate {
            rate, vus, max_vus, ..
        } => format!(
            "constant_arrival_rate: {}, {} VUs, at most {}",
            Rate(*rate),
            Count(*vus),
            Count(*max_vus)
        ),
        Executor::RampingArrivalRate {
            start,
            vus,
            max_vus,
            ..
        } => format!(
            "ramping_arrival_rate: from {}, {} VUs, at most {}",
            Rate(*start),
            Count(*vus),
            Count(*max_vus)
        ),
        Executor::Stampede {
            users,
            connect_within,
            ..
        } => format!(
            "stampede: {} users connect within {}, then all ask at once",
            Count(*users),
            Span(*connect_within)
        ),
    }
}

/// What each phase leads to.
fn stage_lines(executor: &Executor) -> Vec<String> {
    match executor {
        Executor::RampingVus { stages, .. } => {
            let line = |stage: &super::Stage| format!("to {} VUs", Count(stage.target));
            stages.iter().map(line).collect()
        }
        Executor::RampingArrivalRate { stages, .. } => {
            let line = |stage: &super::RateStage| format!("to {}", Rate(stage.target));
            stages.iter().map(line).collect()
        }
        Executor::PerVuIterations { .. }
        | Executor::SharedIterations { .. }
        | Executor::Stampede { .. } => vec!["at the latest".to_owned()],
        Executor::ConstantVus { vus, .. } => vec![format!("{} VUs", Count(*vus))],
        Executor::ConstantArrivalRate { rate, .. } => vec![Rate(*rate).to_string()],
    }
}

fn expectation(plan: &Plan, out: &mut String) -> Done {
    let needed = match expect::users(plan) {
        (Some(exact), _) => format!("{} different users ask", Count(exact)),
        (None, Some(most)) => format!("at most {} different users ask", Count(most)),
        (None, None) => "how many users ask depends on the answers".to_owned(),
    };
    write!(
        out,
        "\nexpected    {needed}; {}",
        match plan.users.pool {
            0 => "the pool is known when it is read".to_owned(),
            pool => format!("the pool has {}", Count(pool)),
        }
    )?;
    if let Some(subject) = &plan.subject {
        write!(out, ", the stock is {}", Count(subject.stock))?;
    }
    let is_bound =
        |load: &Load| load.executor.vu_curve().is_none() && load.executor.ticks().is_none();
    let most = if plan.loads.iter().any(is_bound) {
        "at most "
    } else {
        ""
    };
    writeln!(out, "\nduration    {most}{} of load", Span(plan.duration()))
}

fn claims(plan: &Plan, out: &mut String) -> Done {
    if let Some(truth) = &plan.truth {
        print_truth(truth, out)?;
    }
    if !plan.invariants.is_empty() {
        let names: Vec<String> = plan.invariants.iter().map(ToString::to_string).collect();
        writeln!(out, "\ninvariants  {}", names.join(", "))?;
        details::print(plan, out)?;
    }
    if let Some(queue) = &plan.queue {
        writeln!(out, "  queue     {queue}")?;
    }
    if !plan.metrics.is_empty() {
        writeln!(out, "\nmetrics")?;
    }
    let names = plan
        .metrics
        .iter()
        .map(|metric| metric.name.chars().count());
    let width = names.max().unwrap_or(0);
    for CustomMetric {
        name,
        kind,
        capture,
        ..
    } in &plan.metrics
    {
        writeln!(out, "  {name:width$}  {kind} of {capture}")?;
    }
    resource::print(plan, out)?;
    alerts(plan, out)?;
    outputs::print(plan, out)?;
    if !plan.thresholds.is_empty() {
        writeln!(out, "\nthresholds")?;
    }
    for threshold in &plan.thresholds {
        write!(out, "  {}", threshold.name)?;
        if let Some(delay) = threshold.abort {
            write!(out, " (ends the run")?;
            if !delay.is_zero() {
                write!(out, ", not before {}", Span(delay))?;
            }
            write!(out, ")")?;
        }
        writeln!(
            out,
            "{}",
            if threshold.allow_empty {
                " (no data is fine)"
            } else {
                ""
            }
        )?;
    }
    if !plan.warnings.is_empty() {
        writeln!(out, "\nwarnings")?;
    }
    for warning in &plan.warnings {
        writeln!(out, "  {warning}")?;
    }
    Ok(())
}

fn alerts(plan: &Plan, out: &mut String) -> Done {
    let Some(alerts) = &plan.alerts else {
        return Ok(());
    };
    write!(out, "\nalerts      prometheus {}", alerts.prometheus)?;
    if alerts.authorization.is_some() {
        write!(out, ", with credentials")?;
    }
    if !alerts.only.is_empty() {
        write!(out, ", only {}", alerts.only.join(", "))?;
    }
    writeln!(out)
}

fn print_truth(truth: &Truth, out: &mut String) -> Done {
    writeln!(out, "\ntruth")?;
    let sources = [
        ("issued", &truth.issued),
        ("stock", &truth.stock),
        ("remaining", &truth.remaining),
    ];
    for (name, source) in sources {
        if let Some(source) = source {
            writeln!(out, "  {name:<9} {}", print_source(source))?;
        }
    }
    if let Some(outbox) = &truth.delivery.outbox {
        writeln!(out, "  outbox    {}", print_source(outbox))?;
    }
    if let Some(events) = &truth.delivery.events {
        writeln!(out, "  events    {}", print_events(events))?;
    }
    if let Some(effects) = &truth.delivery.effects {
        writeln!(out, "  effects   {}", print_source(effects))?;
    }
    for table in Table::ALL {
        if let Some(source) = truth.tables.of(table) {
            writeln!(out, "  {:<9} {}", table.name(), print_source(source))?;
        }
    }
    let (quiet, within) = (Span(truth.settle.quiet), Span(truth.settle.within));
    writeln!(out, "  settle    unchanged for {quiet}, within {within}")?;
    for backlog in &truth.pending {
        let read = match &backlog.of {
            BacklogOf::Number(source) => print_source(source),
            BacklogOf::Lag(group) => resource::group(group),
        };
        writeln!(out, "  pending   0 by then: {read}")?;
    }
    let drain = if truth.drain {
        "fresh users ask after the load until the first sold-out"
    } else {
        "no"
    };
    writeln!(out, "  drain     {drain}")
}

fn print_events(events: &Events) -> String {
    let place = match &events.of {
        EventsOf::Bundled => return "from the bundled system's own topic".to_owned(),
        EventsOf::Kafka(topic) => format!("kafka {}, topic {}", topic.brokers, topic.topic),
    };
    let id = match &events.id {
        EventId::Key => "id in the key".to_owned(),
        EventId::Value(at) => format!("id at \"{at}\""),
    };
    let sequence = events.sequence.as_ref();
    let sequence = sequence.map(|at| format!("rising at \"{at}\""));
    let coupon = events.coupon.as_ref();
    let coupon = coupon.map(|of| format!("only where \"{}\" is {}", of.at, of.is));
    let words = [Some(place), Some(id), sequence, coupon];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn print_source(source: &Source) -> String {
    let text = match &source.query {
        Query::Bundled => "from the bundled system's own database".to_owned(),
        Query::Sql { url, query, pages } => {
            let words: Vec<&str> = query.split_whitespace().collect();
            let paged = |pages: &Pages| {
                let rows = Count(pages.rows);
                format!(", in pages of {rows} by `{}`", pages.key)
            };
            let paged = pages.as_ref().map(paged).unwrap_or_default();
            format!("sql {}: {}{paged}", url.redacted(), words.join(" "))
        }
        Query::Redis { url, command } => format!("redis {}: {}", url.redacted(), command.join(" ")),
        Query::Http { url, pointer, .. } => {
            let text = url.reveal();
            let shown = if text.starts_with('/') {
                text.split('?').next().unwrap_or_default().to_owned()
            } else {
                url.redacted()
            };
            format!("http GET {shown} at \"{pointer}\"")
        }
    };
    match source.offset {
        0 => text,
        offset => format!("{text}, {offset:+}"),
    }
}
