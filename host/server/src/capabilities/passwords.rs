//! `Basic` credentials (RFC 7617) against a password file: lines of `user:bcrypt-hash`, as `htpasswd -B` writes them.
//!
//! A bcrypt takes milliseconds on purpose. It runs off the async threads, a few at a time, and what was right a moment ago is
//! remembered as a keyed digest, so that a browser that sends its password with each request does not pay for each.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chm_access::Secret;
use chm_sandbox::bindings::secrets::BasicOutcome;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;

/// bcrypt looks at no more bytes. A longer password is wrong: its first 72 bytes are another password.
const MAX_PASSWORD_BYTES: usize = 72;
/// Costs that are taken: less is no bcrypt, and more takes seconds per sign-in.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// How long right credentials are remembered.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many right credentials are remembered.
const MAX_REMEMBERED: usize = 1024;

/// A digest under a key that only this process has.
type Digest = [u8; 32];

/// The users of one file.
struct PasswordFile {
    /// Hashes by name.
    users: BTreeMap<String, String>,
}

impl PasswordFile {
    /// Reads the lines; `#` begins a comment. A line that is none is passed over, with a warning that names its number only.
    fn parse(name: &str, text: &str) -> Self {
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
    fn hash_for(&self, user: &str, name_digest: Digest) -> Option<(&str, bool)> {
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

/// What an `Authorization` header holds.
enum Sent {
    /// No `Basic` credentials.
    Absent,
    /// `Basic`, and then nothing that could be right.
    Malformed,
    Pair {
        user: String,
        password: Secret,
    },
}

impl Sent {
    fn of(authorization: Option<&str>) -> Self {
        let value = authorization.unwrap_or_default().trim();
        let (scheme, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("basic") {
            return Self::Absent;
        }
        let text = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        // RFC 7617 §2: the first colon divides, and control characters are in neither.
        let pair = text.as_deref().filter(|text| !text.chars().any(char::is_control));
        match pair.and_then(|pair| pair.split_once(':')) {
            Some((user, password)) if !user.is_empty() && password.len() <= MAX_PASSWORD_BYTES => {
                Self::Pair { user: user.to_owned(), password: Secret::new(password) }
            }
            _ => Self::Malformed,
        }
    }
}

/// Right credentials that were seen lately.
struct Memory {
    key: [u8; 32],
    seen: Mutex<HashMap<Digest, Instant>>,
}

impl Memory {
    fn digest(&self, parts: &[&str]) -> Option<Digest> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in parts {
            // With its length, so that no two lists of parts are one text.
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac.finalize().into_bytes().into())
    }

    fn knows(&self, digest: &Digest) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(digest).is_some_and(|when| when.elapsed() < REMEMBERED)
    }

    fn learn(&self, digest: Digest) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_REMEMBERED {
            seen.retain(|_, when| when.elapsed() < REMEMBERED);
        }
        if seen.len() < MAX_REMEMBERED {
            seen.insert(digest, Instant::now());
        }
    }
}

/// A file, with the text that it was read from.
type Parsed = (Arc<Secret>, Arc<PasswordFile>);

/// Checks credentials; one for each plugin.
pub(super) struct Passwords {
    /// Absent where the system has no entropy: then nobody gets in.
    memory: Option<Arc<Memory>>,
    /// bcrypts at once.
    turns: Arc<Semaphore>,
    /// By the secret's name.
    files: Mutex<BTreeMap<String, Parsed>>,
}

impl Default for Passwords {
    fn default() -> Self {
        let mut key = [0; 32];
        let memory = getrandom::fill(&mut key).is_ok().then(|| Arc::new(Memory { key, seen: Mutex::default() }));
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { memory, turns: Arc::new(Semaphore::new((processors / 2).max(1))), files: Mutex::default() }
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Passwords {
    /// What the header's credentials are worth against the file whose text is `content`. `name` is the secret's, for the log.
    pub(super) async fn check(&self, name: &str, content: &Arc<Secret>, authorization: Option<&str>) -> BasicOutcome {
        let (user, password) = match Sent::of(authorization) {
            Sent::Absent => return BasicOutcome::Absent,
            Sent::Malformed => return BasicOutcome::Wrong,
            Sent::Pair { user, password } => (user, password),
        };
        match self.is_right(name, content, &user, password).await {
            Some(true) => BasicOutcome::User(user),
            _ => BasicOutcome::Wrong,
        }
    }

    async fn is_right(&self, name: &str, content: &Arc<Secret>, user: &str, password: Secret) -> Option<bool> {
        let memory = self.memory.clone()?;
        let file = self.file(name, content);
        let (hash, own) = file.hash_for(user, memory.digest(&[user])?)?;
        // The hash is part of the digest: whoever's password changed is forgotten at once.
        let digest = memory.digest(&[user, password.expose(), hash])?;
        if own && memory.knows(&digest) {
            return Some(true);
        }
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        // Another request with the same credentials may have had its turn meanwhile.
        if own && memory.knows(&digest) {
            return Some(true);
        }
        let hash = hash.to_owned();
        // A caller that gives up does not stop it; what it finds is there when the caller comes back.
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let right = bcrypt::verify(password.expose(), &hash).unwrap_or(false) && own;
            if right {
                memory.learn(digest);
            }
            right
        });
        checked.await.ok()
    }

    fn file(&self, name: &str, content: &Arc<Secret>) -> Arc<PasswordFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((parsed, file)) = files.get(name)
            && Arc::ptr_eq(parsed, content)
        {
            return file.clone();
        }
        let file = Arc::new(PasswordFile::parse(name, content.expose()));
        files.insert(name.to_owned(), (content.clone(), file.clone()));
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: u32 = 4;

