//! A server's version, as numbers that can be compared.

use std::fmt;

/// `26.7.2.1`, `18.16.1` or `24.8.4.13.altinitystable`: the numbers it begins with count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerVersion {
    text: String,
    numbers: [u32; 2],
}

impl ServerVersion {
    /// Reads what `version()` says; nothing when it does not begin with two numbers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.split('.');
        let mut number = || parts.next()?.parse::<u32>().ok();
        let numbers = [number()?, number()?];
        Some(Self { text: text.to_owned(), numbers })
    }

    /// The release: year and number in that year, such as `(26, 7)`.
    #[must_use]
    pub fn release(&self) -> (u32, u32) {
        (self.numbers[0], self.numbers[1])
    }

    /// Whether it is of this release or a later one.
    #[must_use]
    pub fn is_at_least(&self, release: (u32, u32)) -> bool {
        self.release() >= release
    }

    /// As the server wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        for (text, release) in [
            ("26.7.2.1", (26, 7)),
            ("18.16.1", (18, 16)),
            ("24.8.4.13.altinitystable", (24, 8)),
            ("1.1.54394\n", (1, 1)),
        ] {
            assert_eq!(ServerVersion::parse(text).unwrap().release(), release, "{text}");
        }
        let old = ServerVersion::parse("9.10.1").unwrap();
        assert!(old.is_at_least((9, 9)) && old.is_at_least((9, 10)) && !old.is_at_least((10, 1)));
        for text in ["", "26", "x.y", "-1.2"] {
            assert_eq!(ServerVersion::parse(text), None, "{text}");
        }
    }
}
