//! `balances` on histories by hand: good, bad and unknown for each part.

use super::recorded::{Recorded, amount, both, detail, table};
use super::{has_part, part, plan, verdict_of};
use crate::check::{Finding, Settled};
use crate::history::OutcomeKind::{self, Issued, NotSent, Refused, Replay, Unknown};
use crate::history::{Detail, Key};
use crate::plan::{Balances, Invariant, Template};
use crate::verdict::Verdict::{self, Fail, Pass, Unknown as Open};

pub(super) const PAY: u8 = 1;

/// A bank in which nobody has paid yet.
pub(super) fn bank() -> Recorded {
    let mut plan = plan(9);
    plan.details.balances = Some(Balances {
        key: Template::literal("?"),
        account: Template::literal("?"),
        amount: Some(Template::literal("?")),
        charge: vec![PAY],
        conserved: false,
    });
    let mut bank = Recorded::of(plan);
    bank.observations.tables.ledger = both::<&str>(&[], &[]);
    bank.observations.tables.balances = both::<&str>(&[], &[]);
    bank
}

/// The user's account has the user's name.
pub(super) fn charge(
    user: &str,
    key: &str,
    what: &str,
    kind: OutcomeKind,
    (inv, ret): (u64, u64),
) -> Detail {
    Detail {
        account: Key::of(user),
        key: Key::of(key),
        amount: amount(what),
        ..detail(PAY, user, kind, inv, ret)
    }
}

impl Recorded {
    fn paid(mut self, user: &str, key: &str, what: &str, kind: OutcomeKind, inv: u64) -> Self {
        self.details
            .push(charge(user, key, what, kind, (inv, inv + 1)));
        self
    }

    /// Rows of `key:account:amount`.
    fn ledger(mut self, rows: &[&str]) -> Self {
        self.observations.tables.ledger.last = Some(table(rows));
        self
    }

    /// Rows of `account:initial:final`.
    fn accounts(mut self, rows: &[&str]) -> Self {
        self.observations.tables.balances.last = Some(table(rows));
        self
    }

    fn conserved(mut self) -> Self {
        if let Some(balances) = &mut self.plan.details.balances {
            balances.conserved = true;
        }
        self
    }

    fn balances(&self) -> Finding {
        self.judge(Invariant::Balances)
    }
}

/// Kim pays twice, of which one is repeated; Lee's payment is refused, and one gets no answer.
fn good() -> Recorded {
    bank()
        .paid("kim", "k1", "-10", Issued, 1)
        .paid("kim", "k2", "-0.5", Unknown, 3)
        .paid("kim", "k2", "-0.5", Replay, 5)
        .paid("lee", "l1", "-7", Refused, 7)
        .paid("lee", "l2", "-2", Unknown, 9)
        .paid("lee", "l3", "-2", NotSent, 11)
        .ledger(&["k1:kim:-10", "k2:kim:-0.50", ":shop:12.5", "l2:lee:-2"])
        .accounts(&["kim:20:9.5", "lee:5:3", "shop:0:12.5"])
        .conserved()
}

