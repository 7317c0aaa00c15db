//! Runs the timeline of faults beside the load: waits until each is due, leases it, injects it, looks
//! whether it bites, and heals it.
//!
//! Each fault of the plan is a task of its own. All of them heal what they have broken as soon as they
//! are told that the load is over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::arsenal::{Arsenal, Blow, Occurrence};
use super::book::Lease;
use super::guard::Leases;
use super::nemesis::Effect;
use super::timeline;
use crate::history::{FaultMark, Moment};
use crate::load::RunClock;
use crate::output::Live;
use crate::plan::Plan;
use crate::plan::fault::{Fault, Trigger};

/// Between two looks whether a fault bites.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How long injecting may take.
const INJECT_WITHIN: Duration = Duration::from_secs(30);

/// How long healing may take.
const HEAL_WITHIN: Duration = Duration::from_mins(2);

/// Where marks go, one at a time.
pub type Note = Box<dyn FnMut(FaultMark) + Send>;

/// What a timeline needs.
pub struct Start<'a> {
    /// What is to be broken, and when.
    pub plan: &'a Arc<Plan>,
    /// Whom it can be done to.
    pub arsenal: Arsenal,
    /// The one time of the run.
    pub clock: RunClock,
    /// When the load began.
    pub load_start_ns: u64,
    /// The last second of the load.
    pub live: watch::Receiver<Live>,
    /// Where leases are written down.
    pub leases: Leases,
    /// Where marks go.
    pub note: Note,
}

/// The timeline under way.
pub struct Faults {
    tasks: Vec<JoinHandle<()>>,
    over: watch::Sender<bool>,
}

/// What all tasks share.
struct Shared {
    plan: Arc<Plan>,
    arsenal: Arsenal,
    clock: RunClock,
    load_start_ns: u64,
    leases: Leases,
    note: Mutex<Note>,
    /// For each fault, when it was healed for the last time.
    healed: Vec<watch::Sender<Option<Instant>>>,
}

impl Faults {
    /// Begins.
    pub fn start(start: Start<'_>) -> Self {
        let faults = start.plan.faults.iter();
        let shared = Arc::new(Shared {
            plan: Arc::clone(start.plan),
            arsenal: start.arsenal,
            clock: start.clock,
            load_start_ns: start.load_start_ns,
            leases: start.leases,
            note: Mutex::new(start.note),
            healed: faults.map(|_| watch::channel(None).0).collect(),
        });
        let (over, is_over) = watch::channel(false);
        let tasks = (0..start.plan.faults.len()).map(|number| {
            let task = Task {
                shared: Arc::clone(&shared),
                number: number as u16,
                over: is_over.clone(),
                live: start.live.clone(),
            };
            tokio::spawn(task.run())
        });
        Self {
            tasks: tasks.collect(),
            over,
        }
    }

    /// Tells all faults that it is over: what is broken is healed from now on.
    pub fn finish(&self) {
        self.over.send_replace(true);
    }

    /// Waits until everything is healed, or has been found impossible to heal.
    pub async fn healed(mut self) {
        self.finish();
        for task in self.tasks.drain(..) {
            // One that panicked leaves its lease, which the janitor finds.
            let _ = task.await;
        }
    }
}

impl Shared {
    fn fault(&self, number: u16) -> &Fault {
        &self.plan.faults[usize::from(number)]
    }

    fn mark(&self, number: u16, occurrence: u32, moment: Moment) {
        let mark = FaultMark {
            at_ns: self.clock.now_ns(),
            fault: number,
            occurrence,
            moment,
        };
        let mut note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        (*note)(mark);
    }
}

/// One fault of the plan.
struct Task {
    shared: Arc<Shared>,
    number: u16,
    over: watch::Receiver<bool>,
    live: watch::Receiver<Live>,
}

/// When an occurrence begins.
#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    /// For one whose time the plan knows.
    planned_ns: Option<u64>,
}

