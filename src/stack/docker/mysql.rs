//! MySQL in a container, or MariaDB: both images take the same variables and options.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::container::{Address, Container, Kind};
use super::{NotReady, Place, launch};
use crate::plan::Secret;
use crate::stack::account::{Account, DATABASE, USER};
use crate::stack::settings;

/// MySQL 8 would take a password over plain TCP only from users of this kind; other servers ignore
/// options with `loose`.
const PLAIN_PASSWORDS: &str = "--loose-default-authentication-plugin=mysql_native_password";

const NAME: &str = "mysql";

/// MySQL that answers.
#[derive(Debug)]
pub(super) struct MySql {
    pub(super) container: Arc<Container>,
    /// With its password.
    pub(super) url: Secret,
}

impl MySql {
    pub(super) async fn start(place: &Place<'_>) -> Result<Self, NotReady> {
        let account = Account::new()?;
        let image = place.engine.images.mysql.as_ref();
        let make = |address| Recipe {
            account: account.clone(),
            address,
        };
        let container = launch::start(make, NAME, image, place).await?;
        let port = container.port();
        Ok(Self {
            container: Arc::new(container),
            url: account.url(port),
        })
    }
}

/// How it is started.
struct Recipe {
    account: Account,
    address: Address,
}

impl Kind for Recipe {
    fn name(&self) -> &str {
        NAME
    }

    fn port(&self) -> u16 {
        3306
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn environment(&self) -> Vec<(String, String)> {
        let password = self.account.password();
        let variables = [
            ("MYSQL_ROOT_PASSWORD", password),
            ("MYSQL_DATABASE", DATABASE),
            ("MYSQL_USER", USER),
            ("MYSQL_PASSWORD", password),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        variables.into()
    }

    /// The image puts the name of its program before options.
    fn command(&self) -> Vec<String> {
        let settings = settings::lines(settings::MYSQL);
        let options = settings.map(|line| format!("--{}", line.replace(" = ", "=")));
        options.chain([PLAIN_PASSWORDS.to_owned()]).collect()
    }

    fn ask(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.account.ask(self.address.port))
    }

    fn secret(&self) -> Option<&str> {
        Some(self.account.password())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_an_option_and_the_password_is_none_of_them() {
        let kind = Recipe {
            account: Account::new().expect("random numbers"),
            address: Address::of_a_test(),
        };
        let words = kind.command();
        for option in [
            "--skip-name-resolve",
            "--max_connections=1100",
            "--innodb_flush_log_at_trx_commit=1",
            "--default-time-zone=+00:00",
        ] {
            assert!(words.iter().any(|word| word == option), "{words:?}");
        }
        // The image takes what begins with `-` for an option of its server.
        assert!(words.iter().all(|word| word.starts_with("--")), "{words:?}");
        assert!(!words.concat().contains(kind.account.password()));
    }
}
