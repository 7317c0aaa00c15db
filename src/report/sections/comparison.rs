//! The section on the run beside its baseline.

use crate::measure::{grouped, milliseconds};
use crate::report::comparison::{HEAD, NOTE, in_words};
use crate::report::document::{Block, Inline, Section, Table, code, plain, text};
use crate::report::format::count;
use crate::report::{Comparison, FigureChange};
use crate::verdict::Verdict;

/// What has changed, the gravest first.
pub(in crate::report) fn comparison(comparison: &Comparison) -> Section {
    let worse = !comparison.regressions.is_empty();
    let title = vec![
        Inline::Symbol(if worse {
            Verdict::Fail
        } else if comparison.undecided.is_empty() {
            Verdict::Pass
        } else {
            Verdict::Unknown
        }),
        Inline::plain(" "),
        Inline::text(&comparison.new.name),
        Inline::plain(format!(" against its baseline: {}", comparison.verdict())),
    ];
    let sides = [("Base: ", &comparison.base), ("New: ", &comparison.new)];
    let sides = sides.map(|(which, side)| vec![Inline::plain(which), Inline::text(in_words(side))]);
    let mut blocks = vec![Block::List(sides.to_vec())];
    if !comparison.differs.is_empty() {
        blocks.push(Block::plain("What differs between them:"));
        blocks.push(Block::List(comparison.differs.iter().map(text).collect()));
    }
    let undecided = "What cannot be decided, since a load generator did not keep up";
    for (title, sentences) in [
        ("What has become worse", &comparison.regressions),
        (undecided, &comparison.undecided),
    ] {
        if !sentences.is_empty() {
            blocks.push(heading(title));
            blocks.push(Block::List(sentences.iter().map(text).collect()));
        }
    }
    let of_phase = |figure: &&FigureChange| figure.phase.is_some();
    let whole = comparison.figures.iter().filter(|one| !of_phase(one));
    blocks.extend([heading("Figures"), figures(whole)]);
    blocks.push(Block::Paragraph(vec![
        Inline::plain(format!("{NOTE} Limits: ")),
        Inline::code(&comparison.limits),
        Inline::plain("."),
    ]));
    let mut phases = comparison.figures.iter().filter(of_phase).peekable();
    if phases.peek().is_some() {
        blocks.push(Block::Details {
            title: "By phase",
            blocks: vec![figures(phases)],
        });
    }
    blocks.extend(rest(comparison));
    Section {
        id: "comparison",
        title,
        blocks,
    }
}

fn heading(title: &str) -> Block {
    Block::Heading(3, plain(title))
}

fn figures<'a>(figures: impl Iterator<Item = &'a FigureChange>) -> Block {
    let rows = figures.map(|figure| {
        let [step, phase, name, base, new, change, _] = figure.cells();
        let symbol = figure.judgement.symbol().into_iter();
        let means = symbol.flat_map(|symbol| [Inline::Symbol(symbol), Inline::plain(" ")]);
        let means = means.chain(plain(figure.judgement.in_words())).collect();
        let figures = [name, base, new, change]
            .map(plain)
            .into_iter()
            .chain([means]);
        [code(step), code(phase)]
            .into_iter()
            .chain(figures)
            .collect()
    });
    Block::Table(Table::new(HEAD, "lllrrrl", rows))
}

/// Outcomes, claims, faults and warnings.
fn rest(comparison: &Comparison) -> Vec<Block> {
    let percent = |share: f64| plain(format!("{} %", grouped(share, 2)));
    let outcomes = comparison.outcomes.iter().map(|one| {
        vec![
            code(&one.outcome),
            plain(count(one.base)),
            plain(count(one.new)),
            percent(one.base_percent),
            percent(one.new_percent),
        ]
    });
    let head = ["Outcome", "Base", "New", "Base share", "New share"];
    let table = Table::new(head, "lrrrr", outcomes);
    let mut blocks = vec![heading("Outcomes"), Block::Table(table)];
    if !comparison.claims.is_empty() {
        let claims = comparison.claims.iter().map(|claim| {
            let (base, new) = (claim.base.to_string(), claim.new.to_string());
            vec![code(&claim.name), plain(base), plain(new)]
        });
        let table = Table::new(["Claim", "Base", "New"], "lll", claims);
        blocks.extend([heading("Claims"), Block::Table(table)]);
    }
    if !comparison.recoveries.is_empty() {
        let time = |ms: Option<f64>| {
            plain(ms.map_or_else(
                || "not recovered".to_owned(),
                |ms| format!("{} ms", milliseconds(ms)),
            ))
        };
        let rows = comparison.recoveries.iter();
        let rows = rows.map(|one| vec![code(one.name()), time(one.base_ms), time(one.new_ms)]);
        let table = Table::new(["Fault", "Recovery, base", "Recovery, new"], "lrr", rows);
        blocks.extend([heading("Recovery"), Block::Table(table)]);
    }
    if !comparison.warnings.is_empty() {
        blocks.push(heading("Before trusting the difference"));
        let warnings = comparison.warnings.iter();
        blocks.push(Block::List(warnings.map(text).collect()));
    }
    blocks
}
