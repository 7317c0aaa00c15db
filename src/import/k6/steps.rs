//! The script's requests as steps of the scenario.

use std::collections::BTreeSet;
use std::ops::Range;

use super::flow::{Capture, Request, Told};
use super::options::name_of;
use super::outcomes::{Outcome, outcomes};
use super::script::Script;
use super::users::is_user;
use super::value::{Found, Opaque, Piece, Place, Val};
use super::yaml;

/// A request as the scenario says it.
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    /// Lines `key: value` below the step's own line.
    pub(super) keys: Vec<String>,
    pub(super) outcomes: Vec<Outcome>,
    /// Statuses that are right, as far as the script says it.
    pub(super) expect: BTreeSet<u16>,
    /// Whether it is taken for the one that gives something away.
    pub(super) asks: bool,
}

/// All steps, and the address that the first of them goes to. Of the requests, those of the range
/// are made by users.
pub(super) fn steps(
    script: &mut Script<'_>,
    in_flows: &Range<usize>,
) -> (Option<String>, Vec<Step>) {
    find_user(script, in_flows);
    let asking = asking(&script.requests, in_flows);
    let requests = std::mem::take(&mut script.requests);
    let (mut base, mut names) = (None, BTreeSet::new());
    let mut steps = Vec::with_capacity(requests.len());
    for (at, request) in requests.iter().enumerate() {
        let (origin, path) = split(&script.users.recognised_pieces(&request.url));
        note_address(script, request, origin.as_ref(), base.as_ref());
        base = base.or(origin);
        let mut step = step(script, request, &path, asking.contains(&at));
        step.name = unique(&step.name, &mut names);
        steps.push(step);
    }
    (base, steps)
}

/// Who asks, if nothing was called so: what changes from request to request.
fn find_user(script: &mut Script<'_>, in_flows: &Range<usize>) {
    // A file says by itself whom it holds.
    if script.records.is_some() {
        return;
    }
    let requests = &script.requests[in_flows.clone()];
    for request in requests {
        for (name, value) in sent(request) {
            let constant = matches!(value, Val::Number(_)) || value.as_text().is_some();
            if !script.users.is_known() && is_user(&name) && constant {
                script.users.guess(&name, &value, request.line);
            }
        }
    }
    for request in requests {
        let segments = segments(&request.url)
            .into_iter()
            .map(|pieces| ("the address".to_owned(), Val::Text(pieces)));
        let found = segments
            .chain(sent(request))
            .find(|(_, value)| value.changes());
        if let Some((name, value)) = found.filter(|_| !script.users.is_known()) {
            script.users.guess(&name, &single(value), request.line);
        }
    }
}

/// A text of one place is that place.
fn single(value: Val<'_>) -> Val<'_> {
    match value {
        Val::Text(pieces) => match pieces.as_slice() {
            [Piece::Place(place)] => Val::Place(place.clone(), super::value::Written::AsText),
            _ => Val::Text(pieces),
        },
        value => value,
    }
}

/// The named values of body and headers.
fn sent<'t>(request: &Request<'t>) -> Vec<(String, Val<'t>)> {
    let body = match &request.body {
        Val::Json(inner) => inner.members(),
        body => body.members(),
    };
    let headers = request.params.get("headers").map_or(&[][..], Val::members);
    body.iter().chain(headers).cloned().collect()
}

fn segments(url: &[Piece]) -> Vec<Vec<Piece>> {
    let mut segments = vec![Vec::new()];
    for piece in url {
        match piece {
            Piece::Place(_) => segments
                .last_mut()
                .expect("there is one")
                .push(piece.clone()),
            Piece::Literal(text) => {
                for (at, part) in text.split(['/', '?', '=', '&']).enumerate() {
                    if at > 0 {
                        segments.push(Vec::new());
                    }
                    if !part.is_empty() {
                        segments
                            .last_mut()
                            .expect("there is one")
                            .push(Piece::Literal(part.to_owned()));
                    }
                }
            }
        }
    }
    segments
}

