//! What the fault proxy costs while it has no rule: direct connections against the same through a
//! link, in turns and in one sitting.
//!
//! Round trips: one connection, 64 bytes there and back, one at a time. Busy: 32 such connections of
//! one thread at once. Bulk: one connection, 64 KiB at a time, one way. Sender, receiver and proxy
//! have a thread each; with fewer than three cores they share them, and what the proxy takes is
//! missing elsewhere. The figures are medians over rounds.
//!
//! usage: cargo bench --bench proxy [-- ROUNDS]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use fcfs_bench::fault::proxy::{Link, Proxies};
use fcfs_bench::plan::Protocol;

const ROUND_TRIPS: u32 = 20_000;
const BUSY: usize = 32;
/// A command of Redis, and just as well a reply.
const MESSAGE: &[u8; 64] =
    b"*2\r\n$4\r\nECHO\r\n$43\r\n0123456789012345678901234567890123456789012\r\n";
const PIECE: usize = 64 << 10;
const BULK: usize = 1 << 30;

type Failure = Box<dyn std::error::Error>;

/// What one round has shown.
#[derive(Clone, Copy)]
struct Figures {
    /// Microseconds a round trip, on one connection.
    round_trip: f64,
    /// Round trips a second over all busy connections.
    busy: f64,
    /// MiB a second.
    bulk: f64,
}

fn main() -> Result<(), Failure> {
    let rounds = std::env::args().find_map(|argument| argument.parse().ok());
    let (echo, sink) = (serve(echo)?, serve(sink)?);
    let proxies = Proxies::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (echo_link, sink_link) = runtime.block_on(async {
        let open = |name, to| proxies.open(name, None, Some(to), Protocol::Opaque, 1);
        Ok::<(Link, Link), Failure>((open("echo", echo).await?, open("sink", sink).await?))
    })?;
    let redis = runtime.block_on(proxies.open("redis", None, Some(echo), Protocol::Resp, 1))?;
    let ways = [
        ("direct", echo, sink),
        ("through a link", echo_link.address(), sink_link.address()),
        (
            "through one that reads RESP",
            redis.address(),
            sink_link.address(),
        ),
    ];
    let mut seen = vec![Vec::new(); ways.len()];
    for _ in 0..rounds.unwrap_or(5_u32).max(1) {
        for ((_, echo, sink), figures) in ways.iter().zip(&mut seen) {
            figures.push(measure(*echo, *sink)?);
        }
    }
    let direct = median(&seen[0]);
    for ((name, ..), figures) in ways.iter().zip(&seen) {
        show(name, median(figures), direct);
    }
    Ok(())
}

fn measure(echo: SocketAddr, sink: SocketAddr) -> Result<Figures, Failure> {
    Ok(Figures {
        round_trip: round_trip(echo)?,
        busy: busy(echo)?,
        bulk: bulk(sink)?,
    })
}

fn show(name: &str, figures: Figures, direct: Figures) {
    let Figures {
        round_trip,
        busy,
        bulk,
    } = figures;
    println!("{name}");
    let more = round_trip - direct.round_trip;
    println!("  round trip  {round_trip:8.1} us     {more:+.1} us");
    println!(
        "  busy        {busy:8.0} /s     x {:.2}",
        busy / direct.busy
    );
    println!(
        "  bulk        {bulk:8.0} MiB/s  x {:.2}",
        bulk / direct.bulk
    );
}

fn median(rounds: &[Figures]) -> Figures {
    let middle = |value: fn(&Figures) -> f64| {
        let mut values: Vec<_> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figures {
        round_trip: middle(|figures| figures.round_trip),
        busy: middle(|figures| figures.busy),
        bulk: middle(|figures| figures.bulk),
    }
}

fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn round_trip(echo: SocketAddr) -> Result<f64, Failure> {
    let mut stream = open(echo)?;
    let mut message = *MESSAGE;
    let mut ask = || -> std::io::Result<()> {
        stream.write_all(&message)?;
        stream.read_exact(&mut message)
    };
    for _ in 0..ROUND_TRIPS / 10 {
        ask()?;
    }
    let begun = Instant::now();
    for _ in 0..ROUND_TRIPS {
        ask()?;
    }
    let time = begun.elapsed() / ROUND_TRIPS;
    Ok(time.as_secs_f64() * 1e6)
}

/// Everybody asks before anybody's answer is read.
fn busy(echo: SocketAddr) -> Result<f64, Failure> {
    let streams: Result<Vec<_>, _> = (0..BUSY).map(|_| open(echo)).collect();
    let (mut streams, mut message) = (streams?, *MESSAGE);
    let begun = Instant::now();
    let mut count = 0.0;
    while begun.elapsed() < Duration::from_secs(1) {
        for stream in &mut streams {
            stream.write_all(&message)?;
        }
        for stream in &mut streams {
            stream.read_exact(&mut message)?;
            count += 1.0;
        }
    }
    Ok(count / begun.elapsed().as_secs_f64())
}

fn bulk(sink: SocketAddr) -> Result<f64, Failure> {
    let mut stream = open(sink)?;
    let piece = vec![7; PIECE];
    let begun = Instant::now();
    for _ in 0..BULK / PIECE {
        stream.write_all(&piece)?;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    // The receiver says when it has everything.
    stream.read_exact(&mut [0])?;
    Ok(BULK as f64 / f64::from(1 << 20) / begun.elapsed().as_secs_f64())
}

/// A server with a thread for each connection, as long as the program runs.
fn serve(talk: fn(TcpStream) -> std::io::Result<()>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || talk(stream));
        }
    });
    Ok(address)
}

fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut room = [0; 4_096];
    loop {
        let count = stream.read(&mut room)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&room[..count])?;
    }
}

fn sink(mut stream: TcpStream) -> std::io::Result<()> {
    let mut room = vec![0; PIECE];
    while stream.read(&mut room)? > 0 {}
    stream.write_all(&[1])
}
