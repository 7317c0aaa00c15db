//! Signs of life of the stores that a server needs, for its health and for who scrapes it.

use std::fmt::Display;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};

/// How long a store may take to answer while a scrape waits; what is later counts as down.
pub(crate) const SCRAPE_LIMIT: Duration = Duration::from_secs(2);

/// A question to one store, which nobody has asked yet.
pub(crate) struct Question<'a> {
    store: &'static str,
    answer: BoxFuture<'a, Result<(), String>>,
}

impl<'a> Question<'a> {
    /// To a store by its name, as `/health` and the metrics show it.
    pub(crate) fn to<E: Display>(
        store: &'static str,
        asked: impl Future<Output = Result<(), E>> + Send + 'a,
    ) -> Self {
        let answer = async { asked.await.map_err(|error| error.to_string()) };
        Self {
            store,
            answer: Box::pin(answer),
        }
    }

    pub(crate) fn to_database(
        asked: impl Future<Output = Result<(), sqlx::Error>> + Send + 'a,
    ) -> Self {
        Self::to("database", asked)
    }

    pub(crate) fn to_redis(
        asked: impl Future<Output = Result<(), redis::RedisError>> + Send + 'a,
    ) -> Self {
        Self::to("redis", asked)
    }

    pub(crate) fn to_kafka(
        asked: impl Future<Output = Result<(), rdkafka::error::KafkaError>> + Send + 'a,
    ) -> Self {
        Self::to("kafka", asked)
    }
}

/// What one store answered, and after how long.
pub(crate) struct Sign {
    pub(crate) store: &'static str,
    pub(crate) took: Duration,
    pub(crate) answer: Result<(), String>,
}

/// Asks all at once, and waits for all.
pub(crate) async fn ask(questions: Vec<Question<'_>>) -> Vec<Sign> {
    join_all(questions.into_iter().map(|question| async move {
        let started = Instant::now();
        let answer = question.answer.await;
        Sign {
            store: question.store,
            took: started.elapsed(),
            answer,
        }
    }))
    .await
}

/// The same, but nobody is waited for longer than a scrape may take.
pub(crate) async fn ask_for_scrape(questions: Vec<Question<'_>>) -> Vec<Sign> {
    let limited = questions.into_iter().map(|Question { store, answer }| {
        let limited = tokio::time::timeout(SCRAPE_LIMIT, answer);
        Question::to(store, async {
            limited
                .await
                .unwrap_or_else(|_| Err("no answer in time".to_owned()))
        })
    });
    ask(limited.collect()).await
}

/// 200 once every store answers, else 503 with those that do not.
pub(crate) fn response(signs: &[Sign]) -> (StatusCode, Json<Value>) {
    let mut down = Map::new();
    for Sign { store, answer, .. } in signs {
        if let Err(error) = answer {
            tracing::warn!(event = "unhealthy", store, %error);
            down.insert((*store).to_owned(), "down".into());
        }
    }
    if down.is_empty() {
        let mut up: Map<_, Value> = signs
            .iter()
            .map(|sign| (sign.store.to_owned(), "up".into()))
            .collect();
        up.insert("status".to_owned(), "ok".into());
        return (StatusCode::OK, Json(Value::Object(up)));
    }
    down.insert("status".to_owned(), json!("down"));
    (StatusCode::SERVICE_UNAVAILABLE, Json(Value::Object(down)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(store: &'static str) -> Question<'static> {
        Question::to::<String>(store, std::future::ready(Ok(())))
    }

    fn broken(store: &'static str) -> Question<'static> {
        Question::to(store, std::future::ready(Err("refused")))
    }

    #[tokio::test]
    async fn every_store_that_does_not_answer_is_named_and_the_others_are_not() {
        let signs = ask(vec![broken("redis"), well("database"), broken("kafka")]).await;
        let (status, Json(body)) = response(&signs);
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            body,
            json!({ "status": "down", "redis": "down", "kafka": "down" })
        );
        let (status, Json(body)) = response(&ask(vec![well("redis")]).await);
        assert_eq!(
            (status, body),
            (StatusCode::OK, json!({ "status": "ok", "redis": "up" }))
        );
    }

    #[tokio::test]
    async fn a_scrape_waits_for_nobody_who_does_not_answer() {
        let hangs = Question::to::<String>("redis", std::future::pending());
        let signs = ask_for_scrape(vec![hangs, well("database")]).await;
        assert_eq!(signs[0].answer, Err("no answer in time".to_owned()));
        assert_eq!(signs[1].answer, Ok(()));
    }
}
