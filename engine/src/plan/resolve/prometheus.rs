//! What Prometheus gets: the page of the scenario or of the command line, and remote write.

use std::time::Duration;

use super::auth;
use crate::plan::{Prometheus, RemoteWrite};
use crate::scenario::value::{Listen, Span};
use crate::scenario::{At, Auth, Prometheus as Written, RemoteWrite as WrittenRemote, Report};

const EVERY: Duration = Duration::from_secs(5);
const DRAIN: Duration = Duration::from_secs(30);

/// Below it a reading would tell nothing new; above it, dashboards have gaps.
const EVERY_BETWEEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
const DRAIN_BETWEEN: (Duration, Duration) = (Duration::ZERO, Duration::from_hours(1));

/// `metrics` is of the command line, and stands for `listen`.
pub(super) fn resolve(
    written: Option<&Written>,
    metrics: Option<Listen>,
    report: &mut Report<'_>,
) -> Prometheus {
    let listen = written.and_then(|written| written.listen.as_ref());
    let listen = metrics.or(listen.map(|listen| listen.value));
    let remote = written.and_then(|written| written.remote_write.as_ref());
    Prometheus {
        listen: listen.map(|listen| listen.0),
        remote_write: remote.and_then(|remote| remote_write(remote, report)),
    }
}

/// The credentials of remote write.
pub(super) fn credentials(written: Option<&Written>) -> Option<&Auth> {
    written?.remote_write.as_ref()?.auth.as_ref()
}

fn remote_write(written: &WrittenRemote, report: &mut Report<'_>) -> Option<RemoteWrite> {
    let url = &written.url;
    let has_path = !url.value.prefix.is_empty();
    if !has_path {
        report.error_hint(
            url.position,
            "the url of `remote_write` has no path",
            "write the whole address of the receiver: Prometheus has `/api/v1/write`, Mimir \
             `/api/v1/push`",
        );
    }
    let authorization = match &written.auth {
        None => Some(None),
        Some(auth) => auth::fixed(auth, report).map(Some),
    };
    let every = between(written.every.as_ref(), EVERY, EVERY_BETWEEN, report);
    let drain = between(written.drain.as_ref(), DRAIN, DRAIN_BETWEEN, report);
    Some(RemoteWrite {
        url: has_path.then(|| url.value.to_string())?,
        authorization: authorization?,
        every: every?,
        drain: drain?,
    })
}

fn between(
    written: Option<&At<Span>>,
    otherwise: Duration,
    (least, most): (Duration, Duration),
    report: &mut Report<'_>,
) -> Option<Duration> {
    let Some(written) = written else {
        return Some(otherwise);
    };
    if (least..=most).contains(&written.value.0) {
        return Some(written.value.0);
    }
    report.error_hint(
        written.position,
        format!("`{}` is too short or too long here", written.value),
        format!("write {} to {}", Span(least), Span(most)),
    );
    None
}
