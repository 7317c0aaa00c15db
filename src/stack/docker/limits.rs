//! What an engine lets a container have of this machine: read, changed, and given back by whoever
//! knows its id and its engine.

use std::pin::pin;

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::models::{ContainerStatsResponse, ContainerUpdateBody, HostConfig};
use testcontainers::bollard::query_parameters::{InspectContainerOptions, StatsOptionsBuilder};

use super::engine;
use super::named::is_unknown;
use crate::fault::lease::Undo;

/// The kernel's own period where a container has none, in microseconds.
const PERIOD_US: i64 = 100_000;

/// No quota, as an engine takes it: 0 changes nothing.
const NO_QUOTA: i64 = -1;

/// No limit of memory, as an engine takes it: more than any machine has. 0 changes nothing, and -1 is
/// refused as too little.
const ALL_MEMORY: i64 = 1 << 62;

/// The same of memory and swap together: the most that the kernel counts. -1 would not be passed on
/// to a container that runs, which would then have less of both than of one.
const ALL_SWAP: i64 = i64::MAX / 4096 * 4096;

/// A container, as its engine limits it.
#[derive(Debug, Clone)]
pub struct Limits {
    docker: Docker,
    id: String,
}

/// What a container may have, in the engine's own units; what is not said stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowed {
    /// Microseconds of CPU time in each period; -1: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<i64>,
    /// The same as billionths of a core in each second, where the container was made so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nano_cpus: Option<i64>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    /// Bytes, with swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_swap: Option<i64>,
}

/// A limit that is to be set, and what is there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What a fault allows.
    pub wanted: Allowed,
    /// What it had.
    pub before: Allowed,
}

/// What the kernel has counted of a container's CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuCount {
    /// Nanoseconds of CPU time.
    pub used_ns: u64,
    /// Periods in which it had to wait.
    pub throttled: u64,
}

impl Limits {
    pub(super) fn of(docker: &Docker, id: &str) -> Self {
        Self {
            docker: docker.clone(),
            id: id.to_owned(),
        }
    }

    /// From what it has to a share of one core.
    ///
    /// # Errors
    /// In words, when the engine does not tell.
    pub async fn cpu(&self, share: f64) -> Result<Change, String> {
        Ok(cpu_of(&self.config().await?, share))
    }

    /// From what it has to so many bytes, without swap.
    ///
    /// # Errors
    /// In words, when the engine does not tell.
    pub async fn memory(&self, bytes: u64) -> Result<Change, String> {
        Ok(memory_of(&self.config().await?, bytes as i64))
    }

    /// Sets what it may have.
    ///
    /// # Errors
    /// In words, when the engine does not do it.
    pub async fn allow(&self, allowed: Allowed) -> Result<(), String> {
        let updated = update(&self.docker, &self.id, allowed).await;
        updated.map_err(|error| error.to_string())
    }

    /// What gives it back if this process cannot.
    pub fn undo(&self, allowed: Allowed) -> Undo {
        Undo::ContainerLimits {
            engine: engine::place(),
            container: self.id.clone(),
            allowed,
        }
    }

    /// What the kernel has counted so far.
    ///
    /// # Errors
    /// In words, when the engine does not tell.
    pub async fn cpu_count(&self) -> Result<CpuCount, String> {
        let cpu = self.stats().await?.cpu_stats.unwrap_or_default();
        let throttled = cpu.throttling_data.and_then(|data| data.throttled_periods);
        let used = cpu.cpu_usage.and_then(|used| used.total_usage);
        Ok(CpuCount {
            used_ns: used.unwrap_or_default(),
            throttled: throttled.unwrap_or_default(),
        })
    }

    /// Bytes that it has.
    ///
    /// # Errors
    /// In words, when the engine does not tell.
    pub async fn memory_used(&self) -> Result<u64, String> {
        let memory = self.stats().await?.memory_stats;
        Ok(memory.and_then(|memory| memory.usage).unwrap_or_default())
    }

    /// How it has ended; `None` while it runs.
    ///
    /// # Errors
    /// In words, when the engine does not tell.
    pub async fn ended(&self) -> Result<Option<String>, String> {
        let found = self
            .docker
            .inspect_container(&self.id, None::<InspectContainerOptions>);
        let found = found.await.map_err(|error| error.to_string())?;
        let state = found.state.unwrap_or_default();
        if state.running == Some(true) {
            return Ok(None);
        }
        Ok(Some(match state.oom_killed {
            Some(true) => "OOMKilled".to_owned(),
            _ => format!("exit status {}", state.exit_code.unwrap_or_default()),
        }))
    }

    async fn config(&self) -> Result<HostConfig, String> {
        let found = self
            .docker
            .inspect_container(&self.id, None::<InspectContainerOptions>);
        let found = found.await.map_err(|error| error.to_string())?;
        Ok(found.host_config.unwrap_or_default())
    }

