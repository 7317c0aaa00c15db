//! Conversations in which the reply of one call is to be dropped, cut in every way.

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

/// A command in RESP.
fn resp(words: &str) -> String {
    let words: Vec<_> = words.split(' ').collect();
    let texts = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), texts.collect::<String>())
}

/// A packet of `MySQL`.
fn packet(sequence: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let [low, middle, high, _] = (body.len() as u32).to_le_bytes();
    [&[low, middle, high, sequence], body].concat()
}

/// A greeting and a login with these capabilities, and that the server is content.
fn login(offered: u32, taken: u32) -> Vec<Said> {
    let [low_0, low_1, high_0, high_1] = offered.to_le_bytes();
    let mut greeting = b"\x0a8.0.1\0iiiirrrrrrrr\0".to_vec();
    greeting.extend([low_0, low_1, 33, 2, 0, high_0, high_1, 21]);
    let mut login = taken.to_le_bytes().to_vec();
    login.extend(b"....!.......................shop\0");
    vec![
        Said::Server(packet(0, greeting)),
        Said::Client(packet(1, login)),
        Said::Server(packet(2, b"\xfemysql_native_password\0salt")),
        Said::Client(packet(3, b"twenty bytes of hash")),
        Said::Server(packet(4, b"\0\0\0\x02\0\0\0")),
    ]
}

const PLAIN: u32 = 1 << 9;

/// After a plain login.
fn logged_in(more: impl IntoIterator<Item = Said>) -> Vec<Said> {
    login(PLAIN, PLAIN).into_iter().chain(more).collect()
}

/// A request of Kafka: its header with the client `me`, and the rest.
fn kafka(api: i16, version: i16, number: i32, rest: &[u8]) -> Vec<u8> {
    let mut frame = [api.to_be_bytes(), version.to_be_bytes()].concat();
    frame.extend(number.to_be_bytes());
    frame.extend(b"\0\x02me");
    frame.extend(rest);
    framed(&frame)
}

fn framed(frame: &[u8]) -> Vec<u8> {
    [&(frame.len() as i32).to_be_bytes(), frame].concat()
}

