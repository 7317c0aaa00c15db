//! The clock of a part, where it can be set, and what it says that the time is.

use super::{Body, Part};
use crate::stack::Clock;

impl Part {
    /// What sets its clock; `None` where it was not started so.
    pub fn clock(&self) -> Option<&Clock> {
        match &self.body {
            Body::Service(service) => service.clock(),
            Body::Server(server) => server.clock(),
            Body::Container(_) | Body::Broker(_) | Body::Own(_) => None,
        }
    }

    /// What a process of the server takes the time to be, in microseconds of Unix time.
    ///
    /// # Errors
    /// In words, when it does not say.
    pub async fn time_us(&self) -> Result<i64, String> {
        match &self.body {
            Body::Server(server) => server.time_us().await,
            _ => Err("it is no process of the server".to_owned()),
        }
    }
}
