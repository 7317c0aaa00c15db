//! What the executors promise, in paused time.
