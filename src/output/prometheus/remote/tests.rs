//! A receiver that answers as it is told to, and what becomes of samples.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use prost::Message as _;

use super::super::registry::{Name, Registry};
use super::super::wire::{STALE, WriteRequest};
use super::*;

/// One request as it arrived.
struct Got {
    head: String,
    request: WriteRequest,
}

impl Got {
    /// The values of a metric in it.
    fn values(&self, metric: &str) -> Vec<f64> {
        let is_of = |series: &&super::super::wire::TimeSeries| {
            let mut labels = series.labels.iter();
            labels.any(|label| label.name == "__name__" && label.value == metric)
        };
        let series = self.request.timeseries.iter().filter(is_of);
        series.map(|series| series.samples[0].value).collect()
    }

    fn time(&self) -> i64 {
        self.request.timeseries[0].samples[0].timestamp
    }
}

/// Answers the first requests so, and all others with 204; tells of each.
fn receiver(answers: &[&str]) -> (String, mpsc::Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/write", listener.local_addr().expect("bound"));
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut bytes = Vec::new();
            let got = loop {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).expect("a request");
                bytes.extend_from_slice(&piece[..read]);
                if let Some(got) = whole(&bytes) {
                    break got;
                }
                assert!(read > 0, "the request is cut off");
            };
            let answer = answers
                .next()
                .unwrap_or_else(|| "204 No Content".to_owned());
            let answer =
                format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            // Told first: whoever has the answer may look at once.
            if tell.send(got).is_err() {
                return;
            }
            stream.write_all(answer.as_bytes()).expect("it listens");
        }
    });
    (url, told)
}

fn whole(bytes: &[u8]) -> Option<Got> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1)?;
    let length: usize = length.split("\r\n").next()?.parse().ok()?;
    let body = bytes.get(end..end + length)?;
    let body = snap::raw::Decoder::new()
        .decompress_vec(body)
        .expect("snappy");
    let request = WriteRequest::decode(body.as_slice()).expect("a message");
    Some(Got { head, request })
}

/// Bytes that are counted: each reading has one more.
fn counting(readings: Arc<AtomicU64>) -> impl Fn() -> Vec<MetricFamily> {
    move || {
        let mut registry = Registry::default();
        registry.add(
            Name::DataSent,
            &[],
            readings.fetch_add(1, Ordering::Relaxed) + 1,
        );
        registry.families()
    }
}

/// Waits until there were so many.
async fn at_least(readings: Arc<AtomicU64>, number: u64) {
    while readings.load(Ordering::Relaxed) < number {
        sleep(Duration::from_millis(1)).await;
    }
}

const METRIC: &str = "fcfs_data_sent_bytes_total";

/// Writes to this address until three readings are over: what has come of it, and what was said.
fn written(url: &str, limit: Duration) -> (Tally, Vec<String>) {
    let (say, mut said) = tokio::sync::mpsc::channel(8);
    let secret = Some(Secret::new("Bearer abcdefgh"));
    let mut mask = Mask::default();
    mask.add("abcdefgh", "***");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let tally = runtime.block_on(async {
        let readings = Arc::new(AtomicU64::new(0));
        let job = Job {
            receiver: Receiver::new(url, secret, mask).expect("an address"),
            every: Duration::from_millis(5),
            labels: vec![("job", "fcfs-bench".to_owned())],
            clock: RunClock::start(),
            families: counting(Arc::clone(&readings)),
            lost: Box::new(|_| {}),
            notes: Notes::new("receiver".to_owned(), say),
        };
        write(job, at_least(readings, 3), sleep(limit)).await
    });
    let said = std::iter::from_fn(|| said.try_recv().ok()).collect();
    (tally, said)
}

const LONG: Duration = Duration::from_mins(1);

#[test]
fn all_readings_arrive_in_order_and_every_series_is_ended() {
    let (url, told) = receiver(&[]);
    let (tally, _) = written(&url, LONG);
    let got: Vec<Got> = told.try_iter().collect();
    let (last, values) = got.split_last().expect("requests");
    let values: Vec<f64> = values.iter().flat_map(|got| got.values(METRIC)).collect();
    let expected: Vec<f64> = (1..=values.len()).map(|number| number as f64).collect();
    assert_eq!(values, expected);
    assert!(values.len() >= 4, "{values:?}");
    let end = last.values(METRIC);
    assert_eq!(end.len(), 1);
    assert_eq!(end[0].to_bits(), STALE.to_bits());
    assert!(got.is_sorted_by(|one, next| one.time() < next.time()));
    let expected = Tally {
        written: got.len() as u64,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
}

#[test]
fn a_request_says_what_it_is_and_who_asks() {
    let (url, told) = receiver(&[]);
    written(&url, LONG);
    let head = told.recv().expect("a request").head;
    for line in [
        "post /write http/1.1",
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "authorization: bearer abcdefgh",
        "user-agent: fcfs-bench/",
    ] {
        assert!(head.contains(line), "{line}\n{head}");
    }
}

#[test]
fn what_a_receiver_cannot_take_now_is_sent_again() {
    let answers = ["503 Unavailable", "429 Too Many Requests\r\nretry-after: 0"];
    let (url, told) = receiver(&answers);
    let (tally, said) = written(&url, LONG);
    let got: Vec<Got> = told.try_iter().collect();
    assert_eq!(got[0].request, got[1].request);
    assert_eq!(got[1].request, got[2].request);
    assert_eq!((tally.retries, tally.lost), (2, 0));
    assert_eq!(tally.written, got.len() as u64 - 2);
    // Once that it is away and once that it is back, however often it was asked.
    let [away, back] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert_eq!(
        away,
        "output receiver: does not take points: answered 503; points wait for it"
    );
    assert!(back.starts_with("output receiver: takes points again"));
}

#[test]
fn what_a_receiver_never_takes_is_counted_and_what_comes_next_is_sent() {
    let (url, told) = receiver(&[
        "400 Bad Request",
        "302 Found\r\nlocation: http://127.0.0.1/",
    ]);
    let (tally, said) = written(&url, LONG);
    let got = told.try_iter().count() as u64;
    assert_eq!((tally.lost, tally.retries), (2, 0));
    assert_eq!(tally.written, got - 2);
    assert_eq!(tally.last_error.as_deref(), Some("answered 302"));
    assert_eq!(
        said,
        ["output receiver: takes not all points: answered 400"]
    );
}

#[test]
fn when_nobody_answers_the_limit_ends_it_and_all_is_counted_as_lost() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/write", nobody.local_addr().expect("bound"));
    drop(nobody);
    let (tally, _) = written(&url, Duration::from_millis(1));
    assert_eq!(tally.written, 0);
    // Three readings, the last one, and the end of the series.
    assert!(tally.lost >= 5, "{tally:?}");
    let error = tally.last_error.expect("a reason");
    assert!(error.contains("refused"), "{error}");
}

#[test]
fn an_error_repeats_no_secret() {
    let (url, _told) = receiver(&[]);
    let url = url.replace("/write", "/write?key=abcdefgh");
    let (tally, said) = written(
        &url.replace("127.0.0.1", "127.0.0.1.invalid"),
        Duration::from_secs(1),
    );
    assert!(!said.is_empty());
    for text in tally.last_error.iter().chain(&said) {
        assert!(!text.contains("abcdefgh"), "{text}");
    }
}
