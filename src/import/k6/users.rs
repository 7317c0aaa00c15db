//! Who asks: which of the script's values is the user's id, and how the scenario says it.

use std::collections::BTreeSet;

use super::value::{Opaque, Piece, Place, Val, Written, shown};
use crate::import::Note;

/// The user's id, once a value with a user's name was seen, and what is given away likewise.
#[derive(Debug, Default)]
pub(super) struct Users<'t> {
    user: Option<User<'t>>,
    /// The value of a name such as `couponId`.
    pub(super) coupon: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct User<'t> {
    line: usize,
    name: String,
    value: Val<'t>,
}

/// The key `users` of the scenario.
pub(super) struct Described {
    pub(super) comments: Vec<String>,
    pub(super) pool: Option<u64>,
    pub(super) per_vu: bool,
    pub(super) id: String,
}

impl<'t> Users<'t> {
    /// A value under its name. The first that tells users apart becomes the user's id, and stands
    /// as such wherever the script uses it.
    pub(super) fn seen(
        &mut self,
        name: &str,
        value: Val<'t>,
        line: usize,
        notes: &mut BTreeSet<Note>,
    ) -> Val<'t> {
        if self.coupon.is_none() && is_coupon(name) {
            self.coupon = literal(&value);
        }
        let tells = value.changes() || matches!(&value, Val::Unknown(opaque) if opaque.line > 0);
        if !is_user(name) || !tells {
            return value;
        }
        match &self.user {
            None => self.adopt(name, &value, line),
            Some(user) if user.value == value => {}
            Some(user) => {
                let first = user.line;
                let text = format!(
                    "`{name}` is another user's id than in line {first}: only one can be said, and the checks know users by that"
                );
                notes.insert(Note { line, text });
                return value;
            }
        }
        as_user(&value)
    }

    fn adopt(&mut self, name: &str, value: &Val<'t>, line: usize) {
        let (name, value) = (name.to_owned(), value.clone());
        self.user = Some(User { line, name, value });
    }

    pub(super) const fn is_known(&self) -> bool {
        self.user.is_some()
    }

    /// Takes this value for the user's id although nothing is called so: it tells users apart.
    pub(super) fn guess(&mut self, name: &str, value: &Val<'t>, line: usize) {
        if self.user.is_none() {
            self.adopt(name, value, line);
        }
    }

    /// The value, or the user's id if it is that.
    pub(super) fn recognised(&self, value: &Val<'t>) -> Val<'t> {
        match &self.user {
            Some(user) if user.value == *value => as_user(value),
            _ => value.clone(),
        }
    }

    /// A text in which the user's id is recognised where it is a single value.
    pub(super) fn recognised_pieces(&self, pieces: &[Piece]) -> Vec<Piece> {
        let whole = self.user.as_ref().map(|user| user.value.pieces());
        let Some([Piece::Place(only)]) = whole.as_deref() else {
            return pieces.to_vec();
        };
        let recognise = |piece: &Piece| match piece {
            Piece::Place(place) if place == only => Piece::Place(Place::User),
            piece => piece.clone(),
        };
        pieces.iter().map(recognise).collect()
    }

    pub(super) fn describe(&self) -> Described {
        let Some(User { line, name, value }) = &self.user else {
            return Described {
                comments: vec![
                    "TODO: the script names no user: what tells users apart?".to_owned(),
                ],
                pool: None,
                per_vu: false,
                id: "{{ n }}".to_owned(),
            };
        };
        let mut comments = vec![format!("`{name}` of line {line} of the script.")];
        let (mut pool, mut per_vu) = (None, false);
        let pieces = value.pieces();
        let places = || {
            pieces.iter().filter_map(|piece| match piece {
                Piece::Place(place) => Some(place),
                Piece::Literal(_) => None,
            })
        };
        for place in places() {
            match place {
                Place::Random(range) => {
                    pool = Some((range.high - range.low).round().max(1.0) as u64)
                        .filter(|pool| *pool > 1);
                    comments.push("The script draws it at random, so some ask twice by accident, and their refusals prove nothing.".to_owned());
                    comments.push("Here each iteration is somebody new; who asks twice does so on purpose: `repeat: 5%`.".to_owned());
                }
                Place::Unknown(Opaque { source, .. }) => {
                    comments.push(format!(
                        "TODO: the script takes it from `{source}`: how are the ids written?"
                    ));
                }
                Place::Time => comments.push(
                    "The script puts a time into it; here each user has a number.".to_owned(),
                ),
                _ => {}
            }
        }
        let only_vu = places().all(|place| *place == Place::Vu) && places().next().is_some();
        if only_vu {
            comments.push("Each VU is one user, who asks again in each iteration.".to_owned());
            per_vu = true;
        }
        if places().next().is_none() {
            comments.push("Always the same user.".to_owned());
        }
        let id = pieces.iter().map(id).collect();
        Described {
            comments,
            pool,
            per_vu,
            id,
        }
    }
}

fn as_user<'t>(value: &Val<'t>) -> Val<'t> {
    let written = match value {
        Val::Place(_, written) => *written,
        Val::Number(_) => Written::AsNumber,
        _ => Written::AsText,
    };
    Val::Place(Place::User, written)
}

/// As the scenario writes it in `users.id`: what is not known tells users apart all the same.
fn id(piece: &Piece) -> String {
    match piece {
        Piece::Place(Place::Unknown(_) | Place::Captured { .. }) => "{{ n }}".to_owned(),
        piece => template(piece),
    }
}

/// As the scenario writes it, in texts.
pub(super) fn template(piece: &Piece) -> String {
    match piece {
        // What means something in a scenario is written so that it means itself.
        Piece::Literal(text) => text.replace("${", "$${"),
        Piece::Place(place) => match place {
            Place::User => "{{ user }}".to_owned(),
            Place::Vu => "{{ vu }}".to_owned(),
            Place::Iteration => "{{ iter }}".to_owned(),
            Place::Sequence | Place::Random(..) | Place::Time => "{{ n }}".to_owned(),
            Place::Uuid => "{{ uuid }}".to_owned(),
            Place::Environment(name) => format!("${{{name}}}"),
            Place::Captured { .. } | Place::Unknown(_) => "TODO".to_owned(),
        },
    }
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a value of this name is who asks: `userId`, `member_id`, `X-User-Id`.
pub(super) fn is_user(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "user", "member", "customer", "account", "buyer", "email", "uid",
    ];
    const OTHERS: [&str; 12] = [
        "agent", "count", "size", "max", "min", "pool", "start", "total", "num", "range", "offset",
        "token",
    ];
    let name = plain(name);
    NAMES.iter().any(|part| name.contains(part))
        && OTHERS.iter().all(|part| !name.contains(part))
        && !name.ends_with('s')
}

fn is_coupon(name: &str) -> bool {
    const NAMES: [&str; 5] = ["coupon", "event", "ticket", "product", "campaign"];
    let name = plain(name);
    NAMES.iter().any(|part| name.contains(part)) && name.ends_with("id")
}

/// A value that never changes, in words.
pub(super) fn literal(value: &Val<'_>) -> Option<String> {
    match value {
        Val::Number(number) => Some(shown(*number)),
        value => value.as_text().filter(|text| !text.is_empty()),
    }
}
