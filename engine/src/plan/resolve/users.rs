//! Who asks: the pool, the repeats and the id that is sent.

use super::template::{self, Piece, Place, Words};
use super::{records, token};
use crate::plan::slots::SlotTable;
use crate::plan::{Draw, Escape, Part, Per, Template, Users, Variable};
use crate::scenario::{At, Given, Report, Users as Written, did_you_mean};

/// More than any event has asked for, and every number still fits an `INT` column.
const DEFAULT_POOL: u64 = 1_000_000;

pub(super) fn resolve(
    written: &Given<Written>,
    coupon: Option<&str>,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Option<Users> {
    let mut users = Users::numbered(DEFAULT_POOL);
    let written = match written {
        Given::Absent => return Some(users),
        Given::Broken => return None,
        Given::Value(written) => written,
    };
    users.cookies = written.cookies;
    if let Some(pool) = &written.pool {
        if pool.value.0 == 0 {
            report.error(pool.position, "a pool of 0 users cannot ask");
        }
        users.pool = pool.value.0;
    }
    users.repeat = written.repeat.as_ref().map_or(0.0, |share| share.value.0);
    if let Some(repeat) = &written.repeat
        && repeat.value.0 >= 1.0
    {
        report.error_hint(
            repeat.position,
            "if everybody repeats, nobody asks for the first time",
            "write less than `100%`",
        );
    }
    if let Some(per) = &written.per {
        match per.value.as_str() {
            "iteration" => {}
            "vu" => users.per = Per::Vu,
            other => report.error_hint(
                per.position,
                format!("`{}` is not a time to take a new user", per.shown()),
                did_you_mean(other, &["iteration", "vu"]),
            ),
        }
    }
    draw(written, &mut users, report);
    // What one of them brings is known to the others although it is wrong.
    let id = identify(written, &mut users, slots, report);
    let token = proof(written, &mut users, coupon, slots, report);
    id.and(token)?;
    Some(users)
}

/// What is known of each user, and what each is called.
fn identify(
    written: &Written,
    users: &mut Users,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Option<()> {
    if !written.from.is_absent() {
        users.records = Some(records::resolve(written, slots, report)?);
        // How many there are is known when they have been read.
        users.pool = written.pool.as_ref().map_or(0, |pool| pool.value.0);
    }
    if let Some(id) = &written.id {
        users.id = id_template(id, slots, report)?;
        stays_the_same(id, users, report);
    } else if let Ok(slot) = slots.find(records::ID) {
        users.id = Template {
            parts: vec![Part::Value(Variable::Slot(slot), Escape::Raw)],
        };
    }
    Some(())
}

/// Whoever comes again has to come under the same name.
fn stays_the_same(id: &At<String>, users: &Users, report: &mut Report<'_>) {
    let changes = users.id.uses(Variable::Vu) || users.id.uses(Variable::Iteration);
    let again = match users.draw {
        Draw::AtRandom => Some("random"),
        Draw::Once => (users.repeat > 0.0).then_some("repeat"),
    };
    if let Some(key) = again.filter(|_| changes) {
        report.error_hint(
            id.position,
            "a repeat asks as the same user again, but this id changes with the VU or the iteration",
            format!("make the id of `n` or `uuid`, or leave `{key}` out"),
        );
    }
}

/// How each user proves who it is.
fn proof(
    written: &Written,
    users: &mut Users,
    coupon: Option<&str>,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Option<()> {
    if written.token.is_absent() {
        return Some(());
    }
    let token = written.token.value();
    users.token = token.and_then(|token| token::resolve(token, coupon, slots, report));
    if users.token.is_none() {
        slots.declare(token::NAME, true);
        return None;
    }
    Some(())
}

/// Drawing at random says by itself how often users come again, and when they are taken.
fn draw(written: &Written, users: &mut Users, report: &mut Report<'_>) {
    let Some(random) = written.random.as_ref().filter(|random| random.value) else {
        return;
    };
    users.draw = Draw::AtRandom;
    if written.pool.is_none() && written.from.is_absent() {
        report.error_hint(
            random.position,
            "`random` needs a pool: its size decides how often users ask again",
            "write `users: { pool: 1000, random: true }`",
        );
    }
    if let Some(repeat) = written.repeat.as_ref().filter(|share| share.value.0 > 0.0) {
        report.error_hint(
            repeat.position,
            "`repeat` cannot stand beside `random`: users drawn at random ask again by chance",
            "remove `repeat`, and choose the size of `pool`",
        );
    }
    if users.per == Per::Vu {
        report.error_hint(
            random.position,
            "`random` cannot stand beside `per: vu`: a VU would draw once and stay that user",
            "remove one of them; for many requests of one user at once, write \
             `users: { pool: 1, random: true }`",
        );
    }
}

fn id_template(id: &At<String>, slots: &SlotTable, report: &mut Report<'_>) -> Option<Template> {
    let names = template::pieces(&id.value).unwrap_or_default();
    let is_user = |piece: &Piece<'_>| matches!(piece, Piece::Name { name: "user", .. });
    if names.iter().any(is_user) {
        report.error_hint(
            id.position,
            "`user` is made of this text and cannot stand in it",
            "use `n`, `vu`, `iter` or `uuid`",
        );
        return None;
    }
    let words = Words {
        coupon: None,
        slots: Some(slots),
    };
    template::parse(id, Place::Raw, words, report)
}

/// Why two different users could have the same id, if they could.
pub(super) fn collision(users: &Users, loads: usize) -> Option<&'static str> {
    let id = &users.id;
    if id.uses(Variable::Number) || id.uses(Variable::Uuid) {
        return None;
    }
    // Ids that are read are compared then.
    if id.slots().next().is_some() {
        return None;
    }
    if !id.uses(Variable::Vu) {
        return Some("it has neither `n` nor `uuid` nor `vu`");
    }
    if loads > 1 {
        return Some("each load counts its VUs from 1");
    }
    if users.per == Per::Vu {
        return None;
    }
    if !id.uses(Variable::Iteration) {
        return Some("it stays the same in every iteration of a VU");
    }
    let adjacent = |pair: &[Part]| matches!(pair, [Part::Value(..), Part::Value(..)]);
    id.parts
        .windows(2)
        .any(adjacent)
        .then_some("VU 1 in iteration 11 and VU 11 in iteration 1 are written alike")
}
