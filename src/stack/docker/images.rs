//! Which images the containers are made of, and where they come from.

use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerRequest, GenericImage};
use tokio::time::timeout;

use super::super::Say;
use super::super::local::Needs;
use super::engine::Unavailable;
use crate::plan::{Image, Images};

/// How long a pull may take.
const PULL_WITHIN: Duration = Duration::from_mins(15);

/// One service: its variable, and its image where nothing else is said.
const REDIS: (&str, &str) = ("FCFS_IMAGE_REDIS", "redis:7");
const MYSQL: (&str, &str) = ("FCFS_IMAGE_MYSQL", "mysql:8.0");
const KAFKA: (&str, &str) = ("FCFS_IMAGE_KAFKA", "apache/kafka:4.1.1");

/// The images of the services that are needed.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) redis: Option<Image>,
    pub(super) mysql: Option<Image>,
    pub(super) kafka: Option<Image>,
}

impl Chosen {
    /// What the machine says comes before what the scenario says: it knows its registry.
    pub(super) fn of(written: &Images, needs: Needs) -> Result<Self, Unavailable> {
        let choose = |needed: bool, written: &Option<Image>, service| {
            let chosen = needed.then(|| choose(written.as_ref(), service));
            chosen.transpose()
        };
        Ok(Self {
            redis: choose(needs.redis > 0, &written.redis, REDIS)?,
            mysql: choose(needs.mysql, &written.mysql, MYSQL)?,
            kafka: choose(needs.kafka > 0, &written.kafka, KAFKA)?,
        })
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &Image> {
        let all = [&self.redis, &self.mysql, &self.kafka];
        all.into_iter().flatten()
    }
}

fn choose(
    written: Option<&Image>,
    (variable, usual): (&'static str, &str),
) -> Result<Image, Unavailable> {
    let set = std::env::var(variable).ok();
    if let (None, Some(image)) = (&set, written) {
        return Ok(image.clone());
    }
    let name = set.as_deref().unwrap_or(usual);
    name.parse().map_err(|error| Unavailable::Variable {
        variable,
        problem: format!("{error}"),
    })
}

/// A container of an image, to be asked for.
pub(super) fn generic(image: &Image) -> GenericImage {
    GenericImage::new(image.repository(), image.tag())
}

/// Makes sure that an engine has an image.
pub(super) async fn provide(
    docker: &Docker,
    image: &Image,
    say: Say<'_>,
) -> Result<(), Unavailable> {
    // When it cannot be looked at, pulling says why.
    if docker.inspect_image(&image.to_string()).await.is_ok() {
        return Ok(());
    }
    say(&format!("pulling {image}"));
    let request = ContainerRequest::from(generic(image));
    let problem = match timeout(PULL_WITHIN, request.pull_image()).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not within {} min", PULL_WITHIN.as_secs() / 60),
    };
    Err(Unavailable::Image {
        image: image.to_string(),
        problem,
    })
}
