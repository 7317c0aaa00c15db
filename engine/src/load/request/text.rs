//! A request for plain HTTP/1.1: bytes that never change, with places for the values.

use crate::load::http::Text;
use crate::plan::{Body, Template, Values};

/// Room for rendering, kept between requests.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The whole request.
    pub(super) out: Vec<u8>,
    /// What has to be known before it can be written: a body, of which the head says the length.
    pub(super) part: Vec<u8>,
}

/// A request, but for its values.
#[derive(Debug)]
pub(super) struct TextTemplate {
    head: Vec<Piece>,
    body: Body,
    says_length: bool,
    is_head: bool,
    closes: bool,
}

#[derive(Debug)]
enum Piece {
    Fixed(Vec<u8>),
    /// With the bytes that its place allows.
    Filled(Template, fn(u8) -> bool),
}

impl TextTemplate {
    /// Of a request with this method, target and headers; `content-length` is not among them.
    pub(super) fn new(
        method: &str,
        target: &Template,
        headers: &[(String, Template)],
        body: &Body,
    ) -> Self {
        let mut head = Head::default();
        head.text(method);
        head.text(" ");
        head.value(target, may_be_in_target);
        head.text(" HTTP/1.1\r\n");
        for (name, value) in headers {
            head.text(name);
            head.text(": ");
            head.value(value, may_be_in_header);
            head.text("\r\n");
        }
        // A method with a meaning for content says that there is none (RFC 9110, section 8.6).
        let expects_content = matches!(method, "POST" | "PUT" | "PATCH");
        let says_length = expects_content || !matches!(body, Body::None);
        let closes = |(name, value): &(String, Template)| {
            let value = value.as_literal().unwrap_or_default();
            name == "connection" && value.to_ascii_lowercase().contains("close")
        };
        Self {
            head: head.pieces,
            body: body.clone(),
            is_head: method == "HEAD",
            closes: headers.iter().any(closes),
            says_length,
        }
    }

    /// The request with these values; `None` if a value cannot stand where its template puts it.
    pub(super) fn render<'a>(
        &self,
        values: &Values<'_>,
        cookies: &str,
        scratch: &'a mut Scratch,
    ) -> Option<Text<'a>> {
        let Scratch { out, part } = scratch;
        out.clear();
        for piece in &self.head {
            let from = out.len();
            match piece {
                Piece::Fixed(bytes) => out.extend_from_slice(bytes),
                Piece::Filled(template, allowed) => {
                    template.render(values, out);
                    if !out[from..].iter().all(|&byte| allowed(byte)) {
                        return None;
                    }
                }
            }
        }
        if !cookies.is_empty() {
            if !cookies.bytes().all(may_be_in_header) {
                return None;
            }
            out.extend_from_slice(b"cookie: ");
            out.extend_from_slice(cookies.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if self.says_length {
            part.clear();
            if let Body::Text(template) = &self.body {
                template.render(values, part);
            }
            out.extend_from_slice(b"content-length: ");
            out.extend_from_slice(itoa::Buffer::new().format(part.len()).as_bytes());
            out.extend_from_slice(b"\r\n\r\n");
            out.extend_from_slice(part);
        } else {
            out.extend_from_slice(b"\r\n");
        }
        Some(Text {
            bytes: out,
            is_head: self.is_head,
            closes: self.closes,
        })
    }
}

/// A head in the making; what does not change grows together.
#[derive(Debug, Default)]
struct Head {
    pieces: Vec<Piece>,
}

impl Head {
    fn text(&mut self, text: &str) {
        if let Some(Piece::Fixed(bytes)) = self.pieces.last_mut() {
            bytes.extend_from_slice(text.as_bytes());
        } else {
            self.pieces.push(Piece::Fixed(text.as_bytes().to_vec()));
        }
    }

    fn value(&mut self, template: &Template, allowed: fn(u8) -> bool) {
        match template.as_literal() {
            Some(text) => self.text(text),
            None => self.pieces.push(Piece::Filled(template.clone(), allowed)),
        }
    }
}

/// RFC 3986 and what is beyond ASCII; `#` would begin a fragment, which is never sent.
const fn may_be_in_target(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && byte != b'#'
}

/// RFC 9110, section 5.5.
const fn may_be_in_header(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Escape, Part, Variable};

    fn user(escape: Escape) -> Part {
        Part::Value(Variable::User, escape)
    }

    fn header(name: &str, value: &str) -> (String, Template) {
        (name.to_owned(), Template::literal(value))
    }

    fn rendered(template: &TextTemplate, user: &str) -> Option<String> {
        let values = Values {
            user,
            number: 7,
            vu: 1,
            iteration: 0,
            random: 0,
            slots: &[],
        };
        let mut scratch = Scratch::default();
        let text = template.render(&values, "", &mut scratch)?;
        Some(String::from_utf8_lossy(text.bytes).into_owned())
    }

    #[test]
    fn a_request_is_one_text_with_the_length_of_its_body() {
        let target = Template {
            parts: vec![Part::Literal("/issue?u=".to_owned()), user(Escape::Percent)],
        };
        let headers = [
            header("host", "shop"),
            (
                "x-user".to_owned(),
                Template {
                    parts: vec![user(Escape::Raw)],
                },
            ),
        ];
        let body = Body::Text(Template {
            parts: vec![user(Escape::JsonNumber)],
        });
        let template = TextTemplate::new("POST", &target, &headers, &body);
        let expected = "POST /issue?u=a%20b HTTP/1.1\r\nhost: shop\r\nx-user: a b\r\n\
                        content-length: 5\r\n\r\n\"a b\"";
        assert_eq!(rendered(&template, "a b").as_deref(), Some(expected));
        // A value must not write headers of its own.
        assert_eq!(rendered(&template, "a\r\nadmin: yes"), None);
    }

    #[test]
    fn only_a_request_that_may_have_a_body_says_that_it_has_none() {
        let target = Template::literal("/");
        let render = |method: &str, body: Body| {
            rendered(&TextTemplate::new(method, &target, &[], &body), "")
        };
        let table = [
            ("GET", Body::None, "GET / HTTP/1.1\r\n\r\n"),
            (
                "POST",
                Body::None,
                "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
            ),
            (
                "DELETE",
                Body::Text(Template::literal("x")),
                "DELETE / HTTP/1.1\r\ncontent-length: 1\r\n\r\nx",
            ),
        ];
        for (method, body, expected) in table {
            assert_eq!(render(method, body).as_deref(), Some(expected));
        }
    }
}
