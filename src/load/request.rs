//! The plan's steps made ready: what does not change between requests is built once.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};

use super::classify::Classifier;
use super::http::Endpoint;
use crate::plan::{Body, Plan, Step, Template, Values};

/// A step for one endpoint.
#[derive(Debug)]
pub struct CompiledStep {
    /// Tells the answers' outcomes.
    pub classifier: Classifier,
    /// From the start of the attempt to the last byte of the body.
    pub timeout: Duration,
    /// Whether the answer decides if the user got the subject.
    pub attempts_subject: bool,
    method: Method,
    fixed_uri: Option<Uri>,
    uri_prefix: String,
    target: Template,
    fixed_headers: HeaderMap,
    filled_headers: Vec<(HeaderName, Template)>,
    body: Body,
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
        plan.steps
            .iter()
            .map(|step| Self::new(step, plan, endpoint))
            .collect()
    }

    fn new(step: &Step, plan: &Plan, endpoint: &Endpoint) -> Result<Self, StepError> {
        let fail = |problem: String| StepError {
            step: step.name.clone(),
            problem,
        };
        let url = &endpoint.url;
        // HTTP/1.1 sends the path alone and the host as a header; HTTP/2 sends the whole URL.
        let uri_prefix = if endpoint.http2 {
            url.to_string()
        } else {
            url.prefix.clone()
        };
        let target = with_query(&step.path, &step.query);
        let fixed_uri = match target.as_literal() {
            Some(text) => Some(parse_uri(&format!("{uri_prefix}{text}")).map_err(fail)?),
            None => None,
        };
        let mut fixed_headers = HeaderMap::new();
        if !endpoint.http2 {
            let host =
                HeaderValue::from_str(&authority(endpoint)).map_err(|e| fail(e.to_string()))?;
            fixed_headers.insert("host", host);
        }
        fixed_headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));
        fixed_headers.insert("accept", HeaderValue::from_static("*/*"));
        let mut filled_headers = Vec::new();
        for (name, template) in &step.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| fail(e.to_string()))?;
            match template.as_literal() {
                Some(text) => {
                    let value = HeaderValue::from_str(text).map_err(|e| fail(e.to_string()))?;
                    fixed_headers.insert(name, value);
                }
                None => filled_headers.push((name, template.clone())),
            }
        }
        Ok(Self {
            classifier: Classifier::new(step, &plan.labels),
            timeout: step.timeout,
            attempts_subject: step.attempts_subject,
            method: step
                .method
                .parse()
                .map_err(|_| fail(format!("no method: {}", step.method)))?,
            fixed_uri,
            uri_prefix,
            target,
            fixed_headers,
            filled_headers,
            body: step.body.clone(),
        })
    }

    /// The request with these values; `None` if a value cannot stand where the template puts it.
    /// `scratch` is filled anew; whoever keeps it between requests saves its allocation.
    pub fn request(
        &self,
        values: &Values<'_>,
        scratch: &mut Vec<u8>,
    ) -> Option<Request<Full<Bytes>>> {
        let uri = match &self.fixed_uri {
            Some(uri) => uri.clone(),
            None => self.render_uri(values, scratch)?,
        };
        let mut request = Request::new(Full::new(self.render_body(values, scratch)));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.fixed_headers.clone();
        for (name, template) in &self.filled_headers {
            scratch.clear();
            template.render(values, scratch);
            request
                .headers_mut()
                .insert(name, HeaderValue::from_bytes(scratch).ok()?);
        }
        Some(request)
    }

    fn render_uri(&self, values: &Values<'_>, scratch: &mut Vec<u8>) -> Option<Uri> {
        scratch.clear();
        scratch.extend_from_slice(self.uri_prefix.as_bytes());
        self.target.render(values, scratch);
        Uri::from_maybe_shared(Bytes::copy_from_slice(scratch)).ok()
    }

    fn render_body(&self, values: &Values<'_>, scratch: &mut Vec<u8>) -> Bytes {
        match &self.body {
            Body::None => Bytes::new(),
            Body::Text(template) => {
                scratch.clear();
                template.render(values, scratch);
                // A copy of exact size is one allocation; a vector with room to spare is two.
                Bytes::copy_from_slice(scratch)
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

fn with_query(path: &Template, query: &[(String, Template)]) -> Template {
    let mut target = path.clone();
    let has_query = path
        .parts
        .iter()
        .any(|part| matches!(part, crate::plan::Part::Literal(text) if text.contains('?')));
    for (at, (name, value)) in query.iter().enumerate() {
        let separator = if at == 0 && !has_query { '?' } else { '&' };
        target
            .parts
            .push(crate::plan::Part::Literal(format!("{separator}{name}=")));
        target.parts.extend(value.parts.iter().cloned());
    }
    join_literals(target)
}

fn join_literals(template: Template) -> Template {
    use crate::plan::Part::Literal;
    let mut parts: Vec<crate::plan::Part> = Vec::with_capacity(template.parts.len());
    for part in template.parts {
        match (parts.last_mut(), part) {
            (Some(Literal(before)), Literal(text)) => before.push_str(&text),
            (_, part) => parts.push(part),
        }
    }
    Template { parts }
}

fn parse_uri(text: &str) -> Result<Uri, String> {
    text.parse()
        .map_err(|error| format!("`{text}` is no path: {error}"))
}
