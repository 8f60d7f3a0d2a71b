//! Hides credentials in SQL text before it leaves the host: query logs and process lists quote what people wrote, with the keys of
//! `s3(…)` and the passwords of `CREATE USER` in it, and old servers mask none of it.
//!
//! The rule fails on the safe side: a text in which anything sensitive is named loses all of its string literals; a text whose
//! literals have more than one reading (cut off, quotes in comments) loses everything from its first quote. It is a protection of
//! what is shown, not a wall against those who may write SQL themselves: `SELECT reverse(query)` shows what it likes.

mod lines;
mod literals;
mod patterns;
mod statement;

use std::borrow::Cow;

pub(crate) use lines::Redactor;
pub use statement::redaction_sql;
pub(crate) use statement::{Care, Subject};

/// What stands in the place of something hidden.
pub const HIDDEN: &str = "[HIDDEN]";

/// Whether a text names something that comes with credentials.
#[must_use]
pub fn is_sensitive(text: &str) -> bool {
    patterns::SENSITIVE.is_match(text.as_bytes())
}

/// The text without credentials: without string literals where something sensitive is named, and without `user:password@` in
/// addresses. A text without anything of the kind comes back as it is; doing it twice changes nothing.
#[must_use]
pub fn hide_credentials(text: &str) -> Cow<'_, str> {
    hide(text, is_sensitive(text))
}

/// As [`hide_credentials`], of a text that may quote a sensitive one without naming what makes it so.
pub(crate) fn hide(text: &str, sensitive: bool) -> Cow<'_, str> {
    let mut kept = Cow::Borrowed(text);
    if sensitive {
        replace(&mut kept, literals::hide_literals);
        replace(&mut kept, patterns::hide_bare);
    }
    if text.contains("://") {
        replace(&mut kept, patterns::hide_user_info);
    }
    kept
}

/// Applies a step, and keeps a borrowed text borrowed when the step changes nothing.
fn replace(kept: &mut Cow<'_, str>, step: impl for<'t> Fn(&'t str) -> Cow<'t, str>) {
    if let Cow::Owned(changed) = step(kept.as_ref()) {
        *kept = Cow::Owned(changed);
    }
}

#[cfg(test)]
mod tests;
