//! Stub.
use super::Evidence;
pub(super) struct Digest<'a> {
    pub(super) evidence: Evidence<'a>,
}
impl<'a> Digest<'a> {
    pub(super) fn build(evidence: &Evidence<'a>) -> std::io::Result<Self> {
        Ok(Self {
            evidence: *evidence,
        })
    }
}
