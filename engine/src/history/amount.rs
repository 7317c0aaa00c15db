//! An amount of money or points, exact to the last digit: never a floating-point number.

use std::fmt;
use std::str::FromStr;

/// A whole number of 10^-18, of at most 170,141,183,460,469,231,731 wholes to either side of zero: room
/// for every 64-bit number of a smallest unit, and for decimals as money is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// Digits behind the point.
const DECIMALS: u32 = 18;
const ONE: i128 = 10_i128.pow(DECIMALS);

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAmount {
    /// It is not written like `-12.50`.
    #[error("is not a decimal number like -12.50")]
    NotDecimal,
    /// It has a digit beyond the last that is kept.
    #[error("has more than {DECIMALS} digits behind the point")]
    TooFine,
    /// It is too far from zero.
    #[error("is too large: amounts go to 170141183460469231731")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum; `None` if it is too large to be kept.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = self.0.checked_add(other.0);
        sum.filter(|sum| *sum != i128::MIN).map(Self)
    }

    /// The difference; `None` if it is too large to be kept.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self(-other.0))
    }

    /// How far from zero it is, in 10^-18, for an order among amounts.
    pub const fn magnitude(self) -> u128 {
        self.0.unsigned_abs()
    }

    /// Two's complement, little endian; the one pattern that is no amount stands for `None`.
    pub(super) const fn to_bytes(amount: Option<Self>) -> [u8; 16] {
        match amount {
            Some(Self(number)) => number.to_le_bytes(),
            None => i128::MIN.to_le_bytes(),
        }
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let number = i128::from_le_bytes(bytes);
        (number != i128::MIN).then_some(Self(number))
    }
}

impl From<i64> for Amount {
    fn from(whole: i64) -> Self {
        Self(i128::from(whole) * ONE)
    }
}

impl FromStr for Amount {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Self, NoAmount> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return Err(NoAmount::NotDecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        let zeros = DECIMALS
            .checked_sub(fraction.len() as u32)
            .ok_or(NoAmount::TooFine)?;
        let mut number = 0_i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let next = number.checked_mul(10);
            let next = next.and_then(|next| next.checked_add(i128::from(digit - b'0')));
            number = next.ok_or(NoAmount::TooLarge)?;
        }
        let number = number.checked_mul(10_i128.pow(zeros));
        let number = number.ok_or(NoAmount::TooLarge)?;
        Ok(Self(if negative { -number } else { number }))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (
            magnitude / ONE.unsigned_abs(),
            magnitude % ONE.unsigned_abs(),
        );
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{fraction:018}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_amount_is_read_to_its_last_digit_or_refused() {
        let right = [
            ("0", "0"),
            ("-0", "0"),
            ("+12.50", "12.5"),
            ("-12.5", "-12.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("0.1", "0.1"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("1.0000000000000000000000", "1"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            (
                "170141183460469231731.687303715884105727",
                "170141183460469231731.687303715884105727",
            ),
        ];
        for (text, shown) in right {
            let amount: Amount = text.parse().unwrap_or_else(|why| panic!("{text} {why}"));
            assert_eq!(amount.to_string(), shown, "{text}");
        }
        let wrong = [
            ("", NoAmount::NotDecimal),
            (".", NoAmount::NotDecimal),
            ("-", NoAmount::NotDecimal),
            ("--5", NoAmount::NotDecimal),
            ("1e3", NoAmount::NotDecimal),
            ("12,50", NoAmount::NotDecimal),
            ("1.2.3", NoAmount::NotDecimal),
            (" 1", NoAmount::NotDecimal),
            ("1.-5", NoAmount::NotDecimal),
            ("٣", NoAmount::NotDecimal),
            ("0.0000000000000000001", NoAmount::TooFine),
            ("170141183460469231732", NoAmount::TooLarge),
            (
                "170141183460469231731.687303715884105728",
                NoAmount::TooLarge,
            ),
            (
                "-170141183460469231731.687303715884105728",
                NoAmount::TooLarge,
            ),
        ];
        for (text, why) in wrong {
            assert_eq!(text.parse::<Amount>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_sum_beyond_the_range_is_none_and_not_another_number() {
        let most = Amount(i128::MAX);
        assert_eq!(most.checked_add(Amount(1)), None);
        assert_eq!(Amount(-i128::MAX).checked_add(Amount(-1)), None);
        assert_eq!(Amount(-i128::MAX).checked_sub(Amount(1)), None);
        assert_eq!(most.checked_sub(most), Some(Amount::ZERO));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(number in (i128::MIN + 1)..=i128::MAX) {
            let amount = Amount(number);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
            prop_assert_eq!(Amount::from_bytes(Amount::to_bytes(Some(amount))), Some(amount));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.0-9e, ]{0,45}") {
            if let Ok(amount) = text.parse::<Amount>() {
                prop_assert_eq!(amount.to_string().parse(), Ok(amount));
            }
        }
    }
}
