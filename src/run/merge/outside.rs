//! What all segments have read from outside of the load, in the order of time. What only the first
//! reads keeps its name; each other measures itself alone, under its own.

use std::fs;
use std::io;
use std::iter::Peekable;

use super::parts::Part;
use crate::history::Shift;
use crate::measure::{ResourceLine, ResourceLog, read_resources};
use crate::run::RunDirectory;

type Lines<'a> = Peekable<Box<dyn Iterator<Item = ResourceLine> + 'a>>;

pub(super) fn write(parts: &[Part], shifts: &[Shift], directory: &RunDirectory) -> io::Result<()> {
    let mut log = ResourceLog::create(&directory.resources_file())?;
    let lines = std::iter::zip(parts, shifts).map(|(part, shift)| lines(part, *shift));
    let mut lines: Vec<Lines<'_>> = lines.collect::<io::Result<_>>()?;
    loop {
        let heads = lines.iter_mut().enumerate();
        let heads = heads.filter_map(|(at, lines)| Some((lines.peek()?.at_ns, at)));
        let Some((_, at)) = heads.min() else {
            return Ok(());
        };
        if let Some(line) = lines[at].next() {
            log.append(&[line])?;
        }
    }
}

fn lines(part: &Part, shift: Shift) -> io::Result<Lines<'_>> {
    let path = part.directory.resources_file();
    if !fs::exists(&path)? {
        let none: Box<dyn Iterator<Item = ResourceLine>> = Box::new(std::iter::empty());
        return Ok(none.peekable());
    }
    let (leads, number) = (part.segment.leads(), part.segment.number());
    let told = move |line: ResourceLine| ResourceLine {
        at_ns: shift.moment(line.at_ns),
        source: if leads {
            line.source
        } else {
            format!("segment-{number}/{}", line.source)
        },
        ..line
    };
    let lines: Box<dyn Iterator<Item = ResourceLine>> = Box::new(read_resources(&path)?.map(told));
    Ok(lines.peekable())
}