#[test]
fn a_good_ledger_passes_to_the_last_digit() {
    let finding = good().balances();
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert_eq!(
        finding.headline,
        "2 charges confirmed, each with one row; 3 accounts add up"
    );
    let detail = "all accounts together hold 25, as at the beginning";
    assert_eq!(part(&finding, "conserved").detail, detail);
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn each_part_fails_for_its_own_reason() {
    let table: Vec<(&str, Recorded, &str)> = vec![
        (
            "a retry charged twice",
            good()
                .ledger(&[
                    "k1:kim:-10",
                    "k2:kim:-0.5",
                    "k2:kim:-0.5",
                    ":shop:13",
                    "l2:lee:-2",
                ])
                .accounts(&["kim:20:9", "lee:5:3", "shop:0:13"]),
            "charged_twice",
        ),
        (
            "a row is lost",
            good()
                .ledger(&["k2:kim:-0.5", ":shop:2.5", "l2:lee:-2"])
                .accounts(&["kim:20:19.5", "lee:5:3", "shop:0:2.5"]),
            "lost",
        ),
        (
            "a row that nobody asked for",
            good()
                .ledger(&[
                    "k1:kim:-10",
                    "k2:kim:-0.5",
                    ":shop:12.5",
                    "l2:lee:-2",
                    "x:lee:-1",
                    ":shop:1",
                ])
                .accounts(&["kim:20:9.5", "lee:5:2", "shop:0:13.5"]),
            "phantom",
        ),
        (
            "a request that was not sent charged nobody",
            good()
                .ledger(&[
                    "k1:kim:-10",
                    "k2:kim:-0.5",
                    ":shop:12.5",
                    "l2:lee:-2",
                    "l3:lee:-1",
                    ":shop:1",
                ])
                .accounts(&["kim:20:9.5", "lee:5:2", "shop:0:13.5"]),
            "phantom",
        ),
        (
            "refused, and charged all the same",
            good()
                .ledger(&[
                    "k1:kim:-10",
                    "k2:kim:-0.5",
                    ":shop:12.5",
                    "l2:lee:-2",
                    "l1:lee:-1",
                    ":shop:1",
                ])
                .accounts(&["kim:20:9.5", "lee:5:2", "shop:0:13.5"]),
            "refused",
        ),
        (
            "another amount than was asked for",
            good()
                .ledger(&["k1:kim:-10", "k2:kim:-0.51", ":shop:12.51", "l2:lee:-2"])
                .accounts(&["kim:20:9.49", "lee:5:3", "shop:0:12.51"]),
            "wrong_row",
        ),
        (
            "another account than was asked for",
            good()
                .ledger(&["k1:lee:-1", "k2:kim:-0.5", ":shop:3.5", "l2:lee:-2"])
                .accounts(&["kim:20:19.5", "lee:5:2", "shop:0:3.5"]),
            "wrong_row",
        ),
        (
            "a balance that does not follow from its rows",
            good().accounts(&["kim:20:9.6", "lee:5:2.9", "shop:0:12.5"]),
            "sums",
        ),
        (
            "below zero on the way",
            good().accounts(&["kim:10:-0.5", "lee:5:3", "shop:10:22.5"]),
            "negative",
        ),
        (
            "money from nowhere",
            good()
                .ledger(&["k1:kim:-10", "k2:kim:-0.5", ":shop:12.6", "l2:lee:-2"])
                .accounts(&["kim:20:9.5", "lee:5:3", "shop:0:12.6"]),
            "conserved",
        ),
    ];
    for (why, bank, name) in table {
        let finding = bank.balances();
        let failed = finding.parts.iter().filter(|part| part.verdict == Fail);
        let failed: Vec<&str> = failed.map(|part| part.name.as_str()).collect();
        assert_eq!(failed, [name], "{why}: {finding:#?}");
        assert_eq!(finding.verdict, Fail, "{why}");
    }
}

#[test]
fn below_zero_is_found_also_where_it_was_made_up_for_and_only_where_something_was_taken() {
    let bank = |ledger: &[&str], account: &str| {
        let bank = super::balances::bank().paid("kim", "k1", "-10", Issued, 1);
        let finding = bank.ledger(ledger).accounts(&[account]).balances();
        verdict_of(&finding, "negative")
    };
    let back = ["k1:kim:-10", ":kim:5"];
    assert_eq!(bank(&back, "kim:5:0"), (Fail, 1));
    assert_eq!(bank(&["k1:kim:-10"], "kim:10:0"), (Pass, 0));
    assert_eq!(bank(&[":kim:5", "k1:kim:-10"], "kim:5:0"), (Pass, 0));
    // It was below zero before the load and was not charged.
    assert_eq!(bank(&[":kim:5"], "kim:-10:-5"), (Pass, 0));
}

#[test]
fn what_was_there_before_is_not_this_runs() {
    let old = |ledger: &[&str]| {
        let mut bank = good()
            .ledger(&[
                "o1:kim:-1",
                "o1:kim:-1",
                "k1:kim:-10",
                "k2:kim:-0.5",
                ":shop:14.5",
                "l2:lee:-2",
            ])
            .accounts(&["kim:22:9.5", "lee:5:3", "shop:0:14.5"]);
        bank.observations.tables.ledger.before = if ledger.is_empty() {
            None
        } else {
            Some(table(ledger))
        };
        bank.balances()
    };
    let finding = old(&["o1:kim:-1", "o1:kim:-1"]);
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    let finding = old(&["o1:kim:-1"]);
    assert_eq!(verdict_of(&finding, "charged_twice"), (Fail, 1));
    assert_eq!(verdict_of(&finding, "phantom"), (Fail, 1));
    // Nobody knows what was there.
    assert_eq!(verdict_of(&old(&[]), "phantom"), (Open, 1));
}

#[test]
fn what_cannot_be_read_or_added_up_is_unknown_and_says_why() {
    let most = "170141183460469231731";
    let table: Vec<(&str, Recorded, &str)> = vec![
        (
            "amounts",
            good().ledger(&["k1:kim:-10,0", "k2:kim:-0.5", "l2:lee:-2"]),
            "the amount \"-10,0\" of row 1 of the ledger is not a decimal number like -12.50",
        ),
        (
            "amounts",
            good().accounts(&["kim:20:NaN", "lee:5:3", "shop:0:12.5"]),
            "the final balance \"NaN\" of row 1 of the balances is not a decimal number",
        ),
        (
            "amounts",
            good().accounts(&["kim:20:9.5", "lee:5:3", &format!("shop:{most}:12.5")]),
            "the balance after row 3 of the ledger is too large",
        ),
        (
            "amounts",
            good().accounts(&["kim:20:9.5", "lee:5:3", "shop:0:12.5", "kim:20:9.5"]),
            "row 4 of the balances is the second one of its account",
        ),
        (
            "accounts",
            good().accounts(&["kim:20:9.5", "lee:5:3"]),
            "1 row of accounts that the balances do not have",
        ),
        (
            "conserved",
            good().accounts(&[
                "kim:20:9.5",
                "lee:5:3",
                "shop:0:12.5",
                &format!("a:{most}:{most}"),
                &format!("b:{most}:{most}"),
            ]),
            "too large to be added up",
        ),
        (
            "sums",
            {
                let mut bank = good();
                bank.observations.tables.balances.last = None;
                bank
            },
            "there was no final read of `truth.balances`",
        ),
        (
            "unreadable",
            good().paid("max", "m1", "free", Issued, 20).ledger(&[
                "k1:kim:-10",
                "k2:kim:-0.5",
                ":shop:12.5",
                "l2:lee:-2",
                "m1:kim:0",
            ]),
            "of 1 confirmation the account or the amount is not known",
        ),
    ];
    for (name, bank, words) in table {
        let finding = bank.balances();
        let part = part(&finding, name);
        assert_eq!(part.verdict, Open, "{words}: {finding:#?}");
        assert!(part.detail.contains(words), "{words}: {part:#?}");
    }
}

#[test]
fn what_is_not_known_of_the_attempts_is_no_proof_against_the_system() {
    let ledger = [
        "k1:kim:-10",
        "k2:kim:-0.5",
        ":shop:13.5",
        "l2:lee:-2",
        "x:lee:-1",
    ];
    let bank = || {
        good()
            .ledger(&ledger)
            .accounts(&["kim:20:9.5", "lee:5:2", "shop:0:13.5"])
    };
    let phantom = |bank: Recorded| verdict_of(&bank.balances(), "phantom");
    assert_eq!(phantom(bank()), (Fail, 1));
    let mut cut = bank();
    cut.gap = Some("the run was cut off".to_owned());
    assert_eq!(phantom(cut), (Open, 1));
    let mut lost = bank();
    let operation = lost.details[0].operation;
    lost.bare.push(operation);
    assert_eq!(phantom(lost), (Open, 1));
    let mut nameless = bank();
    nameless.details[0].key = Key::NONE;
    assert_eq!(verdict_of(&nameless.balances(), "named"), (Open, 1));
}

#[test]
fn nothing_that_was_tested_is_unknown() {
    let finding = bank().paid("kim", "k1", "-1", Refused, 1).balances();
    assert_eq!(
        (finding.verdict, verdict_of(&finding, "confirmed")),
        (Open, (Open, 0))
    );
    let mut unread = good();
    unread.observations.tables.ledger.last = None;
    assert_eq!(unread.balances().verdict, Open);
    assert!(!has_part(&unread.balances(), "lost"));
}

#[test]
fn before_the_state_is_quiet_only_what_nothing_heals_is_a_failure() {
    let restless = |mut bank: Recorded| -> Finding {
        bank.observations.settled = Some(Settled::Moving(None));
        bank.balances()
    };
    let finding = restless(good().ledger(&["k2:kim:-0.5"]));
    for name in ["lost", "sums"] {
        assert_eq!(part(&finding, name).verdict, Open, "{name}");
    }
    assert_eq!(finding.verdict, Open);
    let finding = restless(good().ledger(&["k1:kim:-10", "k1:kim:-10"]));
    assert_eq!(part(&finding, "charged_twice").verdict, Fail);
}

#[test]
fn the_story_names_the_key_the_user_the_times_and_the_truth() {
    let bank = good().ledger(&[
        "k1:kim:-10",
        "k2:kim:-0.5",
        "k2:kim:-0.5",
        ":shop:13",
        "l2:lee:-2",
    ]);
    let finding = bank.balances();
    let part = part(&finding, "charged_twice");
    let case = &part.cases[0];
    assert_eq!(
        (case.user.as_str(), case.text.as_str()),
        ("kim", "key k2: in the ledger 2 times")
    );
    assert_eq!((case.inv_ns, case.ret_ns), (Some(5), Some(6)));
    let story = part.explanation.as_ref().expect("a story");
    let told: Vec<&str> = story.moments.iter().map(|one| one.text.as_str()).collect();
    for words in [
        "`kim` asked, and was answered nothing certain",
        "`kim` asked, and was told \"issued, as before\"",
        "the final read of key k2 shows -0.5 of `kim` and -0.5 of `kim`",
    ] {
        assert!(
            told.iter().any(|text| text.contains(words)),
            "{words}: {told:#?}"
        );
    }
    let sums = super::part(&finding, "sums").cases[0].text.clone();
    let words = "account kim: began with 20 and comes to 9 by the ledger, but holds 9.5";
    assert_eq!(sums, words);
}

/// A row that is dropped, swapped, repeated or moved must be noticed.
#[test]
fn no_mutation_of_a_good_ledger_gets_through() {
    let rows = ["k1:kim:-10", "k2:kim:-0.50", ":shop:12.5", "l2:lee:-2"];
    let mut mutations: Vec<(String, Vec<String>)> = Vec::new();
    let owned = || -> Vec<String> { rows.iter().map(|row| (*row).to_owned()).collect() };
    for (at, row) in rows.iter().enumerate() {
        let mut dropped = owned();
        dropped.remove(at);
        mutations.push((format!("{row} is dropped"), dropped));
        let mut repeated = owned();
        repeated.push((*row).to_owned());
        mutations.push((format!("{row} is repeated"), repeated));
        let mut other = owned();
        other[at] = row
            .replace(".5", ".6")
            .replace("-10", "-10.01")
            .replace("-2", "-2.000001");
        mutations.push((format!("the amount of {row} is another"), other));
    }
    let mut swapped = owned();
    swapped[0] = "k2:kim:-10".to_owned();
    swapped[1] = "k1:kim:-0.5".to_owned();
    mutations.push(("keys are swapped".to_owned(), swapped));
    let mut moved = owned();
    moved[3] = "l2:kim:-2".to_owned();
    mutations.push(("a row is of another account".to_owned(), moved));
    for (why, rows) in mutations {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let finding = good().ledger(&rows).balances();
        assert_eq!(finding.verdict, Verdict::Fail, "{why}: {finding:#?}");
    }
}
