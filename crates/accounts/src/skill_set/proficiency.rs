//! How well somebody knows a skill.

use std::fmt;
use std::str::FromStr;

use scim_protocol::error::Error;
use serde_json::Value;

/// How well somebody knows a skill: 0.0 to 5.0 with one decimal (rule R70).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Proficiency(u8);

impl Proficiency {
    /// The highest.
    pub const MAX: Self = Self(50);

    /// From tenths: 45 is 4.5.
    pub fn of_tenths(tenths: u8) -> Option<Self> {
        Some(Self(tenths)).filter(|proficiency| *proficiency <= Self::MAX)
    }

    /// In tenths: 45 is 4.5.
    pub fn tenths(self) -> u8 {
        self.0
    }

    /// From a JSON number, or a text that is one.
    ///
    /// # Errors
    /// `invalidValue`: it is none, out of range, or has more than one decimal (R70).
    pub fn of(value: &Value) -> Result<Self, Error> {
        match value {
            Value::Number(number) => number.to_string().parse(),
            Value::String(text) => text.parse(),
            _ => Err(not_a_proficiency()),
        }
    }

    /// As a JSON number, whole where it can be.
    pub fn to_value(self) -> Value {
        if self.0.is_multiple_of(10) {
            Value::from(self.0 / 10)
        } else {
            Value::from(f64::from(self.0) / 10.0)
        }
    }
}

impl FromStr for Proficiency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let tenths = match fraction.trim_end_matches('0').as_bytes() {
            [] => 0,
            [digit @ b'0'..=b'9'] => digit - b'0',
            _ => return Err(not_a_proficiency()),
        };
        match whole.as_bytes() {
            [digit @ b'0'..=b'5'] if !fraction.is_empty() => {
                Self::of_tenths((digit - b'0') * 10 + tenths).ok_or_else(not_a_proficiency)
            }
            _ => Err(not_a_proficiency()),
        }
    }
}

impl fmt::Display for Proficiency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 10)?;
        if self.0.is_multiple_of(10) { Ok(()) } else { write!(f, ".{}", self.0 % 10) }
    }
}

fn not_a_proficiency() -> Error {
    Error::invalid_value("proficiency must be a number from 0.0 to 5.0 with at most one decimal")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn r70_proficiency_is_zero_to_five_with_one_decimal() {
        for (given, printed) in [
            (json!(4), "4"),
            (json!(4.0), "4"),
            (json!(4.5), "4.5"),
            (json!(0), "0"),
            (json!(0.1), "0.1"),
            (json!(5), "5"),
            (json!(5.0), "5"),
            (json!("4"), "4"),
            (json!(" 4.50 "), "4.5"),
            (json!("5.0"), "5"),
        ] {
            let proficiency = Proficiency::of(&given).unwrap();
            assert_eq!(proficiency.to_string(), printed, "{given}");
            assert_eq!(Proficiency::of(&proficiency.to_value()), Ok(proficiency), "{given}");
        }
        for given in [
            json!(5.1),
            json!(-1),
            json!(6),
            json!(4.55),
            json!(1e300),
            json!(true),
            json!(null),
            json!("5.1"),
            json!("4.55"),
            json!("-1"),
            json!("+1"),
            json!("1e0"),
            json!(""),
            json!("."),
            json!("4."),
            json!(".5"),
            json!("4.x"),
            json!("04"),
            json!("1.5.0"),
            json!([4]),
        ] {
            assert_eq!(Proficiency::of(&given), Err(not_a_proficiency()), "{given}");
        }
    }
}
