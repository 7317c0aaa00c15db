//! Reads the values at a few JSON pointers (RFC 6901) in one pass, without building the rest.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Pointers that are followed at once. A set of them is a mask of bits.
const MOST: usize = 64;

/// Pointers that are looked up in many documents.
#[derive(Debug, Default)]
pub(super) struct Pointers {
    /// The tokens of each, unescaped.
    paths: Vec<Vec<String>>,
}

impl Pointers {
    /// The number that stands for this pointer from now on; `None` if there are too many.
    pub(super) fn add(&mut self, pointer: &str) -> Option<usize> {
        let unescaped = |token: &str| token.replace("~1", "/").replace("~0", "~");
        let path: Vec<_> = pointer.split('/').skip(1).map(unescaped).collect();
        if let Some(at) = self.paths.iter().position(|known| *known == path) {
            return Some(at);
        }
        (self.paths.len() < MOST).then(|| {
            self.paths.push(path);
            self.paths.len() - 1
        })
    }

    /// The value at each pointer; nothing at all if the text is not JSON.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Option<Value>> {
        let mut found = vec![None; self.paths.len()];
        let mask = self.all();
        let level = Level {
            paths: &self.paths,
            mask,
            depth: 0,
            found: &mut found,
        };
        let mut json = serde_json::Deserializer::from_slice(text);
        if level
            .deserialize(&mut json)
            .and_then(|()| json.end())
            .is_err()
        {
            found.fill(None);
        }
        found
    }

    const fn all(&self) -> u64 {
        match self.paths.len() {
            MOST => u64::MAX,
            count => (1 << count) - 1,
        }
    }
}

/// A value of the document, and the pointers that lead to it or into it.
struct Level<'a> {
    paths: &'a [Vec<String>],
    mask: u64,
    /// Tokens that were followed so far.
    depth: usize,
    found: &'a mut [Option<Value>],
}

fn bits(mask: u64) -> impl Iterator<Item = usize> {
    (0..MOST).filter(move |at| mask >> at & 1 == 1)
}

/// The pointers of the mask whose token at this depth is `token`.
fn follow(paths: &[Vec<String>], mask: u64, depth: usize, token: &str) -> u64 {
    let same = |at: &usize| paths[*at].get(depth).is_some_and(|wanted| wanted == token);
    bits(mask)
        .filter(same)
        .fold(0, |followed, at| followed | 1 << at)
}

impl Level<'_> {
    fn below(&mut self, mask: u64) -> Level<'_> {
        // A name that comes twice counts with its last value, as in a parsed document.
        bits(mask).for_each(|at| self.found[at] = None);
        Level {
            paths: self.paths,
            mask,
            depth: self.depth + 1,
            found: self.found,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.mask == 0 {
            return IgnoredAny.visit_value(json);
        }
        if bits(self.mask).all(|at| self.paths[at].len() > self.depth) {
            return json.deserialize_any(self);
        }
        // Some pointer ends here: the value is wanted as a whole, and others may lead into it.
        let value = <Value as serde::Deserialize>::deserialize(json)?;
        for at in bits(self.mask) {
            let rest = &self.paths[at][self.depth..];
            self.found[at] = rest
                .iter()
                .try_fold(&value, |value, token| step(value, token))
                .cloned();
        }
        Ok(())
    }
}

fn step<'a>(value: &'a Value, token: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map.get(token),
        Value::Array(list) => list.get(index(token)?),
        _ => None,
    }
}

/// An index has no sign and no leading zero.
fn index(token: &str) -> Option<usize> {
    let canonical = !token.starts_with('+') && (token == "0" || !token.starts_with('0'));
    canonical.then(|| token.parse().ok()).flatten()
}

trait VisitValue {
    fn visit_value<'de, D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error>;
}

impl VisitValue for IgnoredAny {
    fn visit_value<'de, D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_ignored_any(self).map(|_| ())
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        loop {
            let name = Name {
                paths: self.paths,
                mask: self.mask,
                depth: self.depth,
            };
            let Some(mask) = map.next_key_seed(name)? else {
                return Ok(());
            };
            map.next_value_seed(self.below(mask))?;
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        for at in 0_usize.. {
            let token = at.to_string();
            let mask = follow(self.paths, self.mask, self.depth, &token);
            if list.next_element_seed(self.below(mask))?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A name in an object, as the pointers that follow it.
struct Name<'a> {
    paths: &'a [Vec<String>],
    mask: u64,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<u64, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<u64, E> {
        Ok(follow(self.paths, self.mask, self.depth, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(pointers: &[&str], text: &str) -> Vec<Option<Value>> {
        let mut all = Pointers::default();
        let at: Vec<_> = pointers
            .iter()
            .map(|pointer| all.add(pointer).expect("room"))
            .collect();
        let found = all.find(text.as_bytes());
        at.into_iter().map(|at| found[at].clone()).collect()
    }

    #[test]
    fn what_is_not_json_holds_nothing() {
        for text in ["", "{", "{\"a\":1", "{\"a\":1} x", "<html>", "{\"a\":1,}"] {
            assert_eq!(find(&["/a", ""], text), [None, None], "{text:?}");
        }
    }

    #[test]
    fn a_name_that_comes_twice_counts_with_its_last_value() {
        let text = r#"{"a":{"b":1},"a":2}"#;
        assert_eq!(find(&["/a/b", "/a"], text), [None, Some(2.into())]);
        assert_eq!(find(&["/a/b"], text), [None]);
    }

    #[test]
    fn names_are_unescaped_on_both_sides() {
        let text = r#"{"a/b":1,"c~d":2,"\u0065":3}"#;
        let found = find(&["/a~1b", "/c~0d", "/e"], text);
        assert_eq!(found, [Some(1.into()), Some(2.into()), Some(3.into())]);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c0-2]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_what_the_parsed_document_holds(
            document in json(),
            pointers in prop::collection::vec("(/[a-c0-2]{1,2}){0,3}", 1..4),
        ) {
            let pointers: Vec<_> = pointers.iter().map(String::as_str).collect();
            let found = find(&pointers, &document.to_string());
            for (pointer, found) in std::iter::zip(pointers, found) {
                prop_assert_eq!(found.as_ref(), document.pointer(pointer), "{}", pointer);
            }
        }
    }
}
