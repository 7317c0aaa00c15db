//! A request as hyper takes it, for TLS and HTTP/2.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};

use super::text::Scratch;
use crate::load::http::Message;
use crate::plan::{Body, Template, Values};

/// A request, but for its values.
#[derive(Debug)]
pub(super) struct MessageTemplate {
    method: Method,
    fixed_uri: Option<Uri>,
    target: Template,
    fixed_headers: HeaderMap,
    filled_headers: Vec<(HeaderName, Template)>,
    body: Body,
}

impl MessageTemplate {
    /// Of a request with this method, target and headers.
    ///
    /// # Errors
    /// When one of them is not valid HTTP.
    pub(super) fn new(
        method: &str,
        target: Template,
        headers: Vec<(String, Template)>,
        body: Body,
    ) -> Result<Self, String> {
        let mut fixed_headers = HeaderMap::new();
        let mut filled_headers = Vec::new();
        for (name, template) in headers {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            match template.as_literal() {
                Some(text) => {
                    let value = HeaderValue::from_str(text).map_err(|error| error.to_string())?;
                    fixed_headers.insert(name, value);
                }
                None => filled_headers.push((name, template)),
            }
        }
        Ok(Self {
            method: method.parse().map_err(|_| format!("no method: {method}"))?,
            fixed_uri: target.as_literal().map(parse_uri).transpose()?,
            target,
            fixed_headers,
            filled_headers,
            body,
        })
    }

    /// The request with these values; `None` if a value cannot stand where its template puts it.
    pub(super) fn render(
        &self,
        values: &Values<'_>,
        cookies: &str,
        scratch: &mut Scratch,
    ) -> Option<Message> {
        let part = &mut scratch.part;
        let mut request = Request::new(Full::new(self.render_body(values, part)));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = if let Some(uri) = &self.fixed_uri {
            uri.clone()
        } else {
            let target = rendered(&self.target, values, part);
            Uri::from_maybe_shared(Bytes::copy_from_slice(target)).ok()?
        };
        *request.headers_mut() = self.fixed_headers.clone();
        for (name, template) in &self.filled_headers {
            let value = HeaderValue::from_bytes(rendered(template, values, part)).ok()?;
            request.headers_mut().insert(name, value);
        }
        if !cookies.is_empty() {
            let cookies = HeaderValue::from_str(cookies).ok()?;
            request.headers_mut().insert(COOKIE, cookies);
        }
        Some(request)
    }

    fn render_body(&self, values: &Values<'_>, part: &mut Vec<u8>) -> Bytes {
        match &self.body {
            Body::None => Bytes::new(),
            // A copy of exact size is one allocation; a vector with room to spare is two.
            Body::Text(template) => Bytes::copy_from_slice(rendered(template, values, part)),
        }
    }
}

fn rendered<'a>(template: &Template, values: &Values<'_>, out: &'a mut Vec<u8>) -> &'a [u8] {
    out.clear();
    template.render(values, out);
    out
}

fn parse_uri(text: &str) -> Result<Uri, String> {
    text.parse()
        .map_err(|error| format!("`{text}` is no path: {error}"))
}
