//! All connections that Redis gives are taken; those that were open go on.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use redis::ConnectionAddr;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::session::{Failure, Session, client};
use super::settings::{self, Before};
use crate::fault::lease::Undo;
use crate::fault::nemesis::{Effect, Nemesis, Trouble};
use crate::fault::repeated::Repeated;
use crate::fault::wait::{ANSWER_WITHIN, SILENT_AFTER, WHOLE_WITHIN, question, until};
use crate::plan::Secret;

/// More sockets are not held: then `maxclients` is lowered.
const MOST_HELD: u64 = 4_000;

/// With a lowered ceiling so many are held, and free again should the harness die: more than the
/// system takes at once, so that whoever gives the ceiling back gets in.
const HELD_BELOW: u64 = 1_000;

/// Sockets that are opened at one time.
const AT_ONCE: u64 = 128;

/// How soon a connection that the system has given up is taken.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Redis tells who is one too many before it is asked anything.
const TURNED_AWAY_WITHIN: Duration = Duration::from_millis(300);

/// Sockets held open up to `maxclients`; they end with the harness.
pub struct ClientsExhausted {
    url: Secret,
    label: String,
    /// What `maxclients` is set to, and how it was before.
    lowered: Option<(u64, Before)>,
    holding: Option<Repeated>,
}

impl ClientsExhausted {
    /// `label` names the probe's key.
    pub fn new(url: &Secret, label: &str) -> Self {
        Self {
            url: url.clone(),
            label: label.to_owned(),
            lowered: None,
            holding: None,
        }
    }

    async fn prepare(&mut self) -> Result<Vec<Undo>, Trouble> {
        let asked = async {
            let mut session = Session::to(&self.url).await?;
            Ok((ceiling(&mut session).await?, clients(&mut session).await?))
        };
        let asked = asked.await;
        let (ceiling, clients) = asked.map_err(|failure: Failure| failure.at(&self.url))?;
        self.lowered = None;
        if ceiling.saturating_sub(clients) > MOST_HELD {
            let before = Before::read(&self.url, &["maxclients"]).await?;
            self.lowered = Some((clients + HELD_BELOW, before));
        }
        let undo = self.lowered.iter().map(|(_, before)| before.undo());
        Ok(undo.collect())
    }

    async fn take(&mut self) -> Result<(), Failure> {
        let mut session = Session::to(&self.url).await?;
        if let Some((ceiling, _)) = &self.lowered {
            session.set("maxclients", &ceiling.to_string()).await?;
        }
        let mut held = Held {
            at: address(&self.url)?,
            sockets: Vec::new(),
        };
        let all = async {
            while held.take_more(&mut session).await? > 0 {}
            Ok(())
        };
        let all = timeout(WHOLE_WITHIN, all).await;
        all.map_err(|_| Failure::Other("not all connections could be taken".to_owned()))??;
        self.holding = Some(Repeated::begin(held.hold(session)));
        Ok(())
    }

    async fn ask(&self) -> Effect {
        match greeting(&self.url).await {
            Ok(Some(words)) if words.contains("max number of clients") => {
                Effect::Seen(format!("a new connection was turned away: {words}"))
            }
            Ok(Some(words)) => Effect::NotSeen(format!("a new connection was told: {words}")),
            Ok(None) => Effect::NotSeen("a new connection was let in".to_owned()),
            Err(failure) => Effect::NotSeen(format!("a new connection: {failure}")),
        }
    }

    async fn give_back(&mut self) -> Result<(), Trouble> {
        if let Some(holding) = self.holding.take() {
            holding.end().await;
        }
        if let Some((_, before)) = &self.lowered {
            before.give_back().await?;
        }
        let lets_in = || async {
            let asked = greeting(&self.url).await;
            match asked.map_err(|failure| failure.at(&self.url))? {
                None => Ok(()),
                Some(words) => Err(Failure::Said(words).at(&self.url)),
            }
        };
        until(WHOLE_WITHIN, lets_in).await?;
        settings::wait_until_written(&self.url, &self.label).await
    }
}

/// Sockets that ask nothing.
struct Held {
    at: (String, u16),
    sockets: Vec<TcpStream>,
}

impl Held {
    /// Takes some of those that are free, and says how many were.
    async fn take_more(&mut self, session: &mut Session) -> Result<u64, Failure> {
        // Those that came too late were closed.
        self.sockets.retain(is_open);
        let free = ceiling(session)
            .await?
            .saturating_sub(clients(session).await?);
        let (host, port) = (self.at.0.as_str(), self.at.1);
        let opening = (0..free.min(AT_ONCE)).map(|_| TcpStream::connect((host, port)));
        for opened in join_all(opening).await {
            let socket = opened.map_err(|error| {
                let held = self.sockets.len();
                Failure::Other(format!("after {held} sockets: {error}"))
            })?;
            self.sockets.push(socket);
        }
        Ok(free)
    }

    async fn hold(mut self, mut session: Session) {
        loop {
            sleep(LOOK_EVERY).await;
            // What cannot be taken now can be at the next look.
            let _ = timeout(ANSWER_WITHIN, self.take_more(&mut session)).await;
        }
    }
}

fn is_open(socket: &TcpStream) -> bool {
    let tried = socket.try_read(&mut [0; 64]);
    matches!(tried, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

async fn ceiling(session: &mut Session) -> Result<u64, Failure> {
    let ceiling = session.setting("maxclients").await?;
    let wrong = |_| Failure::Other(format!("maxclients is {ceiling:?}"));
    ceiling.parse().map_err(wrong)
}

/// All that count towards the ceiling: replicas are told apart.
async fn clients(session: &mut Session) -> Result<u64, Failure> {
    let clients = session.info("clients").await?;
    let replicas = session.info("replication").await?;
    Ok(clients.number("connected_clients")? + replicas.number("connected_slaves")?)
}

fn address(url: &Secret) -> Result<(String, u16), Failure> {
    match client(url)?.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, port) => Ok((host.clone(), *port)),
        _ => Err(Failure::Other("is not reached by plain TCP".to_owned())),
    }
}

/// What a new connection is told before it asks anything: why it is turned away, or nothing.
async fn greeting(url: &Secret) -> Result<Option<String>, Failure> {
    let (host, port) = address(url)?;
    let connecting = timeout(SILENT_AFTER, TcpStream::connect((host.as_str(), port)));
    let connected = connecting
        .await
        .map_err(|_| Failure::Silent(SILENT_AFTER))?;
    let mut socket = connected.map_err(|error| Failure::Other(error.to_string()))?;
    let mut words = [0; 128];
    match timeout(TURNED_AWAY_WITHIN, socket.read(&mut words)).await {
        Err(_) => Ok(None),
        Ok(Ok(length)) => {
            let words = String::from_utf8_lossy(&words[..length]);
            Ok(Some(words.trim_start_matches('-').trim_end().to_owned()))
        }
        Ok(Err(error)) => Err(Failure::Other(error.to_string())),
    }
}

impl Nemesis for ClientsExhausted {
    fn undo(&mut self) -> BoxFuture<'_, Result<Vec<Undo>, Trouble>> {
        self.prepare().boxed()
    }

    fn inject(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            let url = self.url.clone();
            let taken = self.take().await;
            taken.map_err(|failure| failure.at(&url))
        }
        .boxed()
    }

    fn effect(&mut self) -> BoxFuture<'_, Effect> {
        question(self.ask()).boxed()
    }

    fn heal(&mut self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.give_back().boxed()
    }
}
