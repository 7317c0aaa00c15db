//! Any bytes as records of another tool: they are refused by line or read, and never more of them
//! than there are lines.
#![no_main]

use std::time::Duration;

use fcfs_bench::records::{Asked, Format, Records, Settings};
use libfuzzer_sys::fuzz_target;

/// The format, and what is said about its fields.
const READINGS: [(Format, &[&str]); 5] = [
    (Format::K6, &["user=url~([0-9]+)", "outcome=outcome"]),
    (Format::Jmeter, &["user=user", "body=answer"]),
    (Format::Locust, &["user=user", "coupon=coupon"]),
    (
        Format::Jsonl,
        &[
            "user=u",
            "start=a",
            "end=b",
            "unit=rfc3339",
            "status=s",
            "body=/r",
        ],
    ),
    (
        Format::Jsonl,
        &[
            "user=/u/0",
            "start=a",
            "duration=d",
            "unit=s",
            "status=s",
            "error=e",
        ],
    ),
];

// The first byte says who has written the rest.
fuzz_target!(|input: &[u8]| {
    let Some((&first, bytes)) = input.split_first() else {
        return;
    };
    let (format, map) = READINGS[usize::from(first) % READINGS.len()];
    let settings = Settings::of(&Asked {
        format,
        map: map.iter().map(|text| (*text).to_owned()).collect(),
        only: Vec::new(),
        skew: Duration::from_millis(1),
    });
    let settings = settings.expect("they are right");
    let Ok(records) = Records::of(&settings, "x", bytes) else {
        return;
    };
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    let mut count = 0;
    for record in records {
        let Ok(record) = record else { return };
        assert!(record.start_ns <= record.end_ns, "{record:?}");
        assert!(!record.user.is_empty());
        count += 1;
    }
    assert!(count <= lines, "{count} records of {lines} lines");
});
