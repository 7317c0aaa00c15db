//! What one request takes from the answer to another: kept under a name, wherever the scenario can.

use std::collections::BTreeMap;
use std::ops::Range;

use super::flow::{Capture, Request};
use super::options::name_of;
use super::script::Script;
use super::value::{Found, Place, Val, replaced};

/// Which requests can take from which.
pub(super) struct Order {
    pub(super) before: Range<usize>,
    /// Of each flow.
    pub(super) flows: Vec<Range<usize>>,
}

impl Order {
    /// Whether what is kept of the first answer is there for the second request.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let same = |flow: &Range<usize>| flow.contains(&from) && flow.contains(&to);
        from < to && (self.before.contains(&from) || self.flows.iter().any(same))
    }
}

/// Words in the name of a value that is nobody's business.
const SECRET: [&str; 7] = [
    "token", "secret", "password", "auth", "session", "jwt", "cookie",
];

/// Words that mean something in every template.
const TAKEN: [&str; 6] = ["user", "n", "vu", "iter", "uuid", "coupon"];

/// Gives a name to everything that is taken from an answer and can be kept, and remembers the
/// columns of the users' file that are used.
pub(super) fn keep(script: &mut Script<'_>, order: &Order) {
    let mut names = Names::default();
    let coupon = script.users.coupon_of.take();
    let mut requests = std::mem::take(&mut script.requests);
    let mut columns = std::mem::take(&mut script.columns);
    for (at, request) in requests.iter_mut().enumerate() {
        each(request, &mut |place| match place {
            Place::Captured { step, found } if order.reaches(step, at) => {
                Place::Kept(names.of(script, step, &found))
            }
            Place::Column(name) => {
                if !columns.contains(&name) {
                    columns.push(name.clone());
                }
                Place::Column(name)
            }
            place => place,
        });
    }
    if let Some((step, found)) = coupon.filter(|(step, _)| order.before.contains(step)) {
        let name = names.of(script, step, &found);
        script.users.coupon = Some(format!("{{{{ {name} }}}}"));
    }
    for ((step, found), name) in names.known {
        let hint = format!("{name} {found:?}").to_lowercase();
        let secret = SECRET.iter().any(|word| hint.contains(word));
        requests[step].captures.push(Capture {
            name,
            found,
            secret,
        });
    }
    (script.requests, script.columns) = (requests, columns);
}

fn each(request: &mut Request<'_>, with: &mut dyn FnMut(Place) -> Place) {
    request.url = replaced(std::mem::take(&mut request.url), with);
    for value in [&mut request.body, &mut request.params] {
        *value = std::mem::replace(value, Val::Undefined).replaced(with);
    }
}

#[derive(Default)]
struct Names {
    known: BTreeMap<(usize, Found), String>,
}

impl Names {
    /// The script's own name of the value, or the last word of its place.
    fn of(&mut self, script: &Script<'_>, step: usize, found: &Found) -> String {
        let key = (step, found.clone());
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let (Found::Json(place) | Found::Header(place) | Found::Cookie(place)) = found;
        let last = place.rsplit('/').next().unwrap_or_default();
        let own = script.names.get(&key).map_or(last, String::as_str);
        let name = name_of(own).replace(['.', '-'], "_");
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let free = candidates.find(|name| {
            let used = self.known.values().any(|known| known == name);
            !used && !TAKEN.contains(&name.as_str())
        });
        let name = free.expect("numbers do not end");
        self.known.insert(key, name.clone());
        name
    }
}
