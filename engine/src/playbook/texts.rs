//! A file of texts by their keys, flat: what a report says, in one language.

use std::collections::BTreeMap;

use crate::scenario::{Diagnostics, Origin, Report, Source};
use crate::scenario::{reader, yaml};

/// Reads a map of texts.
///
/// # Errors
/// Everything that is wrong with it, with line and column.
pub fn read_texts(file_name: &str, text: &str) -> Result<BTreeMap<String, String>, Diagnostics> {
    let source = Source {
        file_name: file_name.to_owned(),
        text: text.to_owned(),
        ..Source::default()
    };
    let mut report = Report::new(&source);
    let mut texts = BTreeMap::new();
    match yaml::parse(&source.text, Origin::File, 0) {
        Ok(tree) => {
            for entry in reader::entries(&mut report, &tree).unwrap_or_default() {
                let text = reader::text(&mut report, &entry.node);
                texts.extend(text.map(|text| (entry.key.clone(), text.value)));
            }
        }
        Err(error) => report.error_maybe(error.position, error.message, error.hint),
    }
    if report.has_errors() {
        return Err(report.finish());
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_map_of_texts_is_read_and_anything_else_is_not() {
        let texts = read_texts("m.yaml", "a: one {x}\nb: 둘\n").expect("it is right");
        assert_eq!(texts["a"], "one {x}");
        assert_eq!(texts["b"], "둘");
        for wrong in ["a: [1]\n", "a: 1\na: 2\n", "- a\n"] {
            let told = read_texts("m.yaml", wrong).expect_err(wrong).to_string();
            assert!(told.contains("m.yaml"), "{told}");
        }
    }
}
