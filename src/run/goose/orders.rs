//! What the process of Goose is told: the inputs of the plan, and what the run has found out. It goes
//! through a pipe, since values of the environment are in it.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use crate::history::Key;
use crate::load::http::Endpoint;
use crate::plan::{self, BaseUrl, Overrides, Plan};
use crate::run::generator::Known;
use crate::scenario::{Included, Variables, Written};

/// Everything that the process needs before the start.
#[derive(Serialize, Deserialize)]
pub(super) struct Orders {
    file_name: String,
    text: String,
    /// Names and what they hold, or why they cannot be read.
    included: Vec<(String, Result<String, String>)>,
    overrides: Overrides,
    /// Stands for the plan that the harness has made of these inputs.
    plan: String,
    /// Of the run.
    pub(super) clock: (u64, u64),
    instances: Vec<Instance>,
    /// Certificates that are trusted, in DER as base64.
    roots: Vec<String>,
    /// What every VU knows from the start.
    pub(super) slots: Vec<Option<String>>,
    pub(super) threads: usize,
}

#[derive(Serialize, Deserialize)]
struct Instance {
    https: bool,
    host: String,
    port: u16,
    prefix: String,
    /// Where requests go: a fault may be on the way.
    address: SocketAddr,
}

impl Orders {
    pub(super) fn of(known: &Known<'_>) -> Self {
        let included = known.written.included.iter();
        let instances = known.endpoints.iter().filter_map(|endpoint| {
            let url = endpoint.url.clone();
            Some(Instance {
                https: url.https,
                host: url.host,
                port: url.port,
                prefix: url.prefix,
                address: endpoint.address()?,
            })
        });
        let roots = known.roots.iter();
        Self {
            file_name: known.written.file_name.clone(),
            text: known.written.text.clone(),
            included: included
                .map(|file| (file.name.clone(), file.text.clone()))
                .collect(),
            overrides: known.overrides.clone(),
            plan: fingerprint(known.plan),
            clock: known.clock.for_a_child(),
            instances: instances.collect(),
            roots: roots.map(|root| BASE64_STANDARD.encode(root)).collect(),
            slots: known.slots.to_vec(),
            threads: known.threads,
        }
    }

    /// The plan of these inputs.
    ///
    /// # Errors
    /// In words, when it is not the one that the harness has.
    pub(super) fn plan(&self) -> Result<Plan, String> {
        let included = self.included.iter().map(|(name, text)| Included {
            name: name.clone(),
            text: text.clone(),
        });
        let written = Written {
            file_name: self.file_name.clone(),
            text: self.text.clone(),
            included: included.collect(),
        };
        let file = self.overrides.env_file.as_ref().map(std::path::Path::new);
        let variables = file.map_or_else(|| Ok(Variables::default()), Variables::read);
        let variables = variables.map_err(|error| error.to_string())?;
        let environment = |name: &str| std::env::var(name).ok().or_else(|| variables.get(name));
        let plan = plan::load_written(&written, &self.overrides, &environment);
        let plan = plan.map_err(|error| error.to_string())?;
        if fingerprint(&plan) != self.plan {
            return Err("the process of Goose has made another plan of the same scenario".into());
        }
        Ok(plan)
    }

    /// The instances of the target.
    ///
    /// # Errors
    /// In words, when a host has no address or a certificate is none.
    pub(super) async fn endpoints(&self) -> Result<Vec<Endpoint>, String> {
        let decoded = self.roots.iter().map(|root| BASE64_STANDARD.decode(root));
        let roots = decoded.collect::<Result<Vec<_>, _>>();
        let roots = roots.map_err(|error| error.to_string())?;
        let roots: Vec<_> = roots.into_iter().map(CertificateDer::from).collect();
        let mut endpoints = Vec::new();
        for instance in &self.instances {
            let url = BaseUrl {
                https: instance.https,
                host: instance.host.clone(),
                port: instance.port,
                prefix: instance.prefix.clone(),
            };
            let endpoint = Endpoint::resolve(url, false, &roots).await;
            let endpoint = endpoint.map_err(|error| format!("{}: {error}", instance.host))?;
            endpoints.push(endpoint.by(instance.address));
        }
        Ok(endpoints)
    }
}

/// The same for equal plans.
fn fingerprint(plan: &Plan) -> String {
    format!("{:016x}", Key::of(&format!("{plan:?}")).0)
}
