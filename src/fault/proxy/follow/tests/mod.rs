//! Conversations in which the reply of one call is to be dropped, cut in every way.

mod kafka;
mod mysql;
mod redis;

use proptest::prelude::*;

use super::*;

/// What is said, in order.
#[derive(Debug, Clone)]
enum Said {
    Client(Vec<u8>),
    Server(Vec<u8>),
}

/// What has come of a conversation: what the client got, whether a reply was dropped, the calls that
/// were seen, and why none can be seen any more.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    passed: Vec<u8>,
    dropped: bool,
    calls: usize,
    lost: Option<&'static str>,
}

/// Everything that is said, in pieces of these lengths in turn. Nothing follows a dropped reply.
fn hear(protocol: Protocol, chosen: &str, said: &[Said], cuts: &[usize]) -> Heard {
    let command = Command::new(protocol, chosen).unwrap();
    let mut follower = Follower::new(protocol).unwrap();
    let mut lengths = cuts.iter().cycle();
    let (mut passed, mut calls) = (Vec::new(), 0);
    for said in said {
        let (Said::Client(words) | Said::Server(words)) = said;
        let mut left = &words[..];
        while !left.is_empty() {
            let piece = take(&mut left, *lengths.next().unwrap());
            if let Said::Client(_) = said {
                follower.requests(piece, &mut |call| {
                    calls += usize::from(call.is(&command));
                    call.is(&command)
                });
                continue;
            }
            let replies = follower.replies(piece);
            passed.extend_from_slice(&piece[..replies.pass]);
            if replies.dropped {
                let lost = follower.lost();
                return Heard {
                    passed,
                    dropped: true,
                    calls,
                    lost,
                };
            }
        }
    }
    let lost = follower.lost();
    Heard {
        passed,
        dropped: false,
        calls,
        lost,
    }
}

fn client(words: impl AsRef<[u8]>) -> Said {
    Said::Client(words.as_ref().to_vec())
}

fn server(words: impl AsRef<[u8]>) -> Said {
    Said::Server(words.as_ref().to_vec())
}

/// What is chosen, what is said, how much of the server's words goes on when a reply is dropped
/// (everything when none is), and a part of why calls cannot be seen.
type Row = (
    &'static str,
    &'static str,
    Vec<Said>,
    Option<usize>,
    Option<&'static str>,
);

fn rows() -> Vec<(Protocol, Row)> {
    let of = |protocol, rows: Vec<Row>| rows.into_iter().map(move |row| (protocol, row));
    of(Protocol::Resp, redis::rows())
        .chain(of(Protocol::MySql, mysql::rows()))
        .chain(of(Protocol::Kafka, kafka::rows()))
        .collect()
}

#[test]
fn the_reply_of_the_chosen_call_is_dropped_and_nothing_before_it() {
    for (protocol, (case, chosen, said, passes, why)) in rows() {
        let words = said.iter().filter_map(|said| match said {
            Said::Server(words) => Some(words.clone()),
            Said::Client(_) => None,
        });
        let words = words.collect::<Vec<_>>().concat();
        let whole = hear(protocol, chosen, &said, &[usize::MAX]);
        let expected = &words[..passes.unwrap_or(words.len())];
        assert_eq!(
            whole.dropped,
            passes.is_some(),
            "{protocol}, {case}: {whole:?}"
        );
        assert_eq!(whole.passed, expected, "{protocol}, {case}");
        let lost = whole.lost.unwrap_or_default();
        assert!(
            lost.contains(why.unwrap_or("")),
            "{protocol}, {case}: {lost}"
        );
        assert_eq!(
            whole.lost.is_some(),
            why.is_some(),
            "{protocol}, {case}: {lost}"
        );
        for cuts in [&[1][..], &[2, 3], &[7, 1, 1]] {
            let cut = hear(protocol, chosen, &said, cuts);
            assert_eq!(cut, whole, "{protocol}, {case}, cut by {cuts:?}");
        }
    }
}

proptest! {
    #[test]
    fn however_it_is_cut_the_same_is_heard(
        row in 0..rows().len(),
        cuts in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let (protocol, (_, chosen, said, ..)) = rows().swap_remove(row);
        let whole = hear(protocol, chosen, &said, &[usize::MAX]);
        prop_assert_eq!(hear(protocol, chosen, &said, &cuts), whole);
    }

    #[test]
    fn any_bytes_pass_when_nothing_is_chosen(
        protocol in prop::sample::select(vec![Protocol::Resp, Protocol::MySql, Protocol::Kafka]),
        said in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..8),
    ) {
        let mut follower = Follower::new(protocol).unwrap();
        for (by_client, words) in said {
            if by_client {
                follower.requests(&words, &mut |_| false);
            } else {
                prop_assert_eq!(follower.replies(&words), Replies::all(&words));
            }
        }
    }
}
