//! Known loads with known faults: what must be measured of them.

use proptest::prelude::*;

use super::*;
use crate::history::{
    AlertChange, AlertMark, Cause, FaultMark, Key, Moment, Operation, OutcomeKind,
};
use crate::measure::alert::Watched;
use OutcomeKind::{Issued, NotSent, SoldOut, Unknown};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;
const DRAIN: u16 = 9;

/// Attempts and faults, told one after the other.
#[derive(Debug, Clone, Default)]
struct Story {
    history: Vec<Operation>,
    marks: Vec<FaultMark>,
    aborted_ns: Option<u64>,
    alerts: Vec<AlertMark>,
}

impl Story {
    /// One attempt each so many milliseconds, each of which takes so long and comes to this.
    fn asked(mut self, from: u64, to: u64, every: u64, takes: u64, kind: OutcomeKind) -> Self {
        let sent = (from..to).step_by(every as usize);
        self.history
            .extend(sent.map(|at| attempt(at * MS, takes * MS, kind)));
        self
    }

    fn marked(mut self, fault: u16, at: u64, moment: Moment) -> Self {
        self.marks.push(FaultMark {
            at_ns: at * MS,
            fault,
            occurrence: 1,
            moment,
        });
        self
    }

    /// A fault that bites at once; milliseconds.
    fn fault(self, fault: u16, applied: u64, healed: u64) -> Self {
        self.begun(fault, applied)
            .marked(fault, healed, Moment::Healing)
            .marked(fault, healed, Moment::Healed)
    }

    /// The same without an end.
    fn begun(self, fault: u16, applied: u64) -> Self {
        let asked = Moment::Asked {
            victims: vec!["redis-1".to_owned()],
            due_ns: None,
        };
        let seen = Moment::EffectSeen {
            what: "PING was not answered".to_owned(),
        };
        self.marked(fault, applied, asked)
            .marked(fault, applied, Moment::Applied)
            .marked(fault, applied + 30, seen)
    }

    /// What is told of alerts; milliseconds.
    fn told(mut self, at: u64, change: AlertChange) -> Self {
        let at_ns = at * MS;
        self.alerts.push(AlertMark { at_ns, change });
        self
    }

    fn alert(self, at: u64) -> Self {
        let name = "RedisDown".to_owned();
        let labels = std::collections::BTreeMap::new();
        let alert = self.alerts.len() as u32;
        self.told(
            at,
            AlertChange::Firing {
                alert,
                name,
                labels,
            },
        )
    }

    fn measured(&self) -> Vec<Measured> {
        let load = Load {
            start_ns: 0,
            aborted_ns: self.aborted_ns,
            drain_phase: DRAIN,
        };
        let observer = Observer::new(occurrences(self.marks.iter()), load);
        let mut observer = observer.with_alerts(Watched::new(self.alerts.iter()));
        self.history.iter().for_each(|one| observer.take(one));
        observer.finish()
    }

    fn only(&self) -> Measured {
        self.measured().remove(0)
    }
}

fn attempt(sent_ns: u64, takes_ns: u64, kind: OutcomeKind) -> Operation {
    Operation {
        user: Key(1),
        coupon: Key::NONE,
        inv_ns: sent_ns,
        ret_ns: sent_ns + takes_ns,
        lag_us: 0,
        status: 0,
        kind,
        label: kind as u8,
        step: 0,
        cause: Cause::None,
        phase: 0,
        vu: 0,
    }
}

/// 100 attempts a second that take 10 ms, but for a time in which nothing works.
fn outage(broken: std::ops::Range<u64>, end: u64) -> Story {
    Story::default()
        .asked(0, broken.start, 10, 10, Issued)
        .asked(broken.start, broken.end, 10, 500, Unknown)
        .asked(broken.end, end, 10, 10, Issued)
}

#[test]
fn what_never_works_again_is_not_recovered() {
    let one = outage(20_000..60_000, 60_000)
        .fault(0, 20_000, 30_000)
        .only();
    let Recovery::NotWithin {
        seen_ns,
        bad_ns,
        until,
    } = one.recovery
    else {
        panic!("{one:#?}");
    };
    assert_eq!((seen_ns / MS, until), (29_990, Until::LoadEnded));
    assert_eq!(bad_ns, Some(30 * S), "until its end");
    assert_eq!(one.recovery_ns(), None);
}

