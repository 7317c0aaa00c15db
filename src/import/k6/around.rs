//! `setup` and `teardown`: what a script does around its test becomes `before` and `after`.

use std::ops::Range;

use super::flow::Action;
use super::script::Script;
use super::syntax::line;
use super::value::{Opaque, Place, Val, replaced};

/// What one of the two does.
#[derive(Debug, Clone)]
pub(super) struct Around<'t> {
    pub(super) requests: Range<usize>,
    /// What it returns.
    pub(super) value: Option<Val<'t>>,
}

impl<'t> Script<'t> {
    /// Performs the function of this name, if there is one.
    pub(super) fn around(&mut self, name: &str, data: &[Val<'t>]) -> Around<'t> {
        let first = self.requests.len();
        let Some(Val::Function(function)) = self.lookup(name).cloned() else {
            return Around {
                requests: first..first,
                value: None,
            };
        };
        // Who asks is a matter of the iterations: here it is an administrator, or everybody.
        self.users.asleep = true;
        let value = self.invoke(function, data);
        self.users.asleep = false;
        let requests = first..self.requests.len();
        let actions = std::mem::take(&mut self.actions);
        if requests.is_empty() {
            let text = format!("{name}() sends no request: it is left out");
            self.note(line(function), text);
        } else if actions
            .iter()
            .any(|action| matches!(action, Action::Think(..)))
        {
            self.note(
                line(function),
                format!("the pauses of {name}() are left out"),
            );
        }
        self.without_users(&requests);
        Around {
            requests,
            value: Some(value),
        }
    }

    /// Nobody in particular asks there: what would be another for each user is not known.
    fn without_users(&mut self, requests: &Range<usize>) {
        for request in &mut self.requests[requests.clone()] {
            let line = request.line;
            let mut with = |place| nobody(place, line);
            let take = |value: &mut Val<'t>| std::mem::replace(value, Val::Undefined);
            request.url = replaced(std::mem::take(&mut request.url), &mut with);
            request.body = take(&mut request.body).replaced(&mut with);
            request.params = take(&mut request.params).replaced(&mut with);
        }
    }
}

fn nobody(place: Place, line: usize) -> Place {
    let source = match &place {
        Place::Vu => "the VU",
        Place::Iteration | Place::Sequence => "the iteration",
        Place::Uuid => "a UUID",
        Place::Random(_) => "a random number",
        Place::Time => "the time",
        Place::User | Place::Column(_) => "the user",
        _ => return place,
    };
    let source = source.to_owned();
    Place::Unknown(Opaque { line, source })
}
