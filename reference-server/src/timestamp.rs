//! A moment as microseconds of Unix time: a number in the table, ISO 8601 in an answer.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    pub(crate) fn now() -> Self {
        // A clock before 1970 gives 0: an odd time is no reason to refuse a coupon.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    pub(crate) fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub(crate) fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads a date and a time with its zone (RFC 3339); what is below a microsecond is cut off.
    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        let (clock, rest) = text.split_at_checked(19)?;
        let (fraction, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
        let bytes = clock.as_bytes();
        let marks = [
            bytes[4],
            bytes[7],
            bytes[10].to_ascii_uppercase(),
            bytes[13],
            bytes[16],
        ];
        if &marks != b"--T::" {
            return None;
        }
        let (year, month, day) = (
            number(clock, 0..4, 9999)?,
            number(clock, 5..7, 12)?,
            number(clock, 8..10, 31)?,
        );
        if month == 0 || day == 0 || day > days_in(year, month) {
            return None;
        }
        let days = first_day_of(year) + (1..month).map(|m| days_in(year, m)).sum::<i64>() + day - 1;
        let seconds = number(clock, 11..13, 23)? * 3600
            + number(clock, 14..16, 59)? * 60
            + number(clock, 17..19, 59)?;
        let micros = (days * 86_400 + seconds - offset_of(zone)?) * 1_000_000;
        Some(Self(micros + micros_of(fraction)?))
    }
}

/// The digits of a part, as a number up to `most`.
fn number(text: &str, part: std::ops::Range<usize>, most: i64) -> Option<i64> {
    let digits = text.get(part)?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = number.then(|| digits.parse().ok())??;
    (number <= most).then_some(number)
}

/// Seconds that a zone is ahead of UTC.
fn offset_of(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    if zone.len() != 6 || zone.as_bytes()[3] != b':' {
        return None;
    }
    let seconds = number(zone, 1..3, 23)? * 3600 + number(zone, 4..6, 59)? * 60;
    Some(if zone.starts_with('-') {
        -seconds
    } else {
        seconds
    })
}

/// Nothing, or a point and digits.
fn micros_of(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction.strip_prefix('.')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = &digits[..digits.len().min(6)];
    let micros: i64 = kept.parse().ok()?;
    Some(micros * 10_i64.pow(6 - kept.len() as u32))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1_000_000);
        let micros = self.0.rem_euclid(1_000_000);
        let (year, month, day) = date(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"
        )
    }
}

/// The Gregorian date of a day counted from 1970-01-01.
fn date(days_since_1970: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days_since_1970.div_euclid(366);
    // The guess is never late, and early by one year for each 1,461 days or so.
    while first_day_of(year + 1) <= days_since_1970 {
        year += 1;
    }
    let mut day = days_since_1970 - first_day_of(year);
    let mut month = 1;
    while day >= days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

/// Days from 1970-01-01 to the first of January of `year`.
fn first_day_of(year: i64) -> i64 {
    let past = year - 1;
    let leap_days = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    // 477 leap days lie between year 1 and 1970.
    (year - 1970) * 365 + leap_days - 477
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_date_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"), // leap day of a century
            (1_740_700_800_000_001, "2025-02-28T00:00:00.000001Z"),
            (1_735_689_599_999_999, "2024-12-31T23:59:59.999999Z"), // last day of a leap year
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"), // 2100 has no leap day
        ];
        for (micros, text) in cases {
            assert_eq!(Timestamp(micros).to_string(), text);
        }
    }
}
