//! Good, bad and unknown ways of issued rows: outbox, events, effects.

use proptest::prelude::*;

use super::{Story, change, has_part, part, verdict_of};
use crate::check::{Deliveries, End, Event, EventsRead, Finding, Ids, Range};
use crate::history::OutcomeKind::Issued;
use crate::plan::fault::{Fault, Injection, Party, Trigger, Victim, Which};
use crate::plan::{Delivery, EventId, Events, EventsOf, Identity, Invariant, Query, Source};
use crate::verdict::Verdict::{self, Fail, Pass};

pub(super) fn judge(story: &Story) -> Finding {
    story.finding(Invariant::Delivery(Identity::Coupon))
}

/// A place that the scenario names.
pub(super) fn source() -> Source {
    Source {
        query: Query::Bundled,
        offset: 0,
    }
}

pub(super) fn all_places() -> Delivery {
    Delivery {
        outbox: Some(source()),
        events: Some(Events {
            of: EventsOf::Bundled,
            id: EventId::Key,
            sequence: None,
            coupon: None,
        }),
        effects: Some(source()),
    }
}

/// `id`, `key/id` or `key/id@sequence`.
pub(super) fn event(offset: i64, text: &str) -> Event {
    let (text, sequence) = text
        .split_once('@')
        .map_or((text, None), |(text, sequence)| (text, Some(sequence)));
    let (key, id) = text
        .split_once('/')
        .map_or((None, text), |(key, id)| (Some(key), id));
    Event {
        partition: 0,
        offset,
        key: key.map(Box::from),
        id: (id != "?").then(|| Box::from(id)),
        sequence: sequence.and_then(|text| text.parse().ok()),
        at_us: None,
    }
}

pub(super) fn ids(before: &[&str], last: &[&str]) -> Ids {
    let owned = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
    Ids {
        before: owned(before),
        last: owned(last),
    }
}

impl Story {
    fn asked(mut self, change: impl Fn(&mut Delivery)) -> Self {
        change(&mut self.plan.truth.as_mut().expect("a truth").delivery);
        self
    }

    fn outbox(mut self, last: &[&str]) -> Self {
        self.observations.deliveries.outbox = ids(&[], last);
        self
    }

    fn effects(mut self, last: &[&str]) -> Self {
        self.observations.deliveries.effects = ids(&[], last);
        self
    }

    /// Events in one partition that was empty before.
    fn events(mut self, texts: &[&str]) -> Self {
        let events: Vec<Event> = (0..).zip(texts).map(|(at, text)| event(at, text)).collect();
        let to = events.len() as i64;
        let deliveries = &mut self.observations.deliveries;
        deliveries.ends = Some(vec![End {
            partition: 0,
            end: 0,
        }]);
        deliveries.events = Some(EventsRead {
            at_ns: 0,
            partitions: vec![Range {
                partition: 0,
                from: 0,
                to,
            }],
            compacted: Some(false),
            others: 0,
            events,
        });
        self
    }

    fn read_events(&mut self) -> &mut EventsRead {
        let events = self.observations.deliveries.events.as_mut();
        events.expect("events were read")
    }
}

/// Two issued, each in the outbox, published, and with one effect.
fn good() -> Story {
    Story::of_stock(2)
        .issued("kim", "c1", 10, 20)
        .issued("lee", "c2", 12, 30)
        .finally(&["kim:c1", "lee:c2"])
        .asked(|asked| *asked = all_places())
        .outbox(&["c1", "c2"])
        .events(&["c1", "c2"])
        .effects(&["c1", "c2"])
}

#[test]
fn what_was_published_and_took_effect_once_passes() {
    let table = vec![
        ("each place has the same ids", good()),
        ("an event is repeated", good().events(&["c1", "c2", "c1"])),
        (
            "no outbox is named",
            good().asked(|asked| asked.outbox = None),
        ),
        (
            "no events are named, and the effects are compared with the rows",
            good()
                .asked(|asked| asked.events = None)
                .asked(|asked| asked.outbox = None),
        ),
        (
            "a row comes between the first read of the rows and the events",
            good()
                .later(&["kim:c1", "lee:c2", "choi:c3"])
                .outbox(&["c1", "c2", "c3"])
                .events(&["c1", "c2", "c3"])
                .effects(&["c1", "c2", "c3"]),
        ),
        (
            "a row of before the load has neither event nor effect",
            good()
                .before(&["old:c0"])
                .finally(&["old:c0", "kim:c1", "lee:c2"]),
        ),
        ("an event rises within its key", {
            good().events(&["kim/c1@1", "kim/c2@2", "lee/c1@1"])
        }),
        (
            "a repeat of the first event of a key is no step back",
            good().events(&["kim/c1@1", "kim/c2@2", "kim/c1@1"]),
        ),
    ];
    for (words, story) in table {
        let finding = judge(&story);
        assert_eq!(finding.verdict, Pass, "{words}: {finding:#?}");
    }
}

