//! RESP2 and RESP3 (redis.io, "Redis serialization protocol specification"): replies come in the
//! order of the commands, beside what is pushed.

use std::collections::VecDeque;

use memchr::memchr;

use super::{CHOSEN, Call, Replies, keep, take};
use crate::plan::LONGEST_COMMAND;

/// What is kept of a line: longer than any number, and than the first two words of a command.
const LINE: usize = 128;

/// What is kept of a word: one byte more than a name may have, so that a longer one is no name.
const WORD: usize = LONGEST_COMMAND + 1;

/// Redis takes no longer arrays and strings from clients; longer ones are another protocol.
const LARGEST: i64 = 1 << 32;

/// Follows one connection.
#[derive(Debug, Default)]
pub(super) struct Resp {
    asking: Asking,
    /// What has come of the line that is being read.
    asked_line: Vec<u8>,
    /// Arguments of the command, and those that are whole.
    arguments: i64,
    whole: i64,
    /// The first two.
    words: [Vec<u8>; 2],
    /// Commands that have a reply.
    commands: u64,
    /// Between MULTI and EXEC; whether a command in between was chosen.
    queueing: Option<bool>,
    /// The commands whose replies are dropped, from 0.
    chosen: VecDeque<u64>,
    lost: Option<&'static str>,
    answering: Answering,
    answer_line: Vec<u8>,
    /// Elements of the reply that are still to come.
    elements: i64,
    pushed: bool,
    /// Replies that are whole.
    replies: u64,
    dropping: bool,
}

/// Where in a command the next byte is.
#[derive(Debug, Default, Clone, Copy)]
enum Asking {
    #[default]
    Start,
    Count,
    Length,
    Body(usize),
    /// Bytes of the line break after a body.
    Break(usize),
    Inline,
}

/// Where in a reply the next byte is.
#[derive(Debug, Default, Clone, Copy)]
enum Answering {
    #[default]
    Start,
    Line,
    /// A string with its line break.
    Body(usize),
}

