//! An HTTP/2 server in the test process, by prior knowledge or behind TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// What the server does with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Treatment {
    Answer(u16),
    /// The stream ends with an error.
    Reset,
    /// The connection ends without an answer.
    Close,
    Silence,
}

type Program = dyn Fn(u64) -> Treatment + Send + Sync;

struct Shared {
    program: Box<Program>,
    seen: AtomicU64,
    connections: AtomicU64,
}

/// The server; it ends with this value.
pub(crate) struct Http2Target {
    address: SocketAddr,
    tls: bool,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

impl Http2Target {
    /// Treats the n-th request, counted from 0, as the program says.
    pub(crate) fn start(
        tls: Option<TlsAcceptor>,
        program: impl Fn(u64) -> Treatment + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            program: Box::new(program),
            seen: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let is_tls = tls.is_some();
        runtime.spawn(accept(listener, tls, Arc::clone(&shared)));
        Self {
            address,
            tls: is_tls,
            shared,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Requests that were read.
    pub(crate) fn seen(&self) -> u64 {
        self.shared.seen.load(Ordering::Relaxed)
    }

    /// Connections that were accepted.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => serve(stream, shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let closing = Arc::new(Notify::new());
    let close = Arc::clone(&closing);
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, closing) = (Arc::clone(&shared), Arc::clone(&closing));
        async move {
            let _ = request.into_body().collect().await;
            let number = shared.seen.fetch_add(1, Ordering::Relaxed);
            match (shared.program)(number) {
                Treatment::Answer(status) => {
                    let mut response = Response::new(Full::new(Bytes::from("{}")));
                    *response.status_mut() = status.try_into().unwrap();
                    Ok::<_, std::io::Error>(response)
                }
                Treatment::Reset => Err(std::io::Error::other("reset")),
                Treatment::Close => {
                    closing.notify_one();
                    std::future::pending().await
                }
                Treatment::Silence => std::future::pending().await,
            }
        }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = connection => {}
        () = close.notified() => {}
    }
}
