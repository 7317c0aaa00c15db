//! What `seats` and `balances` want to know of attempts: names become numbers of steps, texts templates.

use super::flow::Flows;
use super::template::{self, Place, Words};
use crate::history::OutcomeKind;
use crate::plan::slots::SlotTable;
use crate::plan::{Balances, Details, Hold, Seats, Step, Template};
use crate::scenario::{
    At, Balances as WrittenBalances, Details as Written, Given, Position, Report, Scenario,
    Seats as WrittenSeats, did_you_mean,
};

/// Which attempts are recorded, and with what. Nothing of a claim that is wrong.
pub(super) fn resolve(
    scenario: &Scenario,
    flows: &Flows,
    words: Words<'_>,
    report: &mut Report<'_>,
) -> Details {
    let all = words.slots.map(SlotTable::all_visible).unwrap_or_default();
    let planner = Planner {
        flows,
        words: Words {
            slots: Some(&all),
            ..words
        },
        slots: &all,
    };
    let mut details = Details::default();
    for written in &scenario.invariants {
        let name = &written.name;
        match (&written.details, name.value.as_str()) {
            (Given::Absent, "seats") => report.error_hint(
                name.position,
                "the invariant `seats` does not say which attempt is about which seat",
                "write `- seats: { seat: \"{{ seat }}\" }`",
            ),
            (Given::Absent, "balances") => report.error_hint(
                name.position,
                "the invariant `balances` does not say what a charge is known by",
                "write `- balances: { key: \"{{ order }}\" }`",
            ),
            (Given::Value(Written::Seats(seats)), _) => {
                details.seats = planner.seats(seats, name.position, report);
            }
            (Given::Value(Written::Balances(balances)), _) => {
                details.balances = planner.balances(balances, name.position, report);
            }
            (Given::Absent | Given::Broken, _) => {}
        }
    }
    details
}

struct Planner<'a> {
    flows: &'a Flows,
    words: Words<'a>,
    slots: &'a SlotTable,
}

