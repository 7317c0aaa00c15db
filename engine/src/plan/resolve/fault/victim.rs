//! Who is broken, and whether it is there.

use crate::plan::fault::{Party, Victim, Which};
use crate::plan::{Database, Role, Stack, Target};
use crate::scenario::value::Count;
use crate::scenario::{At, Blow, Report};

/// As a scenario calls them; `server` is every process that issues.
const PARTIES: [(&str, Party); 9] = [
    ("redis", Party::Redis),
    ("database", Party::Database),
    ("kafka", Party::Kafka),
    ("server", Party::Server(Role::All)),
    ("coupon", Party::Server(Role::Coupon)),
    ("issuer", Party::Server(Role::Issuer)),
    ("queue", Party::Server(Role::Queue)),
    ("router", Party::Server(Role::Router)),
    ("client", Party::Client),
];

impl Party {
    /// As a scenario calls it.
    pub fn name(&self) -> &'static str {
        let found = PARTIES.iter().find(|(_, party)| party == self);
        found.map_or("server", |(name, _)| name)
    }
}

pub(super) fn resolve(
    blow: &Blow,
    which: Option<&At<String>>,
    target: Option<&Target>,
    report: &mut Report<'_>,
) -> Option<Victim> {
    let found = PARTIES.iter().find(|(name, _)| *name == blow.party.value);
    // The decoder lets no other name through.
    let party = found?.1.clone();
    let which = match which {
        None => Some(Which::All),
        Some(text) => read_which(text, report),
    };
    match target? {
        Target::Stack(stack) => {
            let there = instances(&party, stack);
            is_there(&party, there, blow, stack, report)?;
            fits(which?, there, &party, report, blow).map(|which| Victim { party, which })
        }
        Target::Urls { .. } if party == Party::Client => Some(Victim {
            party,
            which: which?,
        }),
        Target::Urls { parts, .. } => {
            let there = parts.iter().filter(|part| part.party.belongs_to(&party));
            let there = there.count() as u16;
            is_named(&party, there, blow, report)?;
            fits(which?, there, &party, report, blow).map(|which| Victim { party, which })
        }
    }
}

fn read_which(text: &At<String>, report: &mut Report<'_>) -> Option<Which> {
    match text.value.as_str() {
        "all" => return Some(Which::All),
        "any" => return Some(Which::Any),
        _ => {}
    }
    let number = text.value.parse::<Count>().ok();
    let number = number.and_then(|count| u16::try_from(count.0).ok());
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        report.error_hint(
            text.position,
            format!("`{}` is no instance", text.shown()),
            "write `all`, `any`, or a number from 1",
        );
    }
    number.map(Which::Number)
}

/// How many there are of it.
fn instances(party: &Party, stack: &Stack) -> u16 {
    match party {
        Party::Redis => u16::from(stack.redis_processes()),
        Party::Database => u16::from(stack.database == Database::MySql),
        Party::Kafka => u16::from(stack.kafka),
        Party::Client => 1,
        Party::Server(role) => {
            let meant = stack.groups.iter().filter(|group| match role {
                Role::All => group.role.issues(),
                role => group.role == *role,
            });
            meant.map(|group| group.count).sum()
        }
    }
}

fn is_there(
    party: &Party,
    there: u16,
    blow: &Blow,
    stack: &Stack,
    report: &mut Report<'_>,
) -> Option<()> {
    if there > 0 {
        return Some(());
    }
    let strategy = stack.strategy.as_deref();
    let strategy = strategy.unwrap_or(super::super::services::DEFAULT_STRATEGY);
    let name = party.name();
    let message = match party {
        Party::Server(_) => format!("the strategy `{strategy}` has no processes `{name}`"),
        _ => format!("the strategy `{strategy}` uses no {name} that can be broken"),
    };
    report.error_hint(
        blow.party.position,
        message,
        "break something else, or choose another strategy",
    );
    None
}

/// Of a system that already runs only what the scenario names can be broken.
fn is_named(party: &Party, there: u16, blow: &Blow, report: &mut Report<'_>) -> Option<()> {
    if there > 0 {
        return Some(());
    }
    let name = party.name();
    report.error_hint(
        blow.party.position,
        format!("nobody knows where the `{name}` of this target is"),
        format!(
            "name it beside `url`: `parts: {{ {name}: {{ container: NAME }} }}`, see docs/faults.md"
        ),
    );
    None
}

fn fits(
    which: Which,
    there: u16,
    party: &Party,
    report: &mut Report<'_>,
    blow: &Blow,
) -> Option<Which> {
    if let Which::Number(number) = which
        && number > there
    {
        report.error_hint(
            blow.party.position,
            format!(
                "there is no {} number {number}: there are {there}",
                party.name()
            ),
            format!("write `which:` with a number from 1 to {there}"),
        );
        return None;
    }
    Some(which)
}
