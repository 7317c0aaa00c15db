//! The client/server protocol of `MySQL` and `MariaDB` (MySQL source documentation, "Client/Server
//! Protocol"): one reply, of any number of packets, for each command.

use std::collections::{HashMap, VecDeque};

use super::{CHOSEN, Call, Replies, keep, take};

/// What is kept of a packet: enough for a greeting, and for the first word of a statement behind a
/// comment.
const KEPT: usize = 512;

/// Statements that one connection has prepared; the server's own limit is as high by default.
const PREPARED: usize = 16_384;

/// Bits of both sides' capabilities.
mod capability {
    pub(super) const COMPRESS: u32 = 1 << 5;
    pub(super) const PROTOCOL_41: u32 = 1 << 9;
    pub(super) const TLS: u32 = 1 << 11;
    pub(super) const ZSTD: u32 = 1 << 26;
    pub(super) const QUERY_ATTRIBUTES: u32 = 1 << 27;
}

/// First bytes of commands.
mod command {
    pub(super) const QUIT: u8 = 0x01;
    pub(super) const QUERY: u8 = 0x03;
    pub(super) const CHANGE_USER: u8 = 0x11;
    pub(super) const BINLOG_DUMP: u8 = 0x12;
    pub(super) const PREPARE: u8 = 0x16;
    pub(super) const EXECUTE: u8 = 0x17;
    pub(super) const SEND_LONG_DATA: u8 = 0x18;
    pub(super) const CLOSE: u8 = 0x19;
    pub(super) const BINLOG_DUMP_GTID: u8 = 0x1e;
    pub(super) const RESET: u8 = 0x1f;
    pub(super) const BULK_EXECUTE: u8 = 0xfa;
    pub(super) const MULTI: u8 = 0xfe;
}

/// Follows one connection.
#[derive(Debug, Default)]
pub(super) struct MySql {
    phase: Phase,
    asked: Packet,
    answered: Packet,
    /// The server's capabilities, and then those of both.
    capabilities: u32,
    /// Commands that have a reply, and replies that have begun.
    commands: u64,
    replies: u64,
    /// What is to be done with the reply to a command, counted from 1.
    awaited: VecDeque<(u64, Awaited)>,
    /// Of the packet that comes from the server.
    now: Option<Awaited>,
    dropping: bool,
    /// No reply is under way, so the next packet begins one.
    fresh: bool,
    /// The sequence number of the server's last packet.
    last: Option<u8>,
    prepared: HashMap<u32, Vec<u8>>,
    last_prepared: u32,
    lost: Option<&'static str>,
}

/// How far a connection is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Greeting,
    Login,
    Authentication,
    Commands,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Awaited {
    Drop,
    /// The number of a statement with this first word.
    Number(Vec<u8>),
}

/// The packet that is being read.
#[derive(Debug, Default)]
struct Packet {
    header: Vec<u8>,
    left: usize,
    /// The beginning of what it carries.
    kept: Vec<u8>,
}

impl Packet {
    const HEADER: usize = 4;

    /// Takes what belongs to the header: whether it is whole.
    fn header(&mut self, bytes: &mut &[u8]) -> bool {
        let missing = Self::HEADER - self.header.len();
        if missing == 0 {
            return true;
        }
        self.header.extend_from_slice(take(bytes, missing));
        if let [low, middle, high, _] = self.header[..] {
            self.left = u32::from_le_bytes([low, middle, high, 0]) as usize;
            self.kept.clear();
        }
        self.header.len() == Self::HEADER
    }

    /// Takes what belongs to the packet: whether it is whole. Its header is forgotten then.
    fn body(&mut self, bytes: &mut &[u8]) -> bool {
        let part = take(bytes, self.left);
        keep(&mut self.kept, part, KEPT);
        self.left -= part.len();
        self.left == 0
    }

    fn sequence(&self) -> u8 {
        self.header.last().copied().unwrap_or_default()
    }
}