    async fn stats(&self) -> Result<ContainerStatsResponse, String> {
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true);
        let mut stats = pin!(self.docker.stats(&self.id, Some(options.build())));
        match stats.next().await {
            Some(read) => read.map_err(|error| error.to_string()),
            None => Err("the engine has no figures of it".to_owned()),
        }
    }
}

/// Gives a container back what it had. One that is gone needs nothing.
///
/// # Errors
/// In words, when it stays limited; also when its engine does not answer: it keeps what it was told.
pub async fn limit(engine: &str, container: &str, allowed: Allowed) -> Result<(), String> {
    let docker = engine::at(engine).await;
    let docker = docker.map_err(|error| format!("the engine at {engine}: {error}"))?;
    match update(&docker, container, allowed).await {
        Err(error) if !is_unknown(&error) => Err(error.to_string()),
        _ => Ok(()),
    }
}

async fn update(docker: &Docker, id: &str, allowed: Allowed) -> Result<(), Error> {
    let body = ContainerUpdateBody {
        cpu_quota: allowed.cpu_quota,
        nano_cpus: allowed.nano_cpus,
        memory: allowed.memory,
        memory_swap: allowed.memory_swap,
        ..ContainerUpdateBody::default()
    };
    docker.update_container(id, body).await
}

/// An engine refuses a quota for a container that was made with `--cpus`, and the other way round.
fn cpu_of(config: &HostConfig, share: f64) -> Change {
    let set = |value: Option<i64>| value.filter(|value| *value > 0);
    if let Some(before) = set(config.nano_cpus) {
        let of = |nano_cpus| Allowed {
            nano_cpus: Some(nano_cpus),
            ..Allowed::default()
        };
        return Change {
            wanted: of((share * 1e9).round() as i64),
            before: of(before),
        };
    }
    let period = set(config.cpu_period).unwrap_or(PERIOD_US);
    let of = |cpu_quota| Allowed {
        cpu_quota: Some(cpu_quota),
        ..Allowed::default()
    };
    Change {
        wanted: of((share * period as f64).round() as i64),
        before: of(set(config.cpu_quota).unwrap_or(NO_QUOTA)),
    }
}

fn memory_of(config: &HostConfig, bytes: i64) -> Change {
    let of = |memory, swap| Allowed {
        memory: Some(memory),
        memory_swap: Some(swap),
        ..Allowed::default()
    };
    let set = |value: Option<i64>| value.filter(|value| *value > 0);
    Change {
        wanted: of(bytes, bytes),
        before: of(
            set(config.memory).unwrap_or(ALL_MEMORY),
            set(config.memory_swap).unwrap_or(ALL_SWAP),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> HostConfig {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn a_share_of_a_core_is_said_as_the_container_was_made_and_what_it_had_is_known() {
        let table = [
            (
                "nothing was said",
                "{}",
                "{\"cpu_quota\":20000}",
                "{\"cpu_quota\":-1}",
            ),
            (
                "as an engine writes nothing",
                "{\"NanoCpus\":0,\"CpuPeriod\":0,\"CpuQuota\":0}",
                "{\"cpu_quota\":20000}",
                "{\"cpu_quota\":-1}",
            ),
            (
                "--cpus 2",
                "{\"NanoCpus\":2000000000}",
                "{\"nano_cpus\":200000000}",
                "{\"nano_cpus\":2000000000}",
            ),
            (
                "--cpu-period 50000 --cpu-quota 25000",
                "{\"CpuPeriod\":50000,\"CpuQuota\":25000}",
                "{\"cpu_quota\":10000}",
                "{\"cpu_quota\":25000}",
            ),
        ];
        for (row, written, wanted, before) in table {
            let change = cpu_of(&config(written), 0.2);
            let shown = |allowed| serde_json::to_string(&allowed).expect("JSON");
            assert_eq!(shown(change.wanted), wanted, "{row}");
            assert_eq!(shown(change.before), before, "{row}");
        }
    }

    #[test]
    fn memory_goes_back_to_what_it_was_or_to_all_there_is() {
        let table = [
            ("{\"Memory\":0,\"MemorySwap\":0}", (ALL_MEMORY, ALL_SWAP)),
            ("{\"Memory\":500,\"MemorySwap\":1000}", (500, 1000)),
            ("{\"Memory\":500,\"MemorySwap\":-1}", (500, ALL_SWAP)),
        ];
        for (written, (memory, swap)) in table {
            let change = memory_of(&config(written), 100);
            let of = |memory, swap| Allowed {
                memory: Some(memory),
                memory_swap: Some(swap),
                ..Allowed::default()
            };
            assert_eq!(change.wanted, of(100, 100), "{written}");
            assert_eq!(change.before, of(memory, swap), "{written}");
        }
    }
}
