//! The section on the run beside its baseline.

use crate::measure::{grouped, milliseconds};
use crate::messages::{Lang, Value, said};
use crate::report::comparison::told::{
    HEAD, Sentence, Told, limits, regressions, sides, undecided, verdict,
};
use crate::report::document::{Block, Inline, Line, Section, Table, code, plain};
use crate::report::format::count;
use crate::report::{Comparison, FigureChange};
use crate::verdict::Verdict;

/// What has changed, the gravest first.
pub(in crate::report) fn comparison(comparison: &Comparison, lang: Lang) -> Section {
    let told = &Told::of(comparison, lang);
    let mut blocks = vec![list(told.sentences(&sides(comparison)))];
    let differences = told.differences();
    if !differences.is_empty() {
        blocks.push(Block::plain(told.text("compare.differences")));
        blocks.push(list(differences));
    }
    for (title, sentences) in [
        ("compare.worse", regressions(comparison)),
        ("compare.undecided", undecided(comparison)),
    ] {
        if !sentences.is_empty() {
            blocks.push(heading(told, title));
            blocks.push(list(told.sentences(&sentences)));
        }
    }
    let of_phase = |figure: &&FigureChange| figure.phase.is_some();
    let whole = comparison.figures.iter().filter(|one| !of_phase(one));
    blocks.extend([heading(told, "compare.figures"), figures(told, whole)]);
    let note = said!("compare.note", limits = limits(comparison));
    blocks.push(Block::Paragraph(line(told.sentence(&note))));
    let mut phases = comparison.figures.iter().filter(of_phase).peekable();
    if phases.peek().is_some() {
        blocks.push(Block::Details {
            title: told.text("compare.by_phase"),
            blocks: vec![figures(told, phases)],
        });
    }
    blocks.extend(rest(told, comparison));
    Section {
        id: "comparison",
        title: title(told, comparison),
        blocks,
    }
}

fn title(told: &Told<'_>, comparison: &Comparison) -> Line {
    let symbol = if !comparison.regressions.is_empty() {
        Verdict::Fail
    } else if comparison.undecided.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Unknown
    };
    let words = said!(
        "compare.title",
        name = Value::Foreign(comparison.new.name.clone()),
        verdict = verdict(comparison)
    );
    let mut title = vec![Inline::Symbol(symbol), Inline::plain(" ")];
    title.extend(line(told.sentence(&words)));
    title
}

fn line(sentence: Sentence) -> Line {
    sentence.into_iter().map(Inline::from).collect()
}

fn list(sentences: Vec<Sentence>) -> Block {
    Block::List(sentences.into_iter().map(line).collect())
}

fn heading(told: &Told<'_>, title: &'static str) -> Block {
    Block::Heading(3, plain(told.text(title)))
}

fn table(
    told: &Told<'_>,
    head: impl IntoIterator<Item = &'static str>,
    align: &'static str,
    rows: impl IntoIterator<Item = Vec<Line>>,
) -> Block {
    let head = head.into_iter().map(|key| told.text(key));
    Block::Table(Table::new(head, align, rows))
}

fn figures<'a>(told: &Told<'_>, figures: impl Iterator<Item = &'a FigureChange>) -> Block {
    let rows = figures.map(|figure| {
        let [step, phase, name, base, new, change] = told.cells(figure);
        let symbol = figure.judgement.symbol().into_iter();
        let means = symbol.flat_map(|symbol| [Inline::Symbol(symbol), Inline::plain(" ")]);
        let means = means.chain(plain(told.means(figure.judgement))).collect();
        let figures = [name, base, new, change]
            .map(plain)
            .into_iter()
            .chain([means]);
        [code(step), code(phase)]
            .into_iter()
            .chain(figures)
            .collect()
    });
    table(told, HEAD, "lllrrrl", rows)
}

/// Outcomes, claims, faults and doubts.
fn rest(told: &Told<'_>, comparison: &Comparison) -> Vec<Block> {
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
    let head = [
        "compare.outcome",
        "compare.base",
        "compare.new",
        "compare.base_share",
        "compare.new_share",
    ];
    let outcomes = table(told, head, "lrrrr", outcomes);
    let mut blocks = vec![heading(told, "compare.outcomes"), outcomes];
    if !comparison.claims.is_empty() {
        let claims = comparison.claims.iter().map(|claim| {
            let (base, new) = (claim.base.to_string(), claim.new.to_string());
            vec![code(&claim.name), plain(base), plain(new)]
        });
        let head = ["compare.claim", "compare.base", "compare.new"];
        blocks.push(heading(told, "compare.claims"));
        blocks.push(table(told, head, "lll", claims));
    }
    if !comparison.recoveries.is_empty() {
        let time = |ms: Option<f64>| {
            plain(ms.map_or_else(
                || told.text("compare.not_recovered").to_owned(),
                |ms| format!("{} ms", milliseconds(ms)),
            ))
        };
        let rows = comparison.recoveries.iter();
        let rows = rows.map(|one| vec![code(one.name()), time(one.base_ms), time(one.new_ms)]);
        let head = [
            "compare.of_fault",
            "compare.base_recovery",
            "compare.new_recovery",
        ];
        blocks.push(heading(told, "compare.recovery"));
        blocks.push(table(told, head, "lrr", rows));
    }
    let doubts = told.doubts();
    if !doubts.is_empty() {
        blocks.extend([heading(told, "compare.doubts"), list(doubts)]);
    }
    blocks
}
