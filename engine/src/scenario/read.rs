//! A scenario file becomes text, if it is one.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::diagnostic::Diagnostics;

/// Larger files are no scenarios.
const MAX_BYTES: u64 = 4 << 20;

/// Reads a file that a scenario includes, or says why not.
pub(crate) fn included(path: &Path, most: u64) -> Result<String, String> {
    let kind = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if kind.is_dir() {
        return Err("it is a directory".to_owned());
    }
    // A pipe could keep the reader waiting for ever.
    if !kind.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("it is larger than {} MiB", most >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("byte {at} is not UTF-8")
    })
}

/// Reads a scenario file.
///
/// # Errors
/// When there is no such file, it is a directory, too large, empty or not UTF-8.
pub fn read(path: &Path) -> Result<String, Diagnostics> {
    let name = path.display().to_string();
    let wrong = |message: String, hint: Option<&str>| Diagnostics::of_file(&name, message, hint);
    if path.is_dir() {
        return Err(wrong(
            "failed to read the scenario: it is a directory".to_owned(),
            Some("name one file in it"),
        ));
    }
    let mut bytes = Vec::new();
    // One byte above the limit is enough to know; a pipe may have no length to ask for.
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| wrong(format!("failed to read the scenario: {error}"), None))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(wrong(
            "failed to read the scenario: it is larger than 4 MB".to_owned(),
            Some("a scenario is a short YAML text; is this the right file?"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(
            format!("failed to read the scenario: byte {at} is not UTF-8"),
            Some("save the file as UTF-8"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_file_is_no_scenario() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = |name: &str, content: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).expect("written");
            path
        };
        let table = [
            (dir.path().to_path_buf(), "it is a directory"),
            (dir.path().join("none.yaml"), "failed to read the scenario"),
            (file("latin.yaml", b"a: \xe9"), "byte 3 is not UTF-8"),
            (
                file("large.yaml", &vec![b'#'; (4 << 20) + 1]),
                "larger than 4 MB",
            ),
        ];
        for (path, reason) in table {
            let error = read(&path).expect_err(reason).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
