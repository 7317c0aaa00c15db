//! Asks Prometheus, or who answers as it does, which alerts fire.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::error::{Fault, ProbeError, place};
use super::http::{HttpProbe, RowPointers};
use super::shape::quoted;
use crate::measure::alert::{Labels, NAME};
use crate::plan::Alerts;

/// What is asked, behind the address.
const PATH: &str = "/api/v1/alerts";

/// More than this is not read: it is asked once a second.
const MAX_BODY: usize = 4 << 20;

/// Where alerts are.
#[derive(Debug)]
pub struct AlertsProbe {
    http: HttpProbe,
    place: String,
    only: Vec<String>,
}

impl AlertsProbe {
    /// Nothing is asked yet. `https:` trusts `roots` beside the system's own.
    ///
    /// # Errors
    /// When it can never be asked as it is written.
    pub fn open(of: &Alerts, roots: &[CertificateDer<'static>]) -> Result<Self, ProbeError> {
        let url = format!("{}{PATH}", of.prometheus);
        let place = place(&url);
        let header = of.authorization.as_ref();
        let header = header.map(|value| ("authorization".to_owned(), value.clone()));
        let headers: Vec<_> = header.into_iter().collect();
        let row = RowPointers::default();
        match HttpProbe::open(&url, &headers, String::new(), row, roots) {
            Ok(http) => Ok(Self {
                http,
                place,
                only: of.only.clone(),
            }),
            Err(fault) => Err(fault.at(&place)),
        }
    }

    /// The labels of each alert that fires now; those that are only pending do not.
    ///
    /// # Errors
    /// When there is no answer in this time, or another one than Prometheus would give.
    pub async fn firing(&self, within: Duration) -> Result<Vec<Labels>, ProbeError> {
        let answer = timeout(within, self.http.get(MAX_BODY)).await;
        let answer = answer.unwrap_or_else(|_| {
            let words = format!("no answer within {} ms", within.as_millis());
            Err(Fault::lost(words))
        });
        let firing = answer.and_then(|answer| firing(&answer, &self.only));
        firing.map_err(|fault| fault.at(&self.place))
    }
}

fn firing(answer: &Value, only: &[String]) -> Result<Vec<Labels>, Fault> {
    if answer["status"] != "success" {
        let start = quoted(&answer.to_string());
        return Err(Fault::answer(format!("it says no success: {start}")));
    }
    let Some(alerts) = answer.pointer("/data/alerts").and_then(Value::as_array) else {
        let start = quoted(&answer.to_string());
        return Err(Fault::answer(format!(
            "there is no list of alerts in {start}"
        )));
    };
    let fires = |alert: &&Value| alert["state"] == "firing";
    let labels: Result<Vec<Labels>, Fault> = alerts.iter().filter(fires).map(labels).collect();
    let is_meant = |labels: &Labels| only.is_empty() || only.contains(&labels[NAME]);
    Ok(labels?.into_iter().filter(is_meant).collect())
}

/// Its name is a label; vmalert has it beside them, too.
fn labels(alert: &Value) -> Result<Labels, Fault> {
    let none = Map::new();
    let written = alert["labels"].as_object().unwrap_or(&none);
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let mut labels: Labels = written.iter().filter_map(text).collect();
    if !labels.contains_key(NAME) {
        let Some(name) = alert["name"].as_str() else {
            let start = quoted(&alert.to_string());
            return Err(Fault::answer(format!("an alert has no name: {start}")));
        };
        labels.insert(NAME.to_owned(), name.to_owned());
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(answer: &Value, only: &[&str]) -> Result<Vec<String>, String> {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        let firing = firing(answer, &only).map_err(|fault| fault.words)?;
        Ok(firing.iter().map(|labels| labels[NAME].clone()).collect())
    }

    fn alert(name: &str, state: &str) -> Value {
        json!({
            "labels": { "alertname": name, "job": "coupon" },
            "annotations": { "summary": "x" },
            "state": state,
            "activeAt": "2026-11-21T08:48:15.5Z",
            "value": "1e+00",
        })
    }

    #[test]
    fn what_is_no_answer_of_prometheus_is_refused_in_words() {
        for (answer, words) in [
            (json!([]), "it says no success"),
            (
                json!({ "status": "error", "error": "no rules" }),
                "no rules",
            ),
            (
                json!({ "status": "success", "data": {} }),
                "no list of alerts",
            ),
            (
                json!({ "status": "success", "data": { "alerts": [{ "state": "firing" }] } }),
                "an alert has no name",
            ),
        ] {
            let error = names(&answer, &[]).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn those_are_told_that_fire_and_are_meant() {
        let of_vmalert = json!({ "state": "firing", "name": "Slow", "labels": { "job": "a" } });
        let alerts = json!([
            alert("Down", "firing"),
            alert("Late", "pending"),
            of_vmalert
        ]);
        let answer = json!({ "status": "success", "data": { "alerts": alerts } });
        let all = Ok(vec!["Down".to_owned(), "Slow".to_owned()]);
        assert_eq!(names(&answer, &[]), all);
        assert_eq!(
            names(&answer, &["Slow", "Late"]),
            Ok(vec!["Slow".to_owned()])
        );
    }
}
