//! What each fault does to connections, as both parties see it.

use std::io::ErrorKind;
use std::num::{NonZeroU32, NonZeroU64};

use super::*;
use crate::plan::{After, Direction, Spread};

fn delay(by: Duration) -> LinkFault {
    LinkFault::Delay {
        by,
        jitter: Duration::ZERO,
        spread: Spread::Uniform,
    }
}

fn towards(direction: Direction, fault: LinkFault) -> LinkRule {
    let selection = Selection {
        direction,
        ..Selection::default()
    };
    LinkRule { fault, selection }
}

fn each(nth: u32, fault: LinkFault) -> LinkRule {
    let selection = Selection {
        every: NonZeroU32::new(nth),
        ..Selection::default()
    };
    LinkRule { fault, selection }
}

async fn apply(stage: &Stage, fault: LinkFault) -> super::super::RuleId {
    stage.link.apply(LinkRule::of(fault), LONG).await.unwrap()
}

#[tokio::test]
async fn delayed_bytes_come_after_what_was_said_later_elsewhere() {
    let (slow, quick) = (Stage::new().await, Stage::new().await);
    let (mut slow_client, mut slow_server) = slow.pair().await;
    let (mut quick_client, mut quick_server) = quick.pair().await;
    apply(&slow, delay(Duration::from_millis(300))).await;
    say(&mut slow_client, b"first").await;
    slow.until(|counters| counters.delayed == 1).await;
    for _ in 0..5 {
        say(&mut quick_client, b"later").await;
        assert_eq!(hear(&mut quick_server, 5).await, b"later");
        assert_silent(&slow_server);
    }
    assert_eq!(hear(&mut slow_server, 5).await, b"first");
    slow.until(|counters| counters.held == 0).await;
}

#[tokio::test]
async fn a_delay_holds_more_than_one_lot_and_stops_reading_at_its_bound() {
    let stage = Stage::new().await;
    let (client, mut server) = stage.pair().await;
    let rule = apply(&stage, delay(Duration::from_mins(1))).await;
    let mut sent = 0;
    while sent < 32 << 20 {
        let writable = tokio::time::timeout(Duration::from_millis(500), client.writable()).await;
        if writable.is_err() {
            break;
        }
        sent += client.try_write(&vec![3; 1 << 16]).unwrap_or(0);
    }
    let counters = stage.link.counters();
    assert!(counters.delayed > 8, "{counters:?}");
    assert!(
        (1 << 20..=(1 << 20) + (66 << 10)).contains(&counters.held),
        "{counters:?}"
    );
    assert_silent(&server);
    // What is held goes on at once when the rule ends.
    assert!(stage.link.remove(rule).await.unwrap());
    assert_eq!(hear(&mut server, sent).await, vec![3; sent]);
}

#[tokio::test]
async fn a_rule_ends_by_itself_when_its_time_is_over() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    let rule = LinkRule::of(delay(Duration::from_mins(1)));
    let id = stage
        .link
        .apply(rule, Duration::from_millis(200))
        .await
        .unwrap();
    say(&mut client, b"held").await;
    assert_eq!(hear(&mut server, 4).await, b"held");
    stage.until(|counters| counters.delayed == 1).await;
    assert!(!stage.link.remove(id).await.unwrap());
}

#[tokio::test]
async fn a_direction_is_left_alone_when_the_other_is_meant() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    let rule = towards(Direction::ToClient, delay(Duration::from_mins(1)));
    stage.link.apply(rule, LONG).await.unwrap();
    say(&mut client, b"ask").await;
    assert_eq!(hear(&mut server, 3).await, b"ask");
    say(&mut server, b"answer").await;
    stage.until(|counters| counters.delayed == 1).await;
    assert_silent(&client);
    assert_eq!(stage.link.clear().await.unwrap(), 1);
    assert_eq!(hear(&mut client, 6).await, b"answer");
}

#[tokio::test]
async fn a_rate_is_shared_by_all_connections() {
    let stage = Stage::new().await;
    let bytes_per_second = NonZeroU64::new(100_000).unwrap();
    apply(&stage, LinkFault::Rate { bytes_per_second }).await;
    let (mut one, mut one_server) = stage.pair().await;
    let (mut two, mut two_server) = stage.pair().await;
    let begun = std::time::Instant::now();
    say(&mut one, &vec![1; 20_000]).await;
    say(&mut two, &vec![2; 20_000]).await;
    assert_eq!(hear(&mut one_server, 20_000).await, vec![1; 20_000]);
    assert_eq!(hear(&mut two_server, 20_000).await, vec![2; 20_000]);
    // A lower bound only: 40,000 bytes without the burst take 390 ms.
    assert!(begun.elapsed() >= Duration::from_millis(350));
    stage.until(|counters| counters.throttled >= 20).await;
}

