//! Conversations with `MySQL`.

use super::*;

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

/// A query of a client that may send attributes with it.
fn attributed(command: &[u8]) -> Vec<Said> {
    let mut said = login(PLAIN | 1 << 27, PLAIN | 1 << 27);
    said.extend([client(packet(0, command)), done()]);
    said
}

fn query(text: &str) -> Said {
    client(packet(0, [b"\x03", text.as_bytes()].concat()))
}

fn done() -> Said {
    server(packet(1, b"\0\x01\0\x02\0\0\0"))
}

/// What the login has brought to the client, and the header of one more packet.
fn torn() -> usize {
    let lengths = login(PLAIN, PLAIN).into_iter().map(|said| match said {
        Said::Server(words) => words.len(),
        Said::Client(_) => 0,
    });
    lengths.sum::<usize>() + 4
}

pub(super) fn rows() -> Vec<Row> {
    [statements(), results(), prepared(), beginnings()].concat()
}

fn statements() -> Vec<Row> {
    let torn = torn();
    vec![
        (
            "alone",
            "COMMIT",
            logged_in([query("commit"), done()]),
            Some(torn),
            None,
        ),
        (
            "behind a comment and blanks",
            "COMMIT",
            logged_in([query(" /* trace=1 */\n-- x\n COMMIT;"), done()]),
            Some(torn),
            None,
        ),
        (
            "a word that only begins like it",
            "COMMIT",
            logged_in([query("COMMITTED"), done()]),
            None,
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
            "two at once",
            "COMMIT",
            logged_in([
                client([packet(0, b"\x03SET x=1"), packet(0, b"\x03COMMIT")].concat()),
                server([packet(1, b"\0\0\0"), packet(1, b"\0\0\0")].concat()),
            ]),
            Some(torn + 7),
            None,
        ),
    ]
}

fn results() -> Vec<Row> {
    let torn = torn();
    let set = |last: u8| {
        let packets = (1..=last).map(|sequence| packet(sequence, [1, sequence]));
        Said::Server(packets.collect::<Vec<_>>().concat())
    };
    let wrapped = {
        let packets = (1..=300_u32).map(|number| packet(number as u8, [1, 2, 3]));
        Said::Server(packets.collect::<Vec<_>>().concat())
    };
    vec![
        (
            "behind a result of several packets",
            "COMMIT",
            logged_in([query("SELECT 1"), set(5), query("COMMIT"), done()]),
            Some(torn + 5 * 6),
            None,
        ),
        (
            "behind a result whose numbers begin again",
            "COMMIT",
            logged_in([query("SELECT 1"), wrapped, query("COMMIT"), done()]),
            Some(torn + 300 * 7),
            None,
        ),
    ]
}

fn prepared() -> Vec<Row> {
    let torn = torn();
    let prepare = |text: &str| client(packet(0, [b"\x16", text.as_bytes()].concat()));
    let prepared = server(packet(1, b"\0\x07\0\0\0\0\0\0\0\0\0\0"));
    let execute = client(packet(0, b"\x17\x07\0\0\0\0\x01\0\0\0"));
    vec![
        (
            "a statement that was prepared",
            "INSERT",
            logged_in([
                prepare("insert into coupons values (?)"),
                prepared.clone(),
                execute.clone(),
                done(),
            ]),
            Some(torn + 16),
            None,
        ),
        (
            "the statement that is just being prepared, in one go",
            "INSERT",
            logged_in([
                prepare("SELECT 1"),
                server(packet(1, b"\0\x06\0\0\0\0\0\0\0\0\0\0")),
                client(
                    [
                        packet(0, b"\x16insert into coupons values (1)"),
                        packet(0, b"\x17\xff\xff\xff\xff\0\x01\0\0\0"),
                    ]
                    .concat(),
                ),
                prepared.clone(),
                done(),
            ]),
            Some(torn + 16 + 16),
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
    ]
}

fn beginnings() -> Vec<Row> {
    let torn = torn();
    vec![
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
                said.extend([query("COMMIT"), done()]);
                said
            },
            Some(torn),
            None,
        ),
        (
            "a file of the client's",
            "COMMIT",
            logged_in([
                query("load data local infile 'x'"),
                server(packet(1, b"\xfbx")),
                client(packet(2, b"\x03COMMIT")),
                server(packet(4, b"\0\0\0")),
            ]),
            None,
            Some("file of the client"),
        ),
        (
            "queries that could have attributes and have none",
            "COMMIT",
            attributed(b"\x03\0\x01COMMIT"),
            Some(torn),
            None,
        ),
        (
            "queries with attributes",
            "COMMIT",
            attributed(b"\x03\x01\x01\0\x01\xfd\0\x01aCOMMIT"),
            None,
            Some("attributes"),
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
