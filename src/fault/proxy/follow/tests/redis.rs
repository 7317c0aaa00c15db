//! Conversations with Redis.

use super::*;

/// A command in RESP.
fn resp(words: &str) -> String {
    let words: Vec<_> = words.split(' ').collect();
    let texts = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), texts.collect::<String>())
}

pub(super) fn rows() -> Vec<Row> {
    [order(), shapes(), groups(), silences()].concat()
}

fn order() -> Vec<Row> {
    let evalsha = || client(resp("EVALSHA 5f3 1 stock"));
    let many = [resp("PING"), resp("evalsha 5f3 0"), resp("GET x")].concat();
    let big = format!(
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9000\r\n{}\r\n",
        "x".repeat(9_000)
    );
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
    ]
}

fn shapes() -> Vec<Row> {
    let nested = "*3\r\n*2\r\n:1\r\n$2\r\nab\r\n*0\r\n$-1\r\n";
    let three = "%2\r\n+a\r\n#t\r\n+b\r\n~2\r\n,1.5\r\n_\r\n";
    vec![
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
    ]
}

fn groups() -> Vec<Row> {
    vec![
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
    ]
}

fn silences() -> Vec<Row> {
    vec![
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
