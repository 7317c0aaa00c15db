//! Batches on their way to a store, first in, first out: some in memory, more on disk, and what comes
//! beyond the bound is dropped and counted.
//!
//! ```text
//! push -> [memory: 8 batches] -> front, done
//!      \-> [disk: up to the bound] -/        once anything is on disk, what comes goes there
//! ```

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Batches in memory; a store that answers leaves it nearly empty.
const IN_MEMORY: usize = 8;

/// Points as compressed line protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) points: u64,
    pub(super) body: Arc<[u8]>,
}

/// A batch in a file of its own.
#[derive(Debug)]
struct Spooled {
    path: PathBuf,
    points: u64,
    bytes: u64,
}

/// The two, and what became of points.
#[derive(Debug)]
pub(super) struct Queue {
    directory: PathBuf,
    bound: u64,
    memory: VecDeque<(u64, Batch)>,
    disk: VecDeque<Spooled>,
    bytes: u64,
    next: u64,
    dropped: u64,
    failure: Option<String>,
}

impl Queue {
    /// Batches that memory does not hold go to files here, up to so many bytes.
    pub(super) const fn new(directory: PathBuf, bound: u64) -> Self {
        Self {
            directory,
            bound,
            memory: VecDeque::new(),
            disk: VecDeque::new(),
            bytes: 0,
            next: 0,
            dropped: 0,
            failure: None,
        }
    }

    /// Takes a batch, or counts it.
    pub(super) fn push(&mut self, batch: Batch) {
        self.next += 1;
        if self.disk.is_empty() && self.memory.len() < IN_MEMORY {
            self.memory.push_back((self.next, batch));
        } else if let Some(spooled) = self.spool(self.next, &batch) {
            self.disk.push_back(spooled);
        }
    }

    /// The oldest one, which stays until [`Self::done`].
    pub(super) fn front(&mut self) -> Option<Batch> {
        if let Some((_, batch)) = self.memory.front() {
            return Some(batch.clone());
        }
        while let Some(spooled) = self.disk.front() {
            match fs::read(&spooled.path) {
                Ok(body) => {
                    return Some(Batch {
                        points: spooled.points,
                        body: body.into(),
                    });
                }
                Err(error) => {
                    // Somebody has taken it away.
                    self.dropped += spooled.points;
                    self.note(&error);
                    self.forget_front();
                }
            }
        }
        None
    }

    /// The oldest one is no more.
    pub(super) fn done(&mut self) {
        if self.memory.pop_front().is_none() {
            self.forget_front();
        }
    }

    /// Nobody sends any more: what is in memory goes to the disk, and what is left there is told.
    pub(super) fn close(&mut self) -> u64 {
        let mut first = VecDeque::new();
        for (number, batch) in std::mem::take(&mut self.memory) {
            first.extend(self.spool(number, &batch));
        }
        first.append(&mut self.disk);
        self.disk = first;
        if self.disk.is_empty() {
            // It is there only if something was spooled, and gone if all of it was sent.
            let _ = fs::remove_dir(&self.directory);
            let _ = self.directory.parent().map(fs::remove_dir);
        }
        self.disk.iter().map(|spooled| spooled.points).sum()
    }

    /// Points that found no place.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The first thing that went wrong with the disk.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn spool(&mut self, number: u64, batch: &Batch) -> Option<Spooled> {
        let bytes = batch.body.len() as u64;
        if self.bytes + bytes > self.bound {
            self.dropped += batch.points;
            self.failure
                .get_or_insert_with(|| format!("the spool is full with {} bytes", self.bound));
            return None;
        }
        let path = self.directory.join(format!("{number:08}.lp.gz"));
        // Who is killed in the middle of it leaves no part that looks like the whole.
        let part = path.with_extension("part");
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| fs::write(&part, &batch.body))
            .and_then(|()| fs::rename(&part, &path));
        if let Err(error) = written {
            self.dropped += batch.points;
            self.note(&error);
            let _ = fs::remove_file(&part);
            return None;
        }
        self.bytes += bytes;
        Some(Spooled {
            path,
            points: batch.points,
            bytes,
        })
    }

    fn forget_front(&mut self) {
        if let Some(spooled) = self.disk.pop_front() {
            self.bytes -= spooled.bytes;
            // What stays is sent once more by hand at worst, which changes nothing in the store.
            let _ = fs::remove_file(&spooled.path);
        }
    }

    fn note(&mut self, error: &io::Error) {
        let directory = self.directory.display();
        let words = format!("{directory}: {error}");
        self.failure.get_or_insert(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(points: u64) -> Batch {
        Batch {
            points,
            body: vec![b'x'; 100].into(),
        }
    }

    fn sent(queue: &mut Queue) -> Vec<u64> {
        let mut sent = Vec::new();
        while let Some(batch) = queue.front() {
            sent.push(batch.points);
            queue.done();
        }
        sent
    }

    #[test]
    fn everything_comes_out_in_order_whatever_was_on_disk() {
        let directory = tempfile::tempdir().expect("a directory");
        let spool = directory.path().join("spool").join("one");
        let mut queue = Queue::new(spool.clone(), 100_000);
        (1..=20).for_each(|points| queue.push(batch(points)));
        assert_eq!(fs::read_dir(&spool).expect("files").count(), 12);
        let first: Vec<u64> = (0..3)
            .map(|_| {
                let front = queue.front().expect("a batch");
                queue.done();
                front.points
            })
            .collect();
        assert_eq!(first, [1, 2, 3]);
        // There is place in memory, but older ones are on disk.
        (21..=22).for_each(|points| queue.push(batch(points)));
        assert_eq!(sent(&mut queue), (4..=22).collect::<Vec<_>>());
        assert_eq!((queue.close(), queue.dropped()), (0, 0));
        assert!(!directory.path().join("spool").exists());
    }

    #[test]
    fn what_comes_beyond_the_bound_is_dropped_and_counted_and_what_waits_is_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let spool = directory.path().join("spool").join("one");
        let mut queue = Queue::new(spool.clone(), 1_000);
        (0..IN_MEMORY as u64 + 10 + 3).for_each(|_| queue.push(batch(7)));
        assert_eq!(queue.dropped(), 3 * 7);
        assert!(queue.failure().expect("said").contains("full"));
        // Two are sent from memory; what is left there has no place on the disk.
        (0..2).for_each(|_| queue.done());
        assert_eq!(queue.close(), 10 * 7);
        assert_eq!(queue.dropped(), (3 + IN_MEMORY as u64 - 2) * 7);
        assert_eq!(fs::read_dir(&spool).expect("files").count(), 10);
    }

    #[test]
    fn what_is_left_is_on_disk_in_the_order_of_its_names() {
        let directory = tempfile::tempdir().expect("a directory");
        let spool = directory.path().join("spool").join("one");
        let mut queue = Queue::new(spool.clone(), 100_000);
        for number in 0..12_u8 {
            queue.push(Batch {
                points: 1,
                body: vec![number].into(),
            });
        }
        assert_eq!(queue.close(), 12);
        let mut names: Vec<_> = fs::read_dir(&spool)
            .expect("files")
            .map(|entry| entry.expect("a file").path())
            .collect();
        names.sort();
        let bodies: Vec<u8> = names
            .iter()
            .map(|path| fs::read(path).expect("a file")[0])
            .collect();
        assert_eq!(bodies, (0..12).collect::<Vec<u8>>());
    }
}
