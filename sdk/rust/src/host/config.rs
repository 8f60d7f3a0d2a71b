//! The plugin's own settings, as `plugin.toml` types them. Always granted.

use super::imports;

/// The value as text; `None` when it is unset and has no default. An empty value counts as unset.
#[must_use]
pub fn get(name: &str) -> Option<String> {
    imports::config::get(name).filter(|value| !value.is_empty())
}

/// A setting of type `boolean`; false when unset.
#[must_use]
pub fn boolean(name: &str) -> bool {
    get(name).is_some_and(|value| value == "true")
}

/// A setting of type `integer`.
#[must_use]
pub fn integer(name: &str) -> Option<i64> {
    get(name)?.parse().ok()
}

/// A setting of type `list`: its entries without surrounding blanks and without empty ones.
#[must_use]
pub fn list(name: &str) -> Vec<String> {
    let value = get(name).unwrap_or_default();
    value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(Into::into).collect()
}
