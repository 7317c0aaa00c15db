//! Each planted bug shows its defect, with every strategy, in the final rows or the answers.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;

use std::collections::HashSet;
use std::num::NonZeroUsize;

use clap::ValueEnum as _;
use common::{DUPLICATE, SOLD_OUT, STRATEGIES, Shop, users};
use reference_server::{AppState, Bug, Options, StrategyName, app};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversell_issues_more_than_the_stock() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::Oversell, 10).await;
        let answers = shop.ask_at_once(users(50)).await;
        let issued = answers.iter().filter(|answer| answer.is_issued()).count();
        let rows = shop.final_rows().await;
        assert!(rows.len() > 10, "{strategy:?}: {} rows", rows.len());
        assert_eq!(issued, rows.len(), "{strategy:?}");
        assert!(
            shop.coupon().await["remaining"].as_i64().unwrap() < 0,
            "{strategy:?}"
        );
    }
}

#[tokio::test]
async fn oversell_does_not_issue_twice_to_one_user() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::Oversell, 10).await;
        shop.ask_at_once((0..20).map(|_| "kim".to_owned())).await;
        assert_eq!(shop.final_rows().await.len(), 1, "{strategy:?}");
    }
}

#[tokio::test]
async fn double_issue_gives_two_rows_to_a_user_who_asks_twice() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::DoubleIssue, 10).await;
        assert!(shop.ask("kim").await.is_issued(), "{strategy:?}");
        assert!(shop.ask("kim").await.is_issued(), "{strategy:?}");
        let rows = shop.final_rows().await;
        assert_eq!(
            rows,
            [(1, "kim".to_owned()), (2, "kim".to_owned())],
            "{strategy:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn double_issue_does_not_oversell() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::DoubleIssue, 10).await;
        shop.ask_at_once((0..50).map(|_| "kim".to_owned())).await;
        assert_eq!(shop.final_rows().await.len(), 10, "{strategy:?}");
    }
}

#[tokio::test]
async fn a_file_with_doubles_is_refused_by_the_strategy_that_needs_uniqueness() {
    let shop = Shop::with_bug(STRATEGIES[0], Bug::DoubleIssue, 10).await;
    shop.ask("kim").await;
    shop.ask("kim").await;
    let mut options = shop.options.clone();
    options.bug = None;
    let error = reference_server::AppState::prepare(&options)
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("holds the same coupon twice"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_ack_acknowledges_users_who_have_no_row() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::LostAck, 300).await;
        let answers = shop.ask_at_once(users(300)).await;
        assert!(
            answers.iter().all(common::Answer::is_issued),
            "{strategy:?}"
        );
        let lost = 300 - shop.final_rows().await.len();
        assert!((1..50).contains(&lost), "{strategy:?}: {lost} of 300 lost");
        assert_eq!(shop.coupon().await["remaining"], 0, "{strategy:?}");
    }
}

#[tokio::test]
async fn last_one_refused_takes_the_last_coupon_and_gives_it_to_nobody() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::LastOneRefused, 10).await;
        let answers = shop.ask_at_once(users(30)).await;
        assert_eq!(
            answers.iter().filter(|a| a.is_issued()).count(),
            9,
            "{strategy:?}"
        );
        assert_eq!(
            answers.iter().filter(|a| a.says(SOLD_OUT)).count(),
            21,
            "{strategy:?}"
        );
        assert_eq!(shop.final_rows().await.len(), 9, "{strategy:?}");
        let coupon = shop.coupon().await;
        assert_eq!(
            (&coupon["remaining"], &coupon["stockQuantity"]),
            (&0.into(), &0.into())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn false_duplicate_turns_away_users_who_hold_nothing() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::FalseDuplicate, 300).await;
        let answers = shop.ask_at_once(users(300)).await;
        let holders: HashSet<_> = shop
            .final_rows()
            .await
            .into_iter()
            .map(|(_, user)| user)
            .collect();
        let turned_away = users(300)
            .zip(&answers)
            .filter(|(_, answer)| answer.says(DUPLICATE));
        let falsely = turned_away
            .filter(|(user, _)| !holders.contains(user))
            .count();
        assert!((1..50).contains(&falsely), "{strategy:?}: {falsely} of 300");
        assert_eq!(holders.len() + falsely, 300, "{strategy:?}");
    }
}

