//! Members with tokens who ask servers of document C, in process or on a port.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reference_server::{JwtSecret, Node, Options};
use ring::hmac::{self, HMAC_SHA256};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::common::default_options;

pub(crate) const SECRET: &str = "only for tests";

/// As a router, queue or coupon server that knows the members.
pub(crate) fn options() -> Options {
    Options {
        jwt_secret: JwtSecret::new(SECRET.to_owned()),
        ..default_options()
    }
}

/// A member's token without an end.
pub(crate) fn token(member: u64) -> String {
    signed(SECRET, &json!({ "sub": member.to_string() }))
}

pub(crate) fn signed(secret: &str, claims: &Value) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let key = hmac::Key::new(HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, format!("{header}.{claims}").as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
    format!("{header}.{claims}.{signature}")
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Status and code of the envelope, after a look at its shape.
    pub(crate) fn outcome(&self) -> (u16, &str) {
        let status = self.status.as_u16();
        assert_eq!(self.body["statusCode"], status, "{self:?}");
        let fields = self.body.as_object().unwrap();
        let mut fields: Vec<_> = fields.keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["code", "data", "message", "statusCode"]);
        (status, self.body["code"].as_str().unwrap())
    }

    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.outcome(), (200, "success"), "{self:?}");
        &self.body["data"]
    }
}

/// A server that can be asked: in process, or at `http://HOST:PORT`.
#[derive(Clone)]
pub(crate) enum At {
    Here(Router),
    Url(String, Box<Client<HttpConnector, Full<Bytes>>>),
}

impl At {
    pub(crate) fn url(url: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self::Url(url.to_owned(), Box::new(client))
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let (head, body) = match self {
            Self::Here(app) => {
                let response = app.clone().oneshot(request.map(Body::new)).await.unwrap();
                let (head, body) = response.into_parts();
                (head, body.collect().await.unwrap().to_bytes())
            }
            Self::Url(url, client) => {
                let (mut head, body) = request.into_parts();
                head.uri = format!("{url}{}", head.uri).parse().unwrap();
                let response = client.request(Request::from_parts(head, body)).await;
                let (head, body) = response.unwrap().into_parts();
                (head, body.collect().await.unwrap().to_bytes())
            }
        };
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        Answer {
            status: head.status,
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or_else(|_| text()),
        }
    }

    /// A request with a token in its header.
    pub(crate) async fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(body));
        self.send(request.unwrap()).await
    }

    pub(crate) async fn event(&self, member: u64) -> Answer {
        let path = "/api/event/coupon/1";
        self.ask("GET", path, &token(member), &Value::Null).await
    }

    pub(crate) async fn enter(&self, member: u64) -> Answer {
        let body = json!({ "domain": "COUPON", "resourceId": 1 });
        let path = "/api/queue/enter";
        self.ask("POST", path, &token(member), &body).await
    }

    pub(crate) async fn order(&self, member: u64) -> Answer {
        let path = "/api/queue/order?domain=COUPON&resourceId=1";
        self.ask("GET", path, &token(member), &Value::Null).await
    }

    pub(crate) async fn heartbeat(&self, member: u64) -> Answer {
        let body = json!({ "domain": "COUPON", "resourceId": "1" });
        let path = "/api/queue/heartbeat";
        self.ask("PATCH", path, &token(member), &body).await
    }

    pub(crate) async fn issue(&self, member: u64) -> Answer {
        let body = json!({ "resourceId": 1 });
        self.ask("POST", "/api/coupon/1", &token(member), &body)
            .await
    }

    /// Changes the settings of event 1.
    pub(crate) async fn set(&self, threshold: u32, transfer_size: u32, traffic_rpm: u32) {
        let body = json!({
            "domain": "COUPON", "resourceId": 1, "threshold": threshold,
            "transferSize": transfer_size, "trafficRpm": traffic_rpm,
        });
        let path = "/api/admin/queue/config";
        let answer = self.ask("PUT", path, &token(0), &body).await;
        assert_eq!(answer.data()["threshold"], threshold);
    }
}

/// A server in process, ended with this.
pub(crate) struct Running {
    pub(crate) node: Node,
    pub(crate) at: At,
}

impl Running {
    pub(crate) async fn start(options: &Options) -> Self {
        let node = Node::prepare(options).await.unwrap();
        Self {
            at: At::Here(node.app()),
            node,
        }
    }

    pub(crate) async fn stop(self) {
        self.node.shutdown().await.unwrap();
    }

    /// Opens a port for it, for as long as the test's runtime lives.
    pub(crate) async fn listen(&self) -> String {
        listen(self.node.app()).await
    }
}

pub(crate) async fn listen(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// Asks again until it is so; what is not so after a minute never will be.
pub(crate) async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let limit = Duration::from_mins(1);
    tokio::time::timeout(limit, asked).await.unwrap();
}
