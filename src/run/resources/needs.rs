//! How many connections a plan has open at the same time at the most, and how many files that takes.

use crate::load::Files;
use crate::plan::fault::{Injection, Party};
use crate::plan::{Action, By, Plan, Role, Target};

/// Files of a process beside the sockets of the load: its own, and connections to services.
const OTHER_FILES: u64 = 256;

/// Of each load thread: what it waits with.
const FILES_OF_THREAD: u64 = 4;

/// Files in a table of a load thread's own beside its connections and what the load threads wait with:
/// the standard streams, and what all other runtimes wait and are woken by.
const FILES_OF_TABLE: u64 = 64;

/// Connections at the same time, at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// To all instances.
    pub(super) connections: u64,
    /// Of them those of the load thread that has most.
    of_thread: u64,
    /// To the address that has most of them.
    pub(super) to_one: u64,
    /// The harness's own proxy is on their way.
    pub(super) by_link: bool,
    /// Of a process that this one starts, with those to the process behind it.
    of_server: u64,
}

impl Needs {
    /// Of all loads together, as if they were at the same time, on so many threads.
    pub(super) fn of(plan: &Plan, threads: usize) -> Self {
        let on = |threads: u64| {
            let of_load = |load: &crate::plan::Load| {
                let vus = plan.segment.share(load.executor.max_vus());
                let vus = vus.div_ceil(threads.max(1));
                vus.saturating_mul(of_one(&plan.flows[load.flow].actions))
            };
            plan.loads.iter().map(of_load).fold(0, u64::saturating_add)
        };
        let all = on(1);
        let by_link = plan.faults.iter().any(|fault| {
            let on_a_link = matches!(fault.injection, Injection::Link(_) | Injection::Partition);
            on_a_link && fault.victim.party == Party::Client
        });
        let (instances, same, goes_round) = match &plan.target {
            Target::Urls { urls, by, .. } => {
                let place = |url: &crate::plan::BaseUrl| (url.host.clone(), url.port);
                let same = |one| urls.iter().filter(|url| place(url) == place(one)).count();
                let same = urls.iter().map(same).max().unwrap_or(1);
                (urls.len() as u64, same as u64, *by == By::Turn)
            }
            // Its entry are the processes that start last.
            Target::Stack(stack) => {
                let entry = stack.groups.last().map_or(1, |group| group.count);
                (entry.into(), 1, true)
            }
        };
        let each = if goes_round {
            all
        } else {
            // Each load deals its VUs out from the first instance.
            all.div_ceil(instances.max(1)) + plan.loads.len() as u64
        };
        let to_one = each.saturating_mul(same);
        let of_server = match &plan.target {
            Target::Urls { .. } => 0,
            // An entry that is a router leads each of them on.
            Target::Stack(stack) => {
                let routed = stack.groups.iter().any(|group| group.role == Role::Router);
                to_one.saturating_mul(if routed { 2 } else { 1 })
            }
        };
        let times = if goes_round { instances } else { 1 };
        Self {
            connections: all.saturating_mul(times),
            of_thread: on(threads as u64).saturating_mul(times),
            to_one,
            by_link,
            of_server,
        }
    }

    /// Open files in one table, of the harness or of a process that it starts, whichever needs more.
    pub(super) fn files(&self, threads: usize, files: Files) -> u64 {
        let threads = (threads as u64).saturating_mul(FILES_OF_THREAD);
        let (in_process, in_thread) = match files {
            Files::OfProcess => (self.connections, 0),
            Files::OfThread => {
                let beside = FILES_OF_TABLE.saturating_add(threads);
                (0, self.of_thread.saturating_add(beside))
            }
        };
        // A connection by a link has two ends more here, those of the proxy.
        let ends_of_links = if self.by_link {
            self.connections.saturating_mul(2)
        } else {
            0
        };
        in_process
            .saturating_add(ends_of_links)
            .max(self.of_server)
            .saturating_add(OTHER_FILES.saturating_add(threads))
            .max(in_thread)
    }
}

/// Connections to one instance that one VU may have open: its own, and one for each branch that it
/// goes at the same time. They stay open for the next branches.
fn of_one(actions: &[Action]) -> u64 {
    branches(actions).into_iter().fold(1, u64::saturating_add)
}

