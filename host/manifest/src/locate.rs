//! Finds the line of a key, and the key at a place, in a TOML text.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Line, from 1, of the byte at `offset`.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Line of the key with this dotted path, or of its nearest parent that exists.
pub(crate) fn line_of(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut line = None;
    for part in path.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else {
            break;
        };
        line = Some(line_at(text, key.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line
}

/// Dotted path of the innermost key whose name or value covers `span`; empty when none does.
pub(crate) fn key_at(text: &str, span: &Range<usize>) -> String {
    let mut path = Vec::new();
    if let Ok(document) = DeTable::parse(text) {
        descend(document.get_ref(), span, &mut path);
    }
    path.join(".")
}

fn descend(table: &DeTable<'_>, span: &Range<usize>, path: &mut Vec<String>) {
    for (key, value) in table {
        let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
        let inner = match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        };
        path.push(key.get_ref().to_string());
        let depth = path.len();
        // The span of `[a.b]` covers its heading only, so its keys are looked at whatever it says.
        if let Some(inner) = inner {
            descend(inner, span, path);
        }
        if path.len() > depth || covers(key.span()) || covers(value.span()) {
            return;
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id = \"x\"\n\n[settings.a]\ntype = 3\n[endpoints]\nb = { summary = \"s\" }\n";

    #[test]
    fn keys_have_lines_and_places_have_keys() {
        assert_eq!(line_of(TEXT, "id"), Some(1));
        assert_eq!(line_of(TEXT, "settings.a.type"), Some(4));
        assert_eq!(line_of(TEXT, "settings.a.default"), Some(3));
        assert_eq!(line_of(TEXT, "endpoints.b.summary"), Some(6));
        assert_eq!(line_of(TEXT, "nothing"), None);
        for (needle, key) in [("3", "settings.a.type"), ("\"x\"", "id"), ("\"s\"", "endpoints.b.summary")] {
            let start = TEXT.find(needle).unwrap();
            assert_eq!(key_at(TEXT, &(start..start + needle.len())), key);
        }
    }
}
