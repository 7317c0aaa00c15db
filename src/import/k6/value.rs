//! What an expression of a script comes to without running it.

use tree_sitter::Node;

use super::records::{self, Kind, Source};

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Val<'t> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Vec<Piece>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    /// A single changing value; in JSON it is a number where the script computed one.
    Place(Place, Written),
    /// `JSON.stringify` of a value.
    Json(Box<Self>),
    /// The answer to the request with this index.
    Answer(usize),
    /// `res.status`.
    Status(usize),
    /// `res.body`.
    Body(usize),
    /// `res.headers['Name']`, in lower case.
    Header(usize, String),
    /// `res.cookies.Name`.
    Cookie(usize, String),
    /// A place in an answer's JSON.
    Pointer(usize, String),
    /// The text of a file, by its name.
    File(String),
    /// What a file holds, parsed.
    Records(Source),
    /// One record of the users' file.
    Record(Kind),
    Function(Node<'t>),
    /// What a branch returns that may not be taken.
    Perhaps(Box<Self>),
    /// A name that the script does not define, such as `http.post`.
    Name(String),
    /// What cannot be said without running the script.
    Unknown(Opaque),
}

/// An expression that is not followed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opaque {
    pub(super) line: usize,
    pub(super) source: String,
}

/// How a changing value stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    AsNumber,
    AsText,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Place(Place),
}

/// Evenly distributed numbers from the first to below the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Whether they were made whole.
    pub(super) whole: bool,
    /// Whether they come in turn, and then again, and not by chance.
    pub(super) cycles: bool,
}

/// Where in an answer a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// A JSON pointer.
    Json(String),
    /// A header's name.
    Header(String),
    /// A cookie's name.
    Cookie(String),
}

/// A value that differs from request to request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    Vu,
    Iteration,
    /// Another number for each iteration of the whole test.
    Sequence,
    Uuid,
    Random(Range),
    /// A moment: different whenever it is asked.
    Time,
    /// Who asks; what that is stands with the users.
    User,
    /// An environment variable.
    Environment(String),
    /// A place in the answer of an earlier request.
    Captured {
        step: usize,
        found: Found,
    },
    /// The same, under the name by which the scenario keeps it.
    Kept(String),
    /// What the user's record has in this column.
    Column(String),
    Unknown(Opaque),
}

impl Place {
    /// Whether it may tell one user from another.
    pub(super) const fn identifies(&self) -> bool {
        matches!(
            self,
            Self::Vu
                | Self::Iteration
                | Self::Sequence
                | Self::Uuid
                | Self::Random(..)
                | Self::Time
        )
    }
}

impl Val<'_> {
    /// The value, whether or not its branch is taken.
    pub(super) fn certain(self) -> Self {
        match self {
            Self::Perhaps(value) => value.certain(),
            value => value,
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(vec![Piece::Literal(text.into())])
    }

    /// The text, when nothing in it changes.
    pub(super) fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(pieces) => {
                pieces
                    .iter()
                    .try_fold(String::new(), |text, piece| match piece {
                        Piece::Literal(more) => Some(text + more),
                        Piece::Place(_) => None,
                    })
            }
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => self.as_text()?.trim().parse().ok(),
            _ => None,
        }
    }

    /// The members of a map; none of anything else.
    pub(super) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.members()
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Whether the script would not take it for true. `None` if that depends on the run.
    pub(super) fn is_falsy(&self) -> Option<bool> {
        match self {
            Self::Undefined | Self::Null | Self::Place(Place::Environment(_), _) => Some(true),
            Self::Bool(value) => Some(!value),
            Self::Number(number) => Some(*number == 0.0),
            Self::Text(_) => self.as_text().map(|text| text.is_empty()),
            Self::List(_) | Self::Map(_) | Self::Function(_) | Self::Json(_) => Some(false),
            _ => None,
        }
    }

    /// As pieces of a text.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        match self {
            Self::Text(pieces) => pieces.clone(),
            Self::Place(place, _) => vec![Piece::Place(place.clone())],
            Self::Number(number) => vec![Piece::Literal(shown(*number))],
            Self::Bool(value) => vec![Piece::Literal(value.to_string())],
            Self::Null => vec![Piece::Literal("null".to_owned())],
            Self::Record(kind) => vec![Piece::Place(records::only_column(*kind))],
            Self::Unknown(opaque) => vec![Piece::Place(Place::Unknown(opaque.clone()))],
            _ => vec![Piece::Place(self.captured().unwrap_or_else(|| {
                Place::Unknown(Opaque {
                    line: 0,
                    source: "a value".to_owned(),
                })
            }))],
        }
    }

    /// Of a value that stands in an answer: where.
    pub(super) fn captured(&self) -> Option<Place> {
        let (step, found) = match self {
            Self::Pointer(step, pointer) => (*step, Found::Json(pointer.clone())),
            Self::Header(step, name) => (*step, Found::Header(name.clone())),
            Self::Cookie(step, name) => (*step, Found::Cookie(name.clone())),
            _ => return None,
        };
        Some(Place::Captured { step, found })
    }

    /// The same with other places.
    pub(super) fn replaced(self, with: &mut dyn FnMut(Place) -> Place) -> Self {
        match self {
            Self::Text(pieces) => Self::Text(replaced(pieces, with)),
            Self::Place(place, written) => Self::Place(with(place), written),
            Self::Record(kind) => Self::Place(with(records::only_column(kind)), Written::AsText),
            Self::List(items) => {
                Self::List(items.into_iter().map(|item| item.replaced(with)).collect())
            }
            Self::Map(members) => {
                let members = members.into_iter();
                Self::Map(
                    members
                        .map(|(name, value)| (name, value.replaced(with)))
                        .collect(),
                )
            }
            Self::Json(inner) => Self::Json(Box::new(inner.replaced(with))),
            value => match value.captured() {
                Some(place) => Self::Place(with(place), Written::AsText),
                None => value,
            },
        }
    }

    /// Whether something in it differs from request to request.
    pub(super) fn changes(&self) -> bool {
        match self {
            Self::Place(place, _) => place.identifies(),
            Self::Text(pieces) => pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Place(place) if place.identifies())),
            _ => false,
        }
    }
}

