//! What was left of the stock at a point of the chart: as it was read, or, where nobody read it,
//! what the answers leave of it.

use crate::check::Reading;
use crate::history::OutcomeKind;
use crate::measure::Second;
use crate::plan::Plan;

/// It is read once a second: an older reading says nothing about now.
const FRESH_S: f64 = 2.0;

/// Goes through the seconds of a load in their order.
pub(super) struct Left {
    /// When each reading was there, in seconds since the start of the load, and what it said.
    readings: Vec<(f64, i64)>,
    /// The stock less the confirmations so far; `None`: it was read, is not known, or coupons come
    /// back without a word.
    unconfirmed: Option<i64>,
}

impl Left {
    pub(super) fn new(plan: &Plan, readings: &[Reading], start_ns: u64) -> Self {
        let at_s = |ns: u64| (ns as f64 - start_ns as f64) / 1e9;
        let readings = readings.iter();
        let mut readings: Vec<_> = readings.map(|one| (at_s(one.ret_ns), one.value)).collect();
        readings.sort_by(|one, other| one.0.total_cmp(&other.0));
        let stock = plan.subject.as_ref().map(|subject| subject.stock);
        let told = readings.is_empty() && !plan.has_releases();
        let stock = stock.filter(|_| told);
        Self {
            readings,
            unconfirmed: stock.and_then(|stock| i64::try_from(stock).ok()),
        }
    }

    pub(super) fn second(&mut self, plan: &Plan, second: &Second) {
        let Some(left) = &mut self.unconfirmed else {
            return;
        };
        let confirms = |name: &str| {
            let mut labels = plan.labels.iter();
            labels.any(|label| label.name == name && label.kind == OutcomeKind::Issued)
        };
        let outcomes = second.outcomes.iter();
        let confirmed: u64 = outcomes
            .filter(|(name, _)| confirms(name))
            .map(|(_, count)| *count)
            .sum();
        *left = left.saturating_sub_unsigned(confirmed);
    }

    /// The last reading that was there by then.
    pub(super) fn read_by(&self, end_s: f64) -> Option<i64> {
        let until = self.readings.partition_point(|(at, _)| *at <= end_s);
        let (at, value) = self.readings[..until].last()?;
        (end_s - at <= FRESH_S).then_some(*value)
    }

    pub(super) const fn unconfirmed(&self) -> Option<i64> {
        self.unconfirmed
    }
}
