//! The messages of all languages against one another and against the code that says them.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Catalog, Lang, Piece, Said, Value, code, said};

fn places(text: &str) -> BTreeSet<String> {
    let place = regex::Regex::new(r"\{([a-z_]+)\}").expect("a pattern");
    place
        .captures_iter(text)
        .map(|found| found[1].to_owned())
        .collect()
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_places() {
    let (en, ko) = (Catalog::of(Lang::En), Catalog::of(Lang::Ko));
    let keys = |catalog: &Catalog| catalog.texts().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(en), keys(ko));
    for (key, text) in en.texts() {
        assert_eq!(places(text), places(&ko.texts()[key]), "{key}");
    }
}

/// All of the program's own code, without its tests.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let paths = entries.map(|entry| entry.path());
    let wanted = paths.filter(|path| !path.ends_with("tests") && !path.ends_with("tests.rs"));
    wanted
        .map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                std::fs::read_to_string(&path).unwrap_or_default()
            }
        })
        .collect()
}

#[test]
fn every_message_is_said_somewhere_and_everything_said_is_a_message_with_its_places_filled() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code = sources(&here);
    let en = Catalog::of(Lang::En);
    for key in en.texts().keys() {
        assert!(code.contains(&format!("\"{key}\"")), "{key} is never said");
    }
    let name = regex::Regex::new(r"\b([a-z_]+) = ").expect("a pattern");
    let calls: Vec<&str> = calls(&code).filter(|call| !call.contains("$key")).collect();
    for call in &calls {
        let key = call.split('"').nth(1).expect("a key");
        let message = en.texts().get(key);
        let message = message.unwrap_or_else(|| panic!("{key} is no message"));
        let given = name.captures_iter(call).map(|found| found[1].to_owned());
        let given: BTreeSet<String> = given.collect();
        for place in places(message) {
            assert!(given.contains(&place), "{key}: {place} is not given");
        }
    }
    assert!(calls.len() > 100, "{}", calls.len());
}

/// What stands between the brackets of each `said!(...)`.
fn calls(code: &str) -> impl Iterator<Item = &str> {
    code.split("said!(").skip(1).map(|rest| {
        let mut depth = 1;
        let end = rest.find(|c: char| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn a_name_and_a_foreign_text_are_told_apart_from_our_own_words() {
    let inner: Said = said!("timeline.interrupted");
    let outer = said!("timeline.begins", what = inner);
    let words = Catalog::of(Lang::En).text("timeline.interrupted");
    assert_eq!(
        Catalog::of(Lang::En).plain(&outer),
        format!("Begins: {words}")
    );
    for value in [code("a*b"), Value::Foreign("a*b".to_owned())] {
        let told = said!("fault.title", name = value);
        let pieces = Catalog::of(Lang::Ko).pieces(&told);
        let ours = |piece: &&Piece| matches!(piece, Piece::Words(_));
        let (ours, others): (Vec<_>, Vec<_>) = pieces.iter().partition(ours);
        assert_eq!((ours.len(), others.len()), (1, 1), "{pieces:?}");
    }
}
