//! The output that is scraped: a page of the run's metrics.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use super::Shared;
use super::background::{Background, Wish, wished};
use super::scrapes::Scrapes;
use super::server::serve;
use crate::output::{Account, Cut, Feed, Sink};

/// How often it is looked whether the run is over.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Takes the port, so that nothing is started when somebody else has it.
///
/// # Errors
/// When it cannot be had.
pub(crate) fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(at)
}

/// Serves the page until the run is over.
#[derive(Debug)]
pub(in crate::output) struct Page {
    at: SocketAddr,
    shared: Shared,
    scrapes: Scrapes,
    server: Background<io::Result<()>>,
}

impl Page {
    /// The page is there at once.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(in crate::output) fn start(listener: TcpListener, shared: Shared) -> io::Result<Self> {
        let at = listener.local_addr()?;
        let (scrapes, figures) = (Scrapes::default(), shared.clone());
        let noted = scrapes.clone();
        let page = move || {
            let page = figures.now().registry().page().ok()?;
            let samples = page.lines().filter(|line| !line.starts_with('#')).count();
            noted.note(Instant::now(), samples as u64);
            Some(page)
        };
        let server = Background::start("metrics", move |wish| {
            serve(listener, page, wished(wish, Wish::End))
        })?;
        Ok(Self {
            at,
            shared,
            scrapes,
            server,
        })
    }
}

impl Sink for Page {
    fn take(&mut self, feed: &Feed) {
        self.shared.take(feed);
    }

    fn tick(&mut self) {}

    /// A page that nobody reads has lost nothing.
    fn dropped(&self) -> u64 {
        0
    }

    /// The final sums are there now. They stay until the run is over, and then for the one who reads
    /// regularly and has not read them.
    fn finish(self: Box<Self>, cut: &Cut) -> Account {
        let complete = Instant::now();
        while !cut.is_asked() && !cut.run_is_over() {
            std::thread::sleep(LOOK_EVERY);
        }
        let is_awaited = || {
            let by = self.scrapes.expected_by(complete);
            by.is_some_and(|by| Instant::now() < by)
        };
        while !cut.is_asked() && is_awaited() {
            std::thread::sleep(LOOK_EVERY);
        }
        let ended = self.server.end(cut);
        let last_error = match ended {
            Some(Ok(())) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => Some("its thread panicked".to_owned()),
        };
        Account {
            name: format!("prometheus, scraped at {}", self.at),
            points_written: self.scrapes.samples(),
            last_error,
            ..Account::default()
        }
    }
}
