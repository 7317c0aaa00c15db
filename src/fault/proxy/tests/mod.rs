//! Rules against real sockets: a proxy, a server behind it, and clients before it.

mod faults;
mod passing;
mod streams;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Link, LinkCounters, Proxies};
use crate::plan::{LinkFault, LinkRule, Protocol, Selection};

/// Longer than anything here takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// A rule that does not end by itself during a test.
const LONG: Duration = Duration::from_hours(1);

/// A link to a server that a test plays itself.
struct Stage {
    link: Link,
    server: TcpListener,
    proxies: Proxies,
}

impl Stage {
    async fn new() -> Self {
        Self::with(Protocol::Opaque).await
    }

    async fn with(protocol: Protocol) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = server.local_addr().unwrap();
        let proxies = Proxies::start().unwrap();
        let opened = proxies.open("shop", None, Some(upstream), protocol, 7);
        Self {
            link: opened.await.unwrap(),
            server,
            proxies,
        }
    }

    /// Both ends of a new connection.
    async fn pair(&self) -> (TcpStream, TcpStream) {
        let client = connect(self.link.address()).await.unwrap();
        let (server, _) = within(self.server.accept()).await.unwrap();
        (client, server)
    }

    /// Until what has happened is as expected.
    async fn until(&self, holds: impl Fn(&LinkCounters) -> bool) {
        let reached = async {
            while !holds(&self.link.counters()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let reached = tokio::time::timeout(LIMIT, reached).await;
        assert!(reached.is_ok(), "{:?}", self.link.counters());
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(LIMIT, work).await;
    done.expect("it takes longer than anything here")
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    within(TcpStream::connect(address)).await
}

async fn say(stream: &mut TcpStream, words: &[u8]) {
    within(stream.write_all(words)).await.unwrap();
}

/// So many bytes.
async fn hear(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

/// Everything up to the end of the stream, and how it ends.
async fn hear_out(stream: &mut TcpStream) -> (Vec<u8>, Option<io::ErrorKind>) {
    let mut bytes = Vec::new();
    let end = within(stream.read_to_end(&mut bytes)).await;
    (bytes, end.err().map(|error| error.kind()))
}

/// That nothing has come so far.
fn assert_silent(stream: &TcpStream) {
    let heard = stream.try_read(&mut [0; 16]).map_err(|error| error.kind());
    assert_eq!(heard, Err(io::ErrorKind::WouldBlock));
}
