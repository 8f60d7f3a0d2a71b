//! `Basic` credentials (RFC 7617) against a password file: lines of `user:bcrypt-hash`, as `htpasswd -B` writes them.
//!
//! A bcrypt takes milliseconds on purpose. It runs off the async threads, a few at a time, and what was right a moment ago is
//! remembered as a keyed digest, so that a browser that sends its password with each request does not pay for each.

mod file;
mod memory;
mod sent;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chm_access::Secret;
use chm_sandbox::bindings::secrets::BasicOutcome;
use tokio::sync::Semaphore;

use self::file::PasswordFile;
use self::memory::Memory;
use self::sent::Sent;

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
        let memory = getrandom::fill(&mut key).is_ok().then(|| Arc::new(Memory::new(key)));
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
    /// What the header's credentials are worth against the file whose text is `content`; while it cannot be read, all are wrong.
    /// `name` is the secret's, for the log.
    pub(super) async fn check(
        &self,
        name: &str,
        content: Option<&Arc<Secret>>,
        authorization: Option<&str>,
    ) -> BasicOutcome {
        let (user, password) = match Sent::of(authorization) {
            Sent::Absent => return BasicOutcome::Absent,
            Sent::Malformed => return BasicOutcome::Wrong,
            Sent::Pair { user, password } => (user, password),
        };
        let Some(content) = content else { return BasicOutcome::Wrong };
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
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::sent::MAX_PASSWORD_BYTES;
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
                let found = passwords.check("users", Some(&content), authorization.as_deref()).await;
                assert!(same(&found, &expected), "{authorization:?}: {found:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_changed_password_is_forgotten_at_once() {
        let passwords = Passwords::default();
        let (before, after) = (file(&[("ann", &hashed("old"))]), file(&[("ann", &hashed("new"))]));
        assert!(same(&passwords.check("users", Some(&before), Some(&basic("ann", "old"))).await, &user("ann")));
        assert!(same(&passwords.check("users", Some(&after), Some(&basic("ann", "old"))).await, &BasicOutcome::Wrong));
        assert!(same(&passwords.check("users", Some(&after), Some(&basic("ann", "new"))).await, &user("ann")));
    }

    #[tokio::test]
    async fn while_the_file_cannot_be_read_every_password_is_wrong_and_none_is_none() {
        let passwords = Passwords::default();
        assert!(same(&passwords.check("users", None, Some(&basic("ann", "right"))).await, &BasicOutcome::Wrong));
        for absent in [None, Some(""), Some("Bearer x")] {
            assert!(same(&passwords.check("users", None, absent).await, &BasicOutcome::Absent), "{absent:?}");
        }
    }

    #[tokio::test]
    async fn lines_that_are_none_are_passed_over() {
        let good = hashed("right");
        let costly = good.replacen("$04$", "$31$", 1);
        let text = format!("# users\n\nann:{good}\neve:plain\nmal:{costly}\n:{good}\nnobody\nmd5:$apr1$x$y\n");
        let (passwords, content) = (Passwords::default(), Arc::new(Secret::new(text)));
        for (name, password, expected) in [
            ("ann", "right", user("ann")),
            ("eve", "plain", BasicOutcome::Wrong),
            ("mal", "right", BasicOutcome::Wrong),
            ("md5", "right", BasicOutcome::Wrong),
        ] {
            let found = passwords.check("users", Some(&content), Some(&basic(name, password))).await;
            assert!(same(&found, &expected), "{name}: {found:?}");
        }
    }

    #[tokio::test]
    async fn right_credentials_are_remembered_and_wrong_ones_are_not() {
        let passwords = Passwords::default();
        let content = file(&[("ann", &hashed("right"))]);
        let remembered = || passwords.memory.as_ref().unwrap().count();
        for (password, count) in [("wrong", 0), ("right", 1), ("right", 1), ("wrong", 1)] {
            passwords.check("users", Some(&content), Some(&basic("ann", password))).await;
            assert_eq!(remembered(), count);
        }
        passwords.check("users", Some(&content), Some(&basic("eve", "right"))).await;
        assert_eq!(remembered(), 1, "a hash that is somebody else's teaches nothing");
    }
}
