//! Which addresses of this machine connections come from: one has only so many ports, so where more
//! connections are wanted several take turns.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpSocket, TcpStream};

/// The addresses of this machine that connections are made from, in turn; without any the system
/// chooses. Copies take turns together.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    addresses: Arc<[IpAddr]>,
    turn: Arc<AtomicUsize>,
}

/// The first address of 127.0.0.0/8 that nothing else of this machine is likely to use.
const FIRST_LOOPBACK: u32 = u32::from_be_bytes([127, 0, 0, 2]);

impl Sources {
    /// These addresses, which this machine must have.
    pub fn of(addresses: Vec<IpAddr>) -> Self {
        Self {
            addresses: addresses.into(),
            turn: Arc::default(),
        }
    }

    /// So many addresses of 127.0.0.0/8 behind the first `skipped`, which others take. All of that
    /// network is this machine's, without being set up.
    pub fn loopback(skipped: u32, count: u32) -> Self {
        let last = u32::from_be_bytes([127, 255, 255, 254]);
        let nth = |n: u32| {
            let bits = FIRST_LOOPBACK.saturating_add(n).min(last);
            IpAddr::V4(Ipv4Addr::from_bits(bits))
        };
        let end = skipped.saturating_add(count);
        Self::of((skipped..end).map(nth).collect())
    }

    /// Those that a connection to this address can come from: of its family, and none of loopback to
    /// another machine.
    pub fn towards(&self, to: SocketAddr) -> impl Iterator<Item = IpAddr> + '_ {
        let fits = move |from: &IpAddr| {
            from.is_ipv4() == to.is_ipv4() && (to.ip().is_loopback() || !from.is_loopback())
        };
        self.addresses.iter().copied().filter(fits)
    }

    /// Opens a connection from the address whose turn it is. One that has no port left passes its
    /// turn on.
    pub(super) async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let count = self.towards(to).count();
        if count == 0 {
            return TcpStream::connect(to).await;
        }
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut last = None;
        for at in 0..count {
            let from = self.towards(to).nth(first.wrapping_add(at) % count);
            let Some(from) = from else { break };
            match connect_from(from, to).await {
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => last = Some(error),
                connected => return connected,
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
    }
}

async fn connect_from(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    leave_port_to_connect(&socket)?;
    // With a port taken already, one that is in use to somebody else could not be used.
    socket.bind(SocketAddr::new(from, 0)).map_err(no_port)?;
    socket.connect(to).await
}

/// The kernel then takes the port when it knows both ends: one port of an address serves connections
/// to several targets, and one that still waits to be forgotten can be taken again.
#[cfg(target_os = "linux")]
fn leave_port_to_connect(socket: &TcpSocket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
    Ok(setsockopt(socket, IpBindAddressNoPort, &true)?)
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
fn leave_port_to_connect(_socket: &TcpSocket) -> io::Result<()> {
    Ok(())
}

/// Of a bind, an address in use means that all of its ports are.
fn no_port(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => io::ErrorKind::AddrNotAvailable.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::net::TcpListener;

    use super::*;

    fn addresses(sources: &Sources) -> Vec<String> {
        sources.addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_of_loopback_follow_one_another_behind_those_of_others() {
        assert_eq!(
            addresses(&Sources::loopback(0, 2)),
            ["127.0.0.2", "127.0.0.3"]
        );
        assert_eq!(addresses(&Sources::loopback(2, 1)), ["127.0.0.4"]);
        assert_eq!(addresses(&Sources::loopback(254, 1)), ["127.0.1.0"]);
        assert!(addresses(&Sources::loopback(3, 0)).is_empty());
    }

    #[test]
    fn nobody_leaves_the_machine_from_loopback_or_changes_the_family() {
        let mixed = ["127.0.0.2", "10.0.0.1", "::1", "fd00::1"];
        let sources = Sources::of(mixed.map(|one| one.parse().expect("an address")).into());
        let table = [
            ("127.0.0.1:80", vec!["127.0.0.2", "10.0.0.1"]),
            ("10.0.0.9:80", vec!["10.0.0.1"]),
            ("[::1]:80", vec!["::1", "fd00::1"]),
            ("[fd00::2]:80", vec!["fd00::1"]),
        ];
        for (to, wanted) in table {
            let found = sources.towards(to.parse().expect("an address"));
            let found: Vec<_> = found.map(|one| one.to_string()).collect();
            assert_eq!(found, wanted, "{to}");
        }
    }

    /// Who has come, by address, after so many connections.
    async fn peers(sources: &Sources, connections: usize) -> BTreeMap<IpAddr, usize> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = listener.local_addr().expect("an address");
        let (mut open, mut peers) = (Vec::new(), BTreeMap::new());
        for _ in 0..connections {
            let connected = tokio::join!(sources.connect(to), listener.accept());
            let (accepted, peer) = connected.1.expect("somebody comes");
            open.push((connected.0.expect("a connection"), accepted));
            *peers.entry(peer.ip()).or_default() += 1;
        }
        peers
    }

    #[tokio::test]
    async fn connections_come_from_all_addresses_in_turn() {
        let sources = Sources::loopback(0, 3);
        let wanted = sources.addresses.iter().map(|one| (*one, 4)).collect();
        assert_eq!(peers(&sources, 12).await, wanted);
    }

    #[tokio::test]
    async fn without_addresses_the_system_chooses() {
        let wanted = BTreeMap::from([(IpAddr::V4(Ipv4Addr::LOCALHOST), 3)]);
        assert_eq!(peers(&Sources::default(), 3).await, wanted);
    }

    #[tokio::test]
    async fn an_address_that_this_machine_has_not_passes_its_turn_on_or_is_told() {
        // A network for documentation.
        let foreign: IpAddr = "192.0.2.1".parse().expect("an address");
        let own = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 5));
        let both = Sources::of(vec![foreign, own]);
        assert_eq!(peers(&both, 4).await, BTreeMap::from([(own, 4)]));
        let to = "127.0.0.1:9".parse().expect("an address");
        let error = Sources::of(vec![foreign]).connect(to).await;
        let error = error.expect_err("there is no such address here");
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
