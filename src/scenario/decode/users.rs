//! `users`: how many there are, how they are taken, and what each is called.

use super::super::identity::Users;
use super::super::node::Entry;
use super::super::position::At;
use super::super::reader::{self, Fields};
use super::super::report::Report;

pub(super) fn read(report: &mut Report<'_>, entry: &Entry) -> Option<Users> {
    let mut fields = Fields::behind(report, entry)?;
    fields.refuse(&["from", "token"]);
    let mut users = Users {
        position: entry.position,
        pool: None,
        repeat: None,
        random: None,
        per: None,
        id: None,
    };
    let pool = fields.get("pool");
    users.pool = pool.and_then(|entry| reader::value(report, &entry.node));
    let repeat = fields.get("repeat");
    users.repeat = repeat.and_then(|entry| reader::value(report, &entry.node));
    let random = fields.get("random");
    users.random = random.and_then(|entry| flag(report, entry));
    let per = fields.get("per");
    users.per = per.and_then(|entry| reader::text(report, &entry.node));
    let id = fields.get("id");
    users.id = id.and_then(|entry| reader::text(report, &entry.node));
    fields.finish(report);
    Some(users)
}

fn flag(report: &mut Report<'_>, entry: &Entry) -> Option<At<bool>> {
    let value = reader::flag(report, &entry.node)?;
    Some(At {
        value,
        position: entry.position,
        hidden: false,
    })
}