impl Planner<'_> {
    fn seats(
        &self,
        written: &WrittenSeats,
        position: Position,
        report: &mut Report<'_>,
    ) -> Option<Seats> {
        let seat = self.template(&written.seat, report);
        let hold = written.hold.as_ref().map(|(steps, lease)| {
            let grants = |kind| matches!(kind, OutcomeKind::Issued | OutcomeKind::Ok);
            let steps = self.steps(
                steps,
                grants,
                "`issued` or `ok`, which grants a hold",
                report,
            );
            if lease.value.0.is_zero() {
                report.error_hint(
                    lease.position,
                    "a hold for no time is none",
                    "write how long it lasts, like `lease: 5m`",
                );
            }
            let lease = lease.value.0;
            steps.map(|steps| Hold { steps, lease })
        });
        let hold = match hold {
            None => None,
            Some(hold) => Some(hold?),
        };
        let release = self.steps(&written.release, |_| true, "", report);
        let mut sold = self.confirming(written.sold.as_deref(), position, report)?;
        if let (None, Some(hold)) = (&written.sold, &hold) {
            sold.retain(|step| !hold.steps.contains(step));
            if sold.is_empty() {
                no_step(position, report);
                return None;
            }
        }
        let release = release?;
        let mut others = hold.iter().flat_map(|hold| &hold.steps).chain(&release);
        if let Some(twice) = others.find(|step| sold.contains(step)) {
            let name = &self.flows.steps[usize::from(*twice)].name;
            report.error_hint(
                position,
                format!("the step `{name}` cannot sell a seat and do something else with it"),
                "name it once, in `sold`, `hold` or `release`",
            );
        }
        Some(Seats {
            seat: seat?,
            sold,
            hold,
            release,
        })
    }

    fn balances(
        &self,
        written: &WrittenBalances,
        position: Position,
        report: &mut Report<'_>,
    ) -> Option<Balances> {
        let key = self.template(&written.key, report);
        let user = At {
            value: "{{ user }}".to_owned(),
            position,
            hidden: false,
        };
        let account = self.template(written.account.as_ref().unwrap_or(&user), report);
        let amount = written.amount.as_ref();
        let amount = amount.map(|amount| self.template(amount, report));
        let charge = self.confirming(written.charge.as_deref(), position, report);
        Some(Balances {
            key: key?,
            account: account?,
            amount: match amount {
                None => None,
                Some(amount) => Some(amount?),
            },
            charge: charge?,
            conserved: written.conserved,
        })
    }

    /// What is filled in is written to the history, so it must not be a secret.
    fn template(&self, text: &At<String>, report: &mut Report<'_>) -> Option<Template> {
        let template = template::parse(text, Place::Raw, self.words, report)?;
        if template.parts.is_empty() {
            report.error_hint(
                text.position,
                "an empty text tells no attempt from another",
                "fill something in, like `{{ seat }}`",
            );
            return None;
        }
        if let Some(secret) = template.slots().find(|slot| self.slots.is_secret(*slot)) {
            report.error_hint(
                text.position,
                format!(
                    "`{}` is a secret, and this is kept for the report",
                    self.slots.name(secret)
                ),
                "capture a number or a name that may be shown",
            );
            return None;
        }
        Some(template)
    }

    /// The steps that can say `issued`: those that are named, or all.
    fn confirming(
        &self,
        named: Option<&[At<String>]>,
        position: Position,
        report: &mut Report<'_>,
    ) -> Option<Vec<u8>> {
        let confirms = |kind| matches!(kind, OutcomeKind::Issued | OutcomeKind::Pending);
        if let Some(named) = named {
            return self.steps(named, confirms, "`issued`", report);
        }
        let steps = self.flows.steps.iter().zip(0_u8..);
        let steps = steps.filter(|(step, _)| self.can(step, confirms));
        let steps: Vec<u8> = steps.map(|(_, number)| number).collect();
        if steps.is_empty() {
            // What is missing may be in a step that was left out, and reported.
            if self.flows.whole {
                no_step(position, report);
            }
            return None;
        }
        Some(steps)
    }

    /// The numbers of these steps, each of which must have such an outcome.
    fn steps(
        &self,
        names: &[At<String>],
        wanted: impl Fn(OutcomeKind) -> bool,
        outcome: &str,
        report: &mut Report<'_>,
    ) -> Option<Vec<u8>> {
        let steps = &self.flows.steps;
        let found: Vec<Option<u8>> = names
            .iter()
            .map(|name| {
                let at = steps.iter().position(|step| step.name == name.value);
                match at {
                    Some(at) if self.can(&steps[at], &wanted) => return Some(at as u8),
                    Some(_) => report.error_hint(
                        name.position,
                        format!("the step `{}` has no outcome {outcome}", name.shown()),
                        "declare it in the step's `outcomes`, or name another step",
                    ),
                    None if self.flows.whole => {
                        let names: Vec<&str> =
                            steps.iter().map(|step| step.name.as_str()).collect();
                        report.error_hint(
                            name.position,
                            format!("no flow has a step `{}`", name.shown()),
                            did_you_mean(&name.value, &names),
                        );
                    }
                    None => {}
                }
                None
            })
            .collect();
        found.into_iter().collect()
    }

    fn can(&self, step: &Step, wanted: impl Fn(OutcomeKind) -> bool) -> bool {
        if step.rules.is_empty() {
            return wanted(OutcomeKind::Ok);
        }
        let mut labels = step.rules.iter().map(|rule| usize::from(rule.label));
        labels.any(|label| {
            let label = self.flows.labels.get(label);
            label.is_some_and(|label| wanted(label.kind))
        })
    }
}

