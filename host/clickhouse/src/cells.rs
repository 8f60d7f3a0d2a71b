//! Long texts in rows of JSON, cut for those who look at them.

use std::borrow::Cow;

use bytes::Bytes;

use crate::format::Format;
use crate::json_strings::json_strings;

/// Cuts texts that are longer than so many characters, and says how long they were.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells {
    most: usize,
}

impl Cells {
    /// Nothing where nothing is to be cut; only rows of JSON are.
    pub(crate) fn new(format: Format, most: Option<u32>) -> Option<Self> {
        let most = usize::try_from(most?).ok()?;
        format.row_brackets().map(|_| Self { most })
    }

    /// Complete rows.
    pub(crate) fn cut(self, rows: Bytes) -> Bytes {
        // They cannot hold a text that is too long.
        if rows.len() <= self.most {
            return rows;
        }
        let mut kept: Vec<u8> = Vec::new();
        let mut from = 0;
        for (begin, end, is_name) in json_strings(&rows) {
            // A text has no more characters than bytes.
            if is_name || end - begin - 2 <= self.most {
                continue;
            }
            let raw = rows.get(begin..end).unwrap_or_default();
            let Some(short) = self.shorter(raw) else { continue };
            kept.extend_from_slice(rows.get(from..begin).unwrap_or_default());
            kept.extend_from_slice(serde_json::Value::from(short).to_string().as_bytes());
            from = end;
        }
        if from == 0 {
            return rows;
        }
        kept.extend_from_slice(rows.get(from..).unwrap_or_default());
        Bytes::from(kept)
    }

    fn shorter(self, raw: &[u8]) -> Option<String> {
        let raw = String::from_utf8_lossy(raw);
        let text: Cow<'_, str> = serde_json::from_str::<String>(&raw).map_or(raw, Cow::Owned);
        let (at, _) = text.char_indices().nth(self.most)?;
        Some(format!("{}… [truncated, {} chars total]", text.get(..at)?, text.chars().count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(rows: &str) -> String {
        let cells = Cells::new(Format::JsonEachRow, Some(3)).unwrap();
        String::from_utf8(cells.cut(Bytes::from(rows.to_owned())).to_vec()).unwrap()
    }

    #[test]
    fn long_texts_are_cut_and_say_how_long_they_were() {
        assert_eq!(
            cut("{\"a\":\"abcd\",\"long name\":1}\n{\"a\":[\"ééé\",\"\\u00e9\\n\\\"xy\"]}\n"),
            "{\"a\":\"abc… [truncated, 4 chars total]\",\"long name\":1}\n\
             {\"a\":[\"ééé\",\"é\\n\\\"… [truncated, 5 chars total]\"]}\n"
        );
    }

    #[test]
    fn what_is_short_enough_is_as_it_was() {
        for rows in ["{\"a\":\"abc\"}\n", "{\"a\":\"\\u00e9\\u00e9\\u00e9\"}\n", "{\"a\":\"éé\"}\n", ""] {
            assert_eq!(cut(rows), rows);
        }
        assert!(Cells::new(Format::Csv, Some(3)).is_none());
    }
}
