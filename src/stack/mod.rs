//! What is loaded: brought up and taken down by the run, or reached where it already runs.

mod account;
mod backlog;
mod clock;
mod cluster;
mod delivery;
mod docker;
mod embedded;
mod external;
mod links;
mod local;
mod log;
mod outside;
mod own;
mod part;
mod sentinel;
mod server;
mod servers;
mod services;
mod settings;

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use tokio::task::JoinSet;

use crate::load::http::{Endpoint, Sources};
use crate::plan::{Backlog, Delivery, Plan, Slot, Source, Tables, Target};

use clock::Clocks;
pub use clock::{Clock, set_clock};
pub use docker::{Allowed, Change, CpuCount, Limits, limit as limit_container};
pub use docker::{keep_containers, start as start_container, unpause};
pub use embedded::be_kafka;
use links::Links;
pub use links::Way;
pub(crate) use own::start as start_process;
pub use part::Part;
pub use sentinel::Sentinels;
use services::Services;

/// Tells the one who waits.
type Say<'a> = &'a dyn Fn(&str);

/// The target, ready to be loaded.
pub struct Ready {
    /// Each instance, resolved and answering.
    pub endpoints: Vec<Endpoint>,
    /// The truth sources, where the bundled server has its own.
    pub truth: TruthSources,
    /// What `https:` trusts beside the system's own.
    pub roots: Vec<CertificateDer<'static>>,
    /// Which provider brought it up, and why.
    pub provider: String,
    servers: Option<servers::Servers>,
    services: Services,
    links: Links,
    /// Leads the servers to the primary of Redis, where it can change.
    leading: JoinSet<()>,
    /// What faults may break of a system that already runs.
    own: Vec<Part>,
}

/// Where the truth of this target is read.
#[derive(Debug, Clone, Default)]
pub struct TruthSources {
    /// The issued rows.
    pub issued: Option<Source>,
    /// The stock that the system says it had.
    pub stock: Option<Source>,
    /// What the system says is left.
    pub remaining: Option<Source>,
    /// What must be 0 before the rows are final, upstream first where it is the bundled server's.
    pub pending: Vec<Backlog>,
    /// The way of the issued rows.
    pub delivery: Delivery,
    /// Seats, ledger, balances.
    pub tables: Box<Tables>,
}

impl TruthSources {
    /// Those that the scenario names, of a system that already runs.
    pub fn named_by(plan: &Plan) -> Self {
        external::truth(plan)
    }

    /// The sources with what `before` has captured.
    ///
    /// # Errors
    /// When such a value is not there, or cannot stand in a query.
    pub fn filled_in(&self, slots: &[Slot], values: &[Option<String>]) -> Result<Self, String> {
        let fill = |source: &Option<Source>| {
            let filled = source
                .as_ref()
                .map(|source| source.filled_in(slots, values));
            filled.transpose()
        };
        Ok(Self {
            issued: fill(&self.issued)?,
            stock: fill(&self.stock)?,
            remaining: fill(&self.remaining)?,
            pending: self
                .pending
                .iter()
                .map(|backlog| backlog.filled_in(slots, values))
                .collect::<Result<_, _>>()?,
            delivery: self.delivery.filled_in(slots, values)?,
            tables: self.tables.filled_in(slots, values)?.into(),
        })
    }
}

