//! Each planted bug shows its defect, with every strategy, in the final rows or the answers.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod common;

use std::collections::HashSet;

use common::{DUPLICATE, SOLD_OUT, STRATEGIES, Shop, users};
use reference_server::Bug;

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
