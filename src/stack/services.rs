//! The services of a run, whoever has brought them up, and the choice of who does.

use std::path::Path;

use super::account::as_admin;
use super::clock::Clocks;
use super::docker::{self, Engine};
use super::embedded;
use super::local::{self, Needs};
use super::outside::Figures;
use super::sentinel::Sentinels;
use super::{NotReady, Say};
use crate::plan::{Provider, Secret, Stack};

/// Running services. What is dropped without being stopped ends by itself.
#[derive(Debug, Default)]
pub(super) enum Services {
    /// The strategy needs none, or the system is not ours.
    #[default]
    None,
    Embedded(Box<embedded::Services>),
    Local(Box<local::Services>),
    Docker(Box<docker::Services>),
}

impl Services {
    /// One for each instance.
    pub(super) fn redis_urls(&self) -> Vec<String> {
        match self {
            Self::None | Self::Embedded(_) => Vec::new(),
            Self::Local(services) => services.redis_urls(),
            Self::Docker(services) => services.redis_urls(),
        }
    }

    /// Who chooses the primary of Redis, where there are several.
    pub(super) fn sentinels(&self) -> Option<&Sentinels> {
        match self {
            // Refused while planning.
            Self::None | Self::Embedded(_) | Self::Docker(_) => None,
            Self::Local(services) => services.sentinels(),
        }
    }

    /// With a password.
    pub(super) fn mysql_url(&self) -> Option<&Secret> {
        match self {
            Self::None | Self::Embedded(_) => None,
            Self::Local(services) => services.mysql_url(),
            Self::Docker(services) => services.mysql_url(),
        }
    }

    /// The same, as the user who may do anything at the server.
    pub(super) fn mysql_admin_url(&self) -> Option<Secret> {
        self.mysql_url().map(as_admin)
    }

    /// Where a client of Kafka begins.
    pub(super) fn kafka(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Embedded(services) => Some(services.kafka().to_owned()),
            Self::Local(services) => services.kafka(),
            Self::Docker(services) => services.kafka(),
        }
    }

    /// Where each broker listens.
    pub(super) fn broker_ports(&self) -> Vec<u16> {
        match self {
            // No other address can be given to the brokers of the mock, so no plan has a link to them.
            Self::None | Self::Embedded(_) => Vec::new(),
            Self::Local(services) => services.client_ports().to_vec(),
            Self::Docker(services) => services.linked_ports().to_vec(),
        }
    }

    /// What each can tell of itself.
    pub(super) fn outside(&self) -> Vec<Figures> {
        match self {
            Self::None => Vec::new(),
            Self::Embedded(services) => services.outside(),
            Self::Local(services) => services.outside(),
            Self::Docker(services) => services.outside(),
        }
    }

    /// Stops all in good order.
    pub(super) async fn stop(self) {
        match self {
            Self::None => {}
            Self::Embedded(services) => services.stop().await,
            Self::Local(services) => services.stop().await,
            Self::Docker(services) => services.stop().await,
        }
    }
}

/// Starts what the stack needs, whose brokers tell their clients these ports, and says which provider does so, and why.
pub(super) async fn start(
    stack: &Stack,
    clocks: &Clocks,
    directory: &Path,
    brokers: &[Option<u16>],
    say: Say<'_>,
) -> Result<(Services, String), NotReady> {
    let needs = Needs::of(stack);
    if needs.none() {
        return Ok((Services::None, without_services(stack.provider)));
    }
    let words = needs.in_words();
    if stack.embeds_kafka() {
        let services = Services::Embedded(Box::new(embedded::Services::start(stack).await?));
        let why = match stack.provider {
            Provider::Auto => "auto, and the strategy needs no service but",
            _ => "as asked, with",
        };
        return Ok((
            services,
            format!("embedded: {why} {words}, a mock in this program"),
        ));
    }
    let job = Job {
        stack,
        clocks,
        directory,
        needs,
        brokers,
        say,
    };
    match stack.provider {
        // A strategy that needs other services was refused while planning.
        Provider::Embedded => Ok((Services::None, without_services(Provider::Embedded))),
        Provider::Local => {
            let services = job.local().await?;
            Ok((services, format!("local: as asked, with {words}")))
        }
        Provider::Docker => {
            let engine = job
                .engine()
                .await
                .map_err(docker::Unavailable::when_asked)?;
            let why = format!("docker: as asked, with {words} ({})", engine.images());
            Ok((job.docker(engine).await?, why))
        }
        Provider::Auto => job.auto().await,
    }
}

fn without_services(provider: Provider) -> String {
    let (name, why) = match provider {
        Provider::Embedded => return "embedded: as asked".to_owned(),
        Provider::Auto => ("embedded", "auto, and"),
        Provider::Local => ("local", "as asked;"),
        Provider::Docker => ("docker", "as asked;"),
    };
    format!("{name}: {why} the strategy needs no service")
}

struct Job<'a> {
    stack: &'a Stack,
    clocks: &'a Clocks,
    directory: &'a Path,
    needs: Needs,
    /// The port that each broker tells its clients; `None` for its own.
    brokers: &'a [Option<u16>],
    say: Say<'a>,
}

impl Job<'_> {
    async fn engine(&self) -> Result<Engine, docker::Unavailable> {
        Engine::find(&self.stack.images, self.needs, self.say).await
    }

    async fn docker(&self, engine: Engine) -> Result<Services, NotReady> {
        let words = self.needs.in_words();
        (self.say)(&format!("starting {words} in containers"));
        // It holds the start of each container, and the futures around it hold it.
        let services = Box::pin(engine.start(self.needs, self.directory, self.brokers)).await?;
        Ok(Services::Docker(Box::new(services)))
    }

    async fn local(&self) -> Result<Services, NotReady> {
        (self.say)(&format!("starting {}", self.needs.in_words()));
        let services =
            local::Services::start(self.needs, self.clocks, self.directory, self.brokers);
        let services = services.await?;
        Ok(Services::Local(Box::new(services)))
    }

    /// Real images where there is an engine that has them, else the programs of this machine.
    async fn auto(&self) -> Result<(Services, String), NotReady> {
        let words = self.needs.in_words();
        if self.needs.standby.is_some() {
            let why = format!("local: auto, and the strategy needs {words}, which only it has");
            return Ok((self.local().await?, why));
        }
        let unavailable = match self.engine().await {
            Ok(engine) => {
                let images = engine.images();
                let why = format!(
                    "docker: auto, an engine answers, and the strategy needs {words} ({images})"
                );
                return Ok((self.docker(engine).await?, why));
            }
            Err(unavailable) => unavailable,
        };
        match self.local().await {
            Ok(services) => {
                let why = format!("local: auto, {unavailable}, and the strategy needs {words}");
                Ok((services, why))
            }
            Err(local @ NotReady::Missing { .. }) => Err(NotReady::Nowhere {
                docker: unavailable.to_string(),
                local: Box::new(local),
            }),
            Err(other) => Err(other),
        }
    }
}
