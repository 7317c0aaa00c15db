//! What is said about a fault, read as values of their types.

use std::str::FromStr;

use crate::scenario::value::ValueError;
use crate::scenario::{At, Blow, Report};

/// The settings of one blow.
pub(super) struct Settings<'b> {
    blow: &'b Blow,
    /// Whether everything so far was right.
    right: bool,
}

impl<'b> Settings<'b> {
    pub(super) const fn of(blow: &'b Blow) -> Self {
        Self { blow, right: true }
    }

    /// A value, if it is said and right.
    pub(super) fn get<T: FromStr<Err = ValueError>>(
        &mut self,
        key: &str,
        report: &mut Report<'_>,
    ) -> Option<At<T>> {
        let text = self.text(key)?;
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

    /// As it was written.
    pub(super) fn text(&self, key: &str) -> Option<&'b At<String>> {
        let mut said = self.blow.settings.iter();
        said.find(|(name, _)| *name == key).map(|(_, text)| text)
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

    /// Whether all was right.
    pub(super) fn finish(self) -> Option<()> {
        self.right.then_some(())
    }
}
