//! What a run can measure of the stack that it has brought up.

use super::Ready;
use crate::plan::{Process, Resource, ResourceOf};

impl Ready {
    /// Each process, and each service with what it counts of itself; nothing of a system that
    /// already runs. The names are those of [`crate::plan::Plan::measured`].
    pub fn outside(&self) -> Vec<Resource> {
        let process = |name: &str, process| Resource {
            name: name.to_owned(),
            of: ResourceOf::Process(process),
        };
        let server = self.server.as_ref().and_then(super::embedded::Server::pid);
        let mut all: Vec<Resource> = server
            .map(|pid| process("server", Process::Pid(pid)))
            .into_iter()
            .collect();
        for (name, keeper, of) in self.services.outside() {
            all.extend(keeper.map(|keeper| process(&name, Process::ChildOf(keeper))));
            all.push(Resource { name, of });
        }
        all
    }
}
