//! The sold seats of the truth against the answers: each at most once, and each as it was confirmed.

use super::told::{Claim, Told};
use crate::check::digest::Truth;
use crate::check::draft::{DraftCase, DraftPart, Pick, count_of};
use crate::check::recorded::Thing;
use crate::check::{TableRead, TableReads};
use crate::history::Key;

/// Seats and their owners, in order.
type Owners = Vec<(Key, Key)>;

/// The rows of both reads.
pub(super) struct Rows<'t> {
    truth: Truth,
    told: &'t Told,
    before: Owners,
    last: Owners,
}

/// A confirmed sale, and whose the seat is instead, if it is anybody's.
type Missed = (Claim, Option<Key>);

impl<'t> Rows<'t> {
    pub(super) fn of(reads: &TableReads, truth: Truth, told: &'t Told) -> Self {
        Self {
            truth,
            told,
            before: owners(reads.before.as_ref()),
            last: owners(reads.last.as_ref()),
        }
    }

    pub(super) fn parts(&self) -> Vec<DraftPart> {
        if self.truth == Truth::Missing {
            return Vec::new();
        }
        let (mut lost, mut others) = (Pick::default(), Pick::default());
        let mut missed = None;
        for sale in &self.told.sales {
            // Whoever gave it back, or may have, need not be found.
            let is_kept = self.told.end_of_sale(sale) == u64::MAX;
            let rows = rows_of(&self.last, sale.seat);
            let is_there = rows.iter().any(|(_, owner)| *owner == sale.user);
            let of = Some((sale.seat, sale.user));
            if is_there || !is_kept || missed == of {
                continue;
            }
            missed = of;
            let owner = rows.first().map(|(_, owner)| *owner);
            let pick: &mut Pick<Missed> = if owner.is_none() {
                &mut lost
            } else {
                &mut others
            };
            pick.offer(sale.user, sale.attempt.inv_ns, 0, (*sale, owner));
        }
        vec![self.rows_per_seat(), self.owner(&others), self.lost(&lost)]
    }

    /// What was there too often before the load is not this run's doing.
    fn rows_per_seat(&self) -> DraftPart {
        let mut pick: Pick<(Key, Key, Option<Key>, usize)> = Pick::default();
        let mut surplus = 0;
        for rows in self.last.chunk_by(|one, other| one.0 == other.0) {
            let (seat, owner) = rows[0];
            let allowed = rows_of(&self.before, seat).len().max(1);
            if rows.len() > allowed {
                surplus += (rows.len() - allowed) as u64;
                let other = rows.iter().map(|(_, owner)| *owner);
                let other = other.into_iter().find(|other| *other != owner);
                let item = (seat, owner, other, rows.len());
                pick.offer(seat, 0, rows.len() as u64, item);
            }
        }
        let detail = match pick.count {
            0 => format!(
                "{}, no seat twice",
                count_of(self.last.len() as u64, "sold seat")
            ),
            seats => format!(
                "{} in more than one row: {} too many",
                count_of(seats, "seat"),
                count_of(surplus, "row")
            ),
        };
        let verdict = self.truth.judge_rows(pick.count > 0);
        DraftPart::new("rows_per_seat", verdict, pick.count, detail).with(|| {
            pick.cases(|(seat, owner, other, rows)| {
                let text = match other {
                    Some(_) => format!("in {rows} rows, of this user and of"),
                    None => format!("in {rows} rows, all of this user"),
                };
                let sale = self.told.sale_of(seat, owner);
                DraftCase::of(owner, text)
                    .at(sale.map(|sale| sale.attempt))
                    .about(Thing::Seat(seat))
                    .other(other)
            })
        })
    }

    fn owner(&self, others: &Pick<Missed>) -> DraftPart {
        let detail = match others.count {
            0 => "no confirmed seat is another user's".to_owned(),
            sales => format!(
                "{} of a seat that is another user's in the end",
                count_of(sales, "confirmed sale")
            ),
        };
        let verdict = self.truth.judge(others.count > 0);
        DraftPart::new("owner", verdict, others.count, detail).with(|| {
            others.cases(|(sale, owner)| {
                case(
                    &sale,
                    "confirmed to this user, and in the end it belongs to",
                )
                .other(owner)
            })
        })
    }

    fn lost(&self, lost: &Pick<Missed>) -> DraftPart {
        let detail = match lost.count {
            0 => "every confirmed seat that was kept is in the truth".to_owned(),
            sales => format!("{} without a row", count_of(sales, "confirmed sale")),
        };
        let verdict = self.truth.judge(lost.count > 0);
        DraftPart::new("lost", verdict, lost.count, detail)
            .with(|| lost.cases(|(sale, _)| case(&sale, "confirmed, and nobody's in the end")))
    }
}

fn case(sale: &Claim, text: &str) -> DraftCase {
    DraftCase::of(sale.user, text)
        .at(Some(sale.attempt))
        .about(Thing::Seat(sale.seat))
}

fn owners(read: Option<&TableRead>) -> Owners {
    let rows = read.into_iter().flat_map(|read| read.rows.iter());
    let mut owners: Owners = rows
        .map(|[seat, owner, _]| (Key::of(seat), Key::of(owner)))
        .collect();
    owners.sort_unstable();
    owners
}

fn rows_of(owners: &Owners, seat: Key) -> &[(Key, Key)] {
    let from = owners.partition_point(|(other, _)| *other < seat);
    let rows = &owners[from..];
    &rows[..rows.partition_point(|(other, _)| *other == seat)]
}
