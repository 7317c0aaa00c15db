//! InfluxDB: points in line protocol, to a store over HTTP or to a file.

mod backoff;
mod client;
mod encode;
mod line;
mod queue;
mod sender;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::mpsc;

use super::Feed;
use super::attempt::Names;
use super::file::Lines;
use super::notes::Notes;
use super::sink::{Account, Cut, Sink, Weigh};
use crate::plan::{Influxdb, InfluxdbTo, Store, StoreGate};
use client::Client;
use encode::Encoder;
use queue::Batch;
use sender::Sender;

/// Takes pieces of the run to where points go.
pub(super) struct Points {
    encoder: Encoder,
    place: Place,
}

enum Place {
    File(Lines),
    Store(Batches),
}

/// Points that wait for others.
struct Batches {
    name: String,
    body: Vec<u8>,
    points: u64,
    most: u64,
    /// When the first of them came.
    since: Option<Instant>,
    every: Duration,
    drain: Duration,
    sender: Sender,
    /// What sends by hand what is left; behind it the directory.
    resend: String,
}

/// What all outputs of a run have in common.
pub(super) struct Run<'a> {
    pub(super) directory: &'a Path,
    pub(super) notes: &'a mpsc::Sender<String>,
    pub(super) cut: &'a Cut,
}

/// The output that the plan has at this place, and what counts its points.
///
/// # Errors
/// When its file cannot be created, its thread not be started, or its address is none.
pub(super) fn open(
    number: usize,
    of: &Influxdb,
    names: Names,
    run: &Run<'_>,
) -> io::Result<(Box<dyn Sink>, Weigh)> {
    let directory = std::path::absolute(run.directory)?;
    let testid = match &of.testid {
        Some(testid) => testid.clone(),
        None => directory
            .file_name()
            .map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into()),
    };
    let mask = names.plan.mask.clone();
    let encoder = Encoder::new(names, of.mode, &testid, &of.tags);
    let counter = Mutex::new(encoder.clone());
    let weigh: Weigh = Box::new(move |feed| {
        let mut counter = counter
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        counter.weigh(feed)
    });
    let place = match &of.to {
        InfluxdbTo::File(file) => Place::File(Lines::create("influxdb", run.directory, file)?),
        InfluxdbTo::Store(store) => {
            let client = Client::new(store, mask).map_err(io::Error::other)?;
            let spool = format!("spool/influxdb-{number}");
            let name = format!("influxdb {}", store.url);
            let sender = Sender::start(
                client,
                (run.directory.join(&spool), store.spool),
                Notes::new(name.clone(), run.notes.clone()),
                run.cut.clone(),
            )?;
            Place::Store(Batches {
                name,
                body: Vec::new(),
                points: 0,
                most: store.batch,
                since: None,
                every: store.every,
                drain: store.drain,
                sender,
                resend: resend(store, &spool).map_err(io::Error::other)?,
            })
        }
    };
    Ok((Box::new(Points { encoder, place }), weigh))
}

/// The command that sends a spool, in the run directory.
fn resend(store: &Store, spool: &str) -> Result<String, String> {
    let url = client::address(store)?;
    let proof = match &store.gate {
        StoreGate::V2 { token: Some(_), .. } => " -H \"Authorization: Token $INFLUX_TOKEN\"",
        StoreGate::V1 {
            account: Some(_), ..
        } => " -u \"$INFLUX_USER:$INFLUX_PASSWORD\"",
        _ => "",
    };
    Ok(format!(
        "for f in {spool}/*.lp.gz; do\n  curl -fsS -XPOST{proof} -H 'Content-Encoding: gzip' \
         --data-binary @\"$f\" '{url}' && rm \"$f\" || break\ndone"
    ))
}

impl Sink for Points {
    fn take(&mut self, feed: &Feed) {
        let Self { encoder, place } = self;
        match place {
            Place::File(lines) => {
                encoder.encode(feed, &mut |line| lines.write(1, |out| out.write_all(line)));
            }
            Place::Store(batches) => {
                encoder.encode(feed, &mut |line| batches.push(line));
                batches.send_if_due();
            }
        }
    }

    fn tick(&mut self) {
        match &mut self.place {
            Place::File(lines) => lines.flush(),
            Place::Store(batches) => batches.send_if_due(),
        }
    }

    fn dropped(&self) -> u64 {
        match &self.place {
            Place::File(lines) => lines.dropped(),
            Place::Store(batches) => batches.sender.dropped(),
        }
    }

    fn finish(self: Box<Self>, _: &Cut) -> Account {
        match self.place {
            Place::File(lines) => lines.finish(),
            Place::Store(batches) => batches.finish(),
        }
    }
}

impl Batches {
    fn push(&mut self, line: &[u8]) {
        self.since.get_or_insert_with(Instant::now);
        self.body.extend_from_slice(line);
        self.points += 1;
        if self.points >= self.most {
            self.send();
        }
    }

    fn send_if_due(&mut self) {
        if self
            .since
            .is_some_and(|since| since.elapsed() >= self.every)
        {
            self.send();
        }
    }

    fn send(&mut self) {
        self.since = None;
        if self.points == 0 {
            return;
        }
        let body = zipped(&self.body);
        self.sender.push(Batch {
            points: std::mem::take(&mut self.points),
            body: body.into(),
        });
        self.body.clear();
    }

    fn finish(mut self) -> Account {
        self.send();
        let left = self.sender.finish(self.drain);
        Account {
            name: self.name,
            points_written: left.sent.written,
            points_dropped: left.sent.refused + left.dropped,
            points_spooled_left: left.on_disk,
            retries: left.sent.retries,
            last_error: left.failure.or(left.sent.last_error),
            resend: (left.on_disk > 0).then_some(self.resend),
        }
    }
}

fn zipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), Compression::fast());
    let done = encoder.write_all(plain).and_then(|()| encoder.finish());
    done.expect("writing to memory cannot fail")
}
