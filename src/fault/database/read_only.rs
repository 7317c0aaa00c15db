//! The database refuses writes; it goes on answering reads.

use futures_util::future::{BoxFuture, FutureExt as _};

use super::session::{Failure, Session};
use super::write::Write;
use crate::fault::lease::{Stored, Undo};
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::{ANSWER_WITHIN, question};
use crate::plan::Secret;

/// `MySQL` has both. The second one stops also users with `SUPER`.
const READ_ONLY: &str = "read_only";
const SUPER_READ_ONLY: &str = "super_read_only";

const SHOW: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only')";

/// The server's numbers of "it runs read-only".
const REFUSED: [u16; 2] = [1290, 1836];

/// `SET GLOBAL read_only`, and `super_read_only` where there is one.
///
/// `MariaDB` lets users with `READ_ONLY ADMIN` (before 10.11 also those with `SUPER`) write all the
/// same: the system must have a user without it.
pub struct ReadOnly {
    admin: Secret,
    system: Secret,
    write: Option<Write>,
    /// Names and values, as the server shows them.
    before: Vec<(String, String)>,
}

impl ReadOnly {
    /// `admin` may set global variables (`SUPER`, on `MySQL` 8 `SYSTEM_VARIABLES_ADMIN` and
    /// `CONNECTION_ADMIN`, on `MariaDB` `READ_ONLY ADMIN`); `system` is the user that the system
    /// writes as, at a database with a table.
    pub fn new(admin: &Secret, system: &Secret) -> Self {
        Self {
            admin: admin.clone(),
            system: system.clone(),
            write: None,
            before: Vec::new(),
        }
    }

    async fn look(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut session = Session::to(&self.admin).await?;
        let shown = session.pairs(SHOW).await;
        session.close().await;
        shown
    }

    fn has_super(&self) -> bool {
        self.before.iter().any(|(name, _)| name == SUPER_READ_ONLY)
    }

    async fn set(&self) -> Result<(), Failure> {
        let mut session = Session::open(&self.admin, 3 * ANSWER_WITHIN).await?;
        // It waits for those who hold tables locked.
        session.run("SET SESSION lock_wait_timeout = 5").await?;
        // The second one turns the first one on, too.
        let statement = if self.has_super() {
            "SET GLOBAL super_read_only = 1"
        } else {
            "SET GLOBAL read_only = 1"
        };
        session.run(statement).await?;
        session.close().await;
        Ok(())
    }

    /// `super_read_only` first: turned off it leaves `read_only` on, and that one cannot be off
    /// while the other is on.
    fn back(&self) -> Undo {
        let statement = |name: &str| {
            let (_, value) = self.before.iter().find(|(one, _)| one == name)?;
            let value = u8::from(value.eq_ignore_ascii_case("ON") || value == "1");
            Some(format!("SET GLOBAL {name} = {value}"))
        };
        let names = [SUPER_READ_ONLY, READ_ONLY];
        Undo::Sql {
            url: Stored::new(&self.admin),
            run: names.into_iter().filter_map(statement).collect(),
        }
    }

    async fn prepare(&mut self) -> Result<Vec<Undo>, Trouble> {
        let before = self.look().await;
        self.before = before.map_err(|failure| failure.at(&self.admin))?;
        self.write = Some(Write::find(&self.system).await?);
        Ok(vec![self.back()])
    }

    async fn ask(&self) -> Effect {
        let Some(write) = &self.write else {
            return Effect::NotSeen("no write was tried".to_owned());
        };
        match write.attempt().await {
            Err(failure) if failure.code().is_some_and(|code| REFUSED.contains(&code)) => {
                Effect::Seen(format!("an UPDATE of no row was refused: {failure}"))
            }
            Ok(()) => Effect::NotSeen(
                "an UPDATE of no row was answered (may the system's user write although the server \
                 is read-only?)"
                    .to_owned(),
            ),
            Err(other) => Effect::NotSeen(format!("an UPDATE of no row: {other}")),
        }
    }
}

impl Nemesis for ReadOnly {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        self.prepare().boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let set = self.set().await;
            set.map_err(|failure| failure.at(&self.admin))
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let Some(write) = &self.write else {
                return Ok(());
            };
            self.back().run().await?;
            // It may have been read-only before.
            let was_writable = self
                .before
                .iter()
                .all(|(_, value)| value == "OFF" || value == "0");
            if was_writable {
                write.wait_until_taken().await?;
            }
            Ok(())
        }
        .boxed()
    }
}
