//! Finds the directory with the jars of Apache Kafka.

use std::fs;
use std::path::{Path, PathBuf};

/// Brings the jars, and all other services.
pub(super) const INSTALL: &str = "scripts/services";

/// Names a directory of jars, or an unpacked distribution.
const HOME: &str = "FCFS_KAFKA_HOME";

/// Where the jars may be.
#[derive(Debug)]
pub(super) struct Libraries {
    /// What the user points at; then nothing else is looked at.
    pub(super) home: Option<PathBuf>,
    /// Where [`INSTALL`] puts them, under a name with their version.
    pub(super) data: Option<PathBuf>,
}

impl Libraries {
    pub(super) fn of_environment() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let data = set("XDG_DATA_HOME").map(PathBuf::from);
        let data = data.or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/share")));
        Self {
            home: set(HOME).map(PathBuf::from),
            data: data.map(|data| data.join("fcfs-bench")),
        }
    }

    /// An absolute directory: the broker is started in its own.
    pub(super) fn find(&self) -> Option<PathBuf> {
        let found = match &self.home {
            Some(home) => [home.clone(), home.join("libs")].into_iter().find(is_it),
            None => newest(self.data.as_ref()?),
        };
        found?.canonicalize().ok()
    }

    /// Where was looked.
    pub(super) fn in_words(&self) -> String {
        let data = self.data.as_deref().map_or_else(String::new, |data| {
            format!("; {}", data.join("kafka-*").display())
        });
        match &self.home {
            Some(home) => format!("{HOME} is {}", home.display()),
            None => format!("{HOME} is not set{data}"),
        }
    }
}

fn is_it(directory: &PathBuf) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut jars = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jar"));
    jars.any(|jar| {
        let name = jar.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("kafka_2.13-")
    })
}

fn newest(data: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(data).ok()?.flatten();
    let versions = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let version = version(name.strip_prefix("kafka-")?)?;
        Some((version, entry.path()))
    });
    let there = versions.filter(|(_, path)| is_it(path));
    there.max().map(|(_, path)| path)
}

fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JAR: &str = "kafka_2.13-4.1.2.jar";

    fn data(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, "").expect("a file");
        }
        directory
    }

    #[test]
    fn the_newest_version_that_has_jars_is_found() {
        let names = [
            "kafka-4.2.0",
            "kafka-4.10.0",
            "kafka-4.9.0",
            "kafka-old",
            ".part.x",
        ];
        let files = names.map(|name| format!("{name}/{JAR}"));
        let mut files: Vec<_> = files.iter().map(String::as_str).collect();
        files.push("kafka-5.0.0/LICENSE");
        let data = data(&files);
        let libraries = Libraries {
            home: None,
            data: Some(data.path().to_owned()),
        };
        let found = libraries.find().expect("one is there");
        assert!(found.ends_with("kafka-4.10.0"), "{}", found.display());
    }

    #[test]
    fn a_place_that_is_pointed_at_holds_jars_or_a_distribution_and_is_the_only_one() {
        let table = [
            (JAR, Some("")),
            ("libs/kafka_2.13-4.1.2.jar", Some("libs")),
            ("lib/kafka_2.13-4.1.2.jar", None),
        ];
        let data = data(&["kafka-4.1.2/kafka_2.13-4.1.2.jar"]);
        for (file, expected) in table {
            let home = self::data(&[file]);
            let libraries = Libraries {
                home: Some(home.path().to_owned()),
                data: Some(data.path().to_owned()),
            };
            let place = home.path().canonicalize().expect("it is there");
            let expected = expected.map(|part| place.join(part));
            assert_eq!(libraries.find(), expected, "{file}");
        }
    }
}
