//! Any bytes as an answer in HTTP/1.1: in pieces they are the same answer as in one piece.
#![no_main]

use fcfs_bench::load::http::{Answer, Decoder, Malformed};
use libfuzzer_sys::fuzz_target;

/// What is read: the answer, how many bytes it took, and whether the connection is kept.
type Reading = Result<(Answer, usize, bool, bool), Malformed>;

// The first byte says whether the request was HEAD, the next four how the rest is cut.
fuzz_target!(|input: &[u8]| {
    let Some((&[method, ref cuts @ ..], bytes)) = input.split_first_chunk::<5>() else {
        return;
    };
    let to_head = method & 1 == 1;
    let whole = read(&mut std::iter::once(bytes), to_head);
    let pieces = read(
        &mut Pieces {
            bytes,
            cuts,
            next: 0,
        },
        to_head,
    );
    assert_eq!(whole, pieces, "cut by {cuts:?}");
});

fn read(pieces: &mut dyn Iterator<Item = &[u8]>, to_head: bool) -> Reading {
    let (mut decoder, mut answer) = (Decoder::new(to_head), Answer::default());
    let mut taken = 0;
    for piece in pieces {
        let here = decoder.feed(piece, &mut answer)?;
        taken += here;
        if here < piece.len() {
            assert!(
                decoder.is_done(),
                "bytes are left and the answer is not whole"
            );
            break;
        }
    }
    let whole = decoder.close(&mut answer)?;
    Ok((answer, taken, whole, decoder.keeps_alive()))
}

/// The bytes in pieces whose lengths go round in `cuts`; a length of 0 counts as 1.
struct Pieces<'b> {
    bytes: &'b [u8],
    cuts: &'b [u8],
    next: usize,
}

impl<'b> Iterator for Pieces<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        if self.bytes.is_empty() {
            return None;
        }
        let length = usize::from(self.cuts[self.next % self.cuts.len()]).max(1);
        self.next += 1;
        let (piece, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        Some(piece)
    }
}
