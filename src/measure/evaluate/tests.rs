//! A plan with two loads, and what its thresholds say of what was measured.
