//! Entries of a TOML table in the order of the file.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use toml::Spanned;

/// One entry: its key, the value, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Named<T> {
    pub name: String,
    pub value: T,
    /// Byte in the file; absent for what no file says.
    pub at: Option<usize>,
}

impl<T> Named<T> {
    /// An entry that no file has.
    pub(crate) fn made(name: &str, value: T) -> Self {
        Self { name: name.to_owned(), value, at: None }
    }
}

/// All entries of a table, in the order in which they were written: columns have one.
#[derive(Debug, Clone)]
pub(crate) struct Entries<T>(pub Vec<Named<T>>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Entries<T> {
    type Target = [Named<T>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> Entries<T> {
    /// The value of this name.
    pub(crate) fn of(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|entry| entry.name == name).map(|entry| &entry.value)
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.name.as_str())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

struct InOrder<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, T>()? {
            entries.push(Named { at: Some(key.span().start), name: key.into_inner(), value });
        }
        // The parser sorts by name.
        entries.sort_by_key(|entry| entry.at);
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_the_order_of_the_file() {
        for text in ["z = 1\na = 2\nm = 3\n", "'z' = 1\n\"a\" = 2\n# m = 0\nm = 3"] {
            let read: Entries<u8> = toml::from_str(text).unwrap();
            assert_eq!(read.names().collect::<Vec<_>>(), ["z", "a", "m"]);
            assert_eq!(read.of("a"), Some(&2));
        }
    }
}
