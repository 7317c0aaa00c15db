//! Lengths of time as findings write them.

/// A length of time with its unit: milliseconds below a second, else seconds.
pub(super) fn span(ns: u64) -> String {
    if ns < 1_000_000_000 {
        format!("{:.3} ms", ns as f64 / 1e6)
    } else {
        format!("{:.3} s", ns as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_length_of_time_has_its_unit() {
        let table = [
            (0, "0.000 ms"),
            (1_600, "0.002 ms"),
            (999_000_000, "999.000 ms"),
            (1_000_000_000, "1.000 s"),
            (61_234_000_000, "61.234 s"),
        ];
        for (ns, text) in table {
            assert_eq!(span(ns), text);
        }
    }
}
