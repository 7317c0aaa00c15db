//! What is said of a comparison in each language, and that programs read the same in all of them.

use super::{
    Change, Comparison, Difference, Doubt, FigureChange, Judgement, RecoveryChange, Surrounding,
    Which, compared,
};
use crate::messages::Lang;
use crate::report::compared_markdown;
use crate::verdict::Verdict;

/// As it was recorded.
fn sample() -> Comparison {
    let text = include_str!("../../../reports/samples/comparison/comparison.json");
    serde_json::from_str(text).expect("a comparison")
}

/// What was measured is another thing with each sample: this figure has these values.
fn measured(
    figure: &mut FigureChange,
    (base, new): (f64, f64),
    (low, middle, high): (f64, f64, f64),
) {
    (figure.base, figure.new) = (base, new);
    figure.change = Change { low, middle, high };
}

/// Everything that can be worse, differ or be doubted.
fn worse() -> Comparison {
    let mut all = sample();
    all.claims[0].new = Verdict::Fail;
    all.recoveries = vec![RecoveryChange {
        fault: "redis-down".to_owned(),
        occurrence: 2,
        base_ms: Some(1_500.0),
        new_ms: None,
    }];
    measured(&mut all.figures[0], (232.4, 532.7), (0.891, 1.292, 1.785));
    all.figures[0].judgement = Judgement::Worse;
    let in_phase = all.figures.iter_mut().find(|one| one.phase.is_some());
    let in_phase = in_phase.expect("there are phases");
    measured(in_phase, (132.8, 231.6), (-0.154, 0.743, 2.671));
    in_phase.judgement = Judgement::Undecided;
    all.figures[1].judgement = Judgement::Perhaps;
    all.figures[2].judgement = Judgement::TooLittle;
    all.differences.push(Difference::Fault("way".to_owned()));
    let differs = |what, base: &str, new: &str| Doubt::Differs {
        what,
        base: base.to_owned(),
        new: new.to_owned(),
    };
    all.doubts = vec![
        differs(Surrounding::Machine, "2 cores", "4 cores"),
        differs(Surrounding::System, "Linux 6.1", "Linux 6.2"),
        differs(Surrounding::Version, "0.1.0", "0.2.0"),
        differs(Surrounding::Threads, "1", "2"),
        Doubt::Inconclusive {
            run: Which::Base,
            reason: "no final read".to_owned(),
        },
        Doubt::Inconclusive {
            run: Which::New,
            reason: "nothing was `asked`".to_owned(),
        },
        Doubt::Duration {
            base_s: 92.77,
            new_s: 12.0,
        },
    ];
    all.in_sentences()
}

#[test]
fn programs_read_the_recorded_comparison_as_it_was() {
    assert_eq!(sample().in_sentences(), sample());
}

#[test]
fn programs_read_english_sentences_gravest_first() {
    let all = worse();
    assert_eq!(
        all.regressions,
        [
            "`acknowledged` was pass and is fail",
            "the load recovered from `redis-down #2` and now does not",
            "rps of `issue`: 232.4/s before, 532.7/s now (+129.2 %, +89.1 to +178.5)",
        ]
    );
    assert_eq!(
        all.undecided,
        ["rps of `issue` in `warm`: 132.8/s before, 231.6/s now (+74.3 %, −15.4 to +267.1)"]
    );
    assert_eq!(all.differs[0], "`indexes`: false before, true now");
    assert!(all.differs.iter().any(|one| one == "the fault `way`"));
    assert_eq!(
        all.warnings,
        [
            "the machine differs: 2 cores before, 4 cores now",
            "the system differs: Linux 6.1 before, Linux 6.2 now",
            "the version of fcfs-bench differs: 0.1.0 before, 0.2.0 now",
            "the number of load threads differs: 1 before, 2 now",
            "the base run is inconclusive itself: no final read",
            "the new run is inconclusive itself: nothing was `asked`",
            "the loads took 92.8 s and 12.0 s",
        ]
    );
}

#[test]
fn korean_says_the_same_and_none_of_our_english_words() {
    let all = worse();
    let korean = [compared(&all, Lang::Ko), compared_markdown(&all, Lang::Ko)];
    for text in &korean {
        for sentence in [
            "회귀 3건",
            "`acknowledged`: 기준 pass, 이번 fail",
            "장애 `redis-down #2`: 기준에서는 복구되었으나 이번에는 복구되지 않음",
            "스텝 `issue`의 처리량 (rps): 기준 232.4/s, 이번 532.7/s (+129.2 %, +89.1 ~ +178.5)",
            "스텝 `issue`의 처리량 (rps), `warm` 단계: 기준 132.8/s",
            "`coupon_cache`: 기준 기본값, 이번 5m",
            "장애 `way`",
            "장비 항목이 다름: 기준 2 cores, 이번 4 cores",
            "이번 실행 자체가 판정 불가(unknown)임: nothing was `asked`",
            "부하 시간이 다름: 기준 92.8 s, 이번 12.0 s",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
        for word in [
            " before",
            " now",
            "differs",
            "Base",
            "Figure",
            "Means",
            "better",
            "worse",
            "points",
            "Limits",
            "share",
            "recovered",
        ] {
            assert!(!text.contains(word), "{word}\n{text}");
        }
    }
    // Line by line the same figures, whatever the language.
    let rows = |text: &str| text.lines().filter(|line| line.starts_with('|')).count();
    let english = compared_markdown(&all, Lang::En);
    assert_eq!(rows(&english), rows(&korean[1]));
    assert_eq!(english.lines().count(), korean[1].lines().count());
}

#[test]
fn a_comparison_that_was_kept_without_values_is_told_by_its_sentences() {
    let mut old = worse();
    (old.differences, old.doubts) = (Vec::new(), Vec::new());
    let new = compared_markdown(&worse(), Lang::En);
    assert_eq!(compared_markdown(&old, Lang::En), new);
}
