//! JSON that can be read: ClickHouse's texts are bytes, and in rows of JSON it passes them on as they are. Statements in its logs that
//! were cut in the middle of a letter are enough to make a whole answer unreadable.

use bytes::Bytes;

/// The rows with U+FFFD in the place of what is no UTF-8. Quotes and line feeds stay where they are: they are no part of any letter.
pub(crate) fn readable(rows: Bytes) -> Bytes {
    // By far most rows are ASCII, which is told faster.
    if rows.is_ascii() || std::str::from_utf8(&rows).is_ok() {
        return rows;
    }
    Bytes::from(String::from_utf8_lossy(&rows).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf8_is_replaced_and_nothing_else() {
        for (given, expected) in [
            (&b"{\"a\":\"x\"}\n"[..], "{\"a\":\"x\"}\n"),
            ("{\"a\":\"ä€😀\"}\n".as_bytes(), "{\"a\":\"ä€😀\"}\n"),
            (b"{\"a\":\"\xff\"}\n", "{\"a\":\"\u{fffd}\"}\n"),
            (
                b"{\"a\":\"\xc3\",\"b\":\"\xe2\x82\"}\n{\"a\":\"\xf0\"}\n",
                "{\"a\":\"\u{fffd}\",\"b\":\"\u{fffd}\"}\n{\"a\":\"\u{fffd}\"}\n",
            ),
        ] {
            assert_eq!(readable(Bytes::copy_from_slice(given)), expected.as_bytes());
        }
    }
}
