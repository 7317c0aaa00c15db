//! All processes of the bundled server: started so that who is asked is there before who asks,
//! stopped the other way round.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};

use super::clock::Clocks;
use super::links::{Links, Reach};
use super::server::{Common, Server, Upstreams};
use super::services::Services;
use super::{NotReady, TruthSources};
use crate::plan::{
    BaseUrl, Group, Pages, Plan, Process, Query, Role, Secret, Source, Stack, process_name,
};

/// The running processes, by group, in the order in which they were started.
#[derive(Debug)]
pub(super) struct Servers {
    groups: Vec<(Role, Vec<Arc<Server>>)>,
    /// Where the rows are, for those who read them.
    database: Secret,
}

impl Servers {
    pub(super) async fn start(
        (plan, stack): (&Plan, &Stack),
        clocks: &Clocks,
        directory: &Path,
        services: &Services,
        links: &mut Links,
    ) -> Result<Self, NotReady> {
        // What looks for it later may do so from elsewhere.
        let directory = &directory.canonicalize()?;
        let file = directory.join("coupons.db");
        let (database, file) = match services.mysql_url() {
            Some(url) => (url.clone(), None),
            None => (
                Secret::new(format!("sqlite:{}", file.display())),
                Some(file),
            ),
        };
        let common = Common {
            plan,
            stack,
            clocks,
            directory,
            database: &database,
            file: file.as_deref(),
        };
        let mut groups = Vec::new();
        let mut upstreams = Upstreams::default();
        for group in &stack.groups {
            match start_group(common, *group, &upstreams, (services, &mut *links)).await {
                Ok(servers) => {
                    let urls = servers.iter().map(|server| server.url().clone());
                    match group.role {
                        Role::Coupon => upstreams.coupon.extend(urls),
                        Role::Queue => upstreams.queue.extend(urls),
                        Role::All | Role::Issuer | Role::Router => {}
                    }
                    groups.push((group.role, servers));
                }
                Err(error) => {
                    stop(&groups).await;
                    return Err(error);
                }
            }
        }
        // Not as the servers' user: a fault that ends its sessions must not end the readings.
        let database = services.mysql_admin_url().unwrap_or(database);
        Ok(Self { groups, database })
    }

    /// Where the load goes: the processes that started last.
    pub(super) fn urls(&self) -> Vec<BaseUrl> {
        let entry = self.groups.last().map_or(&[][..], |(_, servers)| servers);
        entry.iter().map(|server| server.url().clone()).collect()
    }

    /// Each with its role, in the order in which they were started.
    pub(super) fn all(&self) -> impl Iterator<Item = (Role, &Arc<Server>)> {
        let groups = self.groups.iter();
        groups.flat_map(|(role, servers)| servers.iter().map(|server| (*role, server)))
    }

    /// What each is called, and how it is found.
    pub(super) fn processes(&self) -> impl Iterator<Item = (String, Process)> {
        let all = self.groups.iter().flat_map(|(_, servers)| servers);
        all.map(|server| (server.name().to_owned(), server.process()))
    }

    /// The plan's own sources, with those of the bundled server where the plan leaves it to it.
    pub(super) fn truth(&self, plan: &Plan) -> TruthSources {
        let Some(truth) = &plan.truth else {
            return TruthSources::default();
        };
        let subject = plan.subject.as_ref();
        let id = subject.map_or("1", |subject| subject.coupon.as_str());
        let fill = |source: &Option<Source>, bundled: Query| {
            let source = source.clone()?;
            let query = match source.query {
                Query::Bundled => bundled,
                own => own,
            };
            Some(Source { query, ..source })
        };
        TruthSources {
            issued: fill(&truth.issued, self.issued_rows(id)),
            stock: fill(&truth.stock, self.number(id, "/totalQuantity")),
            remaining: fill(&truth.remaining, self.number(id, "/remaining")),
            pending: truth.pending.clone(),
            delivery: truth.delivery.clone(),
            tables: truth.tables.clone(),
        }
    }

    /// Where the rows are read.
    pub(super) const fn database(&self) -> &Secret {
        &self.database
    }

    fn issued_rows(&self, coupon: &str) -> Query {
        // The id is a number here: `serve` takes no other, so the scenario cannot have another.
        Query::Sql {
            url: self.database.clone(),
            query: format!(
                "SELECT userId, id, createdAt FROM user_coupons WHERE couponId = {coupon}"
            ),
            pages: Some(Pages {
                key: "id".to_owned(),
                rows: Pages::ROWS,
            }),
        }
    }

    /// What a process that issues says of the coupon; all of them share the stores.
    fn number(&self, coupon: &str, pointer: &str) -> Query {
        let issuing = self.groups.iter().find(|(role, _)| role.issues());
        let first = issuing.and_then(|(_, servers)| servers.first());
        let url = first.map_or_else(String::new, |server| server.url().to_string());
        Query::Http {
            url: Secret::new(format!("{url}/coupons/fcfs/{coupon}")),
            headers: Vec::new(),
            pointer: pointer.to_owned(),
            user: String::new(),
            id: None,
            time: None,
        }
    }

    /// Stops those first that ask the others.
    pub(super) async fn stop(self) {
        stop(&self.groups).await;
    }
}

/// Starts the processes of one role: the first alone, since it makes what they share.
async fn start_group(
    common: Common<'_>,
    group: Group,
    upstreams: &Upstreams,
    (services, links): (&Services, &mut Links),
) -> Result<Vec<Arc<Server>>, NotReady> {
    let mut ways = Vec::new();
    for number in 1..=group.count {
        let name = process_name(&common.stack.groups, group.role, number);
        ways.push((links.of_server(&name, services).await?, name));
    }
    let start = |(reach, name): (Reach, String)| async move {
        Server::start(common, group.role, &name, (upstreams, &reach)).await
    };
    let mut ways = ways.into_iter();
    let mut servers = Vec::new();
    if let Some(first) = ways.next() {
        servers.push(start(first).await?);
    }
    servers.extend(try_join_all(ways.map(start)).await?);
    Ok(servers.into_iter().map(Arc::new).collect())
}

async fn stop(groups: &[(Role, Vec<Arc<Server>>)]) {
    for (_, servers) in groups.iter().rev() {
        join_all(servers.iter().map(|server| server.stop())).await;
    }
}
