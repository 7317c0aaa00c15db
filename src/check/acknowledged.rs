//! Stub.
use super::{Finding, digest::Digest};
pub(super) fn check(_digest: &Digest<'_>) -> Finding {
    todo!()
}
