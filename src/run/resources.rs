//! What a run takes of the machine: load threads and open files.

use super::error::RunError;
use super::machine;
use crate::plan::{By, Plan, Target};

/// Files of the process beside the sockets of the VUs.
const OTHER_FILES: u64 = 64;

/// A bundled server needs cores of its own, or the load would measure its own hunger.
pub(super) fn threads(plan: &Plan) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match plan.target {
        Target::Stack(_) => (cores / 2).max(1),
        Target::Urls { .. } => cores,
    }
}

/// Each VU may have a connection to each instance that it asks.
pub(super) fn enough_files(plan: &Plan) -> Result<(), RunError> {
    let instances = match &plan.target {
        Target::Urls {
            urls, by: By::Turn, ..
        } => urls.len() as u64,
        Target::Urls { by: By::Vu, .. } | Target::Stack(_) => 1,
    };
    let vus = plan.loads.iter().map(|load| load.executor.max_vus());
    let vus: u64 = vus.map(|vus| plan.segment.share(vus)).sum();
    let needed = vus * instances + OTHER_FILES;
    let limit = machine::raise_file_limit();
    if needed > limit {
        Err(RunError::Files { needed, limit })
    } else {
        Ok(())
    }
}
