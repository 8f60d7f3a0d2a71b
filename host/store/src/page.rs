//! Pages of a list, and the place where the next one begins.

use std::fmt;
use std::str::FromStr;

/// Most items of one page, whatever is asked for.
pub const MAX_PAGE: u32 = 1000;

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: expected the `next` of the page before, unchanged")]
pub struct InvalidCursor;

/// Where the next page begins. Clients pass it back unchanged and read nothing from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

/// What a cursor shows as: the position, in hexadecimal, so that nobody is tempted to count.
const PREFIX: &str = "c1";

impl Cursor {
    pub(crate) fn after(position: impl fmt::Display) -> Self {
        Self(position.to_string())
    }

    /// The last item of the page before.
    pub(crate) fn position(&self) -> &str {
        &self.0
    }

    pub(crate) fn number(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        /// Longer than any id.
        const LONGEST: usize = 2 * 64;
        let digits = text.strip_prefix(PREFIX).filter(|digits| (2..=LONGEST).contains(&digits.len()));
        let digits = digits.ok_or(InvalidCursor)?.as_bytes();
        let position = digits
            .chunks(2)
            .map(|pair| {
                let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
                u8::from_str_radix(pair, 16).ok().map(char::from).filter(char::is_ascii_alphanumeric)
            })
            .collect::<Option<String>>();
        position.map(Self).ok_or(InvalidCursor)
    }
}

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; absent at the end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// From up to `limit + 1` items: the one too many says that there is more.
    pub(crate) fn of(mut items: Vec<T>, limit: u32, position: impl Fn(&T) -> String) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|item| Cursor::after(position(item))) } else { None };
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        for position in ["1", "9223372036854775807", "01jd3xk8b5r0m7c2v4n6p8q9s0"] {
            let cursor = Cursor::after(position);
            assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }
    }

    #[test]
    fn other_texts_are_no_cursors() {
        for text in ["", "c1", "c13", "c131f", "c1zz", "c13é", "31", "c13127", &format!("c1{}", "31".repeat(65))] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
