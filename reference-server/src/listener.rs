//! Opens a port that thousands can knock at in the same instant.

use std::io;
use std::net::SocketAddr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

use crate::error::ServerError;

/// Connections that may wait to be accepted. A stampede opens all of its connections at once,
/// and one that does not fit waits a whole second for its next SYN.
const BACKLOG: u32 = 8192;

pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    raise_open_file_limit();
    open(address).map_err(|source| ServerError::Listen { address, source })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A restart must not wait for the connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Every connection is an open file, and the usual limit of 1,024 is a soft one.
fn raise_open_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    ) {
        tracing::warn!(?current, ?maximum, %error, "failed to raise the limit of open files");
    }
}
