//! Which figures are compared, and how much worse each may become: `p99=+10%`, `p99=+10%,+2ms`.

use std::fmt;

use crate::scenario::value::Span;

/// What is compared of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Attempts per second.
    Rps,
    /// Attempts that failed, as `http_req_failed` counts them, in percent.
    Failed,
    /// Response time, in milliseconds.
    P50,
    /// As above.
    P90,
    /// As above.
    P95,
    /// As above.
    P99,
}

impl Figure {
    /// In the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Rps,
        Self::Failed,
        Self::P50,
        Self::P90,
        Self::P95,
        Self::P99,
    ];

    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rps => "rps",
            Self::Failed => "failed",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    /// What it is counted in.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Rps => "/s",
            Self::Failed => "%",
            _ => "ms",
        }
    }

    /// Whether a rise is for the worse.
    pub const fn more_is_worse(self) -> bool {
        !matches!(self, Self::Rps)
    }

    /// The part of all samples that is not above it, of a percentile.
    pub(super) const fn quantile(self) -> Option<f64> {
        match self {
            Self::Rps | Self::Failed => None,
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
        }
    }
}

/// How much worse a figure may become. Both must be exceeded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    /// A share of the base; of [`Figure::Failed`], a difference in percent points.
    pub(super) relative: f64,
    /// In the figure's own unit.
    pub(super) absolute: f64,
}

/// The limits of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits(Vec<(Figure, Limit)>);

/// A difference of less than this is nothing that a user would notice.
const NOTICED_MS: f64 = 1.0;

impl Default for Limits {
    /// A tenth slower and a millisecond at least, a tenth fewer, or one more of a hundred failed.
    fn default() -> Self {
        let time = Limit {
            relative: 0.1,
            absolute: NOTICED_MS,
        };
        let share = |relative: f64| Limit {
            relative,
            absolute: 0.0,
        };
        Self(vec![
            (Figure::Rps, share(0.1)),
            (Figure::Failed, share(1.0)),
            (Figure::P50, time),
            (Figure::P95, time),
            (Figure::P99, time),
        ])
    }
}

/// A limit that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no limit: {why}")]
pub struct LimitError {
    text: String,
    why: String,
}

impl Limits {
    /// The defaults, or in their place the limits that were typed, of which each is
    /// `FIGURE=LIMIT` with a rise (of `rps` a fall) in percent, in milliseconds, or both.
    ///
    /// # Errors
    /// When one of them is something else, or a figure has two.
    pub fn parse(texts: &[String]) -> Result<Self, LimitError> {
        if texts.is_empty() {
            return Ok(Self::default());
        }
        let mut limits: Vec<(Figure, Limit)> = Vec::new();
        for text in texts {
            let failed = |why: String| LimitError {
                text: text.clone(),
                why,
            };
            let (figure, limit) = parse(text).map_err(failed)?;
            if limits.iter().any(|(known, _)| *known == figure) {
                return Err(failed(format!("`{}` has a limit already", figure.name())));
            }
            limits.push((figure, limit));
        }
        limits.sort_by_key(|(figure, _)| *figure);
        Ok(Self(limits))
    }

    /// `None`: the figure is shown, but not judged.
    pub(super) fn of(&self, figure: Figure) -> Option<Limit> {
        let limit = self.0.iter().find(|(of, _)| *of == figure);
        limit.map(|(_, limit)| *limit)
    }
}

fn parse(text: &str) -> Result<(Figure, Limit), String> {
    let (name, parts) = text
        .split_once('=')
        .ok_or("it is written FIGURE=LIMIT, as in `p99=+10%`")?;
    let figure = Figure::ALL
        .into_iter()
        .find(|one| one.name() == name.trim());
    let figure = figure.ok_or_else(|| {
        let names = Figure::ALL.map(Figure::name).join(", ");
        format!("the figures are {names}")
    })?;
    let mut limit = Limit {
        relative: 0.0,
        absolute: 0.0,
    };
    for part in parts.split(',') {
        add(figure, part.trim(), &mut limit)?;
    }
    Ok((figure, limit))
}

fn add(figure: Figure, part: &str, limit: &mut Limit) -> Result<(), String> {
    let sign = if figure.more_is_worse() { '+' } else { '-' };
    let wanted = || {
        let times = figure.quantile().is_some();
        let or = if times { " or `+5ms`" } else { "" };
        format!("`{}` takes `{sign}10%`{or}", figure.name())
    };
    let number = part.strip_prefix(sign).ok_or_else(wanted)?;
    let positive = |number: f64| (number.is_finite() && number >= 0.0).then_some(number);
    if let Some(percent) = number.strip_suffix('%') {
        let percent = percent.trim().parse().ok().and_then(positive);
        let percent = percent.ok_or_else(wanted)?;
        // The share of failures is in percent already.
        limit.relative = if figure == Figure::Failed {
            percent
        } else {
            percent / 100.0
        };
        return Ok(());
    }
    if figure.quantile().is_none() {
        return Err(wanted());
    }
    let time: Span = number.parse().map_err(|_| wanted())?;
    limit.absolute = time.0.as_secs_f64() * 1_000.0;
    Ok(())
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (figure, limit)) in self.0.iter().enumerate() {
            let sign = if figure.more_is_worse() { '+' } else { '-' };
            let percent = if *figure == Figure::Failed {
                limit.relative
            } else {
                limit.relative * 100.0
            };
            let gap = if at == 0 { "" } else { " " };
            write!(f, "{gap}{}={sign}{percent}%", figure.name())?;
            if limit.absolute > 0.0 {
                write!(f, ",{sign}{}ms", limit.absolute)?;
            }
        }
        Ok(())
    }
}
