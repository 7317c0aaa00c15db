//! The processes of the bundled server: their settings, and how many there are.

use crate::plan::{Group, Role, ServerSetting};
use crate::scenario::value::Count;
use crate::scenario::{At, Given, Position, Replicas, Report, Scenario, Server, Token, list};

use super::services::DEFAULT_STRATEGY;

/// More of one role are a mistake on one machine.
const MOST: u64 = 32;

/// Which roles the processes of a strategy have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Roles {
    /// Each does everything.
    Alike,
    /// Some answer, others write the rows.
    WithIssuer,
    /// The four servers of an event with a queue.
    WithQueue,
}

impl Roles {
    /// In the order in which they start: who is asked is there before who asks.
    const fn in_order(self) -> &'static [Role] {
        match self {
            Self::Alike => &[Role::All],
            Self::WithIssuer => &[Role::Issuer, Role::Coupon],
            Self::WithQueue => &[Role::Issuer, Role::Queue, Role::Coupon, Role::Router],
        }
    }
}

/// The settings as `serve` takes them; those that the strategy does not use are refused.
pub(super) fn settings(server: &Server, report: &mut Report<'_>) -> Vec<ServerSetting> {
    let strategy = server.strategy.as_ref();
    let strategy = strategy.map_or(DEFAULT_STRATEGY, |name| name.value.as_str());
    let mut settings = Vec::new();
    for written in &server.settings {
        let row = written.row;
        if !row.strategies.is_empty() && !row.strategies.contains(&strategy) {
            report.error_hint(
                written.position,
                format!("the strategy `{strategy}` does not use `{}`", row.key),
                format!("remove it, or choose one of {}", list(row.strategies)),
            );
        }
        settings.push(ServerSetting {
            key: row.key,
            shown: written.shown.clone(),
            flag: row.flag(),
            argument: written.argument.clone(),
        });
    }
    settings
}

/// Members prove who they are by tokens that the servers can check.
pub(super) fn check_members(
    scenario: &Scenario,
    stack: Position,
    roles: Roles,
    report: &mut Report<'_>,
) {
    if roles != Roles::WithQueue {
        return;
    }
    let token = match &scenario.users {
        Given::Value(users) => &users.token,
        Given::Absent => &Given::Absent,
        Given::Broken => return,
    };
    if matches!(token, Given::Value(Token::Hs256(_)) | Given::Broken) {
        return;
    }
    report.error_hint(
        stack,
        "the strategy knows its users by signed tokens, and `users.token` signs none",
        "write `users: { token: { hs256: { secret: \"${JWT_SECRET}\", claims: { sub: \"{{ user }}\", \
         exp: 1h } } } }`; the servers are given the same secret",
    );
}

/// How many processes of each role there are; one where nothing is written.
pub(super) fn groups(server: &Server, roles: Roles, report: &mut Report<'_>) -> Option<Vec<Group>> {
    let known = roles.in_order();
    let mut groups: Vec<Group> = Vec::new();
    groups.extend(known.iter().map(|&role| Group { role, count: 1 }));
    match &server.replicas {
        None => {}
        Some(Replicas::Issuing(count)) => {
            let count = checked(count, report)?;
            for group in groups.iter_mut().filter(|group| group.role.issues()) {
                group.count = count;
            }
        }
        Some(Replicas::ByRole(counts)) => {
            for (name, written) in counts {
                let count = checked(written, report)?;
                let group = groups.iter_mut().find(|group| group.role.as_str() == *name);
                let Some(group) = group else {
                    let message = format!("the strategy has no processes for the role `{name}`");
                    report.error_hint(written.position, message, said(roles));
                    return None;
                };
                group.count = count;
            }
        }
    }
    Some(groups)
}

fn said(roles: Roles) -> String {
    if roles == Roles::Alike {
        return "its processes are all alike: write `replicas: 2`".to_owned();
    }
    let names = roles.in_order().iter().map(|role| role.as_str());
    format!("write some of {}", list(&names.collect::<Vec<_>>()))
}

fn checked(count: &At<Count>, report: &mut Report<'_>) -> Option<u16> {
    if (1..=MOST).contains(&count.value.0) {
        return u16::try_from(count.value.0).ok();
    }
    report.error_hint(
        count.position,
        format!("{} processes of one role are not possible", count.value.0),
        format!("write a number from 1 to {MOST}"),
    );
    None
}