#[test]
fn what_works_but_slower_than_before_is_not_recovered() {
    // Before: 10 ms. Good is up to 40 ms and a little.
    for (takes, recovered) in [(38, true), (45, false)] {
        let story = Story::default()
            .asked(0, 20_000, 10, 10, Issued)
            .asked(20_000, 25_000, 10, 500, Unknown)
            .asked(25_000, 40_000, 10, takes, Issued);
        let one = story.fault(0, 20_000, 25_000).only();
        assert_eq!(one.recovery_ns().is_some(), recovered, "{takes} ms");
    }
}

#[test]
fn what_fails_more_often_than_before_is_not_recovered() {
    for (every, recovered) in [(20, false), (2_000, true)] {
        let story = outage(20_000..25_000, 60_000).asked(25_000, 60_000, every, 5, Unknown);
        let one = story.fault(0, 20_000, 25_000).only();
        assert_eq!(
            one.recovery_ns().is_some(),
            recovered,
            "one each {every} ms"
        );
    }
}

#[test]
fn a_recovery_is_the_end_of_the_first_good_windows_after_the_heal() {
    // Healed at 30 s, but broken until 32.1 s: the window from 32.0 s is bad, the next four are good.
    let one = outage(20_000..32_100, 60_000)
        .fault(0, 20_000, 30_000)
        .only();
    assert_eq!(one.window_ns, 250 * MS);
    assert_eq!(one.recovery, Recovery::At(33_250 * MS));
    assert_eq!(one.recovery_ns(), Some(3_250 * MS));
    // At once means: as soon as so many windows are over.
    let one = outage(20_000..30_000, 60_000)
        .fault(0, 20_000, 30_000)
        .only();
    assert_eq!(one.recovery_ns(), Some(S));
}

#[test]
fn clients_notice_failures_when_they_come_and_slowness_when_it_is_too_long() {
    // Unknown after 500 ms, but out for longer than 40 ms long before.
    let one = outage(20_000..25_000, 60_000)
        .fault(0, 20_000, 25_000)
        .only();
    assert_eq!(one.first_bad_ns, Some(20_000 * MS));
    let clients = |story: &Story| {
        let mut story = story.clone();
        story
            .marks
            .retain(|mark| !matches!(mark.moment, Moment::EffectSeen { .. }));
        story.only().detected().map(|one| (one.at_ns / MS, one.by))
    };
    let slow = outage(20_000..25_000, 60_000).fault(0, 20_000, 25_000);
    assert_eq!(clients(&slow), Some((20_290, Detector::Clients)));
    let refused = Story::default()
        .asked(0, 20_000, 10, 10, Issued)
        .asked(20_000, 25_000, 10, 0, NotSent)
        .asked(25_000, 40_000, 10, 10, Issued)
        .fault(0, 20_000, 25_000);
    assert_eq!(clients(&refused), Some((20_250, Detector::Clients)));
    assert_eq!(
        slow.only().detected().map(|one| (one.at_ns / MS, one.by)),
        Some((20_030, Detector::Effect)),
        "the probe was first"
    );
}

#[test]
fn a_threshold_that_ends_the_load_has_noticed_the_fault_that_was_active() {
    for (aborted, by) in [(20_010, Detector::Threshold), (10_000, Detector::Effect)] {
        let mut story = outage(20_000..25_000, 60_000).fault(0, 20_000, 25_000);
        story.aborted_ns = Some(aborted * MS);
        assert_eq!(
            story.only().detected().map(|one| one.by),
            Some(by),
            "{aborted}"
        );
    }
}

#[test]
#[rustfmt::skip] // A row a line.
fn an_alert_notices_a_fault_that_is_active_or_not_recovered_from() {
    // Healed at 25 s, recovered from at 27 s.
    let story = || outage(20_000..26_000, 60_000).fault(0, 20_000, 25_000);
    assert_eq!(story().only().alerted, None, "nobody watched");
    for (at, noticed, why) in [
        (5_000, None, "it fires before"),
        (20_000, Some(0), "as soon as it is there"),
        (24_000, Some(4_000), "while it is active"),
        (26_500, Some(6_500), "healed, but not recovered from"),
        (28_000, None, "all was as before"),
    ] {
        let one = story().told(1_000, AlertChange::Watched).alert(at).only();
        assert_eq!(one.recovery_ns(), Some(2 * S), "{why}");
        assert_eq!(one.detection_by_ns(Detector::Alert), noticed.map(|ms: u64| ms * MS), "{why}");
        assert_eq!(one.alerted.map(|told| told.fired.len()), Some(usize::from(noticed.is_some())));
    }
    let both = story().alert(22_000).alert(24_000).only();
    assert_eq!(both.detection_by_ns(Detector::Alert), Some(2 * S), "the first");
    assert_eq!(both.detected().map(|one| one.by), Some(Detector::Effect), "and others were faster");
}

