//! Finds the programs of the services on this machine.

use std::path::{Path, PathBuf};

use super::Needs;
use super::libraries::{self, Libraries};
use crate::stack::NotReady;

/// Where packages put servers, which is not in everybody's `PATH`.
const PLACES: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// What the services are started with.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) redis: Option<PathBuf>,
    pub(super) mysql: Option<MariaDb>,
    pub(super) kafka: Option<KafkaBroker>,
}

#[derive(Debug)]
pub(super) struct MariaDb {
    pub(super) server: PathBuf,
    /// Makes an empty data directory.
    pub(super) installer: PathBuf,
}

#[derive(Debug, Clone)]
pub(super) struct KafkaBroker {
    pub(super) java: PathBuf,
    /// A directory of jars.
    pub(super) libraries: PathBuf,
}

impl KafkaBroker {
    fn new((java, libraries): (PathBuf, PathBuf)) -> Self {
        Self { java, libraries }
    }
}

impl Programs {
    /// # Errors
    /// When one of them is missing; all that are missing are named.
    pub(super) fn find(needs: Needs) -> Result<Self, NotReady> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // A Java that is pointed at is meant before the one of the system.
        let java = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin"));
        let places = java.into_iter().chain(std::env::split_paths(&path));
        let places = places.chain(PLACES.map(PathBuf::from));
        let libraries = Libraries::of_environment();
        Self::find_in(&places.collect::<Vec<_>>(), &libraries, needs)
    }

    fn find_in(places: &[PathBuf], kafka: &Libraries, needs: Needs) -> Result<Self, NotReady> {
        let mut missing = Vec::new();
        let mut packages = Vec::new();
        let mut find = |names: &[&str], package: &'static str| {
            let found = names.iter().find_map(|name| program(places, name));
            if found.is_none() {
                missing.push(format!("`{}`", names[0]));
                if !packages.contains(&package) {
                    packages.push(package);
                }
            }
            found
        };
        let redis = (needs.redis > 0).then(|| find(&["redis-server"], "redis-server"));
        let mysql = needs.mysql.then(|| {
            // The second names are those of older versions.
            let server = find(&["mariadbd", "mysqld"], "mariadb-server");
            let installer = &["mariadb-install-db", "mysql_install_db"];
            (server, find(installer, "mariadb-server"))
        });
        let java = (needs.kafka > 0).then(|| find(&["java"], "openjdk-17-jre-headless"));
        let libraries = (needs.kafka > 0).then(|| kafka.find());
        let no_libraries = libraries == Some(None);
        if no_libraries {
            missing.push(format!("Kafka's jars ({})", kafka.in_words()));
        }
        if !missing.is_empty() {
            // No package has the jars; the script installs all that it may need beside them.
            let command = if no_libraries {
                libraries::INSTALL.to_owned()
            } else {
                format!("apt-get install {}", packages.join(" "))
            };
            return Err(NotReady::Missing {
                needs: needs.in_words(),
                programs: missing.join(", "),
                command,
            });
        }
        let mysql = mysql.and_then(|(server, installer)| {
            Some(MariaDb {
                server: server?,
                installer: installer?,
            })
        });
        Ok(Self {
            redis: redis.flatten(),
            mysql,
            kafka: java
                .flatten()
                .zip(libraries.flatten())
                .map(KafkaBroker::new),
        })
    }
}

fn program(places: &[PathBuf], name: &str) -> Option<PathBuf> {
    let mut paths = places.iter().map(|place: &PathBuf| place.join(name));
    paths.find(|path: &PathBuf| Path::is_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Needs = Needs {
        redis: 1,
        standby: None,
        mysql: true,
        kafka: 0,
    };

    /// Kafka's jars are nowhere.
    const NO_JARS: Libraries = Libraries {
        home: None,
        data: None,
    };

    fn places(names: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().expect("a directory");
        for name in names {
            std::fs::write(directory.path().join(name), "").expect("a file");
        }
        let places = vec![PathBuf::from("/nowhere"), directory.path().to_owned()];
        (directory, places)
    }

    #[test]
    fn what_is_missing_is_named_with_the_one_command_that_installs_it() {
        let table: [(&[&str], &str, &str); 3] = [
            (
                &[],
                "`redis-server`, `mariadbd`, `mariadb-install-db`",
                "apt-get install redis-server mariadb-server",
            ),
            (
                &["redis-server", "mysqld"],
                "`mariadb-install-db`",
                "apt-get install mariadb-server",
            ),
            (
                &["mariadbd", "mariadb-install-db"],
                "`redis-server`",
                "apt-get install redis-server",
            ),
        ];
        for (there, missing, command) in table {
            let (_directory, places) = places(there);
            let error =
                Programs::find_in(&places, &NO_JARS, BOTH).expect_err("something is missing");
            let words = error.to_string();
            assert!(words.contains(&format!("{missing} cannot")), "{words}");
            assert!(words.ends_with(command), "{words}");
        }
    }

    #[test]
    fn programs_that_nobody_needs_are_not_looked_for() {
        let (_directory, places) = places(&["redis-server"]);
        let needs = Needs {
            redis: 2,
            standby: None,
            mysql: false,
            kafka: 0,
        };
        let programs = Programs::find_in(&places, &NO_JARS, needs).expect("enough is there");
        assert!(programs.redis.is_some());
        assert!(programs.mysql.is_none());
        assert!(programs.kafka.is_none());
    }

    #[test]
    fn jars_that_are_missing_are_installed_by_the_script() {
        let needs = Needs {
            redis: 1,
            standby: None,
            mysql: false,
            kafka: 3,
        };
        let (_directory, places) = places(&["java"]);
        let error = Programs::find_in(&places, &NO_JARS, needs).expect_err("something is missing");
        let words = error.to_string();
        assert!(
            words.contains("needs Redis and Kafka (3 brokers)"),
            "{words}"
        );
        assert!(words.contains("`redis-server`, Kafka's jars"), "{words}");
        assert!(words.ends_with("hint: scripts/services"), "{words}");
    }
}
