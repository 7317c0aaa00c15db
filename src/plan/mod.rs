//! What will run: complete, valid, printable, and a pure function of scenario, overrides and seed.

mod curve;
mod model;
mod print;
mod resolve;
mod template;
mod truth;
mod users;

pub use curve::{Ticks, VuCurve};
pub use model::*;
pub use print::print;
pub use resolve::{
    DEFAULT_SEED, Overrides, Scale, is_redis_read, load, load_written, resolve, validate,
};
pub use template::{Escape, Part, Template, Values, Variable};
pub use truth::{Query, Secret, Settle, Source, Truth};
pub use users::{UserSequence, mix};
