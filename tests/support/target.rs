//! A programmable HTTP/1.1 server in the test process: it does what the test says, also what no
//! server should do, and writes down what it saw.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A request as the server has read it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Its place among all requests, from 0.
    pub(crate) number: u64,
    /// Its place on its connection, from 0.
    pub(crate) on_connection: u64,
    /// Connections in the order in which they were accepted.
    pub(crate) connection: u64,
    pub(crate) arrived: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The head without its first line.
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        let found = lines.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// The user of a body such as `{"userId":"17"}`.
    pub(crate) fn user(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["userId"].as_str().unwrap().to_owned()
    }
}

/// What the server does with a request, one act after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply(Vec<Act>);

#[derive(Debug, Clone)]
enum Act {
    Wait(Duration),
    Write(Vec<u8>),
    Close,
    Reset,
    Hold,
}

impl Reply {
    /// What the scenarios of the tests take as issued.
    pub(crate) fn issued() -> Self {
        Self::answer(201, "{}")
    }

    pub(crate) fn answer(status: u16, body: &str) -> Self {
        let length = body.len();
        Self::raw(format!(
            "HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::default().then(bytes)
    }

    /// No answer, but the connection stays open.
    pub(crate) fn silence() -> Self {
        Self(vec![Act::Hold])
    }

    pub(crate) fn then(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Act::Write(bytes.into()));
        self
    }

    /// The whole reply that much later.
    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.0.insert(0, Act::Wait(delay));
        self
    }

    pub(crate) fn wait(mut self, delay: Duration) -> Self {
        self.0.push(Act::Wait(delay));
        self
    }

    pub(crate) fn close(mut self) -> Self {
        self.0.push(Act::Close);
        self
    }

    pub(crate) fn reset(mut self) -> Self {
        self.0.push(Act::Reset);
        self
    }
}

/// A request with the end of its reply; `None` if that was never written.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) request: Request,
    pub(crate) answered: Option<Instant>,
}

/// A connection; one without an end was open when it was looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub(crate) from: IpAddr,
    pub(crate) opened: Instant,
    pub(crate) closed: Option<Instant>,
}

type Program = dyn Fn(&Request) -> Reply + Send + Sync;

struct Shared {
    program: Box<Program>,
    tls: Option<tokio_rustls::TlsAcceptor>,
    arrived: AtomicU64,
    seen: Mutex<Vec<Seen>>,
    connections: Mutex<Vec<Open>>,
    latest: Mutex<Duration>,
}

/// The server; it ends with this value.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Target {
    /// Starts on a port of its own.
    pub(crate) fn start(program: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(program, None)
    }

    /// Starts behind TLS.
    pub(crate) fn start_tls(
        tls: tokio_rustls::TlsAcceptor,
        program: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(program, Some(tls))
    }

    fn with(
        program: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let shared = Arc::new(Shared {
            program: Box::new(program),
            tls,
            arrived: AtomicU64::new(0),
            seen: Mutex::default(),
            connections: Mutex::default(),
            latest: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = std::sync::mpsc::channel();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                tokio::spawn(watch_timers(Arc::clone(&of_thread)));
                tokio::select! {
                    () = accept(listener, of_thread) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address: address.recv().unwrap(),
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// Requests in the order in which they were read.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let mut seen = self.shared.seen.lock().unwrap().clone();
        seen.sort_by_key(|seen| seen.request.number);
        seen
    }

    /// All connections, also the ones without a request.
    pub(crate) fn connections(&self) -> Vec<Open> {
        self.shared.connections.lock().unwrap().clone()
    }

    /// How late the server's own timers were at the worst: what this machine adds to any time.
    pub(crate) fn lateness(&self) -> Duration {
        *self.shared.latest.lock().unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn watch_timers(shared: Arc<Shared>) {
    const EVERY: Duration = Duration::from_millis(5);
    loop {
        let before = Instant::now();
        tokio::time::sleep(EVERY).await;
        let late = before.elapsed().saturating_sub(EVERY);
        let mut latest = shared.latest.lock().unwrap();
        *latest = late.max(*latest);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let connection = {
            let mut all = shared.connections.lock().unwrap();
            let (opened, closed) = (Instant::now(), None);
            let from = peer.ip();
            all.push(Open {
                from,
                opened,
                closed,
            });
            all.len() as u64 - 1
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            serve(stream, connection, &shared).await;
            let mut all = shared.connections.lock().unwrap();
            all[connection as usize].closed = Some(Instant::now());
        });
    }
}

async fn serve(mut stream: TcpStream, connection: u64, shared: &Shared) {
    match &shared.tls {
        None => {
            if talk(&mut stream, connection, shared).await == End::Reset {
                stream.set_zero_linger().unwrap();
            }
        }
        Some(tls) => {
            if let Ok(mut stream) = tls.accept(stream).await {
                talk(&mut stream, connection, shared).await;
                let _ = stream.shutdown().await;
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

async fn talk(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    connection: u64,
    shared: &Shared,
) -> End {
    let mut buffer = Vec::new();
    let mut on_connection = 0;
    while let Some(mut request) = read(stream, &mut buffer).await {
        request.connection = connection;
        request.on_connection = on_connection;
        request.number = shared.arrived.fetch_add(1, Ordering::Relaxed);
        on_connection += 1;
        let reply = (shared.program)(&request);
        let place = {
            let mut seen = shared.seen.lock().unwrap();
            let answered = None;
            seen.push(Seen { request, answered });
            seen.len() - 1
        };
        for act in reply.0 {
            match act {
                Act::Wait(delay) => tokio::time::sleep(delay).await,
                Act::Write(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return End::Closed;
                    }
                    shared.seen.lock().unwrap()[place].answered = Some(Instant::now());
                }
                Act::Close => return End::Closed,
                Act::Reset => return End::Reset,
                // Until the client has had enough.
                Act::Hold => while matches!(stream.read(&mut [0; 512]).await, Ok(1..)) {},
            }
        }
    }
    End::Closed
}

/// The next request; `None` at the end of the connection.
async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Request> {
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, buffer).await?;
    };
    let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
    let (line, headers) = text.split_once("\r\n")?;
    let length = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().unwrap())
    });
    let end = head + length.unwrap_or(0);
    while buffer.len() < end {
        fill(stream, buffer).await?;
    }
    let body = String::from_utf8_lossy(&buffer[head..end]).into_owned();
    buffer.drain(..end);
    let mut words = line.split(' ');
    Some(Request {
        number: 0,
        on_connection: 0,
        connection: 0,
        arrived: Instant::now(),
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        headers: headers.to_owned(),
        body,
    })
}

async fn fill(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(buffer).await {
        Ok(1..) => Some(()),
        _ => None,
    }
}

/// A listener whose queue is full after the first look at it: the kernel answers nobody else.
pub(crate) struct FullListener {
    pub(crate) url: String,
    _runtime: tokio::runtime::Runtime,
    _listener: TcpListener,
}

impl FullListener {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let inside = runtime.enter();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        drop(inside);
        Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            _runtime: runtime,
            _listener: listener,
        }
    }
}