#[test]
fn an_alert_is_the_first_to_notice_where_nobody_else_does() {
    let mut story = Story::default()
        .asked(0, 60_000, 10, 10, Issued)
        .fault(0, 20_000, 25_000)
        .alert(23_000);
    story
        .marks
        .retain(|mark| !matches!(mark.moment, Moment::EffectSeen { .. }));
    let detected = story.only().detected().expect("an alert fired");
    assert_eq!((detected.at_ns, detected.by), (23 * S, Detector::Alert));
}

#[test]
fn a_fault_that_is_never_healed_is_noticed_also_behind_the_last_attempt() {
    let one = outage(20_000..30_000, 30_000)
        .begun(0, 20_000)
        .alert(32_000)
        .only();
    assert_eq!(one.detection_by_ns(Detector::Alert), Some(12 * S));
}

#[test]
fn a_fault_that_nobody_felt_has_no_bad_window() {
    let one = Story::default()
        .asked(0, 60_000, 10, 10, SoldOut)
        .fault(0, 20_000, 30_000)
        .only();
    assert_eq!((one.first_bad_ns, one.failed), (None, 0));
    assert_eq!(one.recovery_ns(), Some(S));
}

#[test]
fn attempts_that_were_under_way_while_it_was_active_are_counted_once() {
    let story = Story::default()
        .asked(0, 100, 100, 50, Issued) // answered before
        .asked(900, 901, 1, 200, Issued) // sent before, answered in it
        .asked(1_500, 1_501, 1, 100, Unknown)
        .asked(1_900, 1_901, 1, 4_000, NotSent) // open for 3.9 s after the heal
        .asked(2_100, 2_101, 1, 100, Unknown) // sent after
        .fault(0, 1_000, 2_000);
    let one = story.only();
    assert_eq!((one.attempts, one.failed, one.unknown), (3, 2, 1));
    assert_eq!(one.open_after_heal_ns, Some(3_900 * MS));
}

#[test]
fn an_attempt_that_hangs_in_the_fault_and_ends_after_it_says_nothing_of_the_time_after_it() {
    let one = Story::default()
        .asked(0, 20_000, 10, 10, Issued)
        .asked(20_000, 25_000, 10, 30_000, Unknown)
        .asked(25_000, 70_000, 10, 10, Issued)
        .fault(0, 20_000, 25_000)
        .only();
    assert_eq!(one.recovery_ns(), Some(S));
}

#[test]
fn those_that_the_fault_caught_are_not_what_was_before() {
    let before = |story: Story| story.only().baseline.expect("a baseline");
    let caught = outage(20_000..25_000, 60_000).asked(19_000, 20_000, 1, 9_000, Unknown);
    let caught = before(caught.fault(0, 20_000, 25_000));
    let free = before(outage(20_000..25_000, 60_000).fault(0, 20_000, 25_000));
    assert_eq!(
        (caught.failed_share.to_bits(), caught.p95_ms),
        (free.failed_share.to_bits(), free.p95_ms)
    );
}

#[test]
fn a_fault_in_the_first_second_has_no_baseline_and_only_failures_count() {
    let story = |takes| {
        Story::default()
            .asked(0, 100, 10, 10, Issued)
            .asked(100, 5_000, 10, 500, Unknown)
            .asked(5_000, 20_000, 10, takes, Issued)
            .fault(0, 100, 5_000)
            .only()
    };
    let one = story(900);
    assert_eq!(one.baseline, None);
    assert_eq!(one.recovery_ns(), Some(S), "slow is as good as any");
    assert_eq!(one.first_bad_ns, Some(100 * MS));
}

#[test]
fn a_window_without_an_attempt_breaks_the_row() {
    // Half a second of answers, half a second of nothing, and so on.
    let mut story = Story::default().asked(0, 25_000, 10, 10, Issued);
    for from in (25_000..40_000).step_by(1_000) {
        story = story.asked(from, from + 500, 10, 10, Issued);
    }
    let one = story
        .asked(40_000, 45_000, 10, 10, Issued)
        .fault(0, 20_000, 25_000)
        .only();
    // Steady from 40 s on; the two good windows before it have an empty one behind them.
    assert_eq!(one.recovery, Recovery::At(41_000 * MS));
}

