//! The plan's steps made ready: what does not change between requests is built once.

mod message;
mod text;

use std::time::Duration;

use url::Url;

use self::message::MessageTemplate;
pub use self::text::Scratch;
use self::text::TextTemplate;
use super::capture::Captures;
use super::classify::Classifier;
use super::http::{Endpoint, Outgoing};
use super::place::Places;
use crate::plan::{Label, Part, Plan, Step, Template, Until, Values};

/// A step for one endpoint.
#[derive(Debug)]
pub struct CompiledStep {
    /// Tells the answers' outcomes.
    pub classifier: Classifier,
    /// From the start of the attempt to the last byte of the body.
    pub timeout: Duration,
    /// Whether the answer decides if the user got the subject.
    pub attempts_subject: bool,
    /// What is kept of an answer.
    pub captures: Captures,
    /// What is kept of a user's place in a queue, if anything.
    pub places: Option<Places>,
    /// What ends the poll, where that is not a label.
    pub until: Option<Classifier>,
    needs: Vec<u8>,
    target: Template,
    /// Whether the scenario says itself which cookies are sent.
    own_cookies: bool,
    request: RequestTemplate,
}

/// In the form that the endpoint's connections take.
#[derive(Debug)]
enum RequestTemplate {
    Text(TextTemplate),
    Message(Box<MessageTemplate>),
}

/// A step that cannot be sent as HTTP.
#[derive(Debug, thiserror::Error)]
#[error("step `{step}`: {problem}")]
pub struct StepError {
    step: String,
    problem: String,
}

impl CompiledStep {
    /// All steps of the plan for this endpoint, in the plan's order.
    ///
    /// # Errors
    /// When a method, path or header is not valid HTTP.
    pub fn all(plan: &Plan, endpoint: &Endpoint) -> Result<Vec<Self>, StepError> {
        let steps = plan.steps.iter().zip(0_u8..);
        steps
            .map(|(step, number)| {
                let queue = plan.queue.as_deref();
                Ok(Self {
                    places: queue.and_then(|queue| Places::of(queue, number, step)),
                    ..Self::new(step, &plan.labels, endpoint)?
                })
            })
            .collect()
    }

    /// The same as messages, whatever the endpoint's own connections take: for another client.
    ///
    /// # Errors
    /// When a method, path or header is not valid HTTP.
    #[cfg(feature = "goose")]
    pub(super) fn all_as_messages(
        plan: &Plan,
        endpoint: &Endpoint,
    ) -> Result<Vec<Self>, StepError> {
        let steps = plan.steps.iter();
        steps
            .map(|step| Self::compile(step, &plan.labels, endpoint, false))
            .collect()
    }

    /// One step for this endpoint; its rules name these labels.
    ///
    /// # Errors
    /// When its method, path or a header is not valid HTTP.
    pub fn new(step: &Step, labels: &[Label], endpoint: &Endpoint) -> Result<Self, StepError> {
        Self::compile(step, labels, endpoint, endpoint.takes_text())
    }

    fn compile(
        step: &Step,
        labels: &[Label],
        endpoint: &Endpoint,
        as_text: bool,
    ) -> Result<Self, StepError> {
        let url = &endpoint.url;
        // HTTP/1.1 sends the path alone and the host as a header; HTTP/2 sends the whole URL.
        let (prefix, host) = if endpoint.http2 {
            (url.to_string(), None)
        } else {
            (url.prefix.clone(), Some(authority(endpoint)))
        };
        let target = with_query(&prefix, &step.path, &step.query);
        let own_cookies = step.headers.iter().any(|(name, _)| name == "cookie");
        let request_target = target.clone();
        let headers = with_defaults(host, &step.headers);
        let request = if as_text {
            let text = TextTemplate::new(&step.method, &target, &headers, &step.body);
            RequestTemplate::Text(text)
        } else {
            let message = MessageTemplate::new(&step.method, target, headers, step.body.clone());
            RequestTemplate::Message(Box::new(message.map_err(|problem| StepError {
                step: step.name.clone(),
                problem,
            })?))
        };
        Ok(Self {
            classifier: Classifier::new(step, labels),
            timeout: step.timeout,
            attempts_subject: step.attempts_subject,
            captures: Captures::new(&step.captures),
            places: None,
            until: step.poll.as_ref().and_then(|poll| match &poll.until {
                Until::Answer(rule) => Some(Classifier::of(std::slice::from_ref(rule), &[])),
                Until::Labels(_) => None,
            }),
            needs: step.slots().collect(),
            target: request_target,
            own_cookies,
            request,
        })
    }

