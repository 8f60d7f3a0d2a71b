//! ClickHouse's version numbers.

use std::fmt;
use std::str::FromStr;

/// Up to four numbers: `24`, `24.1`, `26.7.2.1`. Missing ones count as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ServerVersion([u32; 4]);

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ClickHouse version; expected up to four numbers, for example 24.1")]
pub struct NoVersion(String);

impl FromStr for ServerVersion {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let bad = || NoVersion(text.chars().take(40).collect());
        let mut numbers = [0; 4];
        // Builds add words of their own: `26.7.2.1-altinity`.
        let plain = text.split(['-', ' ', '+']).next().unwrap_or_default();
        let mut parts = plain.split('.');
        for (index, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) => *number = part.parse().map_err(|_| bad())?,
                None if index == 0 => return Err(bad()),
                None => break,
            }
        }
        Ok(Self(numbers))
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a}.{b}.{c}.{d}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_not_by_letter() {
        let parse = |text: &str| text.parse::<ServerVersion>().unwrap();
        assert!(parse("24.10") > parse("24.9.3.1"));
        assert_eq!(parse("26.7.2.1-altinity"), parse("26.7.2.1"));
        assert!("".parse::<ServerVersion>().is_err());
        assert!("twenty".parse::<ServerVersion>().is_err());
    }
}
