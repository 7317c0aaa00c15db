//! The distributed locks of the strategies on Redis: the algorithms, without what they protect.

mod log;
mod meter;
mod options;
mod quorum;
mod random;
mod redisson;
mod redlock;
mod wakeup;
mod work;

pub(crate) use log::log_refusal;
pub use options::LockOptions;
pub(crate) use quorum::Timing;
pub(crate) use redisson::{Redisson, Released};
pub(crate) use redlock::{Held, NoQuorum, Redlock, enough, signs_of_life};
pub(crate) use work::Work;