/// Connections of each branch, where all that the actions have are counted in the same places.
fn branches(actions: &[Action]) -> Vec<u64> {
    let mut most = Vec::new();
    let mut take = |branches: Vec<u64>| {
        if branches.len() > most.len() {
            most.resize(branches.len(), 0);
        }
        for (most, one) in most.iter_mut().zip(branches) {
            *most = one.max(*most);
        }
    };
    for action in actions {
        match action {
            Action::Request(_) | Action::Think(..) => {}
            Action::When(when) => {
                take(branches(&when.then));
                take(branches(&when.otherwise));
            }
            Action::Each(each) => take(branches(&each.actions)),
            Action::Parallel(parallel) => {
                let once = parallel.branches.iter().map(|branch| of_one(branch));
                let once: Vec<u64> = once.collect();
                take(once.repeat(parallel.times as usize));
            }
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Overrides, load};

    /// What 100 VUs of this flow need at this target.
    fn needs(target: &str, flow: &str) -> Needs {
        let text = format!(
            "name: needs\ntarget: {target}\nload: {{ l: {{ constant_vus: {{ vus: 100, for: 1s }} }} }}\nflows: {{ f: [ {flow} ] }}\n"
        );
        let plan = load("needs.yaml", &text, &Overrides::default(), &|_| None);
        Needs::of(&plan.unwrap_or_else(|problems| panic!("{problems}")), 3)
    }

    const ONE: &str = "{ url: \"http://127.0.0.1:1\" }";

    #[test]
    fn each_branch_has_a_connection_of_its_own_and_nested_ones_too() {
        let table = [
            ("{ get: /a }", 100),
            (
                "{ name: a, get: /a }, { think: 1s }, { name: b, get: /b }",
                100,
            ),
            (
                "{ parallel: [ { name: a, get: /a }, { name: b, get: /b } ] }",
                300,
            ),
            ("{ parallel: { times: 5, do: [ { get: /a } ] } }", 600),
            // The second takes the branches of the first.
            (
                "{ parallel: { times: 5, do: [ { name: a, get: /a } ] } }, { parallel: [ { name: b, get: /b }, { name: c, get: /c } ] }",
                600,
            ),
            (
                "{ parallel: { times: 2, do: [ { parallel: { times: 3, do: [ { get: /a } ] } } ] } }",
                900,
            ),
        ];
        for (flow, connections) in table {
            let needs = needs(ONE, flow);
            let both = (needs.connections, needs.to_one);
            assert_eq!(both, (connections, connections), "{flow}");
            let together = needs.files(3, Files::OfProcess);
            assert_eq!(together, connections + OTHER_FILES + 12, "{flow}");
        }
    }

    #[test]
    fn a_table_of_its_own_takes_the_connections_of_one_thread() {
        let flow = "{ parallel: { times: 29, do: [ { get: /a } ] } }";
        let needs = needs(ONE, flow);
        assert_eq!(needs.connections, 3_000);
        // 34 of 100 VUs; one has 30 connections.
        let of_thread = 34 * 30 + FILES_OF_TABLE + 12;
        assert_eq!(needs.files(3, Files::OfThread), of_thread);
        // A server that has all of them is not helped by threads here.
        let ours = Needs {
            of_server: 3_000,
            ..needs
        };
        assert_eq!(ours.files(3, Files::OfThread), 3_000 + OTHER_FILES + 12);
        // Nor is the proxy.
        let by_link = Needs {
            by_link: true,
            ..needs
        };
        assert_eq!(by_link.files(3, Files::OfThread), 6_000 + OTHER_FILES + 12);
    }

    #[test]
    fn instances_are_asked_by_all_or_each_by_some() {
        let urls = "urls: [ \"http://127.0.0.1:1\", \"http://127.0.0.1:2\" ]";
        let turn = needs(&format!("{{ {urls} }}"), "{ get: / }");
        assert_eq!((turn.connections, turn.to_one), (200, 100));
        let vu = needs(&format!("{{ {urls}, by: vu }}"), "{ get: / }");
        assert_eq!((vu.connections, vu.to_one), (100, 51));
    }
}