/// As JavaScript writes it: without a fraction where there is none.
pub(super) fn shown(number: f64) -> String {
    number.to_string()
}

/// A text with other places.
pub(super) fn replaced(pieces: Vec<Piece>, with: &mut dyn FnMut(Place) -> Place) -> Vec<Piece> {
    let pieces = pieces.into_iter().map(|piece| match piece {
        Piece::Place(place) => Piece::Place(with(place)),
        Piece::Literal(text) => Piece::Literal(text),
    });
    pieces.collect()
}

/// A text with its neighbouring literals joined.
pub(super) fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (out.last_mut(), piece) {
            (_, Piece::Literal(text)) if text.is_empty() => {}
            (Some(Piece::Literal(before)), Piece::Literal(text)) => before.push_str(&text),
            (_, piece) => out.push(piece),
        }
    }
    out
}

/// Arithmetic, where it can be said what comes out.
pub(super) fn arithmetic<'t>(operator: &str, left: &Val<'t>, right: &Val<'t>) -> Option<Val<'t>> {
    if let (Val::Number(left), Val::Number(right)) = (left, right) {
        return Some(Val::Number(apply(operator, *left, *right)?));
    }
    if operator == "+" && (is_text(left) || is_text(right)) {
        let pieces = [left.pieces(), right.pieces()].concat();
        return Some(Val::Text(joined(pieces)));
    }
    let place = match (left, right) {
        (Val::Place(place, _), Val::Number(number)) => with_number(operator, place, *number)?,
        (Val::Number(number), Val::Place(place, _)) if matches!(operator, "+" | "*") => {
            with_number(operator, place, *number)?
        }
        // However they are put together: each iteration of each VU gets another number.
        (Val::Place(one, _), Val::Place(other, _)) if one.identifies() && other.identifies() => {
            match (one, other) {
                (Place::Vu, Place::Vu) => Place::Vu,
                _ => Place::Sequence,
            }
        }
        _ => return None,
    };
    Some(Val::Place(place, Written::AsNumber))
}

const fn is_text(value: &Val<'_>) -> bool {
    matches!(value, Val::Text(_))
}

fn apply(operator: &str, left: f64, right: f64) -> Option<f64> {
    Some(match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "%" => left % right,
        "**" => left.powf(right),
        _ => return None,
    })
}

fn with_number(operator: &str, place: &Place, number: f64) -> Option<Place> {
    match place {
        // Bits of the whole part: all of them.
        Place::Random(range) if matches!(operator, "|" | ">>") && number == 0.0 => {
            Some(Place::Random(Range {
                whole: true,
                ..*range
            }))
        }
        Place::Random(range) => {
            let one = apply(operator, range.low, number)?;
            let other = apply(operator, range.high, number)?;
            let (low, high) = (one.min(other), one.max(other));
            let whole = range.whole && operator != "/";
            Some(Place::Random(Range {
                low,
                high,
                whole,
                ..*range
            }))
        }
        // Sooner or later the same numbers come again.
        place if place.identifies() && operator == "%" => Some(Place::Random(Range {
            low: 0.0,
            high: number,
            whole: true,
            cycles: true,
        })),
        place if place.identifies() => Some(place.clone()),
        _ => None,
    }
}
