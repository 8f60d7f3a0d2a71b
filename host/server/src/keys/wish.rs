//! What a key to be made should say.

use chm_access::{PluginId, RoleName, Scope, Scopes, UnknownScope};

/// Longest a key may last, in days (contract §3.4).
const LONGEST_DAYS: u32 = 365;
/// How long one lasts when nobody says.
const DAYS: u32 = 30;
/// Whom one is for when nobody says.
const LABEL: &str = "cli";
const LONGEST_LABEL: usize = 256;
const MOST_ROLES: usize = 32;

/// What a key to be made should say, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWish {
    /// Whom it is for.
    pub subject: String,
    /// How long it lasts.
    pub days: u32,
    /// What it may do.
    pub scopes: Scopes,
    /// The roles it carries.
    pub roles: Vec<String>,
}

/// Why no such key is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWish {
    /// The contract's words.
    #[error("days must be an integer from 1 to {LONGEST_DAYS}")]
    Days,
    /// Unfit for a subject.
    #[error("label must be 1 to {LONGEST_LABEL} characters, none of them a control character")]
    Label,
    /// No such scope.
    #[error("scopes: {0}")]
    Scope(#[from] UnknownScope),
    /// No role.
    #[error("roles: expected at most {MOST_ROLES} names without commas, for example `sre`")]
    Role,
    /// Too much for one token.
    #[error("the key would be too long: expected a shorter label, or fewer scopes and roles")]
    TooLong,
}

impl KeyWish {
    /// Checks what was asked for. Without `scopes` the key may do everything, with an empty list nothing; `plugins` are those that
    /// have features of their own.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(
        label: Option<&str>,
        days: Option<i64>,
        scopes: Option<&[String]>,
        roles: &[String],
        plugins: &[PluginId],
    ) -> Result<Self, InvalidWish> {
        let subject = label.unwrap_or(LABEL).trim();
        if subject.is_empty() || subject.chars().count() > LONGEST_LABEL || subject.chars().any(char::is_control) {
            return Err(InvalidWish::Label);
        }
        let days = days.map_or(Ok(DAYS), |days| check_days(days).ok_or(InvalidWish::Days))?;
        let scopes = match scopes {
            None => Scopes::all(),
            Some(names) => names.iter().map(|name| Scope::resolve(name, plugins)).collect::<Result<_, _>>()?,
        };
        if roles.len() > MOST_ROLES || roles.iter().any(|role| role.chars().count() > LONGEST_LABEL) {
            return Err(InvalidWish::Role);
        }
        let roles = roles.iter().map(|role| role.parse::<RoleName>().map(|role| role.to_string()));
        let roles = roles.collect::<Result<_, _>>().map_err(|_| InvalidWish::Role)?;
        Ok(Self { subject: subject.to_owned(), days, scopes, roles })
    }
}

/// The days, if a key may last so long.
pub(super) fn check_days(days: i64) -> Option<u32> {
    u32::try_from(days).ok().filter(|days| (1..=LONGEST_DAYS).contains(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(label: Option<&str>, days: Option<i64>, scopes: Option<&[&str]>) -> Result<KeyWish, InvalidWish> {
        let scopes: Option<Vec<String>> = scopes.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        KeyWish::check(label, days, scopes.as_deref(), &[], &[])
    }

    #[test]
    fn a_wish_for_nothing_in_particular_is_the_contracts_key() {
        let wish = check(None, None, None).unwrap();
        assert_eq!((wish.subject.as_str(), wish.days, wish.scopes), ("cli", 30, Scopes::all()));
    }

    #[test]
    fn an_empty_list_of_scopes_is_no_rights_and_an_unknown_scope_is_an_error() {
        assert_eq!(check(None, None, Some(&[])).unwrap().scopes, Scopes::none());
        for scope in ["tabels:read", "agent:run", "", "*"] {
            assert!(matches!(check(None, None, Some(&["tables:read", scope])), Err(InvalidWish::Scope(_))), "{scope}");
        }
    }

    #[test]
    fn days_and_labels_have_bounds() {
        for days in [0, -1, 366, i64::MAX] {
            assert_eq!(check(None, Some(days), None), Err(InvalidWish::Days), "{days}");
        }
        assert_eq!(check(None, Some(365), None).unwrap().days, 365);
        for label in ["", "  ", "a\0b", "a\nb", &"a".repeat(257)] {
            assert_eq!(check(Some(label), None, None), Err(InvalidWish::Label), "{label:?}");
        }
    }
}
