//! Scenario and overrides become a plan.
/// What the command line changes about a scenario.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// `--set path=value`, in order.
    pub set: Vec<String>,
    /// `--scale`.
    pub scale: Scale,
    /// `--url`: replaces the target.
    pub url: Option<String>,
    /// `--provider`.
    pub provider: Option<String>,
    /// `--bug`.
    pub bug: Option<String>,
    /// `--seed`.
    pub seed: Option<u64>,
}
/// Factors, 1 by default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Durations of the load.
    pub time: f64,
    /// VUs, and users of a stampede.
    pub vus: f64,
    /// Arrival rates.
    pub rate: f64,
    /// Iterations.
    pub iterations: f64,
}
impl Default for Scale {
    fn default() -> Self {
        Self {
            time: 1.0,
            vus: 1.0,
            rate: 1.0,
            iterations: 1.0,
        }
    }
}
/// Resolves.
pub fn resolve() {}
