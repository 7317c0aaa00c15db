//! What stands behind the kind of a fault, read key by key.

use std::str::FromStr;

use crate::scenario::value::ValueError;
use crate::scenario::{At, Blow, FaultSettings, Report, did_you_mean};

/// The settings of one blow; `finish` reports what nobody asked for.
pub(super) struct Settings<'b> {
    blow: &'b Blow,
    known: Vec<&'static str>,
    /// Whether everything so far was right.
    right: bool,
}

impl<'b> Settings<'b> {
    pub(super) fn of(blow: &'b Blow) -> Self {
        Self {
            blow,
            known: Vec::new(),
            right: true,
        }
    }

    /// A setting that may be missing. `alone`: the one that `{ kind: VALUE }` means.
    pub(super) fn get<T: FromStr<Err = ValueError>>(
        &mut self,
        key: &'static str,
        alone: bool,
        report: &mut Report<'_>,
    ) -> Option<At<T>> {
        let text = self.text(key, alone)?;
        match text.value.parse() {
            Ok(value) => Some(At {
                value,
                position: text.position,
                hidden: text.hidden,
            }),
            Err(error) => {
                self.right = false;
                report.error_maybe(text.position, error.message, error.hint);
                None
            }
        }
    }

    /// As above, as it was written.
    pub(super) fn text(&mut self, key: &'static str, alone: bool) -> Option<&'b At<String>> {
        self.known.push(key);
        match &self.blow.settings {
            FaultSettings::One(text) if alone => Some(text),
            FaultSettings::Map(map) => {
                let found = map.iter().find(|(name, _)| name.value == key);
                found.map(|(_, text)| text)
            }
            FaultSettings::One(_) | FaultSettings::None => None,
        }
    }

    /// One that must be there.
    pub(super) fn need<T: FromStr<Err = ValueError>>(
        &mut self,
        key: &'static str,
        alone: bool,
        example: &str,
        report: &mut Report<'_>,
    ) -> Option<At<T>> {
        if self.text(key, alone).is_none() {
            self.right = false;
            let Blow { party, kind, .. } = self.blow;
            report.error_hint(
                kind.position,
                format!("`{}` needs `{key}`", kind.value),
                format!("write `{}: {{ {}: {example} }}`", party.value, kind.value),
            );
        }
        self.known.pop();
        self.get(key, alone, report)
    }

    /// Reports a value that is not possible.
    pub(super) fn refuse<T>(
        &mut self,
        at: &At<T>,
        what: &str,
        hint: &str,
        report: &mut Report<'_>,
    ) {
        self.right = false;
        report.error_hint(at.position, what, hint);
    }

    /// Reports what was not asked for, and says whether all was right.
    pub(super) fn finish(self, report: &mut Report<'_>) -> Option<()> {
        let Blow { kind, settings, .. } = self.blow;
        let mut right = self.right;
        match settings {
            FaultSettings::Map(map) => {
                for (key, _) in map {
                    if !self.known.contains(&key.value.as_str()) {
                        right = false;
                        let message = format!("unknown key `{}` in `{}`", key.value, kind.value);
                        report.error_hint(
                            key.position,
                            message,
                            did_you_mean(&key.value, &self.known),
                        );
                    }
                }
            }
            FaultSettings::One(text) if self.known.is_empty() => {
                right = false;
                report.error_hint(
                    text.position,
                    format!("`{}` has no value", kind.value),
                    format!("write `{}: {}`", self.blow.party.value, kind.value),
                );
            }
            FaultSettings::One(_) | FaultSettings::None => {}
        }
        right.then_some(())
    }
}
