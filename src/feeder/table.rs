//! Takes rows of any source: picks the columns that are used, and refuses what cannot be a user.

use crate::history::Key;
use crate::load::Records;
use crate::plan::{Plan, RecordSource, UserSequence, Values, Variable};
use crate::scenario::did_you_mean;

/// The line, if one is to blame, and what is wrong with it.
pub(super) type Problem = (Option<u64>, String);

/// The records in the making.
pub(super) struct Table<'p> {
    plan: &'p Plan,
    /// More are not read.
    most: Option<u64>,
    /// What a record is counted by: lines or rows.
    unit: &'static str,
    /// The used columns' numbers in a row.
    picked: Vec<usize>,
    records: Records,
    users: UserSequence,
    /// The id of each record, with its line.
    ids: Vec<(Key, u32)>,
    slots: Vec<Option<String>>,
    id: String,
}

impl<'p> Table<'p> {
    /// For the columns that the plan uses.
    pub(super) fn new(plan: &'p Plan, most: Option<u64>) -> Self {
        let records = plan.users.records.as_ref();
        let is_sql =
            records.is_some_and(|records| matches!(records.source, RecordSource::Sql { .. }));
        let columns = plan
            .users
            .records
            .iter()
            .flat_map(|records| &records.columns);
        Self {
            plan,
            most,
            unit: if is_sql { "row" } else { "line" },
            picked: Vec::new(),
            records: Records::new(columns.map(|(slot, _)| *slot).collect()),
            users: UserSequence::new(&plan.users, plan.seed),
            ids: Vec::new(),
            slots: vec![None; plan.slots.len()],
            id: String::new(),
        }
    }

    /// Whether no more rows are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.records.count() >= most)
    }

    /// Whether the columns are known.
    pub(super) fn has_columns(&self) -> bool {
        !self.picked.is_empty()
    }

    /// The columns by their names.
    pub(super) fn columns(&mut self, line: u64, names: &[&str]) -> Result<(), Problem> {
        let Some(records) = &self.plan.users.records else {
            return Ok(());
        };
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err((Some(line), format!("the column `{name}` is there twice")));
            }
        }
        self.picked.clear();
        for (_, wanted) in &records.columns {
            let find = |wanted: &str| names.iter().position(|name| *name == wanted);
            let stands_for = (records.id_by_default && wanted == "id").then_some("user_id");
            let found = find(wanted).or_else(|| stands_for.and_then(find));
            let found = found.ok_or_else(|| (Some(line), no_column(wanted, stands_for, names)))?;
            self.picked.push(found);
        }
        Ok(())
    }

    /// One row; a value that is not there is `None`.
    pub(super) fn row(&mut self, line: u64, values: &[Option<&str>]) -> Result<(), Problem> {
        let columns = self
            .plan
            .users
            .records
            .iter()
            .flat_map(|records| &records.columns);
        for ((_, name), at) in std::iter::zip(columns, &self.picked) {
            if values.get(*at).copied().flatten().is_none() {
                return Err((Some(line), format!("the record has no `{name}`")));
            }
        }
        let picked = self.picked.iter();
        let picked = picked.map(|at| values.get(*at).copied().flatten().unwrap_or_default());
        self.records.push(picked);
        self.identify(line)
    }

    fn identify(&mut self, line: u64) -> Result<(), Problem> {
        let number = self.records.count();
        self.records.fill(number, &mut self.slots);
        let values = Values {
            user: "",
            number,
            vu: 1,
            iteration: 0,
            random: 0,
            slots: &self.slots,
        };
        self.users.write_id(&values, &mut self.id);
        if self.id.is_empty() {
            return Err((Some(line), "the record's id is empty".to_owned()));
        }
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.ids.push((Key::of(&self.id), line));
        Ok(())
    }

    /// All records, if no two are the same user.
    pub(super) fn finish(mut self) -> Result<Records, Problem> {
        if self.records.count() == 0 {
            return Err((None, "there is no record in it".to_owned()));
        }
        let id = &self.plan.users.id;
        let is_of_the_record = ![Variable::Vu, Variable::Iteration, Variable::Uuid]
            .into_iter()
            .any(|other| id.uses(other));
        if is_of_the_record {
            self.ids.sort_unstable();
            let twice = self.ids.windows(2).filter(|pair| pair[0].0 == pair[1].0);
            if let Some((first, second)) = twice
                .map(|pair| (pair[0].1, pair[1].1))
                .min_by_key(|pair| pair.1)
            {
                return Err((
                    Some(u64::from(second)),
                    format!(
                        "the record has the same id as {} {first}; two users with one id would make `one_per_user` mean nothing",
                        self.unit
                    ),
                ));
            }
        }
        self.records.complete();
        Ok(self.records)
    }
}

fn no_column(wanted: &str, stands_for: Option<&str>, names: &[&str]) -> String {
    let what = match stands_for {
        Some(other) => format!(
            "there is no column `{wanted}` or `{other}`, so say what the users' id is: `id: \"{{{{ user.COLUMN }}}}\"`"
        ),
        None => format!("`{{{{ user.{wanted} }}}}` names no column"),
    };
    let hint = match names {
        [one] if one.contains(';') || one.contains('\t') => {
            "columns are separated by commas".to_owned()
        }
        _ => did_you_mean(wanted, names),
    };
    format!("{what}\n  hint: {hint}")
}
