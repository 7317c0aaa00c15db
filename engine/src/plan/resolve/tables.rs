//! `truth.seats`, `truth.ledger`, `truth.balances`: where they are read, and whether each claim has its
//! own.

use super::template::Words;
use super::truth::given;
use crate::plan::{Invariant, Table, Tables};
use crate::scenario::{Given, Query, Report, Scenario, Truth as WrittenTruth, TruthSource};

/// Where the tables are read, and whether what is claimed has its own.
pub(super) fn resolve(scenario: &Scenario, words: Words<'_>, report: &mut Report<'_>) -> Tables {
    let written = scenario.truth.value();
    let mut tables = Tables::default();
    for table in Table::ALL {
        let source = written.map_or(&Given::Absent, |truth| written_of(truth, table));
        let claim = claim_on(table);
        let claimed = scenario.invariants.iter().map(|written| &written.name);
        let claimed = claimed.into_iter().find(|name| name.value == claim.name());
        match (source, claimed) {
            (Given::Value(source), None) => {
                if let Query::Sql { url, .. } = &source.query {
                    report.error_hint(
                        url.position,
                        format!(
                            "`truth.{}` is read for the invariant `{}` alone",
                            table.name(),
                            claim.name()
                        ),
                        format!("add `{}` to `invariants`, or remove it", claim.name()),
                    );
                }
            }
            (Given::Absent, Some(name)) if !matches!(scenario.truth, Given::Broken) => {
                report.error_hint(
                    name.position,
                    format!(
                        "the invariant `{}` needs `truth.{}`",
                        claim.name(),
                        table.name()
                    ),
                    format!("say where it is read: `truth: {{ {} }}`", example(table)),
                );
            }
            _ => {}
        }
        let place = match table {
            Table::Seats => &mut tables.seats,
            Table::Ledger => &mut tables.ledger,
            Table::Balances => &mut tables.balances,
        };
        *place = given(source, words, report);
    }
    tables
}

const fn written_of(truth: &WrittenTruth, table: Table) -> &Given<TruthSource> {
    match table {
        Table::Seats => &truth.seats,
        Table::Ledger => &truth.ledger,
        Table::Balances => &truth.balances,
    }
}

const fn claim_on(table: Table) -> Invariant {
    match table {
        Table::Seats => Invariant::Seats,
        Table::Ledger | Table::Balances => Invariant::Balances,
    }
}

const fn example(table: Table) -> &'static str {
    match table {
        Table::Seats => {
            "seats: { sql: { url: \"${DB}\", query: \"SELECT seat_id, user_id FROM orders\" } }"
        }
        Table::Ledger => {
            "ledger: { sql: { url: \"${DB}\", query: \"SELECT key, account, amount FROM ledger \
             ORDER BY id\" } }"
        }
        Table::Balances => {
            "balances: { sql: { url: \"${DB}\", query: \"SELECT id, opening_balance, balance FROM \
             accounts\" } }"
        }
    }
}
