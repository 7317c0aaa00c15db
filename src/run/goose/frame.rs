//! What the process of Goose tells the harness, as bytes: each frame is its length, its kind, and what
//! it holds. Operations are 48 bytes each, as in the history; sums, once a second, are JSON.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::history::{Cause, Key, Operation};
use crate::load::{Batch, Beside, SecondOfThread, Shape};
use crate::measure::{SeriesId, Trend};

/// No frame is longer: operations come in batches of some thousands, with an id each at the most.
const LONGEST: u32 = 64 << 20;

const READY: u8 = 0;
const OPERATIONS: u8 = 1;
const SECOND: u8 = 2;
const ENDED: u8 = 3;

/// One thing that the process tells.
#[derive(Debug)]
pub(super) enum Frame {
    /// It has the plan that it was told, and waits for the start.
    Ready,
    /// What was measured.
    Operations(Vec<Operation>, Beside),
    /// The sums of a second, and what the process has taken of the machine.
    Second(Box<SecondOfThread>, Taken),
    /// Nothing comes any more.
    Ended(Ended),
}

/// What a process has taken of the machine so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taken {
    /// CPU time in nanoseconds.
    pub(super) cpu_ns: u64,
    pub(super) resident_bytes: u64,
}

/// How the load of Goose came to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    /// Of the sequence of users.
    pub(super) places_taken: u64,
    /// Why there is no load, or not the one that was asked for.
    pub(super) failure: Option<String>,
}

/// [`SecondOfThread`] with numbers for names. The thread is always the only one.
#[derive(Serialize, Deserialize)]
struct Sums {
    second: u64,
    length_s: f64,
    last: bool,
    /// Trend, phase, step, label, value, count.
    bins: Vec<(u8, u16, u8, u8, u64, u64)>,
    dropped: Vec<u64>,
    sent: u64,
    received: u64,
    vus: u64,
    cpu_ns: u64,
    lost: u64,
    /// Step, cause, status, count, example.
    shapes: Vec<(u8, Cause, u16, u64, Option<String>)>,
    taken: Taken,
}

impl Frame {
    /// The frame of a batch, and of what the process has taken.
    pub(super) fn of(batch: Batch, taken: Taken) -> Self {
        match batch {
            Batch::Operations(operations, beside) => Self::Operations(operations, beside),
            Batch::Second(sums) => Self::Second(sums, taken),
        }
    }

    /// Writes it; the writer is not flushed.
    ///
    /// # Errors
    /// When it cannot be written, or holds what is not recorded of Goose.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (kind, content) = match self {
            Self::Ready => (READY, Vec::new()),
            Self::Operations(operations, beside) => {
                (OPERATIONS, of_operations(operations, beside)?)
            }
            Self::Second(sums, taken) => (SECOND, serde_json::to_vec(&Sums::of(sums, *taken))?),
            Self::Ended(ended) => (ENDED, serde_json::to_vec(ended)?),
        };
        let length = u32::try_from(content.len()).ok();
        let length = length.filter(|length| *length <= LONGEST);
        let length = length.ok_or_else(|| io::Error::other("a frame is too long"))?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(&[kind])?;
        out.write_all(&content)
    }

    /// Reads the next one; `None` at the end, where no frame has begun.
    ///
    /// # Errors
    /// When it cannot be read, is torn, or is none.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0_u8; 5];
        if from.read(&mut head[..1])? == 0 {
            return Ok(None);
        }
        from.read_exact(&mut head[1..])?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        if length > LONGEST {
            return Err(invalid("a frame is too long"));
        }
        // Grows as it comes: a length alone takes no memory.
        let mut content = Vec::new();
        from.take(u64::from(length)).read_to_end(&mut content)?;
        if content.len() < length as usize {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let frame = match head[4] {
            READY => Self::Ready,
            OPERATIONS => operations_of(&content)?,
            SECOND => {
                let sums: Sums = serde_json::from_slice(&content)?;
                let taken = sums.taken;
                Self::Second(Box::new(sums.into_second()?), taken)
            }
            ENDED => Self::Ended(serde_json::from_slice(&content)?),
            _ => return Err(invalid("a frame of an unknown kind")),
        };
        Ok(Some(frame))
    }
}