/// Why the target, or what is to be done to it, is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// A URL does not answer.
    #[error(
        "{url} does not answer: {problem}\n  hint: start the system first, or say where it is with --url or `target`"
    )]
    Unreachable {
        /// Without secrets.
        url: String,
        /// In words.
        problem: String,
    },
    /// The bundled server did not start.
    #[error("the bundled server did not start: {problem}{log}")]
    Server {
        /// In words.
        problem: String,
        /// The last lines of its log, each on a line of its own.
        log: String,
    },
    /// Programs of services are missing.
    #[error(
        "the strategy needs {needs}, and {programs} cannot be found on this machine (PATH, /usr/sbin)\n  hint: {command}"
    )]
    Missing {
        /// The services, in words.
        needs: String,
        /// All that are missing.
        programs: String,
        /// What installs them.
        command: String,
    },
    /// A library is missing that a fault needs.
    #[error(
        "the fault `{fault}` needs {library}, which cannot be found on this machine\n  hint: {command}"
    )]
    Library {
        /// Its kind.
        fault: &'static str,
        /// The name of the file.
        library: &'static str,
        /// What installs it.
        command: &'static str,
    },
    /// The provider `docker` cannot do it.
    #[error("{problem}\n  hint: {hint}")]
    Docker {
        /// In words.
        problem: String,
        /// What would help.
        hint: String,
    },
    /// No provider can do it.
    #[error("{docker}; {local}")]
    Nowhere {
        /// Why not in containers.
        docker: String,
        /// Why not as programs.
        local: Box<NotReady>,
    },
    /// A service did not start.
    #[error("the service {service} did not start: {problem}{log}")]
    Service {
        /// As its directory is called.
        service: String,
        /// In words.
        problem: String,
        /// The last lines of its log, each on a line of its own.
        log: String,
    },
    /// A part of a system that already runs cannot be broken as the scenario wants.
    #[error("{part} cannot be broken: {problem}\n  hint: {hint}")]
    Part {
        /// As reports call it.
        part: String,
        /// In words.
        problem: String,
        /// What would help.
        hint: &'static str,
    },
    /// A fault of the plan cannot be injected on this machine.
    #[error("the fault `{fault}` cannot be injected here: {problem}\n  hint: {hint}")]
    Fault {
        /// As the scenario calls it.
        fault: String,
        /// In words.
        problem: String,
        /// What would help.
        hint: &'static str,
    },
    /// `target.ca` cannot be used.
    #[error("{}: {problem}\n  hint: `target.ca` is a file of certificates in PEM, relative to the scenario's directory", file.display())]
    Authority {
        /// As it was looked for.
        file: PathBuf,
        /// In words.
        problem: String,
    },
    /// The harness could not do its part.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Ready {
    /// Brings the target up, or makes sure that it answers. The bundled server's files go to
    /// `directory`; the target's own are in `scenario`. `say` tells the one who waits.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn start(
        plan: &Plan,
        directory: &Path,
        scenario: &Path,
        say: &dyn Fn(&str),
    ) -> Result<Self, NotReady> {
        match &plan.target {
            Target::Urls {
                urls,
                ready,
                http2,
                ca,
                parts,
                ..
            } => {
                let roots = roots(ca.as_deref(), scenario)?;
                let way = external::Way {
                    ready: ready.as_deref(),
                    http2: *http2,
                    roots: &roots,
                };
                let mut links = Links::start(plan)?;
                // The system may need them before it answers.
                links.of_parts(parts).await?;
                let endpoints = external::reach(urls, &way, say).await?;
                let own = own::find(plan, parts, scenario, &roots).await?;
                let endpoints = links.of_clients(endpoints).await?;
                let truth = external::truth(plan);
                let provider = "none: the system already runs".to_owned();
                Ok(Self {
                    endpoints,
                    truth,
                    roots,
                    provider,
                    servers: None,
                    services: Services::None,
                    links,
                    leading: JoinSet::new(),
                    own,
                })
            }
            Target::Stack(stack) => {
                let clocks = Clocks::of(plan)?;
                let mut links = Links::start(plan)?;
                let brokers = links.brokers(stack.kafka).await?;
                let (services, provider) =
                    services::start(stack, &clocks, directory, &brokers, say).await?;
                links.lead_to_brokers(&services.broker_ports());
                let started = servers::Servers::start(
                    (plan, stack),
                    &clocks,
                    directory,
                    &services,
                    &mut links,
                )
                .await;
                let servers = match started {
                    Ok(servers) => servers,
                    Err(error) => {
                        services.stop().await;
                        return Err(error);
                    }
                };
                let urls = servers.urls();
                let way = external::Way {
                    ready: Some("/health"),
                    http2: false,
                    roots: &[],
                };
                let endpoints = external::reach(&urls, &way, say).await?;
                let endpoints = links.of_clients(endpoints).await?;
                let mut truth = servers.truth(plan);
                truth.pending.extend(backlog::of(stack, &services));
                truth.delivery = delivery::of(truth.delivery, servers.database(), &services);
                let leading = links.lead(services.sentinels());
                Ok(Self {
                    endpoints,
                    truth,
                    roots: Vec::new(),
                    provider,
                    servers: Some(servers),
                    services,
                    links,
                    leading,
                    own: Vec::new(),
                })
            }
        }
    }

    /// Lets connections of the load come from these addresses of this machine.
    pub fn reached_from(&mut self, sources: &Sources) {
        let endpoints = std::mem::take(&mut self.endpoints).into_iter();
        let reached = endpoints.map(|endpoint| endpoint.reached_from(sources.clone()));
        self.endpoints = reached.collect();
    }

    /// What is loaded, for people.
    pub fn target(&self, plan: &Plan) -> String {
        match &plan.target {
            Target::Urls { .. } => {
                let urls = self.endpoints.iter().map(|one| one.url.to_string());
                urls.collect::<Vec<_>>().join(", ")
            }
            Target::Stack(stack) => {
                let strategy = stack.strategy.as_deref().unwrap_or("sqlite-atomic");
                let bug = stack.bug.as_ref().map(|bug| format!(", planted bug {bug}"));
                let bug = bug.unwrap_or_default();
                let processes: u32 = stack
                    .groups
                    .iter()
                    .map(|group| u32::from(group.count))
                    .sum();
                let processes = match processes {
                    1 => String::new(),
                    more => format!(", {more} processes"),
                };
                format!("bundled server, strategy {strategy}{processes}{bug}")
            }
        }
    }

    /// Takes down what was brought up. A server that does not stop in time is killed.
    pub async fn stop(mut self) {
        self.leading.abort_all();
        if let Some(servers) = self.servers {
            servers.stop().await;
        }
        // Last: a server that stops writes what it has acknowledged.
        self.services.stop().await;
    }
}

pub(crate) fn roots(
    ca: Option<&str>,
    scenario: &Path,
) -> Result<Vec<CertificateDer<'static>>, NotReady> {
    let Some(ca) = ca else { return Ok(Vec::new()) };
    let file = scenario.join(ca);
    crate::tls::roots(&file).map_err(|problem| NotReady::Authority { file, problem })
}
