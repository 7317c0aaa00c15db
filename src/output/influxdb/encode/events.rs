//! What begins and ends, for annotations: phases, faults and alerts.

use std::sync::Arc;

use super::super::line::{point, push_tag, quoted};
use super::{Encoder, Take};
use crate::history::{AlertChange, FaultMark, Moment};

/// Something with a beginning and an end, for annotations.
struct Annotation<'a> {
    kind: &'a str,
    name: &'a str,
    text: &'a str,
    from_ns: u64,
    to_ns: u64,
}

impl Encoder {
    /// All phases as planned, or as far as the load has come.
    pub(super) fn phases(&mut self, ended_ns: Option<u64>, take: Take<'_>) {
        let plan = Arc::clone(&self.names.plan);
        let load_ns = self.names.load_ns;
        for (number, phase) in (0_u64..).zip(&plan.phases) {
            // Two loads may have phases of one name that begin together.
            let from_ns = load_ns + phase.from.as_nanos() as u64 + number;
            if phase.load.is_none() || ended_ns.is_some_and(|ended_ns| ended_ns <= from_ns) {
                continue;
            }
            let to_ns = load_ns + phase.to.as_nanos() as u64;
            let load = phase.load.and_then(|load| plan.loads.get(load));
            self.annotation(
                &Annotation {
                    kind: "phase",
                    name: &phase.name,
                    text: load.map_or("", |load| &load.name),
                    from_ns,
                    to_ns: ended_ns.map_or(to_ns, |ended_ns| to_ns.min(ended_ns)),
                },
                take,
            );
        }
    }

    /// A beginning is written with no length, and once more with the end when that is known: of one
    /// series and time, so the second replaces the first.
    pub(super) fn fault(&mut self, mark: &FaultMark, take: Take<'_>) {
        self.names.regimes.take(mark);
        let key = (mark.fault, mark.occurrence);
        let (from_ns, text) = match &mark.moment {
            Moment::Applied => (self.event_ns(mark.at_ns), "applied".to_owned()),
            Moment::Healed => match self.faults.get(&key).copied() {
                Some(from_ns) => (from_ns, "applied and healed".to_owned()),
                None => (self.event_ns(mark.at_ns), "healed".to_owned()),
            },
            Moment::NotApplied { why } => {
                (self.event_ns(mark.at_ns), format!("not applied: {why}"))
            }
            Moment::NotHealed { why } => match self.faults.get(&key).copied() {
                Some(from_ns) => (from_ns, format!("applied, NOT healed: {why}")),
                None => (self.event_ns(mark.at_ns), format!("NOT healed: {why}")),
            },
            _ => return,
        };
        self.faults.insert(key, from_ns);
        let plan = Arc::clone(&self.names.plan);
        let fault = plan.faults.get(usize::from(mark.fault));
        self.annotation(
            &Annotation {
                kind: "fault",
                name: fault.map_or("?", |fault| &fault.name),
                text: &text,
                from_ns,
                to_ns: mark.at_ns,
            },
            take,
        );
    }

    pub(super) fn alert(&mut self, at_ns: u64, change: &AlertChange, take: Take<'_>) {
        let (name, from_ns, text) = match change {
            AlertChange::Firing { alert, name, .. } => {
                let from_ns = self.event_ns(at_ns);
                self.alerts.insert(*alert, (from_ns, name.clone()));
                (name.clone(), from_ns, "fires")
            }
            AlertChange::Cleared { alert } => match self.alerts.remove(alert) {
                Some((from_ns, name)) => (name, from_ns, "has fired"),
                None => ("?".to_owned(), self.event_ns(at_ns), "has cleared"),
            },
            _ => return,
        };
        self.annotation(
            &Annotation {
                kind: "alert",
                name: &name,
                text,
                from_ns,
                to_ns: at_ns,
            },
            take,
        );
    }

    /// Two alerts of one name may begin to fire at one reading.
    fn event_ns(&mut self, at_ns: u64) -> u64 {
        self.last_event_ns = at_ns.max(self.last_event_ns + 1);
        self.last_event_ns
    }

    fn annotation(&mut self, of: &Annotation<'_>, take: Take<'_>) {
        let mut tags = self.common.clone();
        push_tag(&mut tags, "kind", of.kind);
        push_tag(&mut tags, "name", of.name);
        let title = quoted(&format!("{} {}", of.kind, of.name));
        let text = quoted(of.text);
        let end_ms = (self.names.origin_ns + of.to_ns.max(of.from_ns)) / 1_000_000;
        let fields = format_args!("title={title},text={text},time_end_ms={end_ms}i");
        let at = self.names.origin_ns + of.from_ns;
        point(&mut self.line, "fcfs_events", &tags, fields, at);
        take(&self.line);
    }
}
