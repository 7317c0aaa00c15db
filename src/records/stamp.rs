//! Times and lengths of time out of text, with how coarsely they were written down.

use std::fmt;
use std::str::FromStr;
use std::time::UNIX_EPOCH;

const SECOND_NS: u128 = 1_000_000_000;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `s`
    Seconds,
    /// `ms`
    Milliseconds,
    /// `us`
    Microseconds,
    /// `ns`
    Nanoseconds,
    /// A date and time with its zone, as in RFC 3339: `2026-03-01T12:30:00.123Z`.
    Date,
}

impl Unit {
    const NAMES: [(&'static str, Self); 5] = [
        ("s", Self::Seconds),
        ("ms", Self::Milliseconds),
        ("us", Self::Microseconds),
        ("ns", Self::Nanoseconds),
        ("rfc3339", Self::Date),
    ];

    /// The names as a message lists them.
    pub(super) fn names() -> String {
        let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    const fn ns(self) -> u128 {
        match self {
            Self::Seconds | Self::Date => SECOND_NS,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known
            .map(|(_, unit)| *unit)
            .ok_or_else(|| format!("`{text}` is no unit of time; there are {}", Self::names()))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, unit)| unit == self);
        f.pad(named.map_or("", |(name, _)| name))
    }
}

/// What was written down, in nanoseconds: the real value is not less, and less than `grain_ns` more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) at_ns: u64,
    pub(super) grain_ns: u64,
}

impl Stamp {
    /// A number of these units, or a date.
    pub(super) fn read(text: &str, unit: Unit) -> Option<Self> {
        let text = text.trim();
        match unit {
            Unit::Date => date(text),
            _ => number(text, unit.ns()),
        }
    }

    /// No real value lies behind this.
    pub(super) const fn end_ns(self) -> u64 {
        self.at_ns.saturating_add(self.grain_ns)
    }
}

/// Not negative, without an exponent. The last digit says how exact it is, but no digit is finer
/// than a nanosecond.
fn number(text: &str, unit_ns: u128) -> Option<Stamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let mut at_ns = whole.parse::<u128>().ok()?.checked_mul(unit_ns)?;
    let mut grain_ns = unit_ns;
    for digit in fraction.bytes() {
        if !grain_ns.is_multiple_of(10) {
            grain_ns = 1;
            break;
        }
        grain_ns /= 10;
        at_ns += u128::from(digit - b'0') * grain_ns;
    }
    Some(Stamp {
        at_ns: u64::try_from(at_ns).ok()?,
        grain_ns: grain_ns as u64,
    })
}

/// `2026-03-01T12:30:00.123+09:00`; a date without a zone could be many times.
fn date(text: &str) -> Option<Stamp> {
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let (fraction, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
    let in_utc = humantime::parse_rfc3339(&format!("{day}T{clock}Z")).ok()?;
    let in_utc = in_utc.duration_since(UNIX_EPOCH).ok()?;
    let seconds = in_utc.as_secs() as i64 - zone_s(zone)?;
    let fraction = match fraction {
        "" => "",
        some => some.strip_prefix('.').filter(|digits| !digits.is_empty())?,
    };
    let seconds = u64::try_from(seconds).ok()?;
    number(&format!("{seconds}.{fraction}"), SECOND_NS)
}

fn zone_s(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 23)?, digits(minutes, 59)?);
    Some(sign * i64::from(hours * 3_600 + minutes * 60))
}

fn digits(text: &str, most: u32) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number)?;
    (number <= most).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_as_exact_as_it_was_written() {
        // The text, its unit, nanoseconds, and the grain.
        let table = [
            (
                "1700000000",
                Unit::Seconds,
                1_700_000_000_000_000_000,
                1_000_000_000,
            ),
            (
                "1700000000.25",
                Unit::Seconds,
                1_700_000_000_250_000_000,
                10_000_000,
            ),
            (
                "1700000000123",
                Unit::Milliseconds,
                1_700_000_000_123_000_000,
                1_000_000,
            ),
            ("12.3456789", Unit::Milliseconds, 12_345_678, 1),
            ("7", Unit::Nanoseconds, 7, 1),
            ("7.9", Unit::Nanoseconds, 7, 1),
            (
                "1970-01-02T00:00:00Z",
                Unit::Date,
                86_400_000_000_000,
                1_000_000_000,
            ),
            (
                "2026-03-01T12:30:00.123Z",
                Unit::Date,
                1_772_368_200_123_000_000,
                1_000_000,
            ),
            (
                "2026-03-01T21:30:00.123456789+09:00",
                Unit::Date,
                1_772_368_200_123_456_789,
                1,
            ),
            (
                "2024-02-29 23:59:59-01:30",
                Unit::Date,
                1_709_256_599_000_000_000,
                1_000_000_000,
            ),
        ];
        for (text, unit, at_ns, grain_ns) in table {
            let expected = Stamp { at_ns, grain_ns };
            assert_eq!(Stamp::read(text, unit), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_leaves_a_doubt_is_no_time() {
        let numbers = [
            "",
            "-1",
            "+1",
            "1e9",
            "1,5",
            "0x10",
            ".5",
            "NaN",
            "99999999999999999999",
        ];
        for text in numbers {
            assert_eq!(Stamp::read(text, Unit::Seconds), None, "{text}");
        }
        let dates = [
            "2026-03-01T12:30:00",
            "2026-02-30T12:30:00Z",
            "2026-13-01T12:30:00Z",
            "2026-03-01T24:30:00Z",
            "2026-03-01T12:30:00.Z",
            "2026-03-01T12:30:00+9",
            "2026-03-01",
            "1969-12-31T23:59:59Z",
            "1700000000",
        ];
        for text in dates {
            assert_eq!(Stamp::read(text, Unit::Date), None, "{text}");
        }
    }
}
