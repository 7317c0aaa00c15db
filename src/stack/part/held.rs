//! What a fault can limit of a part: its processes, or the container that it is; and that it comes
//! back when it has died of it.

use super::{Body, Part, Running};
use crate::process::Stat;
use crate::stack::Limits;

impl Part {
    /// Its processes, each with when it started, in the kernel's ticks since the boot: the one that
    /// is meant, then its children, where they are known to be its own.
    ///
    /// # Errors
    /// In words, when it does not run, or is no process of this machine.
    pub fn processes(&self) -> Result<Vec<(u32, u64)>, String> {
        match &self.body {
            Body::Service(_) | Body::Server(_) => {
                let Running { pid, started } = self.running().ok_or("it does not run")?;
                Ok(vec![(pid, started)])
            }
            Body::Container(_) => Err("it is a container".to_owned()),
            Body::Broker(_) => Err("a broker of the mock is no process of its own".to_owned()),
            Body::Own(own) => own.processes(),
        }
    }

    /// The container that it is, as its engine limits it.
    pub fn limits(&self) -> Option<Limits> {
        match &self.body {
            Body::Container(container) => Some(container.limits()),
            Body::Own(own) => own.limits(),
            Body::Service(_) | Body::Server(_) | Body::Broker(_) => None,
        }
    }

    /// Starts it again at its address if it has died by itself; nothing if it runs.
    ///
    /// # Errors
    /// In words, with the last lines of its log.
    pub async fn revive(&self) -> Result<(), String> {
        match &self.body {
            Body::Service(service) if self.has_died() => service.has_ended().await,
            Body::Server(server) if self.has_died() => server.has_ended().await,
            Body::Container(container) => container.forget_if_dead().await?,
            Body::Service(_) | Body::Server(_) | Body::Broker(_) | Body::Own(_) => {}
        }
        self.start_again().await
    }

    /// Of a process that nobody has waited for there is still an entry.
    fn has_died(&self) -> bool {
        let stat = self.running().and_then(|running| Stat::of(running.pid));
        stat.is_none_or(|stat| stat.state == 'Z')
    }
}