#[test]
fn what_is_missing_or_there_twice_fails_by_its_part() {
    let table = vec![
        (
            "committed, and the publishing failed in silence",
            good().events(&["c1"]).effects(&["c1"]),
            "unpublished",
            1,
        ),
        (
            "published before a commit that failed",
            good()
                .events(&["c1", "c2", "c9"])
                .effects(&["c1", "c2", "c9"]),
            "phantom_event",
            1,
        ),
        (
            "published and issued, past the outbox",
            good().outbox(&["c1"]),
            "phantom_event",
            1,
        ),
        (
            "a row without its outbox row",
            good().outbox(&["c1"]),
            "not_in_outbox",
            1,
        ),
        (
            "an outbox row without its row",
            good()
                .outbox(&["c1", "c2", "c9"])
                .events(&["c1", "c2", "c9"])
                .effects(&["c1", "c2", "c9"]),
            "not_issued",
            1,
        ),
        (
            "the offset was committed, and the effect was not written",
            good().effects(&["c2"]),
            "lost_effect",
            1,
        ),
        (
            "an event that was read again had its effect again",
            good().effects(&["c1", "c2", "c2", "c2"]),
            "repeated_effect",
            1,
        ),
        (
            "the second event of a key is the older one",
            good().events(&["kim/c1@2", "kim/c2@1"]),
            "order",
            1,
        ),
        (
            "two events of one key at the same place",
            good().events(&["kim/c1@2", "kim/c2@2"]),
            "order",
            1,
        ),
        (
            "without events the effects are compared with the rows",
            good()
                .asked(|asked| asked.events = None)
                .effects(&["c1", "x"]),
            "lost_effect",
            1,
        ),
        (
            "published only before the load: not this run's event",
            good().asked(|asked| asked.outbox = None).events(&["c1"]),
            "unpublished",
            1,
        ),
    ];
    for (words, story, name, count) in table {
        let finding = judge(&story);
        assert_eq!(
            verdict_of(&finding, name),
            (Fail, count),
            "{words}: {finding:#?}"
        );
        assert_eq!(finding.verdict, Fail, "{words}");
        assert!(!part(&finding, name).cases.is_empty(), "{words}");
    }
}

#[test]
fn what_is_not_there_yet_is_not_lost() {
    let missing = || good().events(&["c1"]).effects(&[]);
    let phantom = || good().events(&["c1", "c2", "c9"]);
    let past = || good().outbox(&["c1"]);
    for story in [missing(), phantom(), past()] {
        assert_eq!(judge(&story).verdict, Fail);
        for story in [
            story.clone().restless(),
            story.stuck("the consumer lag is 1 after 60s"),
        ] {
            let finding = judge(&story);
            assert_eq!(finding.verdict, Verdict::Unknown, "{finding:#?}");
            let detail = &part(&finding, "quiescence").detail;
            assert!(detail.contains("not seen yet"), "{detail}");
        }
    }
}

#[test]
fn an_effect_that_is_there_twice_fails_whatever_may_come() {
    let twice = good().effects(&["c1", "c2", "c2"]);
    for story in [twice.clone().restless(), twice.stuck("the lag is 1")] {
        let finding = judge(&story);
        assert_eq!(verdict_of(&finding, "repeated_effect"), (Fail, 1));
        assert_eq!(finding.verdict, Fail);
    }
}

