//! What a run can measure of the stack that it has brought up.

use super::Ready;
use super::servers::Servers;
use crate::plan::{Process, Resource, ResourceOf};

/// A running service: the process that it is, if the kernel can be asked for it, and what it counts
/// of itself, if it can be asked.
pub(super) struct Figures {
    pub(super) name: String,
    pub(super) process: Option<Process>,
    pub(super) of: Option<ResourceOf>,
}

impl Ready {
    /// Each process, and each service with what it counts of itself; nothing of a system that
    /// already runs. The names are those of [`crate::plan::Plan::measured`].
    pub fn outside(&self) -> Vec<Resource> {
        let process = |name: &str, process| Resource {
            name: name.to_owned(),
            of: ResourceOf::Process(process),
        };
        let servers = self.servers.iter().flat_map(Servers::processes);
        let mut all: Vec<Resource> = servers.map(|(name, found)| process(&name, found)).collect();
        for Figures {
            name,
            process: its,
            of,
        } in self.services.outside()
        {
            all.extend(its.map(|its| process(&name, its)));
            all.extend(of.map(|of| Resource { name, of }));
        }
        all
    }
}
