//! The envelope, written around rows as they come.

use bytes::{Bytes, BytesMut};
use poem_openapi::types::ToJSON;

use crate::api::Metadata;

/// Before the rows.
pub(super) const HEAD: &[u8] = br#"{"success":true,"data":["#;

/// After the rows.
pub(super) fn tail(metadata: &Metadata) -> Bytes {
    format!("],\"metadata\":{}}}", metadata.to_json_string()).into()
}

/// Appends rows that are one JSON object a line, as members of an array. ClickHouse writes no line feed within one.
pub(super) fn append(out: &mut BytesMut, lines: &[u8], is_first: bool) {
    let Some(lines) = lines.strip_suffix(b"\n") else { return };
    if !is_first {
        out.extend_from_slice(b",");
    }
    let mut begin = out.len();
    out.extend_from_slice(lines);
    while let Some(at) = out.get(begin..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        begin += at;
        if let Some(byte) = out.get_mut(begin) {
            *byte = b',';
        }
    }
}

/// Rows as members of an array, in a piece of their own.
pub(super) fn members(lines: &[u8], is_first: bool) -> Bytes {
    let mut out = BytesMut::with_capacity(lines.len() + 1);
    append(&mut out, lines, is_first);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_members_however_they_come() {
        let rows = [r#"{"a":"x\ny"}"#, r#"{"a":2}"#, r#"{"a":[3]}"#];
        let lines = rows.join("\n") + "\n";
        assert_eq!(members(lines.as_bytes(), true), rows.join(","));
        let mut out = BytesMut::new();
        for (index, row) in rows.iter().enumerate() {
            append(&mut out, format!("{row}\n").as_bytes(), index == 0);
        }
        assert_eq!(out, rows.join(","));
        assert_eq!(members(b"", true), "");
    }
}
