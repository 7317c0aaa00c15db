//! Starts one of the small systems in `tests/systems`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::shipped;

/// A running system; it ends with this value.
pub(crate) struct System {
    child: Child,
    port: u16,
}

impl System {
    /// Starts `tests/systems/NAME.py` on a database, which it makes if there is none.
    pub(crate) fn start(name: &str, database: &Path, stock: u64, more: &[&str]) -> Self {
        let mut command = Command::new("python3");
        command
            .arg(shipped(&format!("tests/systems/{name}.py")))
            .arg("--database")
            .arg(database)
            .args(["--stock", &stock.to_string()])
            .args(more)
            // Nothing is left behind in the repository.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 is installed");
        let stdout = child.stdout.take().expect("its stdout is a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("it prints its port");
        let port = line.trim().parse();
        let port = port.unwrap_or_else(|_| panic!("{name}: not a port: {line:?}"));
        Self { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
