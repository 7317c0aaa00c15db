//! Limits of CPU time and memory, and how small they can be.

use super::settings::Settings;
use crate::plan::fault::Injection;
use crate::scenario::Report;
use crate::scenario::value::{Share, Size};

/// The least that the kernel takes: 1 ms in a period of 100 ms.
const LEAST_SHARE: f64 = 0.01;

/// The least that an engine takes; no process of a stack could do with less.
const LEAST_MEMORY: u64 = 6 * 1024 * 1024;

pub(super) fn cpu(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Option<Injection> {
    let share = settings.get::<Share>("share", report)?;
    if share.value.0 < LEAST_SHARE {
        let hint = format!("write at least `{}`, or `freeze`", Share(LEAST_SHARE));
        let what = format!("{} of a core is nearly nothing", share.value);
        settings.refuse(&share, &what, &hint, report);
    }
    Some(Injection::CpuLimit {
        share: share.value.0,
    })
}

pub(super) fn memory(settings: &mut Settings<'_>, report: &mut Report<'_>) -> Option<Injection> {
    let to = settings.get::<Size>("to", report)?;
    if to.value.0 < LEAST_MEMORY {
        let hint = format!("write at least `{}`, or `kill`", Size(LEAST_MEMORY));
        let what = format!("with {} nothing could run", to.value);
        settings.refuse(&to, &what, &hint, report);
    }
    Some(Injection::MemoryLimit { to: to.value.0 })
}
