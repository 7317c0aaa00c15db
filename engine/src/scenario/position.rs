//! Where a piece of the scenario stands: in the file, or in an argument of the command line.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) origin: Origin,
    /// Bytes from the start of the text.
    pub(crate) start: usize,
    /// In bytes; 0 where only the start is known.
    pub(crate) len: usize,
}

/// The text that a position lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The scenario file.
    File,
    /// The n-th of [`Source::included`].
    Included(usize),
    /// The n-th `--set`.
    Set(usize),
}

impl Position {
    /// The start of the file, for what is wrong with the file as a whole.
    pub(crate) const START: Self = Self {
        origin: Origin::File,
        start: 0,
        len: 0,
    };
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) position: Position,
    /// The value came from the environment and must not be shown.
    pub(crate) hidden: bool,
}

impl At<String> {
    /// The text for messages.
    pub(crate) fn shown(&self) -> &str {
        if self.hidden { "${..}" } else { &self.value }
    }
}

/// The texts that positions refer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Source {
    /// As messages name it.
    pub(crate) file_name: String,
    pub(crate) text: String,
    /// The files that are included, directly or not.
    pub(crate) included: Vec<Included>,
    /// The `--set` arguments.
    pub(crate) set: Vec<String>,
    /// The `--profile`.
    pub(crate) profile: Option<String>,
}

/// A file that a scenario includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// Its path, beginning where the scenario's own path begins.
    pub name: String,
    /// What it holds, or why it cannot be read.
    pub text: Result<String, String>,
}
