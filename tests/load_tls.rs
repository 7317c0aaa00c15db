//! HTTPS and HTTP/2: what is trusted, what is agreed, and what becomes of attempts there.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/bench.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod bench;
#[path = "support/http2.rs"]
mod http2;
#[path = "support/target.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod target;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bench::Bench;
use fcfs_bench::history::{Cause, OutcomeKind};
use http2::{Http2Target, Treatment};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use target::{Reply, Target};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// A certificate for the loopback address that nobody trusts, unless its file is named.
struct Certificate {
    key: Arc<CertifiedKey>,
    file: PathBuf,
    _directory: TempDir,
}

impl Certificate {
    fn new() -> Self {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("certificate.pem");
        std::fs::write(&file, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        Self {
            key: Arc::new(CertifiedKey::new(vec![made.cert.der().clone()], key)),
            file,
            _directory: directory,
        }
    }
}

/// Shows the first certificate so often, and then the second.
#[derive(Debug)]
struct Shown {
    first: Arc<CertifiedKey>,
    times: usize,
    then: Arc<CertifiedKey>,
    count: AtomicUsize,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let first = self.count.fetch_add(1, Ordering::Relaxed) < self.times;
        Some(Arc::clone(if first { &self.first } else { &self.then }))
    }
}

fn acceptor(first: &Certificate, times: usize, then: &Certificate, alpn: &[&str]) -> TlsAcceptor {
    fcfs_bench::tls::install_provider();
    let shown = Shown {
        first: Arc::clone(&first.key),
        times,
        then: Arc::clone(&then.key),
        count: AtomicUsize::new(0),
    };
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

fn twelve() -> Bench {
    Bench::load("per_vu_iterations: { vus: 3, iterations: 4 }")
}

fn with_http2(bench: &Bench) -> Bench {
    bench.clone().target("http2: true")
}

#[test]
fn https_works_with_a_certificate_that_the_system_trusts() {
    let trusted = Certificate::new();
    let tls = acceptor(&trusted, usize::MAX, &trusted, &["http/1.1"]);
    let target = Target::start_tls(tls, |_| Reply::issued().after(Duration::from_millis(5)));
    let bench = twelve().environment("SSL_CERT_FILE", &trusted.file);
    let ran = bench.run(&target.url());
    assert_eq!(
        (ran.issued(), target.seen().len()),
        (12, 12),
        "{}",
        ran.errors
    );
    let seen = target.seen();
    let used: HashSet<_> = seen.iter().map(|seen| seen.request.connection).collect();
    assert_eq!(used.len(), 3);
}

#[test]
fn a_certificate_that_changes_in_mid_run_is_refused_and_nothing_is_sent() {
    let (trusted, other) = (Certificate::new(), Certificate::new());
    // One handshake to see whether the target is there (more on a busy machine), the rest for VUs.
    let tls = acceptor(&trusted, 4, &other, &["http/1.1"]);
    let target = Target::start_tls(tls, |request| {
        if request.on_connection == 1 {
            Reply::issued().close()
        } else {
            Reply::issued()
        }
    });
    let bench = twelve().environment("SSL_CERT_FILE", &trusted.file);
    let ran = bench.run(&target.url());
    let refused = ran.ending(OutcomeKind::NotSent, Cause::TlsFailed);
    let issued = ran.issued();
    assert_eq!(issued + refused, 12, "{:?}", ran.operations());
    assert!(issued > 0 && refused >= 6, "{:?}", ran.operations());
    assert_eq!(
        target.seen().len(),
        issued,
        "nothing was sent to the other certificate"
    );
}

#[test]
fn a_target_that_is_not_trusted_is_not_ready() {
    let (trusted, other) = (Certificate::new(), Certificate::new());
    let tls = acceptor(&other, usize::MAX, &other, &["http/1.1"]);
    let target = Target::start_tls(tls, |_| Reply::issued());
    let bench = twelve().environment("SSL_CERT_FILE", &trusted.file);
    let ran = bench.run(&target.url());
    assert_eq!(ran.status.code(), Some(113));
    assert!(ran.errors.contains("certificate"), "{}", ran.errors);
    assert_eq!(target.seen().len(), 0);
}

#[test]
fn a_target_that_does_not_agree_to_http2_is_not_ready() {
    let trusted = Certificate::new();
    let tls = acceptor(&trusted, usize::MAX, &trusted, &[]);
    let target = Target::start_tls(tls, |_| Reply::issued());
    let bench = with_http2(&twelve()).environment("SSL_CERT_FILE", &trusted.file);
    let ran = bench.run(&target.url());
    assert_eq!(ran.status.code(), Some(113));
    assert!(ran.errors.contains("HTTP/2"), "{}", ran.errors);
    assert_eq!(target.seen().len(), 0);
}

#[test]
fn http2_works_by_prior_knowledge() {
    for threads in [1, 2] {
        let target = Http2Target::start(None, |_| Treatment::Answer(201));
        let ran = with_http2(&twelve()).threads(threads).run(&target.url());
        assert_eq!((ran.issued(), target.seen()), (12, 12), "{}", ran.errors);
        // One look at the target, and a connection for each VU.
        assert_eq!(target.connections(), 4);
    }
}

#[test]
fn http2_works_over_tls() {
    let trusted = Certificate::new();
    let tls = acceptor(&trusted, usize::MAX, &trusted, &["h2"]);
    let target = Http2Target::start(Some(tls), |_| Treatment::Answer(201));
    let bench = with_http2(&twelve()).environment("SSL_CERT_FILE", &trusted.file);
    let ran = bench.run(&target.url());
    assert_eq!((ran.issued(), target.seen()), (12, 12), "{}", ran.errors);
}

#[test]
fn http2_attempts_without_an_answer_are_unknown_and_recorded_once() {
    let table = [
        (
            "a stream that is reset",
            Treatment::Reset,
            Cause::ConnectionLost,
        ),
        (
            "a connection that ends",
            Treatment::Close,
            Cause::ConnectionLost,
        ),
        ("silence", Treatment::Silence, Cause::Timeout),
        (
            "an answer that nobody declares",
            Treatment::Answer(503),
            Cause::Undeclared,
        ),
    ];
    for (name, treatment, cause) in table {
        let target = Http2Target::start(None, move |number| {
            if number.is_multiple_of(2) {
                treatment
            } else {
                Treatment::Answer(201)
            }
        });
        let ran = with_http2(&twelve()).timeout("200ms").run(&target.url());
        let unknown = ran.ending(OutcomeKind::Unknown, cause);
        assert_eq!(
            (unknown, ran.issued()),
            (6, 6),
            "{name}: {:?}",
            ran.operations()
        );
        assert_eq!(target.seen(), 12, "{name}");
    }
}

#[test]
fn a_server_without_http2_leaves_attempts_unknown() {
    let target = Target::start(|_| Reply::issued());
    let ran = with_http2(&twelve()).timeout("1s").run(&target.url());
    let unknown = ran
        .operations()
        .iter()
        .filter(|o| o.kind == OutcomeKind::Unknown)
        .count();
    assert_eq!(unknown, 12, "{:?}", ran.operations());
}

#[test]
fn an_authority_of_ones_own_is_trusted_beside_the_systems() {
    let (own, other) = (Certificate::new(), Certificate::new());
    let tls = acceptor(&own, usize::MAX, &own, &["http/1.1"]);
    let target = Target::start_tls(tls, |request| match request.path.as_str() {
        "/left" => Reply::answer(200, "5"),
        _ => Reply::issued(),
    });
    let truth = "truth: { remaining: { http: { get: /left } } }";
    let ca = |file: &std::path::Path| {
        twelve()
            .target(&format!("ca: \"{}\", ready: /up", file.display()))
            .outer(truth)
    };
    let ran = ca(&own.file).run(&target.url());
    assert_eq!(ran.issued(), 12, "{}", ran.errors);
    let ran = ca(&other.file).run(&target.url());
    assert_eq!(ran.status.code(), Some(113));
    assert!(ran.errors.contains("certificate"), "{}", ran.errors);
    // What the system trusts stays trusted.
    let ran = ca(&other.file)
        .environment("SSL_CERT_FILE", &own.file)
        .run(&target.url());
    assert_eq!(ran.issued(), 12, "{}", ran.errors);
    let seen = target.seen();
    let read = seen.iter().filter(|seen| seen.request.path == "/left");
    assert!(read.count() >= 2, "the truth trusts it, too");
}

#[test]
fn an_authority_that_is_no_certificate_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let run = || {
        twelve()
            .target(&format!("ca: \"{}\"", file.display()))
            .run("https://127.0.0.1:1")
    };
    let table: [(Option<&str>, &str); 3] = [
        (None, "failed to read it: No such file"),
        (Some("not a certificate\n"), "it holds no certificate"),
        (
            Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
            "is broken",
        ),
    ];
    for (content, words) in table {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let ran = run();
        assert_eq!(ran.status.code(), Some(113), "{}", ran.errors);
        let named = ran.errors.contains("ca.pem: ") && ran.errors.contains(words);
        assert!(named, "{words}: {}", ran.errors);
    }
}
