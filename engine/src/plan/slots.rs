//! Values that only a run brings: captured from answers, read with the users, signed. The plan
//! numbers them; each VU holds one text for each number.

/// A place for a value, known by its name while planning and by its number in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// As templates name it.
    pub name: String,
    /// Never shown: a token, or anything else that the scenario calls a secret.
    pub secret: bool,
}

/// The values of one VU by their slots' numbers; `None` until the value is there.
pub type SlotValues = Vec<Option<String>>;

/// The slots while they are found.
#[derive(Debug, Clone, Default)]
pub(super) struct SlotTable {
    slots: Vec<Slot>,
    /// Whether templates of the place that is being planned may use it.
    visible: Vec<bool>,
}

/// Why a name stands for no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSlot {
    /// Nothing brings it.
    Unknown,
    /// Something brings it, but not before the place that wants it.
    NotYet,
}

impl SlotTable {
    /// A number is one byte.
    pub(super) const MOST: usize = 200;

    /// Gives the name a number, or finds the one it has, and makes it visible. `None` when there
    /// are too many.
    pub(super) fn declare(&mut self, name: &str, secret: bool) -> Option<u8> {
        let known = self.slots.iter().position(|slot| slot.name == name);
        if let Some(at) = known {
            self.visible[at] = true;
            self.slots[at].secret |= secret;
            return Some(at as u8);
        }
        if self.slots.len() >= Self::MOST {
            return None;
        }
        self.slots.push(Slot {
            name: name.to_owned(),
            secret,
        });
        self.visible.push(true);
        Some((self.slots.len() - 1) as u8)
    }

    /// Knows the name before its place: who wants it too early is told so.
    pub(super) fn announce(&mut self, name: &str) {
        let is_new = self.slots.iter().all(|slot| slot.name != name);
        if is_new && self.declare(name, false).is_some() {
            self.visible[self.slots.len() - 1] = false;
        }
    }

    /// The number of a name that may be used here.
    pub(super) fn find(&self, name: &str) -> Result<u8, NoSlot> {
        let at = self.slots.iter().position(|slot| slot.name == name);
        match at {
            None => Err(NoSlot::Unknown),
            Some(at) if !self.visible[at] => Err(NoSlot::NotYet),
            Some(at) => Ok(at as u8),
        }
    }

    /// The name of a slot that was found.
    pub(super) fn name(&self, slot: u8) -> &str {
        let slot = self.slots.get(usize::from(slot));
        slot.map_or("", |slot| slot.name.as_str())
    }

    /// Whether its value must never be shown.
    pub(super) fn is_secret(&self, slot: u8) -> bool {
        let slot = self.slots.get(usize::from(slot));
        slot.is_some_and(|slot| slot.secret)
    }

    /// The number of a name, also of one that may not be used here.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.name == name)
    }

    /// The names that may be used here.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let visible = std::iter::zip(&self.slots, &self.visible).filter(|(_, visible)| **visible);
        visible.map(|(slot, _)| slot.name.as_str())
    }

    /// How many have a number.
    pub(super) const fn count(&self) -> usize {
        self.slots.len()
    }

    /// What is visible now, to be restored at the end of a flow: its captures are its own.
    pub(super) fn scope(&self) -> Vec<bool> {
        self.visible.clone()
    }

    /// Back to what was visible then.
    pub(super) fn restore(&mut self, scope: Vec<bool>) {
        self.visible = scope;
        self.visible.resize(self.slots.len(), false);
    }

    /// The same table, for a place that may use all of them.
    pub(super) fn all_visible(&self) -> Self {
        Self {
            slots: self.slots.clone(),
            visible: vec![true; self.slots.len()],
        }
    }

    /// All of them, for the plan.
    pub(super) fn into_slots(self) -> Vec<Slot> {
        self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_of_one_flow_is_known_but_not_there_in_another() {
        let mut table = SlotTable::default();
        let token = table.declare("token", true);
        table.announce("order");
        assert_eq!(table.find("order"), Err(NoSlot::NotYet));
        let scope = table.scope();
        assert_eq!(table.declare("order", false), Some(1));
        table.restore(scope);
        assert_eq!(table.find("order"), Err(NoSlot::NotYet));
        assert_eq!(table.find("other"), Err(NoSlot::Unknown));
        assert_eq!(table.names().collect::<Vec<_>>(), ["token"]);
        // The same name in another flow is the same slot: a VU performs one flow.
        assert_eq!(table.declare("order", false), Some(1));
        assert_eq!(
            (table.find("token").ok(), table.into_slots().len()),
            (token, 2)
        );
    }
}
