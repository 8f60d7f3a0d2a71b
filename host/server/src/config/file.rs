//! The configuration file.

use std::path::Path;

use figment::providers::{Format, Toml, Yaml};
use figment::value::{Dict, Value};
use toml::de::{DeTable, DeValue};

use super::problem::Problem;

/// More is no configuration.
const MAX_BYTES: u64 = 1 << 20;

/// The format of a file, from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Toml,
    Yaml,
}

/// A file's values, and its text for finding lines.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub values: Dict,
    pub source: Source,
}

/// The text of a layer, as far as it has one.
#[derive(Debug, Default)]
pub(super) struct Source(Option<(Language, String)>);

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<ConfigFile, Problem> {
    let fault = |line, reason: String| Problem::File { path: path.to_owned(), line, reason };
    let language = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Language::Toml,
        Some("yaml" | "yml") => Language::Yaml,
        _ => return Err(fault(None, "the configuration file must end in .toml, .yaml or .yml".to_owned())),
    };
    let size = std::fs::metadata(path).map_err(|error| fault(None, format!("cannot be read: {error}")))?.len();
    if size > MAX_BYTES {
        return Err(fault(None, format!("has {size} bytes: expected a configuration file of at most {MAX_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| fault(None, format!("cannot be read: {error}")))?;
    let value = match language {
        Language::Toml => toml_values(&text),
        Language::Yaml => yaml_values(&text),
    };
    let values = match value.map_err(|(line, reason)| fault(line, reason))? {
        Value::Dict(_, values) => values,
        Value::Empty(..) => Dict::new(),
        _ => return Err(fault(Some(1), "expected keys with values at the top of the file".to_owned())),
    };
    Ok(ConfigFile { values, source: Source(Some((language, text))) })
}

/// The message of a parser without the line it quotes, which may hold a secret.
fn toml_values(text: &str) -> Result<Value, (Option<usize>, String)> {
    <Toml as Format>::from_str::<Value>(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        (line, format!("is not TOML: {}", error.message().lines().collect::<Vec<_>>().join(", ")))
    })
}

fn yaml_values(text: &str) -> Result<Value, (Option<usize>, String)> {
    <Yaml as Format>::from_str::<Value>(text).map_err(|error| {
        let line = error.location().map(|location| location.line());
        // Messages about types quote the value; those about syntax do not.
        let message = error.to_string();
        let quotes_a_value = message.contains("invalid type") || message.contains("invalid value");
        let reason = if quotes_a_value { "a key is not a text" } else { message.as_str() };
        (line, format!("is not YAML: {reason}"))
    })
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

impl Source {
    /// The line, from 1, of the key at a path (`[2]` is the third item of a list), or of its nearest parent that is found.
    pub fn line_of(&self, path: &[String]) -> Option<usize> {
        match &self.0 {
            Some((Language::Toml, text)) => toml_line(text, path),
            Some((Language::Yaml, text)) => yaml_line(text, path),
            None => None,
        }
    }
}

fn index_of(part: &str) -> Option<usize> {
    part.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn toml_line(text: &str, path: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = Some(document.get_ref());
    let mut list = None;
    let mut offset = None;
    for part in path {
        let value = if let Some(position) = index_of(part) {
            let Some(value) = list.and_then(|items: &toml::de::DeArray<'_>| items.get(position)) else { break };
            offset = Some(value.span().start);
            value
        } else {
            let Some((key, value)) = table.and_then(|table| table.iter().find(|(key, _)| key.get_ref() == part)) else {
                break;
            };
            offset = Some(key.span().start);
            value
        };
        (table, list) = match value.get_ref() {
            DeValue::Table(inner) => (Some(inner), None),
            DeValue::Array(inner) => (None, Some(inner)),
            _ => (None, None),
        };
    }
    offset.map(|offset| line_at(text, offset))
}

/// Finds a key of block style by its indentation; what is written in flow style is found as its parent.
fn yaml_line(text: &str, path: &[String]) -> Option<usize> {
    // Indentation, name, and for an item of a list its position.
    let mut open: Vec<(usize, String, Option<usize>)> = Vec::new();
    let (mut depth, mut found) = (0, None);
    let mut visit = |open: &[(usize, String, Option<usize>)], line: usize| {
        let fits = open.len() <= path.len() && open.iter().zip(path).all(|((_, name, _), part)| name == part);
        if fits && open.len() > depth {
            (depth, found) = (open.len(), Some(line));
        }
    };
    for (number, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        let mut indent = line.len() - rest.len();
        if rest.is_empty() || rest.starts_with('#') {
            continue;
        }
        while rest == "-" || rest.starts_with("- ") {
            let mut position = 0;
            while let Some((outer, _, item)) = open.last() {
                // The items of a list may stand under their key without further indentation.
                if *outer < indent || (*outer == indent && item.is_none()) {
                    break;
                }
                position = if *outer == indent { item.map_or(0, |before| before + 1) } else { 0 };
                open.pop();
            }
            open.push((indent, format!("[{position}]"), Some(position)));
            visit(&open, number + 1);
            let inner = rest.get(1..).unwrap_or_default().trim_start();
            indent += rest.len() - inner.len();
            rest = inner;
        }
        if let Some((name, _)) = rest.split_once(':') {
            while open.last().is_some_and(|(outer, ..)| *outer >= indent) {
                open.pop();
            }
            open.push((indent, name.trim().trim_matches(['"', '\'']).to_owned(), None));
            visit(&open, number + 1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::File;
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_found_in_both_languages() {
        let toml = Source(Some((
            Language::Toml,
            "listen = 1\n\n[clickhouse]\npool_size = 2\nhosts = [\n  { url = 3 },\n  { url = 4 },\n]\n[[x.y]]\nz = 1\n"
                .to_owned(),
        )));
        let yaml = Source(Some((
            Language::Yaml,
            "# c\nlisten: 1\nclickhouse:\n  pool_size: 2\n  hosts:\n    - url: 3\n      user: a\n    - url: 4\nx:\n  y:\n  - z: 1\n  - z: 2\n".to_owned(),
        )));
        for (source, dotted, line) in [
            (&toml, "listen", 1),
            (&toml, "clickhouse.pool_size", 4),
            (&toml, "clickhouse.hosts.[1].url", 7),
            (&toml, "clickhouse.hosts.[7].url", 5),
            (&toml, "x.y.[0].z", 10),
            (&yaml, "listen", 2),
            (&yaml, "clickhouse.pool_size", 4),
            (&yaml, "clickhouse.hosts.[0].user", 7),
            (&yaml, "clickhouse.hosts.[1].url", 8),
            (&yaml, "clickhouse.hosts.[1].nothing", 8),
            (&yaml, "x.y.[1].z", 12),
        ] {
            assert_eq!(source.line_of(&path(dotted)), Some(line), "{dotted}");
        }
    }

    #[test]
    fn syntax_errors_name_the_line_and_not_the_text() {
        for (name, text, line) in [
            ("a.toml", "listen = \"x\"\napi_key_secret = \"hunter2\n", Some(2)),
            ("b.toml", "a = 1\na = 2\n", Some(2)),
            ("c.yaml", "a: 1\nb: [hunter2\n", Some(3)),
            ("d.yaml", "hunter2", Some(1)),
            ("f.yml", "- hunter2\n", Some(1)),
            ("g.json", "{}", None),
        ] {
            let file = File::new(name, text);
            let problem = read(&file.path).unwrap_err();
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
            if let (Some(expected), Problem::File { line, .. }) = (line, &problem) {
                assert_eq!(*line, Some(expected), "{problem}");
            }
        }
        assert!(read(Path::new("/nowhere/absent.toml")).unwrap_err().to_string().contains("cannot be read"));
    }
}
