//! Finds the values at a few JSON pointers (RFC 6901) in one pass, as they stand in the text:
//! nothing is built, and nothing is allocated for a few of them.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

/// Pointers that are followed in one pass: a set of them is a mask of bits.
const AT_ONCE: usize = 64;

/// Values for which there is room without an allocation; scenarios rarely look at more.
const FEW: usize = 6;

/// The text of the value at each pointer, by the pointer's number.
pub(super) type Found<'a> = SmallVec<[Option<&'a RawValue>; FEW]>;

/// Pointers that are looked up in many documents.
#[derive(Debug, Default)]
pub(super) struct Pointers {
    /// The tokens of each, unescaped.
    paths: Vec<Vec<String>>,
}

impl Pointers {
    /// The number that stands for this pointer from now on.
    pub(super) fn add(&mut self, pointer: &str) -> usize {
        let unescaped = |token: &str| token.replace("~1", "/").replace("~0", "~");
        let path: Vec<_> = pointer.split('/').skip(1).map(unescaped).collect();
        if let Some(at) = self.paths.iter().position(|known| *known == path) {
            return at;
        }
        self.paths.push(path);
        self.paths.len() - 1
    }

    /// The value at each pointer; nothing at all if the text is not JSON.
    pub(super) fn find<'a>(&self, text: &'a [u8]) -> Found<'a> {
        let mut found = SmallVec::from_elem(None, self.paths.len());
        for (paths, found) in std::iter::zip(self.paths.chunks(AT_ONCE), found.chunks_mut(AT_ONCE))
        {
            let mask = u64::MAX >> (AT_ONCE - paths.len());
            let level = Level {
                paths,
                mask,
                depth: 0,
                found,
            };
            let mut json = serde_json::Deserializer::from_slice(text);
            let read = level.deserialize(&mut json).and_then(|()| json.end());
            if read.is_err() {
                return SmallVec::from_elem(None, self.paths.len());
            }
        }
        found
    }
}

/// A value of the document, and the pointers that lead to it or into it.
struct Level<'a, 'de> {
    paths: &'a [Vec<String>],
    mask: u64,
    /// Tokens that were followed so far.
    depth: usize,
    found: &'a mut [Option<&'de RawValue>],
}

fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.trailing_zeros();
        let more = mask != 0;
        mask &= mask.wrapping_sub(1);
        more.then_some(at as usize)
    })
}

/// The pointers of the mask whose token at this depth is wanted.
fn follow(paths: &[Vec<String>], mask: u64, depth: usize, is_it: impl Fn(&str) -> bool) -> u64 {
    let same = |at: &usize| paths[*at].get(depth).is_some_and(|wanted| is_it(wanted));
    bits(mask)
        .filter(same)
        .fold(0, |followed, at| followed | 1 << at)
}

impl<'de> Level<'_, 'de> {
    fn below(&mut self, mask: u64) -> Level<'_, 'de> {
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

impl<'de> DeserializeSeed<'de> for Level<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.mask == 0 {
            return json.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        let ends_here = |at: &usize| self.paths[*at].len() == self.depth;
        let here = bits(self.mask)
            .filter(ends_here)
            .fold(0, |ends, at| ends | 1 << at);
        if here == 0 {
            return json.deserialize_any(self);
        }
        let value = <&RawValue>::deserialize(json)?;
        bits(here).for_each(|at| self.found[at] = Some(value));
        let inner = self.mask & !here;
        if inner != 0 {
            // Others lead into the value: it is read once more, as it stands.
            let inner = Level {
                mask: inner,
                ..self
            };
            let mut json = serde_json::Deserializer::from_str(value.get());
            return inner.deserialize(&mut json).map_err(D::Error::custom);
        }
        Ok(())
    }
}

/// Whether the token is the index (RFC 6901, section 4: digits without a leading zero).
fn is_index(token: &str, at: usize) -> bool {
    let canonical = !token.starts_with('+') && (token == "0" || !token.starts_with('0'));
    canonical && token.parse() == Ok(at)
}

impl<'de> Visitor<'de> for Level<'_, 'de> {
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
            let is_here = |token: &str| is_index(token, at);
            let mask = follow(self.paths, self.mask, self.depth, is_here);
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
        Ok(follow(self.paths, self.mask, self.depth, |token| {
            token == name
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn find(pointers: &[&str], text: &str) -> Vec<Option<Value>> {
        let mut all = Pointers::default();
        let at: Vec<_> = pointers.iter().map(|pointer| all.add(pointer)).collect();
        let found = all.find(text.as_bytes());
        let parsed = |raw: &RawValue| serde_json::from_str(raw.get()).expect("it was read before");
        at.into_iter().map(|at| found[at].map(parsed)).collect()
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

    #[test]
    fn pointers_beyond_one_pass_are_found_in_another() {
        let names: Vec<String> = (0..=2 * AT_ONCE).map(|at| format!("/k{at}")).collect();
        let pairs = (0..=2 * AT_ONCE).map(|at| format!("\"k{at}\":{at}"));
        let text = format!("{{{}}}", pairs.collect::<Vec<_>>().join(","));
        let pointers: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = find(&pointers, &text);
        let all: Vec<_> = (0..=2 * AT_ONCE).map(|at| Some(at.into())).collect();
        assert_eq!(found, all);
        assert!(find(&pointers, &text[1..]).iter().all(Option::is_none));
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