fn invalid(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// How many, each of them, and the texts of their keys.
fn of_operations(operations: &[Operation], beside: &Beside) -> io::Result<Vec<u8>> {
    let alone = beside.places.is_empty() && beside.details.is_empty() && beside.parts.is_empty();
    if !alone {
        return Err(io::Error::other(
            "what is beside attempts is not kept of Goose",
        ));
    }
    let mut content = Vec::with_capacity(4 + operations.len() * Operation::SIZE);
    content.extend_from_slice(&(operations.len() as u32).to_le_bytes());
    for operation in operations {
        content.extend_from_slice(&operation.to_bytes());
    }
    if !beside.texts.is_empty() {
        serde_json::to_writer(&mut content, &beside.texts)?;
    }
    Ok(content)
}

fn operations_of(content: &[u8]) -> io::Result<Frame> {
    let torn = || invalid("operations are cut off");
    let (count, rest) = content.split_first_chunk::<4>().ok_or_else(torn)?;
    let bytes = u32::from_le_bytes(*count) as usize * Operation::SIZE;
    let (records, texts) = rest.split_at_checked(bytes).ok_or_else(torn)?;
    let records = records.chunks_exact(Operation::SIZE).map(|record| {
        let record = record.first_chunk::<{ Operation::SIZE }>();
        record.and_then(Operation::from_bytes)
    });
    let operations: Option<Vec<Operation>> = records.collect();
    let texts: Vec<(Key, String)> = match texts {
        [] => Vec::new(),
        texts => serde_json::from_slice(texts)?,
    };
    let beside = Beside {
        texts,
        ..Beside::default()
    };
    let operations = operations.ok_or_else(|| invalid("an operation is none"))?;
    Ok(Frame::Operations(operations, beside))
}

impl Sums {
    fn of(sums: &SecondOfThread, taken: Taken) -> Self {
        let bin = |(id, value, count): &(SeriesId, u64, u64)| {
            let trend = id.trend as u8;
            (trend, id.phase, id.step, id.label, *value, *count)
        };
        let shape = |(shape, count, example): &(Shape, u64, Option<String>)| {
            let Shape {
                step,
                cause,
                status,
            } = *shape;
            (step, cause, status, *count, example.clone())
        };
        Self {
            second: sums.second,
            length_s: sums.length_s,
            last: sums.last,
            bins: sums.bins.iter().map(bin).collect(),
            dropped: sums.dropped.clone(),
            sent: sums.sent,
            received: sums.received,
            vus: sums.vus,
            cpu_ns: sums.cpu_ns,
            lost: sums.lost,
            shapes: sums.shapes.iter().map(shape).collect(),
            taken,
        }
    }

    fn into_second(self) -> io::Result<SecondOfThread> {
        let bin = |(trend, phase, step, label, value, count)| {
            let trend = Trend::ALL.get(usize::from(trend)).copied();
            let trend = trend.ok_or_else(|| invalid("a trend is none"))?;
            let id = SeriesId {
                trend,
                phase,
                step,
                label,
            };
            Ok((id, value, count))
        };
        let shape = |(step, cause, status, count, example)| {
            let shape = Shape {
                step,
                cause,
                status,
            };
            (shape, count, example)
        };
        Ok(SecondOfThread {
            thread: 0,
            second: self.second,
            length_s: self.length_s,
            last: self.last,
            bins: self
                .bins
                .into_iter()
                .map(bin)
                .collect::<io::Result<Vec<_>>>()?,
            dropped: self.dropped,
            sent: self.sent,
            received: self.received,
            vus: self.vus,
            cpu_ns: self.cpu_ns,
            lost: self.lost,
            shapes: self.shapes.into_iter().map(shape).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::OutcomeKind;

    fn operation(user: u64) -> Operation {
        Operation {
            user: Key(user),
            coupon: Key::NONE,
            inv_ns: 1,
            ret_ns: 2,
            lag_us: 3,
            status: 201,
            kind: OutcomeKind::Issued,
            label: 0,
            step: 4,
            cause: Cause::None,
            phase: 5,
            vu: 6,
        }
    }

    fn written(frame: &Frame) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.write(&mut bytes).expect("memory takes it");
        bytes
    }

    fn frames() -> [Frame; 4] {
        let texts = vec![(Key::of("kim"), "kim".to_owned())];
        let beside = Beside {
            texts,
            ..Beside::default()
        };
        let id = SeriesId {
            trend: Trend::ResponseTime,
            phase: 1,
            step: 2,
            label: 3,
        };
        let shape = Shape {
            step: 1,
            cause: Cause::Timeout,
            status: 0,
        };
        let sums = SecondOfThread {
            second: 7,
            length_s: 1.25,
            last: true,
            bins: vec![(id, 4, 5)],
            dropped: vec![0, 6],
            shapes: vec![(shape, 2, Some("쿠폰".to_owned()))],
            ..SecondOfThread::default()
        };
        let taken = Taken {
            cpu_ns: 8,
            resident_bytes: 9,
        };
        let ended = Ended {
            places_taken: 10,
            failure: Some("it was told".to_owned()),
        };
        [
            Frame::Ready,
            Frame::Operations(vec![operation(1), operation(2)], beside),
            Frame::Second(Box::new(sums), taken),
            Frame::Ended(ended),
        ]
    }

    #[test]
    fn what_is_told_arrives_whole_and_in_order() {
        let bytes: Vec<u8> = frames().iter().flat_map(written).collect();
        let mut from = bytes.as_slice();
        for frame in frames() {
            let read = Frame::read(&mut from)
                .expect("a frame")
                .expect("not the end");
            assert_eq!(format!("{read:?}"), format!("{frame:?}"));
        }
        assert!(Frame::read(&mut from).expect("the end").is_none());
    }

    #[test]
    fn what_is_torn_is_an_error_wherever_it_breaks_off() {
        for frame in frames() {
            let bytes = written(&frame);
            for length in 1..bytes.len() {
                let read = Frame::read(&mut &bytes[..length]);
                assert!(read.is_err(), "{length} of {frame:?}");
            }
        }
    }

    #[test]
    fn a_length_or_a_kind_that_cannot_be_is_refused() {
        let mut long = (LONGEST + 1).to_le_bytes().to_vec();
        long.extend([READY; 16]);
        assert!(Frame::read(&mut long.as_slice()).is_err());
        assert!(Frame::read(&mut [0, 0, 0, 0, 9].as_slice()).is_err());
        let mut cut = written(&frames()[1]);
        // It says that it holds more operations than it does.
        cut[5] = 200;
        assert!(Frame::read(&mut cut.as_slice()).is_err());
    }

    #[test]
    fn what_is_not_kept_of_goose_is_never_left_out_silently() {
        let beside = Beside {
            parts: vec![crate::load::Parts::default()],
            ..Beside::default()
        };
        let frame = Frame::Operations(vec![operation(1)], beside);
        assert!(frame.write(&mut Vec::new()).is_err());
    }
}