#[test]
fn what_cannot_be_compared_is_unknown_and_says_why() {
    let mut no_last = good();
    no_last.observations.last = None;
    let mut unread = good();
    unread.observations.deliveries.events = None;
    unread.observations.failures = vec!["the events of t: no broker answers".to_owned()];
    let mut no_outbox = good();
    no_outbox.observations.deliveries.outbox = Ids::default();
    let mut thrown_away = good().events(&["c2"]);
    thrown_away.read_events().partitions[0] = Range {
        partition: 0,
        from: 1,
        to: 2,
    };
    let mut compacted = good().events(&["c2"]);
    compacted.read_events().compacted = Some(true);
    compacted.read_events().partitions[0].to = 2;
    let mut perhaps = compacted.clone();
    perhaps.read_events().compacted = None;
    let mut nothing = good();
    nothing.history.clear();
    let table = vec![
        ("there was no final read", no_last, "no final read"),
        ("a broker was away", unread, "no broker answers"),
        ("the outbox was not read", no_outbox, "the outbox was not"),
        ("the retention was too short", thrown_away, "thrown away"),
        (
            "the topic is compacted",
            compacted,
            "the last event of each",
        ),
        ("the topic has holes", perhaps, "is not known"),
        (
            "an event does not say of what it is",
            good().events(&["c1", "?"]),
            "without an id may be of them",
        ),
        ("nobody was told", nothing, "nothing was tested"),
        (
            "nothing is named",
            good().asked(|asked| *asked = Delivery::default()),
            "neither outbox nor events nor effects",
        ),
        (
            "the rows name no coupon",
            good().finally(&["kim", "lee"]),
            "2 issued rows have no coupon id",
        ),
    ];
    for (words, story, reason) in table {
        let finding = judge(&story);
        assert_eq!(finding.verdict, Verdict::Unknown, "{words}: {finding:#?}");
        let said = finding.parts.iter().any(|one| one.detail.contains(reason));
        assert!(said, "{words}: {finding:#?}");
    }
}

#[test]
fn holes_of_transactions_in_a_topic_that_keeps_everything_excuse_nothing() {
    let mut holes = good().events(&["c2"]);
    holes.read_events().partitions[0].to = 9;
    assert_eq!(verdict_of(&judge(&holes), "unpublished"), (Fail, 1));
    // Nor do those of other coupons.
    let mut others = good().events(&["c2"]);
    let read = others.read_events();
    (read.compacted, read.others, read.partitions[0].to) = (None, 8, 9);
    assert_eq!(verdict_of(&judge(&others), "unpublished"), (Fail, 1));
}

#[test]
fn what_was_there_before_the_load_is_not_this_runs() {
    let mut old = good().events(&["old", "c1", "c2"]);
    old.observations.deliveries.ends = Some(vec![End {
        partition: 0,
        end: 1,
    }]);
    assert_eq!(judge(&old).verdict, Pass, "an event of a row that is gone");
    let mut old = good();
    old.observations.deliveries.outbox = ids(&["old"], &["old", "c1", "c2"]);
    assert_eq!(judge(&old).verdict, Pass, "an outbox row of before");
    let mut old = good();
    old.observations.deliveries.effects = ids(&["c0", "c0"], &["c0", "c0", "c1", "c2"]);
    assert_eq!(judge(&old).verdict, Pass, "effects of before");
    old.observations.deliveries.effects = ids(&["c0", "c0"], &["c0", "c0", "c0", "c1", "c2"]);
    assert_eq!(verdict_of(&judge(&old), "repeated_effect"), (Fail, 1));
}

#[test]
fn what_a_past_that_nobody_read_may_explain_proves_nothing() {
    let mut rows = good().events(&["c1"]).effects(&["c1"]);
    rows.observations.baseline = None;
    let mut events = good().events(&["c1", "c2", "c9"]);
    events.observations.deliveries.ends = None;
    let mut effects = good().effects(&["c1", "c2", "c2"]);
    effects.observations.deliveries.effects.before = None;
    let mut order = good().events(&["kim/c1@2", "kim/c2@1"]);
    order.observations.deliveries.ends = None;
    let table = [
        (rows, "unpublished"),
        (events, "phantom_event"),
        (effects, "repeated_effect"),
        (order, "order"),
    ];
    for (story, name) in table {
        let finding = judge(&story);
        assert_eq!(verdict_of(&finding, name), (Verdict::Unknown, 1), "{name}");
    }
}

#[test]
fn keys_in_several_partitions_are_in_no_order() {
    let mut story = good().events(&["kim/c1@2", "kim/c2@1"]);
    story.read_events().events[1].partition = 1;
    assert_eq!(verdict_of(&judge(&story), "order"), (Pass, 0));
    assert!(!has_part(&judge(&good()), "order"), "nothing could rise");
}