    fn hashed(password: &str) -> String {
        bcrypt::hash(password, COST).unwrap()
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    fn file(lines: &[(&str, &str)]) -> Arc<Secret> {
        let lines: Vec<_> = lines.iter().map(|(user, hash)| format!("{user}:{hash}")).collect();
        Arc::new(Secret::new(lines.join("\n")))
    }

    fn user(name: &str) -> BasicOutcome {
        BasicOutcome::User(name.to_owned())
    }

    fn same(left: &BasicOutcome, right: &BasicOutcome) -> bool {
        format!("{left:?}") == format!("{right:?}")
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let longest = "x".repeat(MAX_PASSWORD_BYTES);
        // As `htpasswd -nbB` of Apache writes it: version 2y.
        let apache = hashed("open sesame").replacen("$2b$", "$2y$", 1);
        let content = file(&[("ann", &hashed("s3cret:with colon")), ("bob", &apache), ("max", &hashed(&longest))]);
        let passwords = Passwords::default();
        for (authorization, expected) in [
            (Some(basic("ann", "s3cret:with colon")), user("ann")),
            (Some(basic("bob", "open sesame").replace("Basic", "BASIC")), user("bob")),
            (Some(basic("max", &longest)), user("max")),
            (Some(basic("max", &format!("{longest}x"))), BasicOutcome::Wrong),
            (Some(basic("ann", "s3cret")), BasicOutcome::Wrong),
            (Some(basic("ann", "open sesame")), BasicOutcome::Wrong),
            (Some(basic("ann", "")), BasicOutcome::Wrong),
            (Some(basic("", "open sesame")), BasicOutcome::Wrong),
            (Some(basic("Ann", "s3cret:with colon")), BasicOutcome::Wrong),
            (Some(basic("eve", "open sesame")), BasicOutcome::Wrong),
            (Some(basic("ann", "s3cret:with colon\0")), BasicOutcome::Wrong),
            (Some(format!("{}, {}", basic("ann", "s3cret:with colon"), basic("bob", "x"))), BasicOutcome::Wrong),
            (Some("Basic".to_owned()), BasicOutcome::Wrong),
            (Some("Basic ####".to_owned()), BasicOutcome::Wrong),
            (Some(format!("Basic {}", STANDARD.encode("no colon"))), BasicOutcome::Wrong),
            (Some(format!("Basic {}", STANDARD.encode([0xff, b':', 0xfe]))), BasicOutcome::Wrong),
            (Some("Bearer abc".to_owned()), BasicOutcome::Absent),
            (Some("Basically YTpi".to_owned()), BasicOutcome::Absent),
            (Some(String::new()), BasicOutcome::Absent),
            (None, BasicOutcome::Absent),
        ] {
            for _ in 0..2 {
                let found = passwords.check("users", &content, authorization.as_deref()).await;
                assert!(same(&found, &expected), "{authorization:?}: {found:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_changed_password_is_forgotten_at_once() {
        let passwords = Passwords::default();
        let (before, after) = (file(&[("ann", &hashed("old"))]), file(&[("ann", &hashed("new"))]));
        assert!(same(&passwords.check("users", &before, Some(&basic("ann", "old"))).await, &user("ann")));
        assert!(same(&passwords.check("users", &after, Some(&basic("ann", "old"))).await, &BasicOutcome::Wrong));
        assert!(same(&passwords.check("users", &after, Some(&basic("ann", "new"))).await, &user("ann")));
    }

    #[tokio::test]
    async fn lines_that_are_none_are_passed_over() {
        let good = hashed("right");
        let costly = good.replacen("$04$", "$31$", 1);
        let text = format!("# users\n\nann:{good}\neve:plain\nmal:{costly}\n:{good}\nnobody\nmd5:$apr1$x$y\n");
        let parsed = PasswordFile::parse("users", &text);
        assert_eq!(parsed.users.keys().collect::<Vec<_>>(), ["ann"]);
        let (passwords, content) = (Passwords::default(), Arc::new(Secret::new(text)));
        for (name, password, expected) in [
            ("ann", "right", user("ann")),
            ("eve", "plain", BasicOutcome::Wrong),
            ("mal", "right", BasicOutcome::Wrong),
            ("md5", "right", BasicOutcome::Wrong),
        ] {
            let found = passwords.check("users", &content, Some(&basic(name, password))).await;
            assert!(same(&found, &expected), "{name}: {found:?}");
        }
    }

    #[test]
    fn somebody_unknown_costs_as_much_as_somebody_known() {
        let parsed = PasswordFile::parse("users", &format!("ann:{}", hashed("a")));
        assert!(matches!(parsed.hash_for("ann", [1; 32]), Some((_, true))));
        assert!(matches!(parsed.hash_for("eve", [1; 32]), Some((_, false))));
        assert!(PasswordFile::parse("users", "").hash_for("eve", [1; 32]).is_none());
    }

    #[tokio::test]
    async fn right_credentials_are_remembered_and_wrong_ones_are_not() {
        let passwords = Passwords::default();
        let content = file(&[("ann", &hashed("right"))]);
        let remembered = || passwords.memory.as_ref().unwrap().seen.lock().unwrap().len();
        for (password, count) in [("wrong", 0), ("right", 1), ("right", 1), ("wrong", 1)] {
            passwords.check("users", &content, Some(&basic("ann", password))).await;
            assert_eq!(remembered(), count);
        }
        passwords.check("users", &content, Some(&basic("eve", "right"))).await;
        assert_eq!(remembered(), 1, "a hash that is somebody else's teaches nothing");
    }
}
