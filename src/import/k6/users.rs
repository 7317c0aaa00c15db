//! Who asks: which of the script's values is the user's id, and how the scenario says it.

use std::collections::BTreeSet;

use super::records::{Take, Taken, id_column};
use super::value::{Found, Opaque, Piece, Place, Range, Val, Written, shown};
use crate::import::Note;

/// The user's id, once a value with a user's name was seen, and what is given away likewise.
#[derive(Debug, Default)]
pub(super) struct Users<'t> {
    user: Option<User<'t>>,
    /// The value of a name such as `couponId`.
    pub(super) coupon: Option<String>,
    /// Where an answer says it.
    pub(super) coupon_of: Option<(usize, Found)>,
    /// While nobody in particular asks.
    pub(super) asleep: bool,
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
    pub(super) random: bool,
    /// The value of `from`.
    pub(super) from: Option<String>,
    pub(super) cookies: bool,
    /// None: the column of that name.
    pub(super) id: Option<String>,
}

impl Described {
    fn numbered() -> Self {
        Self {
            comments: Vec::new(),
            pool: None,
            per_vu: false,
            random: false,
            from: None,
            cookies: false,
            id: Some("{{ n }}".to_owned()),
        }
    }
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
            if let Some(Place::Captured { step, found }) = value.captured() {
                self.coupon_of.get_or_insert((step, found));
            }
        }
        if self.asleep {
            return value;
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

    pub(super) fn describe(&self, records: Option<&Taken>, columns: &[String]) -> Described {
        let mut described = match (&self.user, records) {
            (Some(user), _) => named(user),
            (None, Some(_)) => of_columns(columns),
            (None, None) => {
                let text = "TODO: the script names no user: what tells users apart?";
                let mut described = Described::numbered();
                described.comments.push(text.to_owned());
                described
            }
        };
        if let Some(taken) = records {
            described.from = Some(taken.from());
            described.pool = None;
            described.per_vu = taken.take == Take::PerVu;
            described.random = taken.take == Take::AtRandom;
            described.comments.extend(taken.comments(columns));
        }
        described
    }
}

fn of_columns(columns: &[String]) -> Described {
    let mut described = Described::numbered();
    let column = id_column(columns);
    described.comments.push(match column {
        Some(name) => format!("TODO: is `{name}` what the truth knows users by?"),
        None => {
            "TODO: which column is the user's id? Otherwise it is `id` or `user_id`.".to_owned()
        }
    });
    described.id = column.map(|name| format!("{{{{ user.{name} }}}}"));
    described
}

fn named(user: &User<'_>) -> Described {
    let User { line, name, value } = user;
    let mut described = Described::numbered();
    let pieces = value.pieces();
    let places: Vec<&Place> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Place(place) => Some(place),
            Piece::Literal(_) => None,
        })
        .collect();
    let comments = &mut described.comments;
    comments.push(format!("`{name}` of line {line} of the script."));
    match places.as_slice() {
        [] => comments.push("Always the same user.".to_owned()),
        [Place::Random(range)] if range.whole && range.high - range.low > 1.5 => {
            described.pool = Some((range.high - range.low).round() as u64);
            described.random = true;
            comments.extend(drawn(*range));
        }
        places if places.iter().all(|place| **place == Place::Vu) => {
            comments.push("Each VU is one user, who asks again in each iteration.".to_owned());
            described.per_vu = true;
        }
        places => comments.extend(places.iter().filter_map(|place| told(place))),
    }
    described.id = Some(pieces.iter().map(id).collect());
    described
}

/// What has to be known of a number that is drawn.
fn drawn(range: Range) -> Vec<String> {
    let mut comments = vec![
        if range.cycles {
            "The script's numbers come again in turn; here each iteration draws one, by the seed."
        } else {
            "Drawn at random, as in the script, so that some ask again; which, follows from the seed."
        }
        .to_owned(),
        "To let each ask once, and some again on purpose: `repeat: 5%` instead of `random`."
            .to_owned(),
    ];
    let (low, high) = (shown(range.low), shown(range.high - 1.0));
    if low != "1" {
        comments.push(format!(
            "TODO: the script draws from {low} to {high}; `n` is a number from 1 to the pool. Are these users there?"
        ));
    }
    comments
}

fn told(place: &Place) -> Option<String> {
    match place {
        Place::Random(_) => {
            Some("The script draws it at random; here each iteration is somebody new.".to_owned())
        }
        Place::Unknown(Opaque { source, .. }) => Some(format!(
            "TODO: the script takes it from `{source}`: how are the ids written?"
        )),
        Place::Time => {
            Some("The script puts a time into it; here each user has a number.".to_owned())
        }
        _ => None,
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
        Piece::Place(Place::Unknown(_) | Place::Captured { .. } | Place::Kept(_)) => {
            "{{ n }}".to_owned()
        }
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
            Place::Kept(name) => format!("{{{{ {name} }}}}"),
            Place::Column(name) => format!("{{{{ user.{name} }}}}"),
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

/// Whether a column of this name is the number by which a system knows its users.
pub(super) fn is_id(name: &str) -> bool {
    let name = plain(name);
    name == "id" || name.ends_with("id") && (is_user(&name) || name.contains("login"))
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
