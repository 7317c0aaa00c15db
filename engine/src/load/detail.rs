//! What an attempt is about, as the plan asks for it: a seat, or an account, a key and an amount.

use super::recorder::Recorder;
use crate::history::{Amount, Detail, Key, Operation};
use crate::plan::{Plan, Template, Values};

/// The texts of one attempt; `None` for what is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct About {
    seat: Option<String>,
    account: Option<String>,
    key: Option<String>,
    amount: Option<Amount>,
}

impl About {
    /// What an attempt of this step with these values is about; `None` if nobody wants to know.
    /// Before the answer, what the step itself captures is still of an earlier attempt and is not
    /// used.
    pub(super) fn of(
        plan: &Plan,
        step: u8,
        values: &Values<'_>,
        is_answered: bool,
    ) -> Option<Self> {
        if !plan.details.is_recorded(step) {
            return None;
        }
        let captures = &plan.steps.get(usize::from(step))?.captures;
        let is_known = |slot: u8| {
            let is_there = values.slots.get(usize::from(slot));
            let is_own = captures.iter().any(|capture| capture.slot == slot);
            is_there.is_some_and(Option::is_some) && (is_answered || !is_own)
        };
        let text = |template: &Template| {
            let text = template.slots().all(is_known);
            let text = text.then(|| template.to_text(values));
            text.filter(|text| !text.is_empty())
        };
        let mut about = Self::default();
        let seats = plan.details.seats.as_ref();
        if let Some(seats) = seats.filter(|seats| seats.concerns(step)) {
            about.seat = text(&seats.seat);
        }
        let balances = plan.details.balances.as_ref();
        if let Some(balances) = balances.filter(|balances| balances.charge.contains(&step)) {
            about.account = text(&balances.account);
            about.key = text(&balances.key);
            let amount = balances.amount.as_ref().and_then(text);
            // What is no amount is not known; the checker says how often that was so.
            about.amount = amount.and_then(|amount| amount.parse().ok());
        }
        Some(about)
    }

    /// Records it of this attempt.
    pub(super) fn record(self, operation: Operation, recorder: &mut Recorder) {
        let mut key_of = |text: Option<String>| {
            let Some(text) = text else { return Key::NONE };
            let key = Key::of(&text);
            if key.number().is_none() && key != operation.user {
                recorder.name(key, &text);
            }
            key
        };
        let (seat, account, key) = (key_of(self.seat), key_of(self.account), key_of(self.key));
        recorder.detail(Detail {
            operation,
            seat,
            account,
            key,
            amount: self.amount,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Overrides, load};

    const SCENARIO: &str = r#"
name: details
target: { url: "http://127.0.0.1:1" }
load: { a: { constant_vus: { vus: 1, for: 1s } } }
flows:
  f:
    - name: hold
      post: /hold
      capture: { seat: /seat }
      outcomes: { held: { status: 201, is: ok } }
    - name: buy
      post: /buy
      capture: { price: /price }
      outcomes: { issued: 201 }
    - { name: look, get: / }
invariants:
  - seats: { seat: "{{ seat }}", hold: { step: hold, lease: 1m } }
  - balances: { key: "{{ user }}-{{ iter }}", amount: "-{{ price }}" }
truth:
  seats: { sql: { url: "sqlite:a", query: SELECT 1 } }
  ledger: { sql: { url: "sqlite:a", query: SELECT 1 } }
  balances: { sql: { url: "sqlite:a", query: SELECT 1 } }
"#;

    fn about(step: u8, slots: &[Option<&str>], is_answered: bool) -> Option<About> {
        let plan = load("details.yaml", SCENARIO, &Overrides::default(), &|_| None);
        let plan = plan.unwrap_or_else(|error| panic!("{error}"));
        let slots: Vec<_> = slots.iter().map(|slot| slot.map(str::to_owned)).collect();
        let values = Values {
            user: "kim",
            number: 1,
            vu: 1,
            iteration: 4,
            random: 0,
            slots: &slots,
        };
        About::of(&plan, step, &values, is_answered)
    }

    #[test]
    fn what_a_step_captures_itself_is_known_with_its_answer_only() {
        let seat = |text: &str| Some(text.to_owned());
        let of_hold = |answered| {
            about(0, &[Some("A-1"), None], answered)
                .expect("recorded")
                .seat
        };
        assert_eq!((of_hold(false), of_hold(true)), (None, seat("A-1")));
        let before = about(1, &[Some("A-1"), Some("9")], false).expect("recorded");
        assert_eq!((before.seat, before.amount), (seat("A-1"), None));
        assert_eq!(before.key.as_deref(), Some("kim-4"));
        assert_eq!(before.account.as_deref(), Some("kim"));
        assert_eq!(about(2, &[None, None], true), None, "nobody wants to know");
    }

    #[test]
    fn an_amount_is_exact_and_a_text_that_is_none_is_not_known() {
        let amount = |price| {
            about(1, &[None, Some(price)], true)
                .expect("recorded")
                .amount
        };
        assert_eq!(amount("12.50"), "-12.5".parse().ok());
        for text in ["-12", "free", ""] {
            assert_eq!(amount(text), None, "{text:?}");
        }
    }
}