fn kafka_reply(number: i32, rest: &[u8]) -> Vec<u8> {
    framed(&[&number.to_be_bytes(), rest].concat())
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

fn redis_rows() -> Vec<Row> {
    let evalsha = || client(resp("EVALSHA 5f3 1 stock"));
    let many = [resp("PING"), resp("evalsha 5f3 0"), resp("GET x")].concat();
    let big = format!(
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9000\r\n{}\r\n",
        "x".repeat(9_000)
    );
    let nested = "*3\r\n*2\r\n:1\r\n$2\r\nab\r\n*0\r\n$-1\r\n";
    let three = "%2\r\n+a\r\n#t\r\n+b\r\n~2\r\n,1.5\r\n_\r\n";
    vec![
        (
            "alone",
            "EVALSHA",
            vec![evalsha(), server(":1\r\n")],
            Some(0),
            None,
        ),
        (
            "another command",
            "EVALSHA",
            vec![client(resp("EVAL x 0")), server(":1\r\n")],
            None,
            None,
        ),
        (
            "in the middle of a pipeline, replies in one piece",
            "EVALSHA",
            vec![client(many), server("+PONG\r\n:1\r\n$1\r\nx\r\n")],
            Some(7),
            None,
        ),
        (
            "behind a large one",
            "EVALSHA",
            vec![
                client(big),
                server("+OK\r\n"),
                evalsha(),
                server("*2\r\n:1\r\n:2\r\n"),
            ],
            Some(5),
            None,
        ),
        (
            "as a line, behind lines and arrays without a reply",
            "EVALSHA",
            vec![
                client("\r\n*0\r\n*-1\r\n  evalsha 5f3 0\r\n"),
                server("$2\r\nok\r\n"),
            ],
            Some(0),
            None,
        ),
        (
            "an error goes on, and the next is dropped",
            "EVALSHA",
            vec![
                evalsha(),
                server("-NOSCRIPT No matching script.\r\n"),
                evalsha(),
                server(":1\r\n"),
            ],
            Some(31),
            None,
        ),
        (
            "behind nested replies of both versions",
            "INCR",
            vec![
                client([resp("KEYS *"), resp("HGETALL h"), resp("INCR n")].concat()),
                server([nested, three, ":8\r\n"].concat()),
            ],
            Some(nested.len() + three.len()),
            None,
        ),
        (
            "what is pushed is no reply",
            "INCR",
            vec![
                client(resp("INCR n")),
                server(">2\r\n+invalidate\r\n*1\r\n+k\r\n"),
                server(":8\r\n"),
            ],
            Some(25),
            None,
        ),
        (
            "attributes belong to the reply",
            "INCR",
            vec![
                client([resp("PING"), resp("INCR n")].concat()),
                server("|1\r\n+ttl\r\n:3\r\n+PONG\r\n:8\r\n"),
            ],
            Some(21),
            None,
        ),
        (
            "what is queued is carried out by EXEC",
            "EVALSHA",
            vec![
                client([resp("MULTI"), resp("EVALSHA 5f3 0"), resp("EXEC")].concat()),
                server("+OK\r\n+QUEUED\r\n*1\r\n:1\r\n"),
            ],
            Some(14),
            None,
        ),
        (
            "what is discarded is not carried out",
            "EVALSHA",
            vec![
                client([resp("MULTI"), resp("EVALSHA 5f3 0"), resp("DISCARD")].concat()),
                server("+OK\r\n+QUEUED\r\n+OK\r\n"),
                client(resp("MULTI")),
                server("+OK\r\n"),
                client(resp("EXEC")),
                server("*0\r\n"),
            ],
            None,
            None,
        ),
        (
            "before a subscription",
            "INCR",
            vec![
                client([resp("INCR n"), resp("SUBSCRIBE a b")].concat()),
                server(":1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
            ],
            Some(0),
            Some("subscription"),
        ),
        (
            "after a subscription nothing is seen",
            "PING",
            vec![
                client([resp("SUBSCRIBE a b"), resp("PING")].concat()),
                server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
                server("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n+PONG\r\n"),
            ],
            None,
            Some("subscription"),
        ),
        (
            "without replies nothing is seen",
            "INCR",
            vec![client([resp("CLIENT REPLY OFF"), resp("INCR n")].concat())],
            None,
            Some("CLIENT REPLY"),
        ),
        (
            "an error that nobody asked for",
            "INCR",
            vec![server("-ERR max number of clients reached\r\n")],
            None,
            Some("nobody has asked"),
        ),
        (
            "something else than RESP",
            "INCR",
            vec![client("*1\r\nINCR\r\n"), server("HTTP/1.1 400\r\n")],
            None,
            Some("no RESP"),
        ),
    ]
}

fn mysql_rows() -> Vec<Row> {
    let query = |text: &str| client(packet(0, [b"\x03", text.as_bytes()].concat()));
    let done = |sequence| server(packet(sequence, b"\0\x01\0\x02\0\0\0"));
    // What the login has brought to the client, and the header of one more packet.
    let before: usize = logged_in([])
        .iter()
        .map(|said| match said {
            Said::Server(words) => words.len(),
            Said::Client(_) => 0,
        })
        .sum();
    let torn = before + 4;
    let set = |last: u8| {
        let packets = (1..=last).map(|sequence| packet(sequence, [1, sequence]));
        Said::Server(packets.collect::<Vec<_>>().concat())
    };
    let wrapped = {
        let packets = (1..=300_u32).map(|number| packet(number as u8, [1, 2, 3]));
        Said::Server(packets.collect::<Vec<_>>().concat())
    };
    let prepare = |text: &str| client(packet(0, [b"\x16", text.as_bytes()].concat()));
    let prepared = server(packet(1, b"\0\x07\0\0\0\0\0\0\0\0\0\0"));
    let execute = client(packet(0, b"\x17\x07\0\0\0\0\x01\0\0\0"));
    vec![
        (
            "alone",
            "COMMIT",
            logged_in([query("commit"), done(1)]),
            Some(torn),
            None,
        ),
        (
            "behind a comment and blanks",
            "COMMIT",
            logged_in([query(" /* trace=1 */\n-- x\n COMMIT;"), done(1)]),
            Some(torn),
            None,
        ),
        (
            "a word that only begins like it",
            "COMMIT",
            logged_in([query("COMMITTED"), done(1)]),
            None,
            None,
        ),
        (
            "behind a result of several packets",
            "COMMIT",
            logged_in([query("SELECT 1"), set(5), query("COMMIT"), done(1)]),
            Some(torn + 5 * 6),
            None,
        ),
        (
            "behind a result whose numbers begin again",
            "COMMIT",
            logged_in([query("SELECT 1"), wrapped, query("COMMIT"), done(1)]),
            Some(torn + 300 * 7),
            None,
        ),
        (
            "an error goes on",
            "COMMIT",
            logged_in([query("COMMIT"), server(packet(1, b"\xff\x10\x04#HY000no"))]),
            None,
            None,
        ),
        (
            "a statement that was prepared",
            "INSERT",
            logged_in([
                prepare("insert into coupons values (?)"),
                prepared.clone(),
                execute.clone(),
                done(1),
            ]),
            Some(torn + 16),
            None,
        ),
        (
            "a statement that was closed again, without a reply",
            "INSERT",
            logged_in([
                prepare("insert into coupons values (?)"),
                prepared,
                client(packet(0, b"\x19\x07\0\0\0")),
                execute,
                server(packet(1, b"\xff\xdb\x04#HY000unknown")),
            ]),
            None,
            None,
        ),
        (
            "two at once",
            "COMMIT",
            logged_in([
                client([packet(0, b"\x03SET x=1"), packet(0, b"\x03COMMIT")].concat()),
                server([packet(1, b"\0\0\0"), packet(1, b"\0\0\0")].concat()),
            ]),
            Some(torn + 7),
            None,
        ),
        (
            "TLS",
            "COMMIT",
            login(PLAIN | 1 << 11, PLAIN | 1 << 11),
            None,
            Some("TLS"),
        ),
        (
            "compression of both",
            "COMMIT",
            login(PLAIN | 1 << 5, PLAIN | 1 << 5),
            None,
            Some("compressed"),
        ),
        (
            "compression that the server does not offer",
            "COMMIT",
            {
                let mut said = login(PLAIN, PLAIN | 1 << 5);
                said.extend([query("COMMIT"), done(1)]);
                said
            },
            Some(torn),
            None,
        ),
        (
            "a file of the client's",
            "LOAD",
            logged_in([
                query("load data local infile 'x'"),
                server(packet(1, b"\xffno")),
            ]),
            None,
            None,
        ),
        (
            "another greeting",
            "COMMIT",
            vec![server(packet(0, b"\x09old"))],
            None,
            Some("version 10"),
        ),
        (
            "no room for it",
            "COMMIT",
            vec![server(packet(0, b"\xff\x10\x04Too many"))],
            None,
            None,
        ),
    ]
}

fn kafka_rows() -> Vec<Row> {
    // No transaction, then acks, then a limit.
    let all = b"\xff\xff\xff\xff\0\0\x75\x30rest";
    let none = b"\xff\xff\0\0\0\0\x75\x30rest";
    // Tagged fields of the header, and a short text.
    let flexible = b"\0\0\xff\xff\0\0\x75\x30rest";
    let reply = kafka_reply(5, b"topics");
    vec![
        (
            "alone",
            "Produce",
            vec![client(kafka(0, 7, 5, all)), server(&reply)],
            Some(7),
            None,
        ),
        (
            "with fields of newer versions",
            "Produce",
            vec![client(kafka(0, 11, 5, flexible)), server(&reply)],
            Some(7),
            None,
        ),
        (
            "among others, by its number",
            "Produce",
            vec![
                client([kafka(3, 9, 4, b"x"), kafka(0, 7, 5, all)].concat()),
                server([kafka_reply(4, b"metadata"), reply.clone()].concat()),
            ],
            Some(16 + 7),
            None,
        ),
        (
            "no reply is waited for",
            "Produce",
            vec![
                client([kafka(0, 7, 5, none), kafka(3, 9, 6, b"x")].concat()),
                server(kafka_reply(6, b"metadata")),
            ],
            None,
            None,
        ),
        (
            "a reply without anything",
            "Heartbeat",
            vec![
                client(kafka(12, 0, 9, b"group")),
                server(kafka_reply(9, b"")),
            ],
            Some(7),
            None,
        ),
        (
            "TLS",
            "Produce",
            vec![client(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03..")],
            None,
            None,
        ),
        (
            "SASL as it once was",
            "Produce",
            vec![client(kafka(17, 0, 1, b"\0\x05PLAIN"))],
            None,
            Some("SASL"),
        ),
        (
            "something else",
            "Produce",
            vec![client("GET / HTTP/1.1\r\n\r\n")],
            None,
            Some("not Kafka"),
        ),
    ]
}

fn rows() -> Vec<(Protocol, Row)> {
    let of = |protocol, rows: Vec<Row>| rows.into_iter().map(move |row| (protocol, row));
    of(Protocol::Resp, redis_rows())
        .chain(of(Protocol::MySql, mysql_rows()))
        .chain(of(Protocol::Kafka, kafka_rows()))
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