fn no_step(position: Position, report: &mut Report<'_>) {
    report.error_hint(
        position,
        "no step has the outcome `issued`, so nothing would ever be confirmed",
        "declare it where it is answered: `outcomes: { issued: 201 }`",
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::plan::{Overrides, Plan, Template, Values, load, print};

    const SCENARIO: &str = r#"
name: details
target: { url: "http://127.0.0.1:3000" }
load: { a: { constant_vus: { vus: 1, for: 1s } } }
flows:
  f:
    - { name: hold, post: /hold, capture: { seat: /seat }, outcomes: { held: { status: 201, is: ok } } }
    - { name: buy, post: /buy, outcomes: { issued: 201, sold_out: 409 } }
    - { name: again, post: /buy, outcomes: { issued: 201, replay: 200 } }
    - { name: cancel, post: /cancel }
    - { name: look, get: /look, capture: { token: { json: /token, secret: true } } }
"#;

    const SEATS: &str = "seats: { sql: { url: \"sqlite:a.db\", query: \"SELECT s, o FROM t\" } }";
    const LEDGER: &str =
        "ledger: { sql: { url: \"sqlite:a.db\", query: \"SELECT k, a, m FROM l\" } }";
    const BALANCES: &str =
        "balances: { sql: { url: \"sqlite:a.db\", query: \"SELECT a, i, f FROM b\" } }";

    fn planned(claim: &str, truth: &[&str]) -> Result<Plan, String> {
        let truth = truth.join(", ");
        let text = format!("{SCENARIO}invariants: [{claim}]\ntruth: {{ {truth} }}\n");
        load("details.yaml", &text, &Overrides::default(), &|_| None)
            .map_err(|wrong| wrong.to_string())
    }

    fn text(template: &Template) -> String {
        template.to_text(&Values {
            user: "kim",
            number: 7,
            vu: 1,
            iteration: 2,
            random: 0,
            slots: &[Some("A-1".to_owned())],
        })
    }

    #[test]
    fn what_is_left_out_is_every_step_that_says_issued_and_the_user_as_the_account() {
        let plan = planned("{ seats: { seat: \"{{ seat }}\" } }", &[SEATS]);
        let seats = plan.unwrap_or_else(|error| panic!("{error}")).details.seats;
        let seats = seats.expect("seats");
        assert_eq!(
            (text(&seats.seat).as_str(), seats.sold),
            ("A-1", vec![1, 2])
        );
        assert!(seats.hold.is_none() && seats.release.is_empty());
        let claim = "{ balances: { key: \"{{ user }}-{{ iter }}\" } }";
        let plan = planned(claim, &[LEDGER, BALANCES]);
        let plan = plan.unwrap_or_else(|error| panic!("{error}"));
        let balances = plan.details.balances.expect("balances");
        assert_eq!(text(&balances.key), "kim-2");
        assert_eq!(text(&balances.account), "kim");
        assert_eq!(balances.charge, [1, 2]);
        assert!(balances.amount.is_none() && !balances.conserved);
    }

    #[test]
    fn what_is_said_is_in_the_plan() {
        let claim = "{ seats: { seat: \"{{ seat }}\", sold: buy, release: [cancel], hold: { step: \
                     hold, lease: 5m } } }, { balances: { key: \"{{ seat }}\", account: \
                     \"w{{ n }}\", amount: \"-{{ seat }}\", charge: [buy], conserved: true } }";
        let plan = planned(claim, &[SEATS, LEDGER, BALANCES]);
        let plan = plan.unwrap_or_else(|error| panic!("{error}"));
        let shown = print(&plan);
        for line in [
            "  seats     sql sqlite://",
            "  ledger    sql sqlite://",
            "  balances  sql sqlite://",
            "sold by buy, held by hold for 5m, released by cancel",
            "charged by buy, conserved",
        ] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
        let seats = plan.details.seats.expect("seats");
        assert_eq!((seats.sold, seats.release), (vec![1], vec![3]));
        let hold = seats.hold.expect("a hold");
        assert_eq!((hold.steps, hold.lease), (vec![0], Duration::from_mins(5)));
        let balances = plan.details.balances.expect("balances");
        assert_eq!(text(&balances.account), "w7");
        assert_eq!(balances.amount.as_ref().map(text).as_deref(), Some("-A-1"));
    }

    #[test]
    fn what_cannot_be_judged_is_refused_and_says_what_is_missing() {
        let table = [
            (
                "seats",
                SEATS,
                "does not say which attempt is about which seat",
            ),
            ("balances", LEDGER, "does not say what a charge is known by"),
            (
                "{ seats: { sold: buy } }",
                SEATS,
                "the key `seat` is missing",
            ),
            (
                "{ seats: { seat: \"{{ seta }}\" } }",
                SEATS,
                "unknown name `seta`",
            ),
            (
                "{ seats: { seat: \"\" } }",
                SEATS,
                "tells no attempt from another",
            ),
            (
                "{ seats: { seat: \"{{ token }}\" } }",
                SEATS,
                "`token` is a secret",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\", sold: by } }",
                SEATS,
                "no flow has a step `by`",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\", sold: cancel } }",
                SEATS,
                "the step `cancel` has no outcome `issued`",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\", hold: { step: buy, lease: 1s }, sold: buy } }",
                SEATS,
                "cannot sell a seat and do something else",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\", hold: { step: hold } } }",
                SEATS,
                "the key `lease` is missing",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\", hold: { step: hold, lease: 0s } } }",
                SEATS,
                "a hold for no time",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\", release: [] } }",
                SEATS,
                "`release` names no step",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\" } }",
                LEDGER,
                "the invariant `seats` needs `truth.seats`",
            ),
            (
                "{ balances: { key: \"{{ seat }}\" } }",
                LEDGER,
                "the invariant `balances` needs `truth.balances`",
            ),
            (
                "",
                SEATS,
                "`truth.seats` is read for the invariant `seats` alone",
            ),
            (
                "{ seats: { seat: \"{{ seat }}\" } }",
                "seats: { redis: { url: \"redis://h\", command: HGETALL s } }",
                "the key `sql` is missing",
            ),
        ];
        for (claim, truth, words) in table {
            let error = planned(claim, &[truth]).expect_err(words);
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
