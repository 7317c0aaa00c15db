//! Where a container's words go: a file of the run directory, without its secret.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::LogsOptionsBuilder;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::container::Kind;
use crate::stack::NotReady;
use crate::stack::log::last_lines;

/// How long the end of a log may take when its container has ended.
const END_WITHIN: Duration = Duration::from_secs(5);

/// The log of one container, however often that starts.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    secret: Option<String>,
    /// Lines that are in the file.
    written: Arc<AtomicUsize>,
}

/// Writes all that a container says, until it ends.
#[derive(Debug)]
pub(super) struct Following(JoinHandle<()>);

impl Log {
    pub(super) fn of(kind: &dyn Kind, stack: &Path) -> io::Result<Self> {
        let directory = stack.join(kind.name());
        std::fs::create_dir_all(&directory)?;
        let path = directory.join("log");
        File::create(&path)?;
        let secret = kind.secret().map(str::to_owned);
        Ok(Self {
            path,
            secret,
            written: Arc::default(),
        })
    }

    pub(super) fn fail(&self, kind: &dyn Kind, problem: &str) -> NotReady {
        NotReady::Service {
            service: kind.name().to_owned(),
            problem: hide(self.secret.as_deref(), problem),
            log: hide(self.secret.as_deref(), &last_lines(&self.path)),
        }
    }

    /// The engine gives all that a container has ever said: what is written already is left out.
    pub(super) fn follow(&self, docker: &Docker, id: &str) -> io::Result<Following> {
        let mut file = File::options().append(true).create(true).open(&self.path)?;
        let options = LogsOptionsBuilder::new()
            .follow(true)
            .stdout(true)
            .stderr(true);
        let (docker, id, secret) = (docker.clone(), id.to_owned(), self.secret.clone());
        let written = Arc::clone(&self.written);
        Ok(Following(tokio::spawn(async move {
            let mut words = std::pin::pin!(docker.logs(&id, Some(options.build())));
            let mut over = written.load(Ordering::Relaxed);
            // It gives them line by line.
            while let Some(Ok(line)) = words.next().await {
                if over > 0 {
                    over -= 1;
                    continue;
                }
                let line = hide(secret.as_deref(), &line.to_string());
                // A full disk is told by those who write evidence.
                let _ = file.write_all(line.as_bytes());
                written.fetch_add(1, Ordering::Relaxed);
            }
        })))
    }
}

impl Following {
    /// Waits for the last words of a container that has ended.
    pub(super) async fn end(mut self) {
        if timeout(END_WITHIN, &mut self.0).await.is_err() {
            self.0.abort();
        }
    }
}

fn hide(secret: Option<&str>, text: &str) -> String {
    match secret {
        Some(secret) => text.replace(secret, "***"),
        None => text.to_owned(),
    }
}