#[tokio::test]
async fn early_sold_out_refuses_the_next_twenty_after_a_duplicate_and_then_goes_on_issuing() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::EarlySoldOut, 10).await;
        assert!(shop.ask("kim").await.is_issued(), "{strategy:?}");
        assert!(shop.ask("kim").await.says(DUPLICATE), "{strategy:?}");
        for user in users(20) {
            assert!(shop.ask(&user).await.says(SOLD_OUT), "{strategy:?} {user}");
        }
        assert!(shop.ask("late").await.is_issued(), "{strategy:?}");
        assert_eq!(shop.final_rows().await.len(), 2, "{strategy:?}");
    }
}

#[tokio::test]
async fn a_bug_is_refused_with_a_strategy_that_does_not_have_its_part() {
    for bug in Bug::value_variants() {
        for strategy in StrategyName::value_variants() {
            if bug.fits(*strategy) {
                continue;
            }
            let mut options = common::default_options();
            options.strategy = *strategy;
            options.bug = Some(*bug);
            let error = AppState::prepare(&options).await.err().unwrap().to_string();
            let words = format!("bug {bug} cannot be planted here");
            assert!(error.starts_with(&words), "{bug}, {strategy}: {error}");
            let home = bug.strategies().unwrap()[0].to_string();
            assert!(error.contains(&home), "{bug}, {strategy}: {error}");
        }
    }
}

#[tokio::test]
async fn the_bug_of_the_cache_is_refused_where_there_is_none() {
    let mut options = common::default_options();
    options.strategy = StrategyName::Redlock;
    options.bug = Some(Bug::StockFromCache);
    let error = AppState::prepare(&options).await.err().unwrap().to_string();
    assert!(
        error.contains("--coupon-cache-s 0 is not possible"),
        "{error}"
    );
}

/// Requests that meet may fail to do so, on a machine with other work.
const ROUNDS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decrements_that_nobody_looks_at_are_no_guard() {
    for bug in [Bug::AffectedRowsIgnored, Bug::LostUpdate] {
        let mut most = 0;
        for _ in 0..ROUNDS {
            let shop = Shop::with_bug(StrategyName::SqliteAtomic, bug, 5).await;
            let answers = shop.ask_at_once(users(100)).await;
            let issued = answers.iter().filter(|answer| answer.is_issued()).count();
            assert_eq!(shop.final_rows().await.len(), issued, "{bug}");
            most = most.max(issued);
            if most > 5 {
                break;
            }
        }
        assert!(most > 5, "{bug}: {most} issued");
    }
}

#[tokio::test]
async fn one_too_many_issues_one_more_than_there_are() {
    let shop = Shop::with_bug(StrategyName::SqliteAtomic, Bug::OneTooMany, 3).await;
    for user in users(4) {
        assert!(shop.ask(&user).await.is_issued(), "{user}");
    }
    assert!(shop.ask("late").await.says(SOLD_OUT));
}

#[tokio::test]
async fn a_duplicate_that_takes_stock_leaves_less_than_there_was() {
    let shop = Shop::with_bug(StrategyName::SqliteAtomic, Bug::DuplicateTakesStock, 3).await;
    assert!(shop.ask("kim").await.is_issued());
    assert!(shop.ask("kim").await.says(DUPLICATE));
    assert!(shop.ask("lee").await.is_issued());
    assert!(shop.ask("park").await.says(SOLD_OUT));
}

