//! Conversations with a broker of Kafka.

use super::*;

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

pub(super) fn rows() -> Vec<Row> {
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
            "a frame of the server's that cannot be, with the number of the call",
            "Produce",
            vec![
                client(kafka(0, 7, 5, all)),
                server([0, 0, 0, 0, 0, 0, 0, 5, 1]),
            ],
            None,
            Some("server says is not Kafka"),
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
