//! A wire to a Redis on which every answer takes its time.

use std::time::Duration;

use reference_server::StoreUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Its connections end with it.
pub(crate) struct SlowWire {
    port: u16,
    _connections: JoinSet<()>,
}

impl SlowWire {
    pub(crate) async fn start(redis: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                open.spawn(carry(client, redis, delay));
            }
        });
        Self {
            port,
            _connections: connections,
        }
    }

    pub(crate) fn url(&self) -> StoreUrl {
        let url = format!("redis://:p4ssw0rd@127.0.0.1:{}/0", self.port);
        url.parse().unwrap()
    }
}

async fn carry(client: TcpStream, redis: u16, delay: Duration) {
    let redis = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
    let (mut asked, mut answer) = client.into_split();
    let (mut answered, mut ask) = redis.into_split();
    let asking = tokio::io::copy(&mut asked, &mut ask);
    let answering = async {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = answered.read(&mut bytes).await {
            tokio::time::sleep(delay).await;
            if answer.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        _ = asking => {}
        () = answering => {}
    }
}
