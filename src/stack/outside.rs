//! What a run can measure of the stack that it has brought up.

use super::Ready;
use super::servers::Servers;
use crate::plan::{Process, Resource, ResourceOf};

impl Ready {
    /// Each process, and each service with what it counts of itself; nothing of a system that
    /// already runs. The names are those of [`crate::plan::Plan::measured`].
    pub fn outside(&self) -> Vec<Resource> {
        let process = |name: &str, process| Resource {
            name: name.to_owned(),
            of: ResourceOf::Process(process),
        };
        let servers = self.servers.iter().flat_map(Servers::processes);
        let mut all: Vec<Resource> = servers
            .map(|(name, pid)| process(&name, Process::Pid(pid)))
            .collect();
        for (name, keeper, of) in self.services.outside() {
            all.extend(keeper.map(|keeper| process(&name, Process::ChildOf(keeper))));
            all.push(Resource { name, of });
        }
        all
    }
}
