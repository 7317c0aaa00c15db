//! What is said of a comparison, before it is said in some language and written somewhere.

use super::{
    Change, Comparison, Difference, Doubt, FigureChange, Judgement, RecoveryChange, Side,
    Surrounding, Which,
};
use crate::measure::{grouped, milliseconds};
use crate::messages::{Catalog, Lang, Piece, Said, Value, code, said};
use crate::report::format::count;

/// Our words, names and texts of others apart, so that each is written as what it is.
pub(in crate::report) type Sentence = Vec<Piece>;

/// The columns of the figures.
pub(in crate::report) const HEAD: [&str; 7] = [
    "compare.step",
    "compare.phase",
    "compare.figure",
    "compare.base",
    "compare.new",
    "compare.change",
    "compare.means",
];

/// A comparison in a language.
pub(in crate::report) struct Told<'a> {
    comparison: &'a Comparison,
    catalog: &'static Catalog,
}

impl<'a> Told<'a> {
    pub(in crate::report) fn of(comparison: &'a Comparison, lang: Lang) -> Self {
        Self {
            comparison,
            catalog: Catalog::of(lang),
        }
    }

    pub(in crate::report) fn text(&self, key: &'static str) -> &'static str {
        self.catalog.text(key)
    }

    pub(in crate::report) fn sentence(&self, said: &Said) -> Sentence {
        self.catalog.pieces(said)
    }

    pub(in crate::report) fn sentences(&self, all: &[Said]) -> Vec<Sentence> {
        all.iter().map(|one| self.sentence(one)).collect()
    }

    /// In what the two differ.
    pub(in crate::report) fn differences(&self) -> Vec<Sentence> {
        self.or_as_kept(&differences(self.comparison), &self.comparison.differs)
    }

    /// What must be known before the difference is trusted.
    pub(in crate::report) fn doubts(&self) -> Vec<Sentence> {
        self.or_as_kept(&doubts(self.comparison), &self.comparison.warnings)
    }

    /// A comparison that was kept without these values has its sentences.
    fn or_as_kept(&self, said: &[Said], kept: &[String]) -> Vec<Sentence> {
        if said.is_empty() {
            let kept = kept.iter().cloned();
            return kept.map(|one| vec![Piece::Foreign(one)]).collect();
        }
        self.sentences(said)
    }

    /// Step, phase, figure, before, now and the change, as the head of the figures names them.
    pub(in crate::report) fn cells(&self, figure: &FigureChange) -> [String; 6] {
        let phase = figure.phase.as_deref();
        [
            figure.step.clone(),
            phase.unwrap_or_else(|| self.text("compare.all")).to_owned(),
            name(figure).map_or_else(|| figure.figure.clone(), |key| self.text(key).to_owned()),
            shown(figure, figure.base),
            shown(figure, figure.new),
            self.catalog.plain(&change(figure)),
        ]
    }

    /// What the change of a figure means, in a word or two.
    pub(in crate::report) fn means(&self, judgement: Judgement) -> &'static str {
        match judgement {
            Judgement::Worse => self.text("compare.means_worse"),
            Judgement::Perhaps => self.text("compare.means_perhaps"),
            Judgement::Undecided => self.text("compare.means_undecided"),
            Judgement::Within => self.text("compare.means_within"),
            Judgement::Better => self.text("compare.means_better"),
            Judgement::TooLittle => self.text("compare.means_too_little"),
            Judgement::NotJudged => "–",
        }
    }
}

/// What it comes to: how many regressions, or that nothing can be said.
pub(in crate::report) fn verdict(comparison: &Comparison) -> Said {
    match comparison.regressions.len() {
        0 if !comparison.undecided.is_empty() => said!("compare.verdict_undecided"),
        0 => said!("compare.verdict_none"),
        1 => said!("compare.verdict_one"),
        many => said!("compare.verdict_many", count = many.to_string()),
    }
}

/// ``Base: reports/a (pass, 10,000 requests in 12.0 s, 2026-11-22T10:00:00Z, bundled server)``
pub(in crate::report) fn sides(comparison: &Comparison) -> [Said; 2] {
    [
        said!("compare.side_base", side = side(&comparison.base)),
        said!("compare.side_new", side = side(&comparison.new)),
    ]
}

/// What the figures were judged by.
pub(in crate::report) fn limits(comparison: &Comparison) -> Said {
    said!("compare.limits", limits = code(&comparison.limits))
}

fn side(side: &Side) -> Said {
    said!(
        "compare.side",
        directory = Value::Foreign(side.directory.clone()),
        verdict = side.verdict.to_string(),
        requests = count(side.requests),
        seconds = grouped(side.duration_s, 1),
        started = Value::Foreign(side.started.clone()),
        target = Value::Foreign(side.target.clone())
    )
}

