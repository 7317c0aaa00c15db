//! Values of the script as YAML, in one line each.

use super::users::{Users, template};
use super::value::{Piece, Place, Val, Written, shown};
pub(super) use crate::yaml::{key, quoted};

/// A text with its places.
pub(super) fn text(pieces: &[Piece]) -> String {
    quoted(&pieces.iter().map(template).collect::<String>())
}

/// Any value, as YAML's flow style; the user's id stands for itself.
pub(super) fn value(value: &Val<'_>, users: &Users<'_>) -> String {
    match users.recognised(value) {
        Val::Undefined | Val::Null => "null".to_owned(),
        Val::Bool(value) => value.to_string(),
        Val::Number(number) => shown(number),
        Val::List(items) => {
            let items: Vec<_> = items.iter().map(|item| self::value(item, users)).collect();
            format!("[{}]", items.join(", "))
        }
        Val::Map(members) if members.is_empty() => "{}".to_owned(),
        Val::Map(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, member)| format!("{}: {}", key(name), self::value(member, users)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        // The only number that can be told from a text is the user's id.
        Val::Place(Place::User, Written::AsNumber) => quoted("{{ user | number }}"),
        other => text(&users.recognised_pieces(&other.pieces())),
    }
}
