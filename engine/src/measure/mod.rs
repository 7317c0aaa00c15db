//! What was measured: histograms by series, counters, and the thresholds over them.

pub mod alert;
mod custom;
mod evaluate;
pub mod fault;
mod log;
mod metric;
mod resource;
pub mod scalability;
mod second;
mod threshold;
mod totals;
mod unit;

pub use custom::{CustomMetric, LeftOut, Values, left_out, thousandths};
pub use evaluate::{Resources, Windows, aborts, evaluate, evaluate_fairness, evaluate_scalability};
pub use log::{Interval, IntervalLog, intervals, read_intervals};
pub use metric::{Metric, MetricKind, Tag};
pub use resource::{
    Follow, Levels, Nature, Quantities, Quantity, ResourceKind, ResourceLine, ResourceLog, Told,
    read_resources,
};
pub use second::{Second, SecondLog, read_seconds};
pub use threshold::{
    Aggregate, Comparison, Threshold, ThresholdError, ThresholdResult, Windowed, key_name,
    parse_assertion, parse_key,
};
pub use totals::{NO_INDEX, SeriesId, Totals, Trend};
pub use unit::milliseconds;
pub use unit::{Unit, grouped};