impl Resp {
    pub(super) const fn lost(&self) -> Option<&'static str> {
        self.lost
    }

    pub(super) fn requests(&mut self, bytes: &[u8], choose: &mut dyn FnMut(Call<'_>) -> bool) {
        let mut bytes = bytes;
        while !bytes.is_empty() && self.lost.is_none() {
            match self.asking {
                Asking::Start => self.begin(&mut bytes),
                Asking::Count => self.count(&mut bytes),
                Asking::Length => self.length(&mut bytes),
                Asking::Body(left) => self.body(left, &mut bytes),
                Asking::Break(left) => self.line_break(left, &mut bytes, choose),
                Asking::Inline => self.inline(&mut bytes, choose),
            }
        }
    }

    fn begin(&mut self, bytes: &mut &[u8]) {
        self.asked_line.clear();
        self.words.iter_mut().for_each(Vec::clear);
        self.asking = Asking::Inline;
        if bytes[0] == b'*' {
            self.asking = Asking::Count;
            take(bytes, 1);
        }
    }

    fn count(&mut self, bytes: &mut &[u8]) {
        if !line(&mut self.asked_line, bytes) {
            return;
        }
        match number(&self.asked_line) {
            // Redis takes it for no command.
            Some(..=0) => self.asking = Asking::Start,
            Some(count) => {
                (self.arguments, self.whole) = (count, 0);
                self.next_argument();
            }
            None => self.lost = Some("what the client says is no RESP"),
        }
    }

    fn next_argument(&mut self) {
        self.asked_line.clear();
        self.asking = Asking::Length;
    }

    fn length(&mut self, bytes: &mut &[u8]) {
        if !line(&mut self.asked_line, bytes) {
            return;
        }
        let length = self.asked_line.strip_prefix(b"$").and_then(number);
        match length.and_then(|length| usize::try_from(length).ok()) {
            Some(0) => self.asking = Asking::Break(2),
            Some(length) => self.asking = Asking::Body(length),
            None => self.lost = Some("what the client says is no RESP"),
        }
    }

    fn body(&mut self, left: usize, bytes: &mut &[u8]) {
        let part = take(bytes, left);
        let place = usize::try_from(self.whole).unwrap_or(usize::MAX);
        if let Some(word) = self.words.get_mut(place) {
            keep(word, part, WORD);
        }
        self.asking = match left - part.len() {
            0 => Asking::Break(2),
            left => Asking::Body(left),
        };
    }

    fn line_break(
        &mut self,
        left: usize,
        bytes: &mut &[u8],
        choose: &mut dyn FnMut(Call<'_>) -> bool,
    ) {
        let left = left - take(bytes, left).len();
        self.asking = Asking::Break(left);
        if left > 0 {
            return;
        }
        self.whole += 1;
        if self.whole < self.arguments {
            return self.next_argument();
        }
        self.command(choose);
        self.asking = Asking::Start;
    }

    fn inline(&mut self, bytes: &mut &[u8], choose: &mut dyn FnMut(Call<'_>) -> bool) {
        if !line(&mut self.asked_line, bytes) {
            return;
        }
        let text = std::mem::take(&mut self.asked_line);
        let words = text.split(u8::is_ascii_whitespace);
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        self.arguments = words.len() as i64;
        for (kept, word) in self.words.iter_mut().zip(words) {
            keep(kept, word, WORD);
        }
        self.asked_line = text;
        // An empty line has no reply.
        if !self.words[0].is_empty() {
            self.command(choose);
        }
        self.asking = Asking::Start;
    }

    /// A whole command.
    fn command(&mut self, choose: &mut dyn FnMut(Call<'_>) -> bool) {
        let [word, second] = &self.words;
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let silences = is("CLIENT") && second.eq_ignore_ascii_case(b"REPLY");
        if silences || MANY_REPLIES.iter().any(|name| is(name)) {
            self.lost = Some("a subscription, MONITOR, SYNC or CLIENT REPLY: not one reply each");
            return;
        }
        let chosen = choose(Call::Word(word));
        let (begins, ends) = (is("MULTI") && self.arguments == 1, is("EXEC"));
        let forgets = is("DISCARD") || is("RESET");
        let drops = match self.queueing {
            _ if begins => {
                self.queueing = self.queueing.or(Some(false));
                chosen
            }
            // What was queued is carried out now, and this is its reply.
            Some(queued) if ends => {
                self.queueing = None;
                queued || chosen
            }
            Some(_) if forgets => {
                self.queueing = None;
                chosen
            }
            Some(queued) => {
                self.queueing = Some(queued || chosen);
                false
            }
            None => chosen,
        };
        if drops && self.chosen.len() < CHOSEN {
            self.chosen.push_back(self.commands);
        }
        self.commands += 1;
    }

    pub(super) fn replies(&mut self, bytes: &[u8]) -> Replies {
        let mut left = bytes;
        let mut seen = Replies::all(bytes);
        if self.dropping {
            seen.pass = 0;
        }
        while !left.is_empty() && !self.is_blind() {
            let at = bytes.len() - left.len();
            match self.answering {
                Answering::Start => {
                    self.begin_reply(left[0]);
                    if self.dropping {
                        seen.pass = at;
                    }
                }
                Answering::Line => self.answer_line(&mut left),
                Answering::Body(size) => self.answer_body(size, &mut left),
            }
            // What cannot be understood any more ends the connection too, if its beginning is gone.
            let over = self.is_whole() || self.is_blind();
            if self.dropping && over {
                seen.dropped = true;
                break;
            }
        }
        seen
    }

    /// Whether nothing can be said of the next byte from the server.
    fn is_blind(&self) -> bool {
        let between = matches!(self.answering, Answering::Start);
        self.lost.is_some() && between && self.replies >= self.commands
    }

    fn is_whole(&self) -> bool {
        matches!(self.answering, Answering::Start)
    }

    fn begin_reply(&mut self, first: u8) {
        self.answer_line.clear();
        (self.elements, self.answering) = (1, Answering::Line);
        self.pushed = first == b'>';
        if self.pushed || self.chosen.front() != Some(&self.replies) {
            return;
        }
        self.chosen.pop_front();
        // An error says that nothing was carried out.
        self.dropping = !b"-!".contains(&first);
    }

    fn answer_line(&mut self, bytes: &mut &[u8]) {
        if !line(&mut self.answer_line, bytes) {
            return;
        }
        let (kind, rest) = self.answer_line.split_at(self.answer_line.len().min(1));
        let count = number(rest);
        let Some(kind) = kind.first() else {
            return self.lose_step();
        };
        match (kind, count) {
            (b'+' | b'-' | b':' | b',' | b'#' | b'_' | b'(', _)
            // There is no such thing, and nothing follows.
            | (b'$' | b'*', Some(..0)) => self.element(0),
            (b'$' | b'!' | b'=', Some(size @ 0..)) => {
                self.answering = Answering::Body(usize::try_from(size).unwrap_or(0) + 2);
            }
            (b'*' | b'~' | b'>', Some(count @ 0..)) => self.element(count),
            (b'%', Some(pairs @ 0..)) => self.element(2 * pairs),
            // Attributes come before the element that they belong to.
            (b'|', Some(pairs @ 0..)) => self.element(2 * pairs + 1),
            _ => self.lose_step(),
        }
    }

    fn answer_body(&mut self, size: usize, bytes: &mut &[u8]) {
        match size - take(bytes, size).len() {
            0 => self.element(0),
            left => self.answering = Answering::Body(left),
        }
    }

    /// One element is done, and brings so many of its own.
    fn element(&mut self, more: i64) {
        self.elements = self.elements.saturating_add(more) - 1;
        self.answer_line.clear();
        self.answering = Answering::Line;
        if self.elements > 0 {
            return;
        }
        self.answering = Answering::Start;
        if !self.pushed {
            self.replies += 1;
        }
        if self.replies > self.commands {
            self.lose_step();
        }
    }

    /// Nothing of the server's is understood from here on.
    fn lose_step(&mut self) {
        let why = "the server says what nobody has asked for";
        self.lost = self.lost.or(Some(why));
        self.answering = Answering::Start;
        self.replies = self.replies.max(self.commands);
    }
}

/// Commands whose replies cannot be counted: one for each channel, none, or no end of them.
const MANY_REPLIES: [&str; 9] = [
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SSUBSCRIBE",
    "SUNSUBSCRIBE",
    "MONITOR",
    "SYNC",
    "PSYNC",
];

/// Reads on to the end of a line: whether it is whole. Line breaks are not kept.
fn line(kept: &mut Vec<u8>, bytes: &mut &[u8]) -> bool {
    let Some(end) = memchr(b'\n', bytes) else {
        keep(kept, take(bytes, bytes.len()), LINE);
        return false;
    };
    keep(kept, take(bytes, end), LINE);
    take(bytes, 1);
    if kept.last() == Some(&b'\r') {
        kept.pop();
    }
    true
}

/// A number as the protocol writes it, if it is not beyond all reason.
fn number(text: &[u8]) -> Option<i64> {
    let number = std::str::from_utf8(text).ok()?.parse().ok()?;
    (-1..=LARGEST).contains(&number).then_some(number)
}
