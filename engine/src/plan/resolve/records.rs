//! `users.from`: which columns the scenario uses, and the slots that take them.

use super::read_only::check_sql;
use super::template::report_wrong;
use super::truth::address;
use crate::plan::slots::SlotTable;
use crate::plan::{RecordSource, Records, Secret};
use crate::scenario::{At, RecordSource as Source, Report, Users as Written};

/// The column that the id is taken from by default.
const COLUMN: &str = "id";
/// What it is in templates.
pub(super) const ID: &str = "user.id";

pub(super) fn resolve(
    written: &Written,
    slots: &mut SlotTable,
    report: &mut Report<'_>,
) -> Option<Records> {
    // Columns are known by their use, also where their source is wrong.
    let mut columns: Vec<(u8, String)> = Vec::new();
    let by_default = written.id.is_none().then(|| At {
        value: COLUMN.to_owned(),
        position: written.position,
        hidden: false,
    });
    for used in by_default.iter().chain(&written.columns) {
        if columns.iter().any(|(_, name)| *name == used.value) {
            continue;
        }
        let Some(slot) = slots.declare(&format!("user.{}", used.value), false) else {
            report.error(
                used.position,
                format!("more than {} values are captured or read", SlotTable::MOST),
            );
            return None;
        };
        columns.push((slot, used.value.clone()));
    }
    Some(Records {
        source: source(written.from.value()?, report)?,
        columns,
        id_by_default: by_default.is_some(),
        most: written.pool.as_ref().map(|pool| pool.value.0),
    })
}

fn source(from: &Source, report: &mut Report<'_>) -> Option<RecordSource> {
    Some(match from {
        Source::Csv(file) => RecordSource::Csv(file.value.clone()),
        Source::JsonLines(file) => RecordSource::JsonLines(file.value.clone()),
        Source::Sql { url, query } => {
            let schemes = ["mysql", "mariadb", "postgres", "postgresql", "sqlite"];
            let url: Option<Secret> = address(url, &schemes, report);
            if let Err((message, hint)) = check_sql(&query.value) {
                report_wrong(query, message, hint, report);
                return None;
            }
            RecordSource::Sql {
                url: url?,
                query: query.value.clone(),
            }
        }
    })
}
