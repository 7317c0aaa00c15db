//! Any streams, cut anyhow, arrive as they were sent: without a rule, and with those that only take
//! their time.

use std::num::{NonZeroU32, NonZeroU64};

use proptest::prelude::*;
use tokio::runtime::Builder;

use super::*;
use crate::plan::Spread;

/// No rule, or one that loses nothing.
fn rules() -> impl Strategy<Value = Vec<LinkFault>> {
    let delay = LinkFault::Delay {
        by: Duration::from_millis(3),
        jitter: Duration::from_millis(3),
        spread: Spread::Uniform,
    };
    let wild = LinkFault::Delay {
        by: Duration::from_millis(1),
        jitter: Duration::from_millis(4),
        spread: Spread::Normal,
    };
    let slice = LinkFault::Slice {
        bytes: NonZeroU32::new(900).unwrap(),
        pause: Duration::from_millis(1),
    };
    let rate = LinkFault::Rate {
        bytes_per_second: NonZeroU64::new(2_000_000).unwrap(),
    };
    let slow = vec![delay, wild, slice, rate];
    prop::sample::subsequence(slow, 0..=4)
}

/// What one party says, write by write: lengths, and a byte to begin with.
fn speech() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((1_usize..4_000, any::<u8>()), 0..12)
}

fn spoken(speech: &[(usize, u8)]) -> Vec<Vec<u8>> {
    let words = |(length, first): &(usize, u8)| {
        let byte = |place: usize| (place as u8).wrapping_mul(31).wrapping_add(*first);
        (0..*length).map(byte).collect()
    };
    speech.iter().map(words).collect()
}

/// Says everything, ends its stream, and hears everything.
async fn talk(stream: TcpStream, words: Vec<Vec<u8>>) -> Vec<u8> {
    let (mut hears, mut says) = stream.into_split();
    let saying = async {
        for word in words {
            within(says.write_all(&word)).await.unwrap();
            tokio::task::yield_now().await;
        }
        says.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    let hearing = async { within(hears.read_to_end(&mut heard)).await.unwrap() };
    tokio::join!(saying, hearing);
    heard
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn streams_arrive_as_they_were_sent(
        faults in rules(),
        protocol in prop::sample::select(vec![
            Protocol::Opaque,
            Protocol::Resp,
            Protocol::MySql,
            Protocol::Kafka,
        ]),
        asked in speech(),
        answered in speech(),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (asked, answered) = (spoken(&asked), spoken(&answered));
        let expected = (asked.concat(), answered.concat());
        let heard = runtime.block_on(async {
            let stage = Stage::with(protocol).await;
            for fault in faults {
                stage.link.apply(LinkRule::of(fault), LONG).await.unwrap();
            }
            let (client, server) = stage.pair().await;
            let (by_client, by_server) = tokio::join!(talk(client, asked), talk(server, answered));
            stage.until(|counters| counters.open == 0 && counters.held == 0).await;
            (by_server, by_client)
        });
        prop_assert!(heard == expected, "the streams differ");
    }
}
