//! Opens connections to the target, and says how it failed where it did.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustix::io::Errno;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connection::Connection;
use super::source::Sources;
use super::wire::Stream;
use crate::history::Cause;
use crate::load::RunClock;
use crate::plan::BaseUrl;

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// One instance of the target with everything that connecting needs, resolved once.
#[derive(Clone)]
pub struct Endpoint {
    /// As the scenario names it.
    pub url: BaseUrl,
    addresses: Arc<[SocketAddr]>,
    sources: Sources,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// By prior knowledge on `http:`, by ALPN on `https:`.
    pub http2: bool,
}

/// Why a connection could not be made: it certainly carried no request.
#[derive(Debug, thiserror::Error)]
#[error("{}", cause.words())]
pub struct ConnectError {
    /// Which step failed.
    pub cause: Cause,
    /// What the operating system or TLS said.
    #[source]
    pub source: io::Error,
}

/// A connection and how long its making took.
#[derive(Debug)]
pub struct Opened {
    /// Ready for a request.
    pub connection: Connection,
    /// TCP, in nanoseconds.
    pub connecting_ns: u64,
    /// TLS, in nanoseconds; 0 without.
    pub handshaking_ns: u64,
}

impl Endpoint {
    /// Resolves the host's name, so that no request waits for DNS. TLS trusts these roots beside
    /// the system's own.
    ///
    /// # Errors
    /// When the name does not resolve or is no valid TLS server name.
    pub async fn resolve(
        url: BaseUrl,
        http2: bool,
        roots: &[CertificateDer<'static>],
    ) -> io::Result<Self> {
        let looked_up = tokio::net::lookup_host((url.host.as_str(), url.port)).await?;
        let addresses: Arc<[SocketAddr]> = looked_up.collect();
        if addresses.is_empty() {
            return Err(io::Error::other("the name has no address"));
        }
        let tls = if url.https {
            Some(tls(&url.host, http2, roots)?)
        } else {
            None
        };
        Ok(Self {
            url,
            addresses,
            sources: Sources::default(),
            tls,
            http2,
        })
    }

    /// Where it is; its first address, if its name has several.
    pub fn address(&self) -> Option<SocketAddr> {
        self.addresses.first().copied()
    }

    /// The same by another way: only the address is another one.
    #[must_use]
    pub fn by(self, address: SocketAddr) -> Self {
        Self {
            addresses: [address].into(),
            ..self
        }
    }

    /// The same, reached from these addresses of this machine.
    #[must_use]
    pub fn reached_from(self, sources: Sources) -> Self {
        Self { sources, ..self }
    }

    /// Whether its connections take requests as text; else they take them as messages.
    pub(in crate::load) const fn takes_text(&self) -> bool {
        self.tls.is_none() && !self.http2
    }

    /// What its TLS is made with; `None`: it has none.
    #[cfg(feature = "goose")]
    pub(in crate::load) fn tls_settings(&self) -> Option<rustls::ClientConfig> {
        let (connector, _) = self.tls.as_ref()?;
        Some(rustls::ClientConfig::clone(connector.config()))
    }

    /// Opens a connection. Without a limit of its own: the caller's timeout covers it.
    ///
    /// # Errors
    /// With the step that failed.
    pub async fn connect(&self, clock: RunClock) -> Result<Opened, ConnectError> {
        let begin = clock.now_ns();
        let stream = self.connect_tcp().await?;
        let connected = clock.now_ns();
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some((connector, name)) => {
                let shaken = connector.connect(name.clone(), stream).await;
                let shaken = shaken.and_then(|stream| self.speaks(stream));
                Stream::Tls(Box::new(shaken.map_err(|source| ConnectError {
                    cause: Cause::TlsFailed,
                    source,
                })?))
            }
        };
        let shaken = clock.now_ns();
        let connection = match stream {
            Stream::Plain(stream) if !self.http2 => Ok(Connection::plain(stream, clock)),
            stream => Connection::library(stream, clock, self.http2).await,
        };
        let failed = |error| ConnectError {
            cause: Cause::ConnectFailed,
            source: io::Error::other(error),
        };
        Ok(Opened {
            connection: connection.map_err(failed)?,
            connecting_ns: connected - begin,
            handshaking_ns: if self.tls.is_some() {
                shaken - connected
            } else {
                0
            },
        })
    }

    /// Refuses a peer that has not agreed to HTTP/2: it would take the request for garbage.
    fn speaks(&self, stream: TlsStream<TcpStream>) -> io::Result<TlsStream<TcpStream>> {
        let agreed = stream.get_ref().1.alpn_protocol();
        if self.http2 && agreed != Some(HTTP2) {
            return Err(io::Error::other("the server does not speak HTTP/2"));
        }
        Ok(stream)
    }

    async fn connect_tcp(&self) -> Result<TcpStream, ConnectError> {
        let mut last = None;
        for address in self.addresses.iter() {
            match self.sources.connect(*address).await {
                Ok(stream) => {
                    // Without it a small request may wait for the ACK of the one before.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = Some(error),
            }
        }
        let source = last.unwrap_or_else(|| io::Error::other("no address"));
        let cause = cause_of(&source);
        Err(ConnectError { cause, source })
    }
}

/// What this machine has run out of is not the target's fault.
fn cause_of(error: &io::Error) -> Cause {
    let out_of_files = [Errno::MFILE, Errno::NFILE];
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::ConnectRefused,
        io::ErrorKind::TimedOut => Cause::ConnectTimeout,
        io::ErrorKind::AddrNotAvailable => Cause::NoLocalPort,
        _ if Errno::from_io_error(error).is_some_and(|it| out_of_files.contains(&it)) => {
            Cause::NoFile
        }
        _ => Cause::ConnectFailed,
    }
}

fn tls(
    host: &str,
    http2: bool,
    roots: &[CertificateDer<'static>],
) -> io::Result<(TlsConnector, ServerName<'static>)> {
    crate::tls::install_provider();
    let mut config = crate::tls::client(roots).map_err(io::Error::other)?;
    // Each VU is somebody else, who has no session from before: every handshake is a whole one.
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols = vec![if http2 { HTTP2 } else { HTTP1 }.to_vec()];
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_has_run_out_of_is_told_apart_from_what_the_target_refuses() {
        let table = [
            (Errno::ADDRNOTAVAIL, Cause::NoLocalPort),
            (Errno::MFILE, Cause::NoFile),
            (Errno::NFILE, Cause::NoFile),
            (Errno::CONNREFUSED, Cause::ConnectRefused),
            (Errno::TIMEDOUT, Cause::ConnectTimeout),
            (Errno::HOSTUNREACH, Cause::ConnectFailed),
        ];
        for (errno, cause) in table {
            assert_eq!(cause_of(&errno.into()), cause, "{errno}");
        }
    }
}