#[tokio::test]
async fn slices_come_one_by_one() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    let slice = LinkFault::Slice {
        bytes: NonZeroU32::new(3).unwrap(),
        pause: Duration::from_millis(20),
    };
    apply(&stage, slice).await;
    say(&mut client, b"0123456789").await;
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while pieces.concat().len() < 10 {
        let mut piece = vec![0; 10];
        let count = within(server.read(&mut piece)).await.unwrap();
        pieces.push(piece[..count].to_vec());
    }
    assert_eq!(pieces.concat(), b"0123456789");
    // A reader that is late may find two of them together.
    assert!(pieces.len() >= 2, "{pieces:?}");
    stage.until(|counters| counters.sliced == 3).await;
}

#[tokio::test]
async fn a_reset_meets_both_parties_of_open_connections_and_no_later_ones() {
    let stage = Stage::new().await;
    let mut pairs = [stage.pair().await, stage.pair().await];
    let rule = LinkRule::of(LinkFault::Reset);
    stage.link.apply(rule, Duration::ZERO).await.unwrap();
    for (client, server) in &mut pairs {
        assert_eq!(hear_out(client).await.1, Some(ErrorKind::ConnectionReset));
        assert_eq!(hear_out(server).await.1, Some(ErrorKind::ConnectionReset));
    }
    stage.until(|counters| counters.resets == 2).await;
    let (mut client, mut server) = stage.pair().await;
    say(&mut client, b"alive").await;
    assert_eq!(hear(&mut server, 5).await, b"alive");
}

#[tokio::test]
async fn a_reset_that_lasts_meets_each_nth_new_connection_until_it_ends() {
    let stage = Stage::new().await;
    let id = stage
        .link
        .apply(each(2, LinkFault::Reset), LONG)
        .await
        .unwrap();
    let mut ends = Vec::new();
    for _ in 0..4 {
        // The reset may come before the client has looked at its connection.
        let Ok(mut client) = connect(stage.link.address()).await else {
            ends.push(true);
            continue;
        };
        let hears = tokio::time::timeout(Duration::from_millis(300), client.read_u8()).await;
        ends.push(hears.is_ok_and(|heard| heard.is_err()));
    }
    assert_eq!(ends, [false, true, false, true]);
    stage.until(|counters| counters.resets == 2).await;
    assert!(stage.link.remove(id).await.unwrap());
    let mut client = connect(stage.link.address()).await.unwrap();
    client.write_all(b"x").await.unwrap();
    stage.until(|counters| counters.to_server == 1).await;
}

#[tokio::test]
async fn a_black_hole_swallows_and_a_stream_with_a_hole_is_never_carried_on() {
    let stage = Stage::new().await;
    let (mut lossy, mut lossy_server) = stage.pair().await;
    let (mut quiet, mut quiet_server) = stage.pair().await;
    let id = apply(&stage, LinkFault::BlackHole).await;
    say(&mut lossy, b"never heard").await;
    stage.until(|counters| counters.swallowed == 11).await;
    assert_silent(&lossy_server);
    // New ones are accepted, and lead nowhere.
    let mut new = connect(stage.link.address()).await.unwrap();
    say(&mut new, b"hello").await;
    stage.until(|counters| counters.swallowed == 16).await;
    assert!(stage.link.remove(id).await.unwrap());
    for lost in [&mut lossy, &mut lossy_server, &mut new] {
        assert_eq!(hear_out(lost).await.1, Some(ErrorKind::ConnectionReset));
    }
    stage.until(|counters| counters.holed == 2).await;
    say(&mut quiet, b"nothing lost").await;
    assert_eq!(hear(&mut quiet_server, 12).await, b"nothing lost");
}

#[tokio::test]
async fn the_end_of_a_stream_does_not_leave_a_black_hole() {
    let stage = Stage::new().await;
    let (client, mut server) = stage.pair().await;
    let id = apply(&stage, LinkFault::BlackHole).await;
    drop(client);
    let heard = tokio::time::timeout(Duration::from_millis(200), server.read_u8()).await;
    assert!(heard.is_err(), "{heard:?}");
    assert!(stage.link.remove(id).await.unwrap());
    assert_eq!(
        hear_out(&mut server).await.1,
        Some(ErrorKind::ConnectionReset)
    );
}

#[tokio::test]
async fn who_came_during_a_black_hole_and_said_nothing_is_led_on_afterwards() {
    let stage = Stage::new().await;
    let id = apply(&stage, LinkFault::BlackHole).await;
    let mut client = connect(stage.link.address()).await.unwrap();
    stage.until(|counters| counters.open == 1).await;
    assert!(stage.link.remove(id).await.unwrap());
    let (mut server, _) = within(stage.server.accept()).await.unwrap();
    say(&mut client, b"at last").await;
    assert_eq!(hear(&mut server, 7).await, b"at last");
}