impl MySql {
    pub(super) const fn lost(&self) -> Option<&'static str> {
        self.lost
    }

    pub(super) fn requests(&mut self, bytes: &[u8], choose: &mut dyn FnMut(Call<'_>) -> bool) {
        let mut bytes = bytes;
        while !bytes.is_empty() && self.lost.is_none() {
            if !self.asked.header(&mut bytes) || !self.asked.body(&mut bytes) {
                continue;
            }
            let packet = std::mem::take(&mut self.asked.kept);
            match self.phase {
                Phase::Greeting => self.lost = Some("the client speaks before the server"),
                Phase::Login => self.login(&packet),
                Phase::Authentication => {}
                // The other packets of a long command, or of what the server has asked for.
                Phase::Commands if self.asked.sequence() > 0 => {}
                Phase::Commands => self.command(&packet, choose),
            }
            self.asked.kept = packet;
            self.asked.header.clear();
        }
    }

    fn login(&mut self, packet: &[u8]) {
        let bits = packet
            .first_chunk()
            .map_or(0, |bits| u32::from_le_bytes(*bits));
        self.capabilities &= bits;
        let both = |bit| self.capabilities & bit != 0;
        self.lost = if bits & capability::PROTOCOL_41 == 0 {
            Some("the client logs in as before MySQL 4.1")
        } else if bits & capability::TLS != 0 {
            Some("the connection uses TLS")
        } else if both(capability::COMPRESS) || both(capability::ZSTD) {
            Some("the connection is compressed")
        } else {
            None
        };
        self.phase = Phase::Authentication;
    }

    fn command(&mut self, packet: &[u8], choose: &mut dyn FnMut(Call<'_>) -> bool) {
        let Some((kind, rest)) = packet.split_first() else {
            return;
        };
        let awaited = match *kind {
            command::QUIT | command::SEND_LONG_DATA => return,
            command::CLOSE => {
                self.prepared.remove(&number(rest));
                return;
            }
            command::BINLOG_DUMP | command::BINLOG_DUMP_GTID | command::MULTI => {
                self.lost = Some("the client asks for a stream, or for several things at once");
                return;
            }
            command::CHANGE_USER | command::RESET => {
                self.prepared.clear();
                None
            }
            command::QUERY => self.query(rest, choose),
            command::PREPARE => Some(Awaited::Number(first_word(rest).to_vec())),
            command::EXECUTE | command::BULK_EXECUTE => {
                let word = self.statement(number(rest));
                word.filter(|word| choose(Call::Word(word)))
                    .map(|_| Awaited::Drop)
            }
            _ => None,
        };
        self.fresh |= self.replies == self.commands;
        self.commands += 1;
        if let Some(awaited) = awaited.filter(|_| self.awaited.len() < CHOSEN) {
            self.awaited.push_back((self.commands, awaited));
        }
    }

    fn query(&mut self, text: &[u8], choose: &mut dyn FnMut(Call<'_>) -> bool) -> Option<Awaited> {
        let mut text = text;
        if self.capabilities & capability::QUERY_ATTRIBUTES != 0 {
            // The number of attributes, and of sets of them.
            let Some(behind) = text.strip_prefix(&[0, 1]) else {
                self.lost = Some("the client sends attributes with its queries");
                return None;
            };
            text = behind;
        }
        choose(Call::Word(first_word(text))).then_some(Awaited::Drop)
    }

    /// The first word of a statement that was prepared.
    fn statement(&self, number: u32) -> Option<&Vec<u8>> {
        if number != u32::MAX {
            return self.prepared.get(&number);
        }
        // MariaDB's way to say "the one that I have just prepared", whose number may not be known.
        let coming = self
            .awaited
            .iter()
            .rev()
            .find_map(|(_, awaited)| match awaited {
                Awaited::Number(word) => Some(word),
                Awaited::Drop => None,
            });
        coming.or_else(|| self.prepared.get(&self.last_prepared))
    }

    pub(super) fn replies(&mut self, bytes: &[u8]) -> Replies {
        let mut left = bytes;
        let mut seen = Replies::all(bytes);
        if self.dropping {
            seen.pass = 0;
        }
        while !left.is_empty() && (self.lost.is_none() || self.dropping) {
            if !self.answered.header(&mut left) {
                continue;
            }
            let begins = self.answered.kept.is_empty() && self.answered.left > 0;
            if let (true, Some(first)) = (begins, left.first()) {
                self.begin(*first);
                if self.dropping {
                    seen.pass = bytes.len() - left.len();
                }
            }
            if !self.answered.body(&mut left) {
                continue;
            }
            if self.dropping {
                seen.dropped = true;
                break;
            }
            self.packet();
        }
        seen
    }

    /// The first byte of what a packet from the server carries.
    fn begin(&mut self, first: u8) {
        if self.phase != Phase::Commands {
            return;
        }
        // Packets of one reply are numbered on, and come to 1 again after 256 of them.
        let anew = self.answered.sequence() == 1 && self.last != Some(0);
        let begins = self.replies < self.commands && (self.fresh || anew);
        (self.last, self.now) = (Some(self.answered.sequence()), None);
        if !begins {
            return;
        }
        (self.replies, self.fresh) = (self.replies + 1, false);
        let replies = self.replies;
        let due = self
            .awaited
            .pop_front_if(|(command, _)| *command == replies);
        self.now = due.map(|(_, awaited)| awaited);
        // An error says that nothing was carried out.
        self.dropping = self.now == Some(Awaited::Drop) && first != 0xff;
        if first == 0xfb && !self.dropping {
            self.lost = Some("the server asks for a file of the client");
        }
    }

    /// A whole packet from the server.
    fn packet(&mut self) {
        let packet = std::mem::take(&mut self.answered.kept);
        match (self.phase, self.now.take()) {
            (Phase::Greeting, _) => self.greeting(&packet),
            (Phase::Authentication, _) if packet.first() == Some(&0) => {
                self.phase = Phase::Commands;
            }
            (_, Some(Awaited::Number(word))) if packet.first() == Some(&0) => {
                self.last_prepared = number(&packet[1..]);
                self.prepared.insert(self.last_prepared, word);
                if self.prepared.len() > PREPARED {
                    self.lost = Some("the client has prepared more than 16,384 statements");
                }
            }
            _ => {}
        }
        self.answered.kept = packet;
        self.answered.kept.clear();
        self.answered.header.clear();
    }

    fn greeting(&mut self, packet: &[u8]) {
        // An error in place of a greeting.
        if packet.first() == Some(&0xff) {
            return;
        }
        match capabilities(packet) {
            Some(bits) => (self.capabilities, self.phase) = (bits, Phase::Login),
            None => self.lost = Some("the server does not greet as version 10 of the protocol"),
        }
    }
}

/// Those that a greeting offers. They stand in two halves behind the version, the thread's number,
/// eight random bytes and a zero.
fn capabilities(greeting: &[u8]) -> Option<u32> {
    let behind = greeting.strip_prefix(&[10])?;
    let version = behind.iter().position(|byte| *byte == 0)?;
    let behind = behind.get(version + 1 + 4 + 8 + 1..)?;
    let [low_0, low_1, _, _, _, high_0, high_1] = *behind.first_chunk()?;
    Some(u32::from_le_bytes([low_0, low_1, high_0, high_1]))
}

/// The number in front; 0 when there is none.
fn number(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The first word of a statement, behind comments and brackets.
fn first_word(statement: &[u8]) -> &[u8] {
    let mut text = statement;
    loop {
        text = match text {
            [b'#', ..] | [b'-', b'-', ..] => behind(text, b"\n"),
            [b'/', b'*', comment @ ..] => behind(comment, b"*/"),
            [b'(' | b';', rest @ ..] => rest,
            [blank, rest @ ..] if blank.is_ascii_whitespace() => rest,
            _ => break,
        };
    }
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = text.iter().position(|byte| !letter(byte));
    &text[..end.unwrap_or(text.len())]
}

fn behind<'t>(text: &'t [u8], end: &[u8]) -> &'t [u8] {
    let place = memchr::memmem::find(text, end);
    place.map_or(&[], |place| &text[place + end.len()..])
}
