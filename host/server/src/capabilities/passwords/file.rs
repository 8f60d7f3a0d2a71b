//! The lines of a password file.

use std::collections::BTreeMap;

use super::memory::Digest;

/// Costs that are taken: less is no bcrypt, and more takes seconds per sign-in.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// The users of one file.
pub(super) struct PasswordFile {
    /// Hashes by name.
    users: BTreeMap<String, String>,
}

impl PasswordFile {
    /// Reads the lines; `#` begins a comment. A line that is none is passed over, with a warning that names its number only.
    pub(super) fn parse(name: &str, text: &str) -> Self {
        let mut users = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once(':').filter(|(user, hash)| !user.is_empty() && is_usable(hash)) {
                Some((user, hash)) => {
                    users.insert(user.to_owned(), hash.to_owned());
                }
                None => tracing::warn!(
                    secret = name,
                    line = number,
                    "a line of the password file is not `user:bcrypt-hash` with a cost of 4 to 14; `htpasswd -nB <user>` writes one"
                ),
            }
        }
        if users.is_empty() {
            tracing::warn!(secret = name, "the password file has no user; nobody can sign in by it");
        }
        Self { users }
    }

    /// The hash to compare with, and whether it is the user's own. Somebody unknown costs as much as somebody known: they
    /// are compared with a hash of somebody else, always the same for one name.
    pub(super) fn hash_for(&self, user: &str, name_digest: Digest) -> Option<(&str, bool)> {
        if let Some(hash) = self.users.get(user) {
            return Some((hash, true));
        }
        let pick = name_digest.iter().fold(0_usize, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let place = pick.checked_rem(self.users.len())?;
        self.users.values().nth(place).map(|hash| (hash.as_str(), false))
    }
}

fn is_usable(hash: &str) -> bool {
    let known = ["$2a$", "$2b$", "$2y$"].iter().any(|version| hash.starts_with(version));
    known && hash.parse::<bcrypt::HashParts>().is_ok_and(|parts| COSTS.contains(&parts.get_cost()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(password: &str) -> String {
        bcrypt::hash(password, 4).unwrap()
    }

    #[test]
    fn only_lines_with_a_usable_hash_are_users() {
        let good = hashed("right");
        let costly = good.replacen("$04$", "$31$", 1);
        let text = format!("# users\n\nann:{good}\neve:plain\nmal:{costly}\n:{good}\nnobody\nmd5:$apr1$x$y\n");
        assert_eq!(PasswordFile::parse("users", &text).users.keys().collect::<Vec<_>>(), ["ann"]);
    }

    #[test]
    fn somebody_unknown_costs_as_much_as_somebody_known() {
        let parsed = PasswordFile::parse("users", &format!("ann:{}", hashed("a")));
        assert!(matches!(parsed.hash_for("ann", [1; 32]), Some((_, true))));
        assert!(matches!(parsed.hash_for("eve", [1; 32]), Some((_, false))));
        assert!(PasswordFile::parse("users", "").hash_for("eve", [1; 32]).is_none());
    }
}
