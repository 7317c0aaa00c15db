//! Who generates the load.

/// Who generates the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineKind {
    /// The load threads of this program.
    #[default]
    Native,
    /// The crate Goose, in a process of its own.
    Goose,
}

impl EngineKind {
    /// Every engine, by the name that a scenario has for it.
    pub const ALL: [(&'static str, Self); 2] = [("native", Self::Native), ("goose", Self::Goose)];
}