    /// Whether every value that the request needs is there.
    pub fn is_ready(&self, slots: &[Option<String>]) -> bool {
        let there = |slot: &u8| slots.get(usize::from(*slot)).is_some_and(Option::is_some);
        self.needs.iter().all(there)
    }

    /// Whether findings may be about who asks.
    pub const fn names_users(&self) -> bool {
        match &self.places {
            Some(places) => self.attempts_subject || places.is_entry,
            None => self.attempts_subject,
        }
    }

    /// Whether the user's cookies are sent with it.
    pub const fn takes_cookies(&self) -> bool {
        !self.own_cookies
    }

    /// The URL of the request with these values, as cookies need it; `None` if it is none.
    pub fn url(&self, endpoint: &Endpoint, values: &Values<'_>) -> Option<Url> {
        let base = Url::parse(&endpoint.url.to_string()).ok()?;
        base.join(&self.target.to_text(values)).ok()
    }

    /// The request with these values and cookies; `None` if a value cannot stand where the
    /// template puts it. Whoever keeps `scratch` between requests saves its allocation.
    pub fn request<'a>(
        &self,
        values: &Values<'_>,
        cookies: &str,
        scratch: &'a mut Scratch,
    ) -> Option<Outgoing<'a>> {
        match &self.request {
            RequestTemplate::Text(text) => {
                text.render(values, cookies, scratch).map(Outgoing::Text)
            }
            RequestTemplate::Message(message) => {
                let message = message.render(values, cookies, scratch)?;
                Some(Outgoing::Message(Box::new(message)))
            }
        }
    }
}

const USER_AGENT: &str = concat!("fcfs-bench/", env!("CARGO_PKG_VERSION"));

fn authority(endpoint: &Endpoint) -> String {
    let url = &endpoint.url;
    let host = if url.host.contains(':') {
        format!("[{}]", url.host)
    } else {
        url.host.clone()
    };
    let default_port = if url.https { 443 } else { 80 };
    if url.port == default_port {
        host
    } else {
        format!("{host}:{}", url.port)
    }
}

/// What every request says, unless the step says it otherwise.
fn with_defaults(host: Option<String>, own: &[(String, Template)]) -> Vec<(String, Template)> {
    let host = host.map(|host| ("host", host));
    let others = [
        ("user-agent", USER_AGENT.to_owned()),
        ("accept", "*/*".to_owned()),
    ];
    let defaults = host.into_iter().chain(others);
    let missing = defaults.filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    missing
        .map(|(name, value)| (name.to_owned(), Template::literal(value)))
        .chain(own.iter().cloned())
        .collect()
}

fn with_query(prefix: &str, path: &Template, query: &[(String, Template)]) -> Template {
    let mut target = Template::literal(prefix);
    target.parts.extend(path.parts.iter().cloned());
    let has_query = path
        .parts
        .iter()
        .any(|part| matches!(part, Part::Literal(text) if text.contains('?')));
    for (at, (name, value)) in query.iter().enumerate() {
        let separator = if at == 0 && !has_query { '?' } else { '&' };
        target
            .parts
            .push(Part::Literal(format!("{separator}{name}=")));
        target.parts.extend(value.parts.iter().cloned());
    }
    join_literals(target)
}

fn join_literals(template: Template) -> Template {
    let mut parts: Vec<Part> = Vec::with_capacity(template.parts.len());
    for part in template.parts {
        match (parts.last_mut(), part) {
            (Some(Part::Literal(before)), Part::Literal(text)) => before.push_str(&text),
            (_, part) => parts.push(part),
        }
    }
    Template { parts }
}