#[tokio::test]
async fn refused_are_new_connections_and_the_port_stays_ours() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    let id = apply(&stage, LinkFault::Refuse).await;
    assert!(!stage.link.counters().listening);
    let refused = connect(stage.link.address())
        .await
        .map_err(|error| error.kind());
    assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));
    say(&mut client, b"still open").await;
    assert_eq!(hear(&mut server, 10).await, b"still open");
    // Whoever asks for this very port does not get it, and nobody gets it by chance.
    let taken = std::net::TcpListener::bind(stage.link.address());
    let taken = taken.map_err(|error| error.kind());
    assert_eq!(taken.err(), Some(ErrorKind::AddrInUse));
    for _ in 0..50 {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_ne!(other.local_addr().unwrap(), stage.link.address());
    }
    assert!(stage.link.remove(id).await.unwrap());
    assert!(stage.link.counters().listening);
    stage.pair().await;
}

#[tokio::test]
async fn a_refusal_ends_by_itself_too() {
    let stage = Stage::new().await;
    let rule = LinkRule::of(LinkFault::Refuse);
    stage
        .link
        .apply(rule, Duration::from_millis(100))
        .await
        .unwrap();
    assert!(!stage.link.counters().listening);
    stage.until(|counters| counters.listening).await;
    stage.pair().await;
}

#[tokio::test]
async fn a_close_comes_after_so_many_bytes_and_no_more() {
    let stage = Stage::new().await;
    let after = After::Bytes(5);
    let rule = towards(Direction::ToServer, LinkFault::Close { after });
    stage.link.apply(rule, LONG).await.unwrap();
    let (mut client, mut server) = stage.pair().await;
    say(&mut server, b"does not count").await;
    assert_eq!(hear(&mut client, 14).await, b"does not count");
    say(&mut client, b"1234").await;
    assert_eq!(hear(&mut server, 4).await, b"1234");
    say(&mut client, b"5678").await;
    assert_eq!(hear_out(&mut server).await, (b"5".to_vec(), None));
    assert_eq!(hear_out(&mut client).await, (Vec::new(), None));
    stage.until(|counters| counters.closed == 1).await;
}

#[tokio::test]
async fn a_close_comes_after_a_time() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    let after = After::Time(Duration::from_millis(50));
    apply(&stage, LinkFault::Close { after }).await;
    assert_eq!(hear_out(&mut server).await, (Vec::new(), None));
    assert_eq!(hear_out(&mut client).await, (Vec::new(), None));
}

#[tokio::test]
async fn half_open_is_one_side_gone_and_the_other_not_told() {
    // Who is gone, seen from the direction.
    for (direction, server_is_gone) in [
        (Direction::Both, true),
        (Direction::ToServer, true),
        (Direction::ToClient, false),
    ] {
        let stage = Stage::new().await;
        let (client, server) = stage.pair().await;
        let (mut gone, mut left) = if server_is_gone {
            (server, client)
        } else {
            (client, server)
        };
        let rule = towards(direction, LinkFault::HalfOpen);
        let id = stage.link.apply(rule, LONG).await.unwrap();
        assert_eq!(
            hear_out(&mut gone).await.1,
            Some(ErrorKind::ConnectionReset)
        );
        say(&mut left, b"anybody?").await;
        stage.until(|counters| counters.swallowed == 8).await;
        assert_silent(&left);
        stage.until(|counters| counters.half_opened == 1).await;
        // Whoever comes now is served.
        let (mut new, mut new_server) = stage.pair().await;
        say(&mut new, b"yes").await;
        assert_eq!(hear(&mut new_server, 3).await, b"yes");
        assert!(stage.link.remove(id).await.unwrap());
        assert_eq!(
            hear_out(&mut left).await.1,
            Some(ErrorKind::ConnectionReset)
        );
    }
}

#[tokio::test]
async fn several_rules_are_active_at_once_and_end_one_by_one() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.pair().await;
    let long = apply(&stage, delay(Duration::from_mins(1))).await;
    let short = apply(&stage, delay(Duration::from_millis(1))).await;
    assert_ne!(long, short);
    say(&mut client, b"x").await;
    stage.until(|counters| counters.delayed == 1).await;
    assert!(stage.link.remove(short).await.unwrap());
    assert_silent(&server);
    apply(&stage, LinkFault::BlackHole).await;
    stage.until(|counters| counters.swallowed == 1).await;
    assert_eq!(stage.link.clear().await.unwrap(), 2);
    assert_eq!(
        hear_out(&mut server).await.1,
        Some(ErrorKind::ConnectionReset)
    );
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_words() {
    let stage = Stage::new().await;
    let rule = LinkRule::of(LinkFault::BlackHole);
    let refused = stage.link.apply(rule.clone(), Duration::ZERO).await;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("black_hole for no time"), "{words}");
    let refused = stage.link.apply(each(2, LinkFault::Refuse), LONG).await;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("all connections"), "{words}");
    for _ in 0..64 {
        stage.link.apply(rule.clone(), LONG).await.unwrap();
    }
    let words = stage.link.apply(rule, LONG).await.unwrap_err().to_string();
    assert_eq!(words, "the link has 64 rules already");
}
