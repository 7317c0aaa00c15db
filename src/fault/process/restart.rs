//! A rolling restart: each instance in turn is stopped in good order, started again and waited for,
//! as a deployment does it.

use futures_util::future::BoxFuture;

use super::{silence_of, whole};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::stack::Part;

/// All instances of a party, one after the other. The first is down when it is injected; healing
/// goes on with the others.
#[derive(Debug)]
pub struct Restart {
    parts: Vec<Part>,
    /// How many have been restarted.
    done: usize,
}

impl Restart {
    /// Of these, in this order.
    pub const fn new(parts: Vec<Part>) -> Self {
        Self { parts, done: 0 }
    }
}

async fn stop(part: &Part) -> Result<(), Trouble> {
    let stopped = part.stop().await;
    stopped.map_err(|problem| Trouble::new(format!("{}: {problem}", part.name())))
}

impl Nemesis for Restart {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        let undo = self.parts.iter().flat_map(Part::undo_of_end);
        Box::pin(std::future::ready(Ok(undo.collect())))
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            match self.parts.first() {
                Some(first) => stop(first).await,
                None => Ok(()),
            }
        })
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        Box::pin(async {
            match self.parts.first() {
                Some(first) => silence_of(first).await,
                None => Effect::NotSeen("there is nothing to restart".to_owned()),
            }
        })
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        Box::pin(async {
            while let Some(part) = self.parts.get(self.done) {
                // A part that is down already has nothing to stop.
                stop(part).await?;
                let started = part.start_again().await;
                started.map_err(|problem| Trouble::new(format!("{}: {problem}", part.name())))?;
                whole(part).await?;
                self.done += 1;
            }
            Ok(())
        })
    }
}
