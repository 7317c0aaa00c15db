//! A clock that is wrong: a program takes it to be later or earlier than it is, while the time of
//! everybody else, and the length of a second, stay what they are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt as _};

use super::whole;
use crate::fault::database::session as sql;
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::redis::session as redis;
use crate::fault::wait::{SILENT_AFTER, WHOLE_WITHIN, question, until};
use crate::plan::Secret;
use crate::plan::fault::Party;
use crate::stack::{Clock, Part};

/// How far from what was wanted a clock may be that was asked late.
const TOLERANCE_MS: u64 = 500;

/// A part whose clock is off while it lasts.
#[derive(Debug)]
pub struct ClockSkew {
    part: Part,
    by_ms: i64,
}

impl ClockSkew {
    /// Of one part; positive is ahead.
    pub const fn new(part: Part, by_ms: i64) -> Self {
        Self { part, by_ms }
    }

    fn trouble(&self, problem: &str) -> Trouble {
        Trouble::new(format!("{}: {problem}", self.part.name()))
    }

    fn clock(&self) -> Result<&Clock, Trouble> {
        let clock = self.part.clock();
        clock.ok_or_else(|| self.trouble("it was not started with a clock that can be set"))
    }

    fn set(&self, by_ms: i64) -> Result<(), Trouble> {
        let set = self.clock()?.set(by_ms);
        set.map_err(|error| self.trouble(&error.to_string()))
    }

    /// How far its own clock is from ours, in milliseconds; positive is ahead.
    async fn offset(&self) -> Result<i64, Trouble> {
        let before = now_us();
        let its = self.time_us().await?;
        let ours = before.midpoint(now_us());
        Ok((its - ours) / 1000)
    }

    /// What it says itself, in microseconds of Unix time.
    async fn time_us(&self) -> Result<i64, Trouble> {
        match (self.part.party(), self.part.admin()) {
            (Party::Redis, Some(url)) => of_redis(url).await,
            (Party::Database, Some(url)) => of_database(url).await,
            _ => {
                let said = self.part.time_us().await;
                said.map_err(|problem| self.trouble(&problem))
            }
        }
    }

    async fn ask(&self) -> Effect {
        let name = self.part.name();
        match self.offset().await {
            Err(trouble) => Effect::NotSeen(trouble.to_string()),
            Ok(off) if is_near(off, self.by_ms) => {
                Effect::Seen(format!("{name} takes it to be {}", in_words(off)))
            }
            Ok(off) => Effect::NotSeen(format!("{name} takes it to be {}", in_words(off))),
        }
    }
}

fn is_near(off_ms: i64, wanted_ms: i64) -> bool {
    off_ms.abs_diff(wanted_ms) <= TOLERANCE_MS
}

fn in_words(off_ms: i64) -> String {
    let seconds = off_ms.unsigned_abs() as f64 / 1e3;
    let way = if off_ms < 0 { "earlier" } else { "later" };
    format!("{seconds:.1} s {way} than it is")
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.as_ref().map_or(0, Duration::as_micros) as i64
}

async fn of_redis(url: &Secret) -> Result<i64, Trouble> {
    let asked = async {
        let mut session = redis::Session::open(url, SILENT_AFTER).await?;
        session.ask::<(i64, i64)>(&["TIME"]).await
    };
    match asked.await {
        Ok((seconds, micros)) => Ok(seconds * 1_000_000 + micros),
        Err(failure) => Err(failure.at(url)),
    }
}

async fn of_database(url: &Secret) -> Result<i64, Trouble> {
    const QUERY: &str = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)";
    let asked = async {
        let mut session = sql::Session::open(url, SILENT_AFTER).await?;
        let said = session.texts(QUERY).await?.pop();
        session.close().await;
        let said = said.and_then(|said| said.parse().ok());
        said.ok_or_else(|| sql::Failure::Other("it says no time".to_owned()))
    };
    asked.await.map_err(|failure| failure.at(url))
}

impl Nemesis for ClockSkew {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        let undo = self.clock().map(|clock| {
            let file = clock.file().to_owned();
            vec![Undo::Clock { file }]
        });
        Box::pin(std::future::ready(undo))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(std::future::ready(self.set(self.by_ms)))
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.set(0)?;
            // It looks into the file in the next second.
            let right = until(WHOLE_WITHIN, || async {
                match self.offset().await? {
                    off if is_near(off, 0) => Ok(()),
                    off => Err(self.trouble(&format!("it takes it to be {}", in_words(off)))),
                }
            });
            right.await?;
            whole(&self.part).await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_asked_late_is_still_told_from_one_that_is_right() {
        // how far it is off, how far it should be, near
        let table = [
            (0, 0, true),
            (-499, 0, true),
            (501, 0, false),
            (-30_200, -30_000, true),
            (30_000, -30_000, false),
            (0, 1_000, false),
        ];
        for (off, wanted, near) in table {
            assert_eq!(is_near(off, wanted), near, "{off} and {wanted}");
        }
        assert_eq!(in_words(-30_040), "30.0 s earlier than it is");
        assert_eq!(in_words(1_500), "1.5 s later than it is");
    }
}