#[test]
fn windows_are_as_wide_as_few_attempts_need() {
    for (every, width) in [
        (1, 250),
        (12, 250),
        (20, 500),
        (50, 1_000),
        (125, 2_500),
        (200, 5_000),
    ] {
        let one = Story::default()
            .asked(0, 60_000, every, 10, Issued)
            .fault(0, 20_000, 21_000)
            .only();
        assert_eq!(one.window_ns / MS, width, "one each {every} ms");
    }
}

#[test]
fn a_fault_that_was_never_healed_is_never_recovered_from() {
    let story = outage(20_000..25_000, 60_000).begun(0, 20_000);
    let why = Moment::NotHealed {
        why: "it does not start".to_owned(),
    };
    for story in [story.clone(), story.marked(0, 30_000, why)] {
        let one = story.only();
        assert_eq!(one.recovery, Recovery::NotHealed);
        assert_eq!(one.attempts, 4_001, "from its beginning on");
    }
}

#[test]
fn a_fault_that_was_healed_at_the_second_try_is_healed() {
    let why = Moment::NotHealed {
        why: "the first try".to_owned(),
    };
    let one = outage(20_000..25_000, 60_000)
        .begun(0, 20_000)
        .marked(0, 25_000, why)
        .marked(0, 26_000, Moment::Healed)
        .only();
    assert_eq!(one.occurrence.not_healed, None);
    assert_eq!(one.recovery_ns(), Some(S));
}

#[test]
fn a_load_that_ends_too_early_is_told_apart_from_a_system_that_stays_broken() {
    let until = |end| match outage(20_000..30_000, end)
        .fault(0, 20_000, 30_000)
        .only()
        .recovery
    {
        Recovery::NotWithin { until, .. } => Some(until),
        _ => None,
    };
    assert_eq!(until(30_000), Some(Until::TooLittle));
    assert_eq!(until(30_900), Some(Until::TooLittle));
    assert_eq!(until(31_000), None, "four windows are enough");
}

#[test]
fn faults_that_overlap_share_what_was_before_the_first() {
    let story = outage(20_000..40_000, 60_000)
        .fault(0, 20_000, 30_000)
        .fault(1, 25_000, 40_000);
    let [one, other] = &story.measured()[..] else {
        panic!("two faults");
    };
    assert_eq!(one.baseline, other.baseline);
    assert!(one.baseline.is_some());
    // The first is healed at 30 s, but nothing works before the second is, too.
    assert_eq!(one.recovery_ns(), Some(11 * S));
    assert_eq!(other.recovery_ns(), Some(S));
    assert_eq!((&one.beside, &other.beside), (&vec![1], &vec![0]));
}

#[test]
fn a_baseline_does_not_reach_behind_the_recovery_from_an_earlier_fault() {
    let story = Story::default()
        .asked(0, 20_000, 10, 10, Issued)
        .asked(20_000, 22_000, 10, 500, Unknown)
        .asked(22_000, 26_000, 10, 10, Issued)
        .asked(26_000, 28_000, 10, 500, Unknown)
        .asked(28_000, 40_000, 10, 10, Issued)
        .fault(0, 20_000, 22_000)
        .fault(1, 26_000, 28_000);
    let all = story.measured();
    let baseline = all[1].baseline.expect("3 s of it");
    assert_eq!((baseline.from_ns, baseline.to_ns), (23 * S, 26 * S));
    assert!(all[1].beside.is_empty());
}

#[test]
fn the_drain_phase_is_no_load() {
    let mut story = outage(20_000..30_000, 30_000).fault(0, 20_000, 30_000);
    story
        .history
        .extend((30_000..40_000).step_by(10).map(|at| Operation {
            phase: DRAIN,
            ..attempt(at * MS, 10 * MS, Issued)
        }));
    let Recovery::NotWithin { until, .. } = story.only().recovery else {
        panic!("nothing was asked after the heal");
    };
    assert_eq!(until, Until::TooLittle);
}

#[test]
fn a_fault_that_was_not_applied_has_no_figures() {
    let why = Moment::NotApplied {
        why: "no such process".to_owned(),
    };
    let one = outage(20_000..20_000, 60_000).marked(0, 20_000, why).only();
    assert_eq!((one.attempts, one.window_ns, one.detected()), (0, 0, None));
    assert_eq!(one.recovery, Recovery::NotHealed);
}