pub(super) fn differences(comparison: &Comparison) -> Vec<Said> {
    let value = |value: &Option<String>| match value {
        Some(value) => Value::Foreign(value.clone()),
        None => Value::Key("compare.default"),
    };
    let said = |one: &Difference| match one {
        Difference::Fault(name) => said!("compare.fault", name = code(name)),
        Difference::Setting { name, base, new } => said!(
            "compare.setting",
            name = code(name),
            base = value(base),
            new = value(new)
        ),
    };
    comparison.differences.iter().map(said).collect()
}

pub(super) fn doubts(comparison: &Comparison) -> Vec<Said> {
    let said = |one: &Doubt| match one {
        Doubt::Differs { what, base, new } => said!(
            "compare.surrounding",
            what = Value::Key(surrounding(*what)),
            base = Value::Foreign(base.clone()),
            new = Value::Foreign(new.clone())
        ),
        Doubt::Inconclusive { run, reason } => {
            let reason = Value::Foreign(reason.clone());
            match run {
                Which::Base => said!("compare.inconclusive_base", reason = reason),
                Which::New => said!("compare.inconclusive_new", reason = reason),
            }
        }
        Doubt::Duration { base_s, new_s } => said!(
            "compare.duration",
            base = format!("{base_s:.1} s"),
            new = format!("{new_s:.1} s")
        ),
    };
    comparison.doubts.iter().map(said).collect()
}

const fn surrounding(what: Surrounding) -> &'static str {
    match what {
        Surrounding::Machine => "compare.machine",
        Surrounding::System => "compare.system",
        Surrounding::Engine => "compare.engine",
        Surrounding::Version => "compare.version",
        Surrounding::Threads => "compare.threads",
    }
}

/// What has become worse, gravest first.
pub(in crate::report) fn regressions(comparison: &Comparison) -> Vec<Said> {
    let broken = comparison.claims.iter().filter(|claim| claim.is_worse());
    let broken = broken.map(|claim| {
        said!(
            "compare.claim_worse",
            name = code(&claim.name),
            base = claim.base.to_string(),
            new = claim.new.to_string()
        )
    });
    let lasting = comparison.recoveries.iter().filter(|one| one.is_worse());
    let lasting = lasting
        .map(|one: &RecoveryChange| said!("compare.recovery_worse", name = code(one.name())));
    let slower = of_judgement(comparison, Judgement::Worse);
    broken.chain(lasting).chain(slower).collect()
}

/// What would be worse if the load generator had kept up.
pub(in crate::report) fn undecided(comparison: &Comparison) -> Vec<Said> {
    of_judgement(comparison, Judgement::Undecided).collect()
}

/// The figures of this judgement, a sentence each.
fn of_judgement(comparison: &Comparison, judgement: Judgement) -> impl Iterator<Item = Said> {
    let figures = comparison.figures.iter();
    let figures = figures.filter(move |figure| figure.judgement == judgement);
    figures.map(|one| {
        let what = name(one).map_or_else(|| Value::Foreign(one.figure.clone()), Value::Key);
        let (base, new) = (shown(one, one.base), shown(one, one.new));
        let (step, change) = (code(&one.step), change(one));
        match &one.phase {
            None => said!(
                "compare.figure_worse",
                figure = what,
                step = step,
                base = base,
                new = new,
                change = change
            ),
            Some(phase) => said!(
                "compare.figure_worse_in",
                figure = what,
                step = step,
                phase = code(phase),
                base = base,
                new = new,
                change = change
            ),
        }
    })
}

/// The message that names the figure.
fn name(figure: &FigureChange) -> Option<&'static str> {
    match figure.figure.as_str() {
        "rps" => Some("compare.rps"),
        "failed" => Some("compare.failed"),
        "p50" => Some("compare.p50"),
        "p90" => Some("compare.p90"),
        "p95" => Some("compare.p95"),
        "p99" => Some("compare.p99"),
        _ => None,
    }
}

fn shown(figure: &FigureChange, value: f64) -> String {
    match figure.unit.as_str() {
        "ms" => format!("{} ms", milliseconds(value)),
        "%" => format!("{} %", grouped(value, 2)),
        unit => format!("{}{unit}", grouped(value, 1)),
    }
}

/// ``+12.1 %, +10.4 to +13.9``
fn change(figure: &FigureChange) -> Said {
    let points = figure.unit == "%";
    let percent = if points { 1.0 } else { 100.0 };
    let signed = |share: f64| {
        let sign = if share < 0.0 { "−" } else { "+" };
        format!("{sign}{}", grouped((share * percent).abs(), 1))
    };
    let Change { low, middle, high } = figure.change;
    let unit = if points {
        Value::Key("compare.points")
    } else {
        Value::from("%")
    };
    said!(
        "compare.changed",
        middle = signed(middle),
        unit = unit,
        low = signed(low),
        high = signed(high)
    )
}
