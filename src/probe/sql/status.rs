//! What MySQL or MariaDB counts of itself: any user may ask it.

use super::{Cells, Fault, Options, Reader, Session, read};
use crate::measure::{Quantities, Quantity};

/// The status variables by name.
const STATUS: [(&str, Quantity); 6] = [
    ("Innodb_row_lock_waits", Quantity::RowLockWaits),
    ("Innodb_row_lock_time", Quantity::RowLockTimeMs),
    ("Innodb_row_lock_current_waits", Quantity::RowLockWaiting),
    ("Threads_connected", Quantity::Connections),
    ("Threads_running", Quantity::ActiveConnections),
    ("Questions", Quantity::Queries),
];

/// A setting, which may be changed while the database runs.
const LIMIT: &str = "max_connections";

/// A database that is asked again and again, on one connection.
#[derive(Debug)]
pub(in crate::probe) struct StatusProbe {
    options: Options,
    /// Taken out for the time of a call and put back only when that ended well.
    idle: Option<Session>,
}

impl StatusProbe {
    pub(in crate::probe) fn new(url: &str) -> Result<Self, Fault> {
        let options = Options::parse(url)?;
        if !matches!(options, Options::MySql(_)) {
            return Err(Fault::asked("is no MySQL or MariaDB"));
        }
        Ok(Self {
            options,
            idle: None,
        })
    }

    /// Variables that this database does not have are not among the figures.
    pub(in crate::probe) async fn read(&mut self) -> Result<Quantities, Fault> {
        let mut session = match self.idle.take() {
            Some(session) => session,
            None => self.options.connect().await?,
        };
        let mut figures = Figures(Quantities::new());
        if let Session::MySql(connection) = &mut session {
            let names = STATUS.map(|(name, _)| format!("'{name}'")).join(", ");
            let status = format!("SHOW GLOBAL STATUS WHERE Variable_name IN ({names})");
            read(connection, &status, &mut figures).await?;
            let limit = format!("SHOW GLOBAL VARIABLES LIKE '{LIMIT}'");
            read(connection, &limit, &mut figures).await?;
        }
        self.idle = Some(session);
        Ok(figures.0)
    }
}

/// Rows of a name and a number.
struct Figures(Quantities);

impl Reader for Figures {
    fn take(&mut self, row: &dyn Cells) -> Result<bool, Fault> {
        let name = row.cell(0)?.unwrap_or_default();
        let mut known = STATUS
            .iter()
            .copied()
            .chain([(LIMIT, Quantity::MaxConnections)]);
        let quantity = known.find(|(known, _)| known.eq_ignore_ascii_case(&name));
        let value = row.cell(1)?.and_then(|value| value.parse().ok());
        if let (Some((_, quantity)), Some(value)) = (quantity, value) {
            self.0.insert(quantity, value);
        }
        Ok(true)
    }
}
