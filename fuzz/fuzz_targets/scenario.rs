//! Any text as a scenario: it is planned or refused, in bounded time and memory, and never panics.
#![no_main]

use fcfs_bench::plan::{self, Overrides};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Variables are set to a number, which fits more places than a text does.
    let environment = |name: &str| (name != "UNSET").then(|| "7".to_owned());
    match plan::load("x.yaml", text, &Overrides::default(), &environment) {
        Ok(plan) => assert!(!plan::print(&plan).is_empty()),
        Err(diagnostics) => {
            assert!(diagnostics.has_errors(), "refused without a reason");
            assert!(!diagnostics.to_string().is_empty());
        }
    }
});
