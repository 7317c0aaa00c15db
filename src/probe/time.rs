//! Reads a moment out of text, if the text leaves no doubt about it.

/// A moment and how coarsely it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Microseconds of Unix time.
    pub(super) at_us: i64,
    /// The real moment lies within so many microseconds after it.
    pub(super) grain_us: i64,
}

/// 2000-01-01 and 2100-01-01 in seconds. Between them, the magnitude of a number tells its unit:
/// the windows of seconds, milliseconds, microseconds and nanoseconds do not overlap.
const WINDOW: std::ops::Range<u64> = 946_684_800..4_102_444_800;

/// Days before each month of a common year.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// The moment that a number of Unix time or a date with a zone stands for.
///
/// A date without a zone gives none: nine hours of doubt are worse than no time.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    epoch(text).or_else(|| date(text))
}

fn epoch(text: &str) -> Option<Moment> {
    if text.contains(['e', 'E']) {
        let number: f64 = text.parse().ok()?;
        // `Display` never writes an exponent, so this does not come back here.
        return number.is_finite().then(|| epoch(&number.to_string()))?;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = digits(whole)?;
    let unit_in = |per_second: u64| {
        let window = WINDOW.start * per_second..WINDOW.end * per_second;
        window.contains(&whole)
    };
    let (unit_us, places) = if unit_in(1) {
        (1_000_000, 6)
    } else if unit_in(1_000) {
        (1_000, 3)
    } else if unit_in(1_000_000) {
        (1, 0)
    } else if unit_in(1_000_000_000) {
        let at_us = (whole / 1_000) as i64;
        return Some(Moment { at_us, grain_us: 1 });
    } else {
        return None;
    };
    let (part, grain_us) = decimals(fraction, places)?;
    Some(Moment {
        at_us: whole as i64 * unit_us + part,
        grain_us,
    })
}

/// `2026-03-01T12:30:00.123Z`, also with a blank for the `T`, and with a zone of hours only.
fn date(text: &str) -> Option<Moment> {
    let (day, rest) = text.split_at_checked(10)?;
    let mut day = day.split('-');
    let (year, month, of_month) = (day.next()?, day.next()?, day.next()?);
    let (year, month, of_month) = (digits(year)?, digits(month)?, digits(of_month)?);
    let days = days_since_1970(year as i64, month as usize, of_month as i64)?;

    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(|c: char| c == '+' || c == '-' || c.is_ascii_alphabetic())?;
    let (clock, zone) = rest.split_at(zone_at);
    let mut clock = clock.trim_end().split(':');
    let (hour, minute) = (digits(clock.next()?)?, digits(clock.next()?)?);
    let (second, fraction) = match clock.next() {
        None => ("0", ""),
        Some(second) => second.split_once('.').unwrap_or((second, "")),
    };
    let second = digits(second)?;
    if hour > 24 || minute > 59 || second > 60 || clock.next().is_some() {
        return None;
    }
    let (part, grain_us) = decimals(fraction, 6)?;
    let second_of_day = (hour * 3_600 + minute * 60 + second) as i64;
    let seconds = days * 86_400 + second_of_day - zone_seconds(zone)?;
    Some(Moment {
        at_us: seconds * 1_000_000 + part,
        grain_us,
    })
}

fn zone_seconds(zone: &str) -> Option<i64> {
    if ["z", "utc", "gmt"].contains(&zone.to_ascii_lowercase().as_str()) {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let mut figures = zone.strip_prefix(['+', '-'])?.replace(':', "");
    if figures.len() % 2 != 0 || figures.is_empty() || figures.len() > 6 {
        return None;
    }
    while figures.len() < 6 {
        figures.push('0');
    }
    let figures = digits(&figures)? as i64;
    let (hours, minutes, seconds) = (figures / 10_000, figures / 100 % 100, figures % 100);
    (hours < 24 && minutes < 60 && seconds < 60)
        .then_some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

fn days_since_1970(year: i64, month: usize, day: i64) -> Option<i64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let leap_day = i64::from(is_leap && month == 2);
    let length = DAYS_BEFORE[month] - DAYS_BEFORE[month - 1] + leap_day;
    if !(1..=length).contains(&day) {
        return None;
    }
    let leap_days = |years: i64| years / 4 - years / 100 + years / 400;
    let before_year = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let after_leap_day = i64::from(is_leap && month > 2);
    Some(before_year + DAYS_BEFORE[month - 1] + after_leap_day + day - 1)
}

/// The first decimals as a number of units that are 10^-places, and the unit of the last one.
fn decimals(fraction: &str, places: usize) -> Option<(i64, i64)> {
    if !fraction.is_empty() {
        digits_only(fraction)?;
    }
    let known = fraction.len().min(places);
    let grain = 10_i64.pow((places - known) as u32);
    let value: i64 = if known == 0 {
        0
    } else {
        fraction[..known].parse().ok()?
    };
    Some((value * grain, grain))
}

fn digits(text: &str) -> Option<u64> {
    digits_only(text)?.parse().ok()
}

fn digits_only(text: &str) -> Option<&str> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_magnitude_tells_the_unit() {
        let second = 1_700_000_000_000_000;
        let cases = [
            ("1700000000", second, 1_000_000),
            ("1700000000123", second + 123_000, 1_000),
            ("1700000000123456", second + 123_456, 1),
            ("1700000000123456789", second + 123_456, 1),
            // Decimals of seconds are as fine as they are written.
            ("1700000000.5", second + 500_000, 100_000),
            ("1700000000.123456", second + 123_456, 1),
            ("1700000000.1234567", second + 123_456, 1),
            ("1700000000123.25", second + 123_250, 10),
            ("1.7e9", second, 1_000_000),
            ("1.7000000001235e+12", second + 123_000, 100),
        ];
        for (text, at_us, grain_us) in cases {
            let at = moment(text).map(|moment| moment.at_us);
            // The exponent's case is only as exact as a float.
            let near = at.is_some_and(|at| (at - at_us).abs() < 1_000);
            assert!(near, "{text}: {at:?}");
            assert_eq!(moment(text).map(|m| m.grain_us), Some(grain_us), "{text}");
        }
    }

    #[test]
    fn a_date_with_a_zone_is_certain() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0, 1_000_000),
            ("2023-11-14T22:13:20Z", 1_700_000_000_000_000, 1_000_000),
            ("2023-11-14T22:13:20.123Z", 1_700_000_000_123_000, 1_000),
            ("2023-11-15 07:13:20+09", 1_700_000_000_000_000, 1_000_000),
            (
                "2023-11-15T07:13:20.5+09:00",
                1_700_000_000_500_000,
                100_000,
            ),
            ("2023-11-14 18:43:20.123456-0330", 1_700_000_000_123_456, 1),
            ("2023-11-14 22:13:20 UTC", 1_700_000_000_000_000, 1_000_000),
            ("2024-02-29T00:00:00.000000001Z", 1_709_164_800_000_000, 1),
            ("2024-03-01T00:00:00Z", 1_709_251_200_000_000, 1_000_000),
            ("2000-12-31T23:59:60Z", 978_307_200_000_000, 1_000_000),
        ];
        for (text, at_us, grain_us) in cases {
            assert_eq!(moment(text), Some(Moment { at_us, grain_us }), "{text}");
        }
    }

    #[test]
    fn what_is_in_doubt_gives_no_time() {
        let cases = [
            "",
            "2023-11-14 22:13:20",
            "2023-11-14T22:13:20.123456",
            "2023-11-14",
            // A date without separators is a number, but no plausible one.
            "20231114221320",
            "0",
            "-1700000000",
            "42",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-11-14T25:00:00Z",
            "2023-11-14T22:13:20+9",
            "2023-11-14T22:13:20+99",
            "2023-11-14T22:13:20 Asia/Seoul",
            "infinity",
            "1e999",
            "NaN",
            "오늘",
            "2023-11-14T22:13:20.Z5",
            "99999999999999999999999",
        ];
        for text in cases {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
