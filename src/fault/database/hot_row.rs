//! Another transaction holds the rows that everybody needs.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::Instant;

use super::session::{Failure, Session};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::wait::{SILENT_AFTER, WHOLE_WITHIN, question, until};
use crate::plan::Secret;

/// How long the transaction may wait for the rows, behind those of the system.
const LOCK: &str = "SET SESSION innodb_lock_wait_timeout = 5";
const LOCK_WITHIN: Duration = Duration::from_secs(6);

const LOCKING: &str = "FOR UPDATE";

/// Its number of "you are the one whom I have chosen to end a deadlock".
const DEADLOCK: u16 = 1213;

/// The server's numbers of "somebody has locked it": `MariaDB` and `MySQL`.
const TAKEN: [u16; 2] = [1205, 3572];

/// A transaction of its own that runs a locking SELECT and holds what it has locked until its end.
#[derive(Debug)]
pub struct HotRow {
    url: Secret,
    /// Without a semicolon.
    lock: String,
    /// With its number at the server.
    holding: Option<(u64, Session)>,
}

impl HotRow {
    /// `lock` is one `SELECT ... FOR UPDATE`; the user needs what that needs.
    ///
    /// # Errors
    /// When it does not end so.
    pub fn new(url: &Secret, lock: &str) -> Result<Self, Trouble> {
        let text = lock.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
        let words: Vec<&str> = text.split_whitespace().collect();
        let first = words.first().copied().unwrap_or_default();
        let last = words[words.len().saturating_sub(2)..].join(" ");
        if !first.eq_ignore_ascii_case("SELECT") || !last.eq_ignore_ascii_case(LOCKING) {
            return Err(Trouble::new(format!(
                "`{lock}` does not lock: it must be one SELECT ... {LOCKING}"
            )));
        }
        Ok(Self {
            url: url.clone(),
            lock: text.to_owned(),
            holding: None,
        })
    }

    /// A lock that is asked for in the middle of others may be the one that the server gives up.
    async fn hold(&mut self) -> Result<(), Failure> {
        let give_up = Instant::now() + LOCK_WITHIN;
        loop {
            match self.hold_once().await {
                Err(failure) if failure.code() == Some(DEADLOCK) && Instant::now() < give_up => {}
                held => return held,
            }
        }
    }

    async fn hold_once(&mut self) -> Result<(), Failure> {
        let mut session = Session::to(&self.url).await?;
        session.run(LOCK).await?;
        // The server would end a session that is silent for longer than this.
        session.run("SET SESSION wait_timeout = 86400").await?;
        session.run("START TRANSACTION").await?;
        let rows = session.rows_within(LOCK_WITHIN, &self.lock).await?;
        if rows.is_empty() {
            session.close().await;
            let words = format!("`{}` found no row, so nothing is held", self.lock);
            return Err(Failure::Other(words));
        }
        self.holding = Some((session.id().await?, session));
        Ok(())
    }

    /// Takes the lock and gives it back, without waiting for it. Before that, whether the session
    /// that holds it is there: anybody may see those of the own user.
    async fn attempt(&self, holder: u64) -> Result<(), Failure> {
        let mut session = Session::open(&self.url, SILENT_AFTER).await?;
        let look = format!("SELECT id FROM information_schema.processlist WHERE id = {holder}");
        if session.texts(&look).await?.is_empty() {
            return Err(Failure::Other(
                "the session that held it is gone".to_owned(),
            ));
        }
        session.run("START TRANSACTION").await?;
        let lock = format!("{} NOWAIT", self.lock);
        let attempt = session.rows(&lock).await;
        session.close().await;
        attempt.map(|_| ())
    }

    async fn ask(&self) -> Effect {
        // A row that is as hot by itself is no effect.
        let Some((holder, _)) = &self.holding else {
            return Effect::NotSeen("nothing is held".to_owned());
        };
        match self.attempt(*holder).await {
            Err(failure) if failure.code().is_some_and(|code| TAKEN.contains(&code)) => {
                Effect::Seen(format!(
                    "session {holder} holds it; the same SELECT with NOWAIT: {failure}"
                ))
            }
            Ok(()) => Effect::NotSeen("the same SELECT with NOWAIT was answered".to_owned()),
            Err(other) => Effect::NotSeen(format!("the same SELECT with NOWAIT: {other}")),
        }
    }

    async fn let_go(&mut self) -> Result<(), Trouble> {
        if let Some((_, mut session)) = self.holding.take() {
            // A session that has been killed holds nothing any more.
            let _ = session.run("ROLLBACK").await;
            session.close().await;
        }
        // The rows may be as hot as ever: that is the system, not this. What must work is a lock
        // that waits for them, as the system's own does.
        let lock = || async {
            let locked = async {
                let mut session = Session::to(&self.url).await?;
                session.run("START TRANSACTION").await?;
                let locked = session.rows(&self.lock).await;
                session.close().await;
                locked
            };
            locked.await.map_err(|failure| failure.at(&self.url))
        };
        until(WHOLE_WITHIN, lock).await.map(|_| ())
    }
}

impl Nemesis for HotRow {
    /// Nothing: the transaction ends with its session.
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let url = self.url.clone();
            let held = self.hold().await;
            held.map_err(|failure| failure.at(&url))
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.let_go().boxed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn only_a_locking_select_is_taken() {
        let url = Secret::new("mysql://u:p@127.0.0.1/shop");
        let cases = [
            ("SELECT 1 FROM coupons WHERE id = 1 FOR UPDATE", true),
            ("select * from coupons\n for  update ;\n", true),
            ("SELECT 1 FROM coupons", false),
            ("UPDATE coupons SET left_over = 0", false),
            // It would not wait for those who hold the row already.
            ("SELECT 1 FROM coupons FOR UPDATE SKIP LOCKED", false),
            ("UPDATE coupons SET n = 1; SELECT 1 FOR UPDATE", false),
            ("", false),
        ];
        for (lock, is_taken) in cases {
            assert_eq!(HotRow::new(&url, lock).is_ok(), is_taken, "{lock}");
        }
        let trouble = HotRow::new(&url, "SELECT 1").unwrap_err().to_string();
        assert!(trouble.contains("`SELECT 1`"), "{trouble}");
    }
}
