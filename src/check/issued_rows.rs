//! The issued rows of one read, packed: a million of them take tens of megabytes.
//!
//! As owned texts each row would take five times as much, most of it for allocations of their own.

use std::fmt;

use serde::Serialize;

use super::IssuedRow;

/// Issued rows in the store's order. All texts stand in one.
#[derive(Clone, Default, PartialEq)]
pub struct IssuedRows {
    texts: String,
    rows: Vec<Packed>,
}

/// Where a row's texts end, and the rest of it.
#[derive(Clone, Copy, PartialEq)]
struct Packed {
    user_end: usize,
    id_end: usize,
    created_us: i64,
    grain_us: i64,
    has_id: bool,
    has_created: bool,
    has_grain: bool,
}

/// An [`IssuedRow`] where it stands; its JSON is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RowView<'r> {
    /// The user's id as stored.
    pub user: &'r str,
    /// The coupon's id, where the truth has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'r str>,
    /// When it was created, microseconds of Unix time, where that is certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_us: Option<i64>,
    /// How coarse that time is, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grain_us: Option<i64>,
}

impl IssuedRows {
    /// Adds a row after the others.
    pub fn push(&mut self, row: &IssuedRow) {
        self.texts.push_str(&row.user);
        let user_end = self.texts.len();
        self.texts.push_str(row.id.as_deref().unwrap_or_default());
        self.rows.push(Packed {
            user_end,
            id_end: self.texts.len(),
            created_us: row.created_us.unwrap_or_default(),
            grain_us: row.grain_us.unwrap_or_default(),
            has_id: row.id.is_some(),
            has_created: row.created_us.is_some(),
            has_grain: row.grain_us.is_some(),
        });
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows in their order.
    pub fn iter(&self) -> impl Iterator<Item = RowView<'_>> {
        let mut from = 0;
        self.rows.iter().map(move |row| {
            let user = &self.texts[from..row.user_end];
            from = row.id_end;
            RowView {
                user,
                id: row.has_id.then(|| &self.texts[row.user_end..row.id_end]),
                created_us: row.has_created.then_some(row.created_us),
                grain_us: row.has_grain.then_some(row.grain_us),
            }
        })
    }
}

impl fmt::Debug for IssuedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<IssuedRow> for IssuedRows {
    fn from_iter<I: IntoIterator<Item = IssuedRow>>(rows: I) -> Self {
        let mut packed = Self::default();
        rows.into_iter().for_each(|row| packed.push(&row));
        packed
    }
}

impl From<Vec<IssuedRow>> for IssuedRows {
    fn from(rows: Vec<IssuedRow>) -> Self {
        rows.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_come_out_as_they_went_in(
            rows in prop::collection::vec(
                (".{0,6}", prop::option::of(".{0,6}"), any::<Option<i64>>(), any::<Option<i64>>()),
                0..6,
            ),
        ) {
            let row = |(user, id, created_us, grain_us)| IssuedRow { user, id, created_us, grain_us };
            let rows: Vec<IssuedRow> = rows.into_iter().map(row).collect();
            let packed = IssuedRows::from(rows.clone());
            prop_assert_eq!(packed.len(), rows.len());
            prop_assert_eq!(packed.is_empty(), rows.is_empty());
            for (view, row) in packed.iter().zip(&rows) {
                prop_assert_eq!(view.user, row.user.as_str());
                prop_assert_eq!(view.id, row.id.as_deref());
                prop_assert_eq!((view.created_us, view.grain_us), (row.created_us, row.grain_us));
                let (view, row) = (serde_json::to_string(&view), serde_json::to_string(row));
                prop_assert_eq!(view.expect("JSON"), row.expect("JSON"));
            }
        }
    }
}
