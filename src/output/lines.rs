//! Lines for people. Their reader may go away at any time (`2>&1 | head -1`): that is no error, and
//! changes nothing of what a run does or how it ends.

use std::fmt::Arguments;
use std::io::Write as _;

/// Writes to stderr, as far as somebody reads it.
pub fn to_stderr(text: Arguments<'_>) {
    // At once: what was half written when the reader went away is nobody's.
    let _ = std::io::stderr().lock().write_fmt(text);
}

/// Writes to stdout, as far as somebody reads it.
pub fn to_stdout(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}

/// A line to stderr; `eprintln!` would panic when its reader has gone away.
macro_rules! say {
    ($($part:tt)+) => {
        $crate::output::to_stderr(format_args!("{}\n", format_args!($($part)+)))
    };
}

pub(crate) use say;