#[test]
fn users_are_compared_where_events_name_them() {
    let story = Story::of_stock(2)
        .told("kim", Issued, 10, 20)
        .told("7", Issued, 12, 30)
        .finally(&["kim", "7"])
        .asked(|asked| *asked = all_places())
        .outbox(&["kim", "7"])
        .events(&["7", "kim"])
        .effects(&["kim", "7"]);
    let by_user = |story: &Story| story.finding(Invariant::Delivery(Identity::User));
    let finding = by_user(&story);
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert_eq!(
        finding.headline,
        "2 new rows, each in the outbox, published, with one effect"
    );
    let finding = by_user(&story.effects(&["7"]));
    let case = &part(&finding, "lost_effect").cases[0];
    assert_eq!((case.user.as_str(), case.inv_ns), ("kim", Some(10)));
}

#[test]
fn cases_name_the_coupon_its_owner_and_when_they_asked() {
    let finding = judge(&good().effects(&["c2"]).broken("killed", 15, 16));
    let case = &part(&finding, "lost_effect").cases[0];
    assert_eq!(case.user, "kim");
    assert_eq!((case.inv_ns, case.ret_ns), (Some(10), Some(20)));
    assert_eq!(case.text, "coupon c1: no effect");
    assert_eq!(case.faults, ["killed"]);
    let finding = judge(&good().events(&["c1", "c2", "c9"]));
    let case = &part(&finding, "phantom_event").cases[0];
    assert_eq!(case.user, "-");
    let text = "coupon c9: published, but not issued (partition 0, offset 2)";
    assert_eq!(case.text, text);
}

#[test]
fn ids_of_two_kinds_are_suspected_aloud() {
    let finding = judge(&good().events(&["x1", "x2"]));
    let detail = &part(&finding, "unpublished").detail;
    assert!(detail.contains("is `truth.events` read for"), "{detail}");
}

#[test]
fn repeats_and_delays_are_told_and_judged_by_nobody() {
    let mut story = good().events(&["c1", "c2", "c2", "c2"]);
    let last = story.observations.last.as_mut().expect("read");
    change(last, |rows| {
        for (row, at_us) in rows.iter_mut().zip([1_000, 2_000]) {
            row.created_us = Some(at_us);
        }
    });
    for (event, at_us) in story.read_events().events.iter_mut().zip([3_000, -1_000]) {
        event.at_us = Some(at_us);
    }
    let finding = judge(&story);
    assert_eq!(finding.verdict, Pass, "{finding:#?}");
    assert_eq!(verdict_of(&finding, "repeated_event"), (Pass, 2));
    let delay = part(&finding, "delay");
    assert_eq!(
        delay.detail,
        "from row to event: half within 0.000 ms, 95 % within 2.000 ms, 99 % within 2.000 ms, all \
         within 2.000 ms (2 rows, exact to 1 ms, by the clocks of who wrote them; 1 event older \
         than the row)"
    );
    story.plan.faults.push(Fault {
        name: "late".to_owned(),
        victim: Victim {
            party: Party::Database,
            which: Which::All,
        },
        injection: Injection::ClockSkew { by_ms: -30_000 },
        trigger: Trigger::At(std::time::Duration::ZERO),
        lasts: std::time::Duration::from_secs(1),
        times: 1,
        every: std::time::Duration::from_secs(2),
    });
    let detail = part(&judge(&story), "delay").detail.clone();
    assert!(detail.contains("a fault sets a clock"), "{detail}");
}

proptest! {
    #[test]
    fn the_quantiles_of_the_delay_are_those_of_a_sorted_list(
        delays in prop::collection::vec(0_i64..100_000, 1..60),
    ) {
        let names: Vec<String> = (0..delays.len()).map(|n| format!("u{n}:c{n}")).collect();
        let ids: Vec<String> = (0..delays.len()).map(|n| format!("c{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let rows: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut story = good().finally(&rows).events(&ids);
        change(story.observations.last.as_mut().expect("read"), |rows| {
            for row in rows.iter_mut() {
                row.created_us = Some(5_000_000);
            }
        });
        for (event, delay) in story.read_events().events.iter_mut().zip(&delays) {
            event.at_us = Some(5_000_000 + delay);
        }
        let mut sorted = delays;
        sorted.sort_unstable();
        let half = (0..sorted.len()).find(|at| 2 * (at + 1) >= sorted.len()).expect("some");
        let shown = format!("half within {:.3} ms", sorted[half] as f64 / 1e3);
        let detail = part(&judge(&story), "delay").detail.clone();
        prop_assert!(detail.contains(&shown), "{} lacks {}", detail, shown);
    }
}

#[test]
fn nothing_is_read_where_nothing_is_named() {
    assert_eq!(Deliveries::default().texts().count(), 0);
    assert_eq!(good().observations.deliveries.texts().count(), 6);
}
