//! The settings of the queue, which routers, queue servers and coupon servers share.

use std::num::NonZeroU32;
use std::time::Duration;

use super::Settings;

/// Everything that can be set about the queue.
#[derive(clap::Args, Clone, Debug)]
pub struct QueueOptions {
    /// Users who may be admitted at the same time, unless Redis says otherwise
    #[arg(long = "queue-threshold", value_name = "N", default_value_t = 100)]
    pub threshold: u32,

    /// Users who are admitted in one interval at most, unless Redis says otherwise
    #[arg(long = "queue-transfer-size", value_name = "N", default_value_t = 100)]
    pub transfer_size: u32,

    /// Requests for the event page in a minute from which a queue is needed, unless Redis says otherwise
    #[arg(long = "queue-traffic-rpm", value_name = "N", default_value_t = 6000)]
    pub traffic_rpm: u32,

    /// Time between two admissions, in milliseconds
    #[arg(
        long = "queue-transfer-interval-ms",
        value_name = "MS",
        default_value = "1000"
    )]
    pub transfer_interval_ms: NonZeroU32,

    /// Time between two looks for those who are gone, in milliseconds
    #[arg(
        long = "queue-expire-interval-ms",
        value_name = "MS",
        default_value = "1000"
    )]
    pub expire_interval_ms: NonZeroU32,

    /// How long an admitted user may be silent, in milliseconds
    #[arg(
        long = "queue-running-timeout-ms",
        value_name = "MS",
        default_value = "60000"
    )]
    pub running_timeout_ms: NonZeroU32,

    /// How long a waiting user may be silent, in milliseconds
    #[arg(
        long = "queue-waiting-timeout-ms",
        value_name = "MS",
        default_value = "30000"
    )]
    pub waiting_timeout_ms: NonZeroU32,

    /// Refuse coupons to users who are not admitted (router, coupon server)
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = false)]
    pub guard_issue: bool,
}

impl QueueOptions {
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            threshold: self.threshold,
            transfer_size: self.transfer_size,
            traffic_rpm: self.traffic_rpm,
        }
    }

    pub(super) fn transfer_interval(&self) -> Duration {
        Duration::from_millis(self.transfer_interval_ms.get().into())
    }

    pub(super) fn expire_interval(&self) -> Duration {
        Duration::from_millis(self.expire_interval_ms.get().into())
    }
}
