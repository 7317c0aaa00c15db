//! The user that MySQL of a run has, and the question whether it is ready.

use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::plan::Secret;

pub(super) const USER: &str = "fcfs";
pub(super) const DATABASE: &str = "coupons";

/// Who may do anything at the server: breaks it and mends it, which [`USER`] may not.
pub(super) const ADMIN: &str = "root";

/// A user with a random password that is used nowhere else.
#[derive(Clone)]
pub(super) struct Account {
    password: String,
}

impl Account {
    pub(super) fn new() -> io::Result<Self> {
        let password = password()?;
        Ok(Self { password })
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// With the password.
    pub(super) fn url(&self, port: u16) -> Secret {
        let password = &self.password;
        Secret::new(format!(
            "mysql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"
        ))
    }

    /// A text without the password.
    pub(super) fn hide(&self, text: &str) -> String {
        text.replace(&self.password, "***")
    }

    /// Asks a server once. Nobody else knows the password, so only the right one lets it in.
    pub(super) async fn ask(&self, port: u16) -> Result<(), String> {
        let words = |error: sqlx::Error| error.to_string();
        let mut connection = self.options(port).connect().await.map_err(words)?;
        let asked = sqlx::query("SELECT 1").execute(&mut connection).await;
        asked.map_err(words)?;
        connection.close().await.map_err(words)
    }

    fn options(&self, port: u16) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(port)
            .username(USER)
            .password(&self.password)
            .database(DATABASE)
            .ssl_mode(MySqlSslMode::Disabled)
            .disable_statement_logging()
    }
}

/// The URL of [`Account::url`], as [`ADMIN`]: both have the password.
pub(super) fn as_admin(url: &Secret) -> Secret {
    let (system, admin) = (format!("//{USER}:"), format!("//{ADMIN}:"));
    Secret::new(url.reveal().replacen(&system, &admin, 1))
}

/// Letters and digits, so that it means the same in a URL and in SQL.
fn password() -> io::Result<String> {
    random_hex::<24>()
}

/// So many random bytes, as two digits each.
pub(super) fn random_hex<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
    Ok(bytes.iter().fold(String::new(), hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_user_differs_in_the_url_of_the_administrator() {
        let account = Account::new().expect("random numbers");
        let (url, admin) = (account.url(3306), as_admin(&account.url(3306)));
        let behind = format!("{}@127.0.0.1:3306/coupons", account.password());
        assert_eq!(url.reveal(), format!("mysql://fcfs:{behind}"));
        assert_eq!(admin.reveal(), format!("mysql://root:{behind}"));
    }
}