#[tokio::test]
async fn without_a_key_a_look_alone_still_finds_one_who_asks_later() {
    let shop = Shop::with_bug(StrategyName::SqliteAtomic, Bug::NoUniqueKey, 10).await;
    assert!(shop.ask("kim").await.is_issued());
    assert!(shop.ask("kim").await.says(DUPLICATE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_requests_at_once_give_two_to_one_user() {
    let shop = Shop::with_bug(StrategyName::SqliteAtomic, Bug::NoUniqueKey, 10_000).await;
    let mut most = 0;
    for user in users(ROUNDS) {
        let answers = shop.ask_at_once((0..50).map(|_| user.clone())).await;
        most = most.max(answers.iter().filter(|one| one.is_issued()).count());
        if most > 1 {
            return;
        }
    }
    panic!("{most} for one user");
}

#[tokio::test]
async fn a_loose_collation_takes_two_users_for_one_until_the_key_is_made_anew() {
    let shop = Shop::with_bug(StrategyName::SqliteAtomic, Bug::LooseCollation, 10).await;
    assert!(shop.ask("kim").await.is_issued());
    assert!(shop.ask("Kim").await.says(DUPLICATE));
    let mut options = shop.options.clone();
    options.bug = None;
    shop.state.shutdown().await.unwrap();
    let right = AppState::prepare(&options).await.unwrap();
    let answer = common::send(app(right), common::issue_of("Kim")).await;
    assert!(answer.is_issued(), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_highest_id_is_the_answer_to_several() {
    let shop = Shop::with_bug(StrategyName::SqliteAtomic, Bug::HighestIdAnswered, 100).await;
    let answers = shop.ask_at_once(users(50)).await;
    let ids: HashSet<_> = answers.iter().map(|one| one.body["id"].as_i64()).collect();
    assert!(ids.len() < 50, "{ids:?}");
    assert_eq!(shop.final_rows().await.len(), 50);
}

#[tokio::test]
async fn a_replica_that_is_behind_does_not_know_of_the_first_row() {
    let shop = Shop::with_bug(StrategyName::SqliteLock, Bug::ReplicaRead, 10).await;
    // The replica may catch up between the two requests of one user, and not of all of them.
    let mut doubled = 0;
    for user in users(5) {
        assert!(shop.ask(&user).await.is_issued(), "{user}");
        doubled += usize::from(shop.ask(&user).await.is_issued());
    }
    assert!(doubled > 0);
}

#[tokio::test]
async fn a_user_who_was_refused_is_a_ghost_ever_after() {
    for strategy in STRATEGIES {
        let shop = Shop::with_bug(strategy, Bug::GhostDuplicate, 1).await;
        assert!(shop.ask("kim").await.is_issued(), "{strategy:?}");
        assert!(shop.ask("lee").await.says(SOLD_OUT), "{strategy:?}");
        assert!(shop.ask("lee").await.says(DUPLICATE), "{strategy:?}");
    }
}

/// A write queue with one place, and so many users at once that it is full.
async fn crowded(bug: Bug) -> Shop {
    Shop::with(Options {
        strategy: StrategyName::MemoryThenSqlite,
        stock: 100,
        queue: NonZeroUsize::MIN,
        bug: Some(bug),
        ..common::default_options()
    })
    .await
}

#[tokio::test]
async fn what_was_never_taken_is_given_back_when_the_queue_is_full() {
    let shop = crowded(Bug::StockReturnedTwice).await;
    let answers = shop.ask_at_once(users(100)).await;
    let issued = answers.iter().filter(|answer| answer.is_issued()).count();
    assert!(issued < 100, "the queue was never full");
    let left = shop.coupon().await["remaining"].as_i64().unwrap();
    assert_eq!(left, 100 - 2 * issued as i64 + 100, "{issued} issued");
}

#[tokio::test]
async fn a_full_queue_drops_rows_whose_users_were_told() {
    let shop = crowded(Bug::FullQueueDrops).await;
    let answers = shop.ask_at_once(users(100)).await;
    assert!(answers.iter().all(common::Answer::is_issued));
    let rows = shop.final_rows().await.len();
    assert!(rows < 100, "{rows} rows: the queue was never full");
}

#[tokio::test]
async fn a_second_preload_sells_the_stock_a_second_time() {
    let shop = Shop::with_bug(StrategyName::MemoryThenSqlite, Bug::PreloadTwice, 2).await;
    assert!(shop.ask("kim").await.is_issued());
    let shop = shop.reopen().await;
    assert!(shop.ask("kim").await.says(DUPLICATE));
    for user in users(2) {
        assert!(shop.ask(&user).await.is_issued(), "{user}");
    }
    assert_eq!(shop.final_rows().await.len(), 3);
}
