//! Files that a command writes for a person: never over one that is there, unless that was asked.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::exit::Exit;
use crate::output::say;

/// Writes the text to a new file, or over an old one with `force`.
pub(super) fn write(path: &Path, text: &str, force: bool) -> Result<(), Exit> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create_new(!force)
        .create(force)
        .truncate(force);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let shown = path.display();
        if error.kind() == ErrorKind::AlreadyExists {
            say!("error: {shown} is there already\n  hint: name another file, or add --force to replace it");
        } else {
            say!("error: failed to write {shown}: {error}");
        }
        Exit::Usage
    })
}