#[test]
fn chaos_is_meant_by_its_name_and_each_of_its_faults_by_its_own() {
    use crate::plan::fault::{Injection, Party, Trigger, Victim, Which};
    let fault = |name: &str| Fault {
        name: name.to_owned(),
        victim: Victim {
            party: Party::Redis,
            which: Which::All,
        },
        injection: Injection::Freeze,
        trigger: Trigger::At(std::time::Duration::ZERO),
        lasts: std::time::Duration::ZERO,
        times: 1,
        every: std::time::Duration::ZERO,
    };
    for (name, wanted, meant) in [
        ("storm-2", "storm", true),
        ("storm-2", "storm-2", true),
        ("storm-2", "storm-", false),
        ("storm-2", "sto", false),
        ("storm-2b", "storm", false),
        ("storm-", "storm", false),
        ("storm", "storm", true),
        ("storm", "storm-2", false),
    ] {
        assert_eq!(is_meant(&fault(name), wanted), meant, "{name} as {wanted}");
    }
}

/// What is asked after a heal, by 250 ms: how many, how many of them fail, and how long it takes.
type After = Vec<(u64, u64, u64)>;

fn story_after(after: &After) -> Story {
    let mut story = outage(20_000..25_000, 25_000).fault(0, 20_000, 25_000);
    for (at, (good, bad, takes)) in after.iter().enumerate() {
        let from = 25_000 + at as u64 * 250;
        for number in 0..good + bad {
            let kind = if number < *bad { Unknown } else { Issued };
            let sent = (from + number * 250 / (good + bad)) * MS;
            story.history.push(attempt(sent, takes * MS, kind));
        }
    }
    // The load goes on, so that what is empty is seen to be empty.
    story.history.push(attempt(60_000 * MS, MS, Issued));
    story
}

fn after() -> impl Strategy<Value = After> {
    prop::collection::vec((0_u64..40, 0_u64..3, 1_u64..60), 0..40)
}

proptest! {
    #[test]
    fn nothing_recovers_before_its_windows_have_passed(after in after()) {
        let one = story_after(&after).only();
        if let Some(recovery) = one.recovery_ns() {
            prop_assert!(recovery >= 4 * one.window_ns);
        }
    }

    #[test]
    fn good_attempts_after_the_heal_never_make_a_recovery_later(
        after in after(),
        more in prop::collection::vec(25_000_u64..40_000, 0..200),
    ) {
        let story = story_after(&after);
        let before = story.only().recovery_ns().unwrap_or(u64::MAX);
        let mut better = story;
        better.history.extend(more.iter().map(|at| attempt(at * MS, MS, Issued)));
        let then = better.only().recovery_ns().unwrap_or(u64::MAX);
        prop_assert!(then <= before, "{then} after {before}");
    }

    #[test]
    fn the_order_of_the_history_does_not_matter(after in after(), seed: u64) {
        let story = story_after(&after);
        let mut shuffled = story.clone();
        shuffled.history.sort_by_key(|one| crate::plan::mix(one.inv_ns ^ seed));
        prop_assert_eq!(story.measured(), shuffled.measured());
    }

    #[test]
    fn what_failed_is_part_of_what_was_asked(
        attempts in prop::collection::vec((0_u64..5_000, 0_u64..3_000, 0_u8..10), 0..200),
        faults in prop::collection::vec((0_u64..5_000, 0_u64..2_000), 1..5),
    ) {
        let mut story = Story::default();
        for (at, takes, kind) in &attempts {
            let kind = OutcomeKind::from_number(*kind).expect("in range");
            story.history.push(attempt(at * MS, takes * MS, kind));
        }
        for (number, (applied, lasts)) in faults.iter().enumerate() {
            story = story.fault(number as u16, *applied, applied + lasts);
        }
        for one in story.measured() {
            let (from, to) = one.occurrence.active_ns().expect("applied");
            let meets = |one: &&Operation| one.inv_ns <= to && one.ret_ns >= from;
            let meeting: Vec<_> = story.history.iter().filter(meets).collect();
            prop_assert_eq!(one.attempts, meeting.len() as u64);
            let failed = meeting.iter().filter(|one| one.kind.is_failed_request());
            prop_assert_eq!(one.failed, failed.count() as u64);
            prop_assert!(one.unknown <= one.failed);
            if let Recovery::At(at) = one.recovery {
                prop_assert!(at > to);
            }
            if let Some(detected) = one.detected() {
                prop_assert!(detected.at_ns >= from);
            }
        }
    }
}