impl Task {
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let fault = shared.fault(self.number);
        let Some(first) = self.first(fault).await else {
            shared.mark(self.number, 1, Moment::NeverDue);
            return;
        };
        let later = timeline::later(fault).map(|delay| Due {
            at: first.at + delay,
            planned_ns: first.planned_ns.map(|at| at + delay.as_nanos() as u64),
        });
        for (occurrence, due) in (1..).zip(std::iter::once(first).chain(later)) {
            if self.wait(due.at).await.is_none() {
                shared.mark(self.number, occurrence, Moment::NeverDue);
                return;
            }
            self.occur(fault, occurrence, due).await;
        }
        shared.healed[usize::from(self.number)].send_replace(Some(Instant::now()));
    }

    /// When it begins for the first time; `None` if the load ends before.
    async fn first(&mut self, fault: &Fault) -> Option<Due> {
        let shared = Arc::clone(&self.shared);
        match &fault.trigger {
            Trigger::At(at) => {
                let planned_ns = shared.load_start_ns + at.as_nanos() as u64;
                Some(Due {
                    at: shared.clock.instant(planned_ns),
                    planned_ns: Some(planned_ns),
                })
            }
            Trigger::After { fault, delay } => {
                let mut healed = shared.healed[*fault].subscribe();
                let at = tokio::select! {
                    healed = healed.wait_for(Option::is_some) => (*healed.ok()?)?,
                    _ = self.over.wait_for(|over| *over) => return None,
                };
                Some(Due {
                    at: at + *delay,
                    planned_ns: None,
                })
            }
            Trigger::When(condition) => loop {
                tokio::select! {
                    changed = self.live.changed() => changed.ok()?,
                    _ = self.over.wait_for(|over| *over) => return None,
                }
                let live = self.live.borrow_and_update().clone();
                if timeline::holds(condition, &live, &shared.plan) {
                    return Some(Due {
                        at: Instant::now(),
                        planned_ns: None,
                    });
                }
            },
        }
    }

    /// `None` if the load is over before.
    async fn wait(&mut self, until: Instant) -> Option<()> {
        tokio::select! {
            biased;
            _ = self.over.wait_for(|over| *over) => None,
            () = sleep_until(until) => Some(()),
        }
    }

    /// From asked to healed.
    async fn occur(&mut self, fault: &Fault, occurrence: u32, due: Due) {
        let shared = Arc::clone(&self.shared);
        let mark = |moment| shared.mark(self.number, occurrence, moment);
        let blows = shared.arsenal.blows(Occurrence {
            plan: &shared.plan,
            number: self.number,
            fault,
            time: occurrence,
        });
        let victims = blows.iter().flatten().map(|blow| blow.victim.clone());
        mark(Moment::Asked {
            victims: victims.collect(),
            due_ns: due.planned_ns,
        });
        let mut blows = match blows {
            Ok(blows) => blows,
            Err(trouble) => {
                let why = trouble.to_string();
                return mark(Moment::NotApplied { why });
            }
        };
        let leases = match lease(&shared, fault, &mut blows).await {
            Ok(leases) => leases,
            Err(why) => return mark(Moment::NotApplied { why }),
        };
        match inject(&mut blows).await {
            Ok(()) => {
                mark(Moment::Applied);
                self.bite(fault, occurrence, &mut blows).await;
            }
            Err(why) => mark(Moment::NotApplied { why }),
        }
        let mark = |moment| shared.mark(self.number, occurrence, moment);
        mark(Moment::Healing);
        match heal(&mut blows).await {
            Ok(()) => {
                // Undone once more by somebody else, it would do no harm.
                let _ = shared.leases.lock().give_back(&leases);
                mark(Moment::Healed);
            }
            Err(why) => mark(Moment::NotHealed { why }),
        }
    }

    /// Looks whether it bites, until its time is over or the load is.
    async fn bite(&mut self, fault: &Fault, occurrence: u32, blows: &mut [Blow]) {
        let applied = Instant::now();
        let until = applied + fault.lasts;
        let patience = blows.iter().map(|blow| blow.nemesis.bites_within());
        let look_until = until.max(applied + patience.max().unwrap_or_default());
        let mut over = self.over.clone();
        let looked = tokio::select! {
            looked = timeout(look_until - applied, until_seen(blows)) => looked.ok(),
            _ = over.wait_for(|over| *over) => None,
        };
        let moment = match looked {
            Some(what) => Moment::EffectSeen { what },
            None => match look(blows).await {
                Ok(what) => Moment::EffectSeen { what },
                Err(what) => Moment::EffectNotSeen { what },
            },
        };
        self.shared.mark(self.number, occurrence, moment);
        let _ = self.wait(until).await;
    }
}

/// Writes down what would undo it.
async fn lease(shared: &Shared, fault: &Fault, blows: &mut [Blow]) -> Result<Vec<u64>, String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let until = since.unwrap_or_default() + fault.lasts;
    let mut leases = Vec::new();
    for blow in blows {
        let undo = timeout(INJECT_WITHIN, blow.nemesis.undo()).await;
        let undo = undo.map_err(|_| too_long("reading what must be restored", INJECT_WITHIN))?;
        leases.push(Lease {
            id: 0,
            fault: fault.name.clone(),
            victim: blow.victim.clone(),
            undo: undo.map_err(|trouble| trouble.to_string())?,
            until_unix_ms: until.as_millis() as u64,
        });
    }
    let taken = shared.leases.lock().take(leases);
    taken.map_err(|error| format!("its lease could not be written: {error}"))
}

/// All victims at once.
async fn inject(blows: &mut [Blow]) -> Result<(), String> {
    let injected = blows.iter_mut().map(|blow| blow.nemesis.inject());
    let injected = timeout(INJECT_WITHIN, join_all(injected)).await;
    let injected = injected.map_err(|_| too_long("injecting", INJECT_WITHIN))?;
    first_trouble(injected.into_iter())
}

async fn heal(blows: &mut [Blow]) -> Result<(), String> {
    let healed = blows.iter_mut().map(|blow| blow.nemesis.heal());
    let healed = timeout(HEAL_WITHIN, join_all(healed)).await;
    let healed = healed.map_err(|_| too_long("healing", HEAL_WITHIN))?;
    first_trouble(healed.into_iter())
}

fn too_long(what: &str, limit: Duration) -> String {
    format!("{what} took longer than {} s", limit.as_secs())
}

fn first_trouble(
    mut all: impl Iterator<Item = Result<(), super::nemesis::Trouble>>,
) -> Result<(), String> {
    let trouble = all.find_map(Result::err);
    trouble.map_or(Ok(()), |trouble| Err(trouble.to_string()))
}

/// What was seen of all of them.
async fn until_seen(blows: &mut [Blow]) -> String {
    loop {
        if let Ok(what) = look(blows).await {
            return what;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What is seen of all of them now; an error says what is not.
async fn look(blows: &mut [Blow]) -> Result<String, String> {
    let effects = blows.iter_mut().map(|blow| blow.nemesis.effect());
    let mut seen = Vec::new();
    for effect in join_all(effects).await {
        match effect {
            Effect::Seen(what) => seen.push(what),
            Effect::NotSeen(what) => return Err(what),
        }
    }
    Ok(seen.join("; "))
}
