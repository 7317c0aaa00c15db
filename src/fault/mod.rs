//! What is done to a system on purpose while it is loaded.

pub mod proxy;
