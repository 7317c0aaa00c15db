//! The playbooks that the program brings along.

use crate::playbook::{Playbook, read};
use crate::scenario::Diagnostics;

/// Name and text of each, in the order of reports.
const SHIPPED: [(&str, &str); 8] = [
    (
        "playbooks/coupon-lock-contention.yaml",
        include_str!("../../../playbooks/coupon-lock-contention.yaml"),
    ),
    (
        "playbooks/redis-down.yaml",
        include_str!("../../../playbooks/redis-down.yaml"),
    ),
    (
        "playbooks/database-pool.yaml",
        include_str!("../../../playbooks/database-pool.yaml"),
    ),
    (
        "playbooks/kafka-down.yaml",
        include_str!("../../../playbooks/kafka-down.yaml"),
    ),
    (
        "playbooks/queue-late.yaml",
        include_str!("../../../playbooks/queue-late.yaml"),
    ),
    (
        "playbooks/top-products-slow.yaml",
        include_str!("../../../playbooks/top-products-slow.yaml"),
    ),
    (
        "playbooks/balance-slow.yaml",
        include_str!("../../../playbooks/balance-slow.yaml"),
    ),
    (
        "playbooks/order-slow.yaml",
        include_str!("../../../playbooks/order-slow.yaml"),
    ),
];

/// All of them.
///
/// # Errors
/// What is wrong with the first that is wrong; a test reads them all.
pub fn shipped() -> Result<Vec<Playbook>, Diagnostics> {
    SHIPPED
        .iter()
        .map(|(name, text)| read(name, text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_playbook_is_right_and_has_an_id_of_its_own() {
        let all = shipped().unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut ids: Vec<_> = all.iter().map(|one| one.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), SHIPPED.len());
        for playbook in &all {
            assert!(!playbook.prevention.is_empty(), "{}", playbook.id);
            let both = playbook.now.measures.iter().map(|one| &one.what);
            assert!(
                both.clone().all(|text| text.en != text.ko),
                "{}",
                playbook.id
            );
        }
    }

    #[test]
    fn every_playbook_of_the_folder_is_compiled_in() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
        let files = std::fs::read_dir(folder).expect("a folder");
        assert_eq!(files.count(), SHIPPED.len());
    }
}
