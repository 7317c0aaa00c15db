//! What is done about it, from the playbooks that match, and what keeps it from coming again.

use std::fmt::Write as _;
use std::time::Duration;

use super::Page;
use crate::incident::playbook::{Match, Part};
use crate::messages::Lang;
use crate::playbook::Course;
use crate::report::escape;

pub(super) fn part(page: &Page<'_>) -> String {
    let mut out = page.heading("part.measures");
    let matches = &page.incident.matches;
    if matches.is_empty() {
        let _ = writeln!(out, "{}", page.text("measures.no_match"));
        return out;
    }
    let _ = writeln!(out, "{}\n", page.text("measures.note"));
    for one in matches {
        let title = escape::text(page.catalog.lang.of(&one.playbook.title));
        let id = escape::code(&one.playbook.id);
        let _ = writeln!(out, "- **{title}** ({id})");
        for shown in &one.shown {
            let _ = writeln!(out, "  - {}", page.told(&shown.said));
        }
        if one.not_measured > 0 {
            let _ = writeln!(
                out,
                "  - {}: {}",
                page.text("measures.not_measured"),
                one.not_measured
            );
        }
    }
    for part in Part::ALL {
        out += &of_part(page, matches, part);
    }
    out
}

fn of_part(page: &Page<'_>, matches: &[Match], part: Part) -> String {
    let key = match part {
        Part::Now => "measures.now",
        Part::Weeks => "measures.weeks",
        Part::Months => "measures.months",
    };
    let mut out = format!("\n### {}\n\n", page.text(key));
    let mut rows = Vec::new();
    for one in matches {
        let playbook = &one.playbook;
        let courses = [
            ("measures.course_now", &playbook.now),
            ("measures.course_short", &playbook.short),
            ("measures.course_long", &playbook.long),
        ];
        for (word, course) in courses {
            if Part::of(course.within) == part {
                rows.extend(of_course(page, &playbook.id, word, course));
            }
        }
    }
    if rows.is_empty() {
        let _ = writeln!(out, "{}", page.text("measures.none_here"));
        return out;
    }
    let head = [
        "measures.do",
        "measures.within",
        "measures.owner",
        "measures.playbook",
    ];
    out += &page.table(&head, rows.into_iter());
    out
}

fn of_course(page: &Page<'_>, id: &str, word: &'static str, course: &Course) -> Vec<Vec<String>> {
    let lang = page.catalog.lang;
    let measures = course.measures.iter();
    let row = |measure: &crate::playbook::Measure| {
        let owner = measure.owner.as_ref().map(|owner| lang.of(owner));
        vec![
            escape::text(lang.of(&measure.what)),
            format!("{} ({})", within(course.within, lang), page.text(word)),
            owner.map_or_else(|| "–".to_owned(), escape::text),
            escape::cell_code(id),
        ]
    };
    measures.map(row).collect()
}

/// `20 min`, `2 h`, `3 d`, `2 weeks`, in the largest unit that it is a whole number of.
fn within(time: Duration, lang: Lang) -> String {
    let minutes = time.as_secs().div_ceil(60);
    let units = [
        (7 * 24 * 60, " week(s)", "주"),
        (24 * 60, " day(s)", "일"),
        (60, " h", "시간"),
        (1, " min", "분"),
    ];
    let fits = |unit: &&(u64, &str, &str)| minutes >= unit.0 && minutes.is_multiple_of(unit.0);
    let (size, en, ko) = units
        .iter()
        .find(fits)
        .copied()
        .unwrap_or((1, " min", "분"));
    let count = minutes / size;
    match lang {
        Lang::En => {
            let noun = en.replace("(s)", if count == 1 { "" } else { "s" });
            format!("{count}{noun}")
        }
        Lang::Ko => format!("{count}{ko}"),
    }
}

pub(super) fn prevention(page: &Page<'_>) -> String {
    let mut out = page.heading("part.prevention");
    for one in &page.incident.matches {
        for text in &one.playbook.prevention {
            let text = escape::text(page.catalog.lang.of(text));
            let id = escape::code(&one.playbook.id);
            let _ = writeln!(out, "- {text} ({id})");
        }
    }
    for said in &page.incident.prevention {
        let _ = writeln!(out, "- {}", page.told(said));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_the_largest_unit_that_it_is_whole_in() {
        let hours = Duration::from_hours;
        // How long; in English; in Korean.
        let table = [
            (Duration::from_mins(20), "20 min", "20분"),
            (Duration::from_mins(90), "90 min", "90분"),
            (hours(2), "2 h", "2시간"),
            (hours(24), "1 day", "1일"),
            (hours(14 * 24), "2 weeks", "2주"),
            (hours(90 * 24), "90 days", "90일"),
            (Duration::from_secs(30), "1 min", "1분"),
        ];
        for (time, en, ko) in table {
            assert_eq!(within(time, Lang::En), en);
            assert_eq!(within(time, Lang::Ko), ko);
        }
    }
}
