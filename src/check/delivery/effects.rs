//! The consumer's effects against the events, or against the issued rows where no events are read.

use super::joined::Place;
use super::published::not_compared;
use super::{Judge, has, perhaps_older};
use crate::check::draft::{DraftPart, Pick, count_of};
use crate::history::Key;

impl Judge<'_> {
    /// ids(E) ⊆ ids(X), each once.
    pub(super) fn effects(&self) -> Vec<DraftPart> {
        let Some(effects) = &self.joined.effects else {
            return Vec::new();
        };
        vec![self.lost_effect(effects), self.repeated_effect(effects)]
    }

    fn lost_effect(&self, effects: &Place) -> DraftPart {
        let (causes, unit, knows): (Vec<Key>, _, _) = match &self.joined.events {
            Some(topic) => {
                let ids = topic.new_ids().into_keys().collect();
                (ids, "published id", topic.ends.is_some())
            }
            None if self.asked.events.is_some() => {
                return not_compared("lost_effect", "the events were not read");
            }
            None => {
                let ids = self.joined.source().into_iter().collect();
                (ids, "issued id", self.knows_rows_before())
            }
        };
        let is_lost = |id: &&Key| !effects.counts.contains_key(id);
        let pick = self.pick(causes.iter().filter(is_lost).copied());
        let verdict = self.absent(pick.count > 0, knows);
        let causes = count_of(causes.len() as u64, unit);
        let detail = match pick.count {
            0 => format!("{causes}, each with its effect"),
            lost => format!(
                "{lost} of {causes} without an effect{}",
                perhaps_older(verdict, knows)
            ),
        };
        DraftPart::new("lost_effect", verdict, pick.count, detail)
            .with(|| pick.cases(|id| self.case(id, "no effect")))
    }

    /// Twice is a failure at any time: nothing that comes later takes an effect back.
    fn repeated_effect(&self, effects: &Place) -> DraftPart {
        let mut pick: Pick<(Key, u32)> = Pick::default();
        let mut surplus = 0;
        for (id, count) in &effects.counts {
            let allowed = effects.before(*id).max(1);
            if *count > allowed {
                let (_, attempt) = self.owner(*id);
                let when_ns = attempt.map_or(0, |attempt| attempt.inv_ns);
                pick.offer(*id, when_ns, u64::from(*count), (*id, *count));
                surplus += u64::from(count - allowed);
            }
        }
        let knows = effects.before.is_some();
        let verdict = Self::proved(pick.count > 0, knows);
        let detail = match pick.count {
            0 => "no effect is there twice".to_owned(),
            ids => format!(
                "{} an effect more than once, {} too many{}",
                has(ids, "id"),
                count_of(surplus, "effect"),
                perhaps_older(verdict, knows)
            ),
        };
        DraftPart::new("repeated_effect", verdict, pick.count, detail).with(|| {
            pick.cases(|(id, count)| self.case(id, format!("the effect is there {count} times")))
        })
    }
}