/// The requests that give something away: in each flow the last that writes and is no login.
fn asking(requests: &[Request<'_>], in_flows: &Range<usize>) -> Vec<usize> {
    let writes: Vec<_> = in_flows
        .clone()
        .filter(|at| requests[*at].method != "get" && !prepares(&requests[*at]))
        .collect();
    let same = |at: &usize| {
        writes.last().is_some_and(|last| {
            // Several functions may ask in the same way.
            yaml::text(&requests[*last].url) == yaml::text(&requests[*at].url)
        })
    };
    let found: Vec<_> = writes.iter().copied().filter(same).collect();
    if found.is_empty() {
        in_flows.clone().next_back().into_iter().collect()
    } else {
        found
    }
}

/// Whether the path says that somebody logs in, or the like.
fn prepares(request: &Request<'_>) -> bool {
    const PREPARE: [&str; 8] = [
        "login", "signin", "sign-in", "auth", "token", "signup", "join", "register",
    ];
    let path = yaml::text(&request.url).to_lowercase();
    PREPARE.iter().any(|part| path.contains(part))
}

/// Whether somebody logs in and takes nothing from the answer: then it is a cookie that counts,
/// which k6 keeps by itself.
pub(super) fn logs_in_by_cookie(requests: &[Request<'_>], flows: &[Range<usize>]) -> bool {
    flows.iter().any(|flow| {
        let requests = &requests[flow.clone()];
        let silent = |request: &Request<'_>| prepares(request) && request.captures.is_empty();
        requests
            .split_last()
            .is_some_and(|(_, earlier)| earlier.iter().any(silent))
    })
}

/// Scheme, host and port, if the script says them, and the path.
fn split(url: &[Piece]) -> (Option<String>, Vec<Piece>) {
    match url {
        [Piece::Place(_), rest @ ..] => (None, from_slash(rest)),
        [Piece::Literal(text), rest @ ..] => {
            let Some((scheme, behind)) = text.split_once("://") else {
                return (None, from_slash(url));
            };
            let (host, path) = behind.split_at(behind.find(['/', '?']).unwrap_or(behind.len()));
            let path = [vec![Piece::Literal(path.to_owned())], rest.to_vec()].concat();
            (Some(format!("{scheme}://{host}")), from_slash(&path))
        }
        [] => (None, from_slash(url)),
    }
}

fn from_slash(pieces: &[Piece]) -> Vec<Piece> {
    match pieces {
        [Piece::Literal(text), ..] if text.starts_with('/') => pieces.to_vec(),
        _ => [vec![Piece::Literal("/".to_owned())], pieces.to_vec()].concat(),
    }
}

fn note_address(
    script: &mut Script<'_>,
    request: &Request<'_>,
    origin: Option<&String>,
    base: Option<&String>,
) {
    match (origin, base) {
        (Some(origin), Some(base)) if origin != base => {
            let text = format!(
                "this request goes to {origin}, the others to {base}: it is sent there, too"
            );
            script.note(request.line, text);
        }
        (None, _)
            if !matches!(
                request.url.first(),
                Some(Piece::Place(Place::Environment(_)))
            ) =>
        {
            script.note(
                request.line,
                "the address of this request is not known: it goes to the target",
            );
        }
        _ => {}
    }
}

fn step(script: &mut Script<'_>, request: &Request<'_>, path: &[Piece], asks: bool) -> Step {
    note_places(script, path, request.line);
    let tag = request
        .params
        .get("tags")
        .and_then(|tags| tags.get("name"))
        .and_then(Val::as_text);
    let name = tag.unwrap_or_else(|| last_word(path));
    let mut keys: Vec<_> = headers(script, request).into_iter().collect();
    keys.extend(body(script, request));
    keys.extend(timeout(script, request));
    keys.extend(captures(request));
    for (key, _) in request.params.members() {
        if !matches!(
            key.as_str(),
            "headers" | "tags" | "timeout" | "responseType"
        ) {
            script.note(
                request.line,
                format!("the parameter `{key}` of the request is left out"),
            );
        }
    }
    if let Val::Unknown(Opaque { source, .. }) = &request.params {
        script.note(
            request.line,
            format!("the parameters `{source}` of the request are left out"),
        );
    }
    Step {
        line: request.line,
        name: name_of(&name),
        method: request.method,
        path: yaml::text(path),
        keys,
        outcomes: if asks {
            outcomes(&request.answers)
        } else {
            Vec::new()
        },
        expect: expected(&request.answers),
        asks,
    }
}

/// The statuses that a check or a branch names, if all of them do nothing but that.
fn expected(answers: &[Told]) -> BTreeSet<u16> {
    let plain = answers.iter().all(|told| told.case.is_plain());
    let statuses = answers.iter().filter_map(|told| told.case.status.clone());
    statuses.flatten().filter(|_| plain).collect()
}

/// `capture: { token: /data/token }`.
fn captures(request: &Request<'_>) -> Option<String> {
    let captures: Vec<_> = request.captures.iter().map(capture).collect();
    (!captures.is_empty()).then(|| format!("capture: {{ {} }}", captures.join(", ")))
}

fn capture(capture: &Capture) -> String {
    let (kind, place) = match &capture.found {
        Found::Json(pointer) => ("json", pointer),
        Found::Header(name) => ("header", name),
        Found::Cookie(name) => ("cookie", name),
    };
    let (name, place) = (yaml::key(&capture.name), yaml::quoted(place));
    match (&capture.found, capture.secret) {
        (Found::Json(_), false) => format!("{name}: {place}"),
        (_, false) => format!("{name}: {{ {kind}: {place} }}"),
        (_, true) => format!("{name}: {{ {kind}: {place}, secret: true }}"),
    }
}

/// The last word of the path, which mostly says what is done.
fn last_word(path: &[Piece]) -> String {
    let words = path.iter().filter_map(|piece| match piece {
        Piece::Literal(text) => Some(text.split('?').next().unwrap_or_default()),
        Piece::Place(_) => None,
    });
    let mut words = words
        .flat_map(|text| text.split('/'))
        .filter(|word| word.starts_with(char::is_alphabetic));
    words.next_back().unwrap_or("request").to_owned()
}

fn unique(name: &str, names: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    let free = candidates.find(|candidate| names.insert(candidate.clone()));
    free.expect("numbers do not end")
}

fn headers(script: &mut Script<'_>, request: &Request<'_>) -> Option<String> {
    let headers = request.params.get("headers")?.clone();
    if let Val::Unknown(Opaque { source, .. }) = &headers {
        script.note(request.line, format!("the headers `{source}` are left out"));
    }
    let json = matches!(request.body, Val::Json(_));
    let mut lines = Vec::new();
    for (name, value) in headers.members() {
        let name = name.to_lowercase();
        let own = matches!(name.as_str(), "content-length" | "connection" | "host");
        let implied = json
            && name == "content-type"
            && value
                .as_text()
                .is_some_and(|text| text.starts_with("application/json"));
        if own || implied {
            continue;
        }
        let pieces = script.users.recognised(value).pieces();
        note_places(script, &pieces, request.line);
        lines.push(format!(
            "{}: {}",
            yaml::key(&name),
            yaml::text(&script.users.recognised_pieces(&pieces))
        ));
    }
    (!lines.is_empty()).then(|| format!("headers: {{ {} }}", lines.join(", ")))
}

fn body(script: &mut Script<'_>, request: &Request<'_>) -> Option<String> {
    let (key, value) = match &request.body {
        Val::Undefined | Val::Null => return None,
        Val::Json(inner) => ("json", &**inner),
        map @ Val::Map(_) => ("form", map),
        text => ("text", text),
    };
    note_values(script, value, request.line);
    note_numbers(script, value, request.line);
    Some(format!("{key}: {}", yaml::value(value, &script.users)))
}

fn timeout(script: &mut Script<'_>, request: &Request<'_>) -> Option<String> {
    let value = request.params.get("timeout")?;
    let text = value
        .as_number()
        .map(|milliseconds| format!("{milliseconds}ms"))
        .or_else(|| value.as_text());
    let span = text.and_then(|text| text.parse::<crate::scenario::value::Span>().ok());
    if span.is_none() {
        script.note(request.line, "the timeout of the request is not known");
    }
    span.map(|span| format!("timeout: {span}"))
}

fn note_values(script: &mut Script<'_>, value: &Val<'_>, line: usize) {
    match value {
        Val::Map(members) => members
            .iter()
            .for_each(|(_, member)| note_values(script, member, line)),
        Val::List(items) => items
            .iter()
            .for_each(|item| note_values(script, item, line)),
        Val::Text(_) | Val::Place(..) | Val::Unknown(_) => {
            let pieces = script.users.recognised(value).pieces();
            let pieces = script.users.recognised_pieces(&pieces);
            note_places(script, &pieces, line);
        }
        Val::Pointer(..) | Val::Header(..) | Val::Cookie(..) => {
            note_places(script, &value.pieces(), line);
        }
        _ => {}
    }
}

/// A value of an answer or of a file may be a number, which a text in JSON is not.
fn note_numbers(script: &mut Script<'_>, value: &Val<'_>, line: usize) {
    for (name, member) in value.members() {
        let kept = matches!(member, Val::Place(Place::Kept(_) | Place::Column(_), _));
        let number = ["id", "no", "count", "amount", "quantity"];
        let named = name.to_lowercase();
        if kept && number.iter().any(|end| named.ends_with(end)) {
            let text = format!(
                "`{name}` is sent as a text: if it is a number, write `| number` behind its name"
            );
            script.note(line, text);
        }
        note_numbers(script, member, line);
    }
}

/// Says where a TODO stands in place of a value.
fn note_places(script: &mut Script<'_>, pieces: &[Piece], line: usize) {
    for piece in pieces {
        match piece {
            Piece::Place(Place::Unknown(Opaque { line: own, source })) => {
                let line = if *own == 0 { line } else { *own };
                script.note(
                    line,
                    format!("`{source}` is not known: `TODO` stands in its place"),
                );
            }
            Piece::Place(Place::Captured { found, .. }) => {
                let (Found::Json(place) | Found::Header(place) | Found::Cookie(place)) = found;
                let text = format!(
                    "`{place}` of another function's answer is sent here: `TODO` stands in its place"
                );
                script.note(line, text);
            }
            Piece::Place(Place::Random(_)) => {
                script.note(
                    line,
                    "a random number is sent here: the user's number stands in its place",
                );
            }
            Piece::Place(Place::Environment(name)) => {
                script.note(
                    line,
                    format!("the environment variable `{name}` must be set for each run"),
                );
            }
            _ => {}
        }
    }
}
