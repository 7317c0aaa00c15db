//! Reads how much still waits to be written, from all places where it may wait.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use rustls::pki_types::CertificateDer;
use tokio::time::sleep;

use super::error::Fault;
use super::kafka::KafkaLag;
use super::{Probe, ProbeError};
use crate::plan::{Backlog, BacklogOf, ConsumerGroup};

/// How often a group is asked for the first time: its brokers may still look for who knows it.
const TRIES: u32 = 3;

/// Between two of them.
const PAUSE: Duration = Duration::from_millis(500);

/// All places where something may wait.
#[derive(Debug)]
pub struct Backlogs(Vec<Place>);

#[derive(Debug)]
struct Place {
    name: String,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Number(Box<Probe>),
    Lag { lag: KafkaLag, brokers: String },
}

/// What waits at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting(Vec<(String, Option<u64>)>);

impl Backlogs {
    /// Connects and reads each once, so that a wrong one shows before the load starts. `base` and
    /// `roots` are as in [`Probe::open_trusting`].
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub async fn open(
        backlogs: &[Backlog],
        base: Option<&str>,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, ProbeError> {
        let places = backlogs.iter().map(|one| Place::open(one, base, roots));
        Ok(Self(try_join_all(places).await?))
    }

    /// Reads all of them side by side.
    pub async fn read(&self) -> Waiting {
        let reads = self.0.iter().map(|place| async {
            let read = place.access.read().await;
            (place.name.clone(), read.ok())
        });
        Waiting(join_all(reads).await)
    }

    /// Says goodbye to the sources.
    pub async fn close(self) {
        for place in self.0 {
            if let Access::Number(probe) = place.access {
                probe.close().await;
            }
        }
    }
}

impl Place {
    async fn open(
        backlog: &Backlog,
        base: Option<&str>,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, ProbeError> {
        let access = match &backlog.of {
            BacklogOf::Number(source) => {
                let probe = Probe::open_trusting(source, base, roots).await?;
                Access::Number(Box::new(probe))
            }
            BacklogOf::Lag(group) => Access::lag(group)?,
        };
        access.read_patiently().await?;
        let name = backlog.name.clone();
        Ok(Self { name, access })
    }
}

impl Access {
    fn lag(group: &ConsumerGroup) -> Result<Self, ProbeError> {
        let ConsumerGroup {
            brokers,
            group,
            topic,
        } = group;
        let lag = KafkaLag::new(brokers, group, topic);
        let lag = lag.map_err(|error| Fault::asked(error.to_string()).at(brokers))?;
        let brokers = brokers.clone();
        Ok(Self::Lag { lag, brokers })
    }

    async fn read(&self) -> Result<u64, ProbeError> {
        match self {
            Self::Number(probe) => Ok(probe.number().await?.max(0).unsigned_abs()),
            Self::Lag { lag, brokers } => {
                let read = lag.read().await;
                read.map_err(|error| Fault::lost(error.to_string()).at(brokers))
            }
        }
    }

    async fn read_patiently(&self) -> Result<u64, ProbeError> {
        let mut tried = 1;
        loop {
            match self.read().await {
                Err(_) if matches!(self, Self::Lag { .. }) && tried < TRIES => tried += 1,
                read => return read,
            }
            sleep(PAUSE).await;
        }
    }
}

impl Waiting {
    /// How much it is; `None` if some of it could not be read.
    pub fn total(&self) -> Option<u64> {
        let mut amounts = self.0.iter().map(|(_, amount)| *amount);
        amounts.try_fold(0, |sum: u64, amount| Some(sum.saturating_add(amount?)))
    }

    /// What waits or could not be read, for people; `None` if nothing waits.
    pub fn in_words(&self) -> Option<String> {
        let words = self.0.iter().filter_map(|(name, amount)| match amount {
            Some(0) => None,
            Some(amount) => Some(format!("{name} is {amount}")),
            None => Some(format!("{name} could not be read")),
        });
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_summed_up_and_named() {
        // What was read; how much that is; what is said.
        type Row<'a> = (&'a [Option<u64>], Option<u64>, Option<&'a str>);
        let table: [Row<'_>; 5] = [
            (&[], Some(0), None),
            (&[Some(0), Some(0)], Some(0), None),
            (&[Some(0), Some(57)], Some(57), Some("1 is 57")),
            (&[Some(3), Some(4)], Some(7), Some("0 is 3, 1 is 4")),
            (&[Some(3), None], None, Some("0 is 3, 1 could not be read")),
        ];
        for (read, total, words) in table {
            let places = read.iter().enumerate();
            let places = places.map(|(number, amount)| (number.to_string(), *amount));
            let waiting = Waiting(places.collect());
            assert_eq!(waiting.total(), total, "{read:?}");
            assert_eq!(waiting.in_words().as_deref(), words, "{read:?}");
        }
    }
}
