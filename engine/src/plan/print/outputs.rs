//! What leaves the run while it goes on, in the plan as text: no password, no token.

use std::fmt::{Result, Write as _};

use crate::plan::{Influxdb, InfluxdbTo, Plan, Prometheus, Store, StoreGate};
use crate::scenario::value::{Count, Size, Span};

pub(super) fn print(plan: &Plan, out: &mut String) -> Result {
    let outputs = &plan.outputs;
    if outputs.is_empty() {
        return Ok(());
    }
    writeln!(out, "\noutputs")?;
    for one in &outputs.influxdb {
        influxdb(one, out)?;
    }
    for (name, file) in [("json", &outputs.json), ("csv", &outputs.csv)] {
        if let Some(file) = file {
            writeln!(out, "  {name:<9} {}, {}", file.file, file.mode)?;
        }
    }
    let Prometheus {
        listen,
        remote_write,
    } = &outputs.prometheus;
    if let Some(listen) = listen {
        writeln!(out, "  prometheus is answered at http://{listen}/metrics")?;
    }
    if let Some(to) = remote_write {
        let credentials = to
            .authorization
            .as_ref()
            .map_or("", |_| ", with credentials");
        writeln!(
            out,
            "  prometheus remote write to {}{credentials}, each {}, {} at the end",
            to.url,
            Span(to.every),
            Span(to.drain)
        )?;
    }
    Ok(())
}

fn influxdb(one: &Influxdb, out: &mut String) -> Result {
    match &one.to {
        InfluxdbTo::File(file) => write!(out, "  influxdb  {file}, {}", one.mode)?,
        InfluxdbTo::Store(store) => {
            write!(out, "  influxdb  {}, {}", place(store), one.mode)?;
            let Store {
                every,
                batch,
                gzip,
                spool,
                drain,
                ..
            } = &**store;
            let zip = if *gzip { "gzip" } else { "not compressed" };
            let (batch, spool) = (Count(*batch), Size(*spool));
            write!(
                out,
                ", {batch} points or each {}, {zip}, {spool} may wait on disk, {} at the end",
                Span(*every),
                Span(*drain)
            )?;
        }
    }
    if let Some(testid) = &one.testid {
        write!(out, ", testid {testid}")?;
    }
    for (name, value) in &one.tags {
        write!(out, ", {name} {value}")?;
    }
    writeln!(out)
}

fn place(store: &Store) -> String {
    match &store.gate {
        StoreGate::V1 { db, account } => {
            let account = if account.is_some() {
                ", with credentials"
            } else {
                ""
            };
            format!("{}, database {db}{account}", store.url)
        }
        StoreGate::V2 { org, bucket, token } => {
            let token = if token.is_some() {
                ", with a token"
            } else {
                ""
            };
            format!("{}, bucket {bucket} of {org}{token}", store.url)
        }
    }
}
