//! Any bytes as a conversation in RESP, MySQL or Kafka: cut differently it is the same, and without
//! a chosen call everything passes.
#![no_main]

use fcfs_bench::fault::proxy::follow::{Call, Follower};
use fcfs_bench::plan::Protocol;
use libfuzzer_sys::fuzz_target;

/// What has come of a conversation: what the client got, whether a reply was dropped, which calls
/// were seen, and why none can be seen any more.
type Heard = (Vec<u8>, bool, Vec<u64>, Option<&'static str>);

// The first byte says what is spoken and which calls are chosen, the next four how the rest is cut.
// Then each lot begins with a byte for who speaks and how much.
fuzz_target!(|input: &[u8]| {
    let Some((&[speech, ref cuts @ ..], said)) = input.split_first_chunk::<5>() else {
        return;
    };
    let protocol = [Protocol::Resp, Protocol::MySql, Protocol::Kafka][usize::from(speech % 3)];
    let words: usize = lots(said).filter(|lot| !lot.0).map(|lot| lot.1.len()).sum();

    let (passed, dropped, ..) = hear(protocol, said, &[u8::MAX], None);
    assert!(
        !dropped && passed.len() == words,
        "bytes are lost without a rule"
    );

    let chosen = Some(u64::from(speech >> 4));
    let whole = hear(protocol, said, &[u8::MAX], chosen);
    assert_eq!(hear(protocol, said, cuts, chosen), whole, "cut by {cuts:?}");
    assert!(
        passed.starts_with(&whole.0),
        "other bytes than the server's"
    );
});

/// Whether the client speaks, and what it says.
fn lots(said: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    let mut left = said;
    std::iter::from_fn(move || {
        let (&first, rest) = left.split_first()?;
        let (words, rest) = rest.split_at(usize::from(first >> 1).min(rest.len()));
        left = rest;
        Some((first & 1 == 1, words))
    })
}

/// Calls whose names come to `chosen` lose their replies.
fn hear(protocol: Protocol, said: &[u8], cuts: &[u8], chosen: Option<u64>) -> Heard {
    let mut follower = Follower::new(protocol).expect("calls can be seen");
    let mut lengths = cuts
        .iter()
        .cycle()
        .map(|length| usize::from(*length).max(1));
    let (mut passed, mut calls) = (Vec::new(), Vec::new());
    for (by_client, mut words) in lots(said) {
        while !words.is_empty() {
            let length = lengths.next().unwrap_or(1).min(words.len());
            let (piece, rest) = words.split_at(length);
            words = rest;
            if by_client {
                follower.requests(piece, &mut |call| {
                    let name = name(call);
                    calls.push(name);
                    chosen.is_some_and(|chosen| name % 8 == chosen)
                });
                continue;
            }
            let replies = follower.replies(piece);
            passed.extend_from_slice(&piece[..replies.pass]);
            if replies.dropped {
                return (passed, true, calls, follower.lost());
            }
        }
    }
    (passed, false, calls, follower.lost())
}

fn name(call: Call<'_>) -> u64 {
    match call {
        Call::Word(word) => word.iter().map(|byte| u64::from(*byte)).sum(),
        Call::Api(api) => api as u64,
    }
}
