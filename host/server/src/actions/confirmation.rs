//! Tokens that say: this caller was shown this.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chm_access::Caller;
use chm_sandbox::bindings::types::Binding;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::edge::ClientAddress;

/// So that no other text that this process signs is ever one of these.
const PURPOSE: &[u8] = b"chm-host action confirmation 1";
/// Most tokens that are remembered as used. Reached only by callers without number, each within the limit of changes a minute.
const MOST_USED: usize = 100_000;

const NONCE: usize = 16;
const DIGEST: usize = 32;
/// When it ends, the nonce, the digest of what was shown, the code over it all.
const LENGTH: usize = 8 + NONCE + DIGEST + DIGEST;

/// Makes and checks confirmations, under a key that only this process has. Of a host that restarts, the tokens are void.
pub struct Confirmations {
    /// As long as a block of the hash, so that every byte of it counts and none is added.
    key: [u8; 64],
    lifetime: Duration,
    began: Instant,
    /// Until when each is remembered: its own end.
    used: Mutex<HashMap<[u8; NONCE], Duration>>,
}

impl std::fmt::Debug for Confirmations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Confirmations").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// What a confirmation is for, beside what was shown.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Who was shown it. Callers without a subject are told apart by their address.
    pub caller: &'a Caller,
    /// From where.
    pub address: ClientAddress,
    /// Position of the ClickHouse host.
    pub host: u32,
    /// Public name of the action.
    pub action: &'a str,
    /// Checked values, in the order in which the action declares them.
    pub parameters: &'a [Binding],
}

/// Why a confirmation is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unconfirmed {
    /// Not made by this process, or for something else.
    #[error(
        "it was not given to this caller for this action with these parameters on this ClickHouse host, or this host has restarted since; \
         ask again without one"
    )]
    Foreign,
    /// Too late.
    #[error("it has expired; ask again without one")]
    Expired,
    /// It has been used.
    #[error("it has been used already; ask again without one")]
    Used,
    /// So many have been used that no more can be remembered.
    #[error("too many actions are being confirmed; try again in a minute")]
    Full,
}

/// A confirmation that is right, and not used yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    nonce: [u8; NONCE],
    ends: Duration,
    shown: [u8; DIGEST],
}

impl Confirmed {
    /// Whether this is what was shown.
    #[must_use]
    pub fn is_of(&self, fingerprint: &str) -> bool {
        self.shown == digest(fingerprint)
    }
}

fn digest(fingerprint: &str) -> [u8; DIGEST] {
    Sha256::digest(fingerprint.as_bytes()).into()
}

impl Confirmations {
    /// With a new key.
    ///
    /// # Errors
    /// When the system has no entropy.
    pub fn new(lifetime: Duration) -> Result<Self, getrandom::Error> {
        let mut key = [0; 64];
        getrandom::fill(&mut key)?;
        Ok(Self { key, lifetime, began: Instant::now(), used: Mutex::default() })
    }

    /// How long each lasts.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token that says: this was shown.
    ///
    /// # Errors
    /// When the system has no entropy.
    pub fn issue(&self, about: &About<'_>, fingerprint: &str) -> Result<String, getrandom::Error> {
        self.issue_at(about, fingerprint, self.began.elapsed())
    }

    /// Checks a token. It is not used by that.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn check(&self, token: &str, about: &About<'_>) -> Result<Confirmed, Unconfirmed> {
        self.check_at(token, about, self.began.elapsed())
    }

    /// Uses a token up.
    ///
    /// # Errors
    /// When somebody was faster.
    pub fn spend(&self, confirmed: &Confirmed) -> Result<(), Unconfirmed> {
        self.spend_at(confirmed, self.began.elapsed())
    }

    fn issue_at(&self, about: &About<'_>, fingerprint: &str, now: Duration) -> Result<String, getrandom::Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)?;
        let ends = (now + self.lifetime).as_millis();
        let mut token = Vec::with_capacity(LENGTH);
        token.extend_from_slice(&u64::try_from(ends).unwrap_or(u64::MAX).to_be_bytes());
        token.extend_from_slice(&nonce);
        token.extend_from_slice(&digest(fingerprint));
        let code = self.code(&token, about).finalize().into_bytes();
        token.extend_from_slice(&code);
        Ok(BASE64.encode(token))
    }

    fn check_at(&self, token: &str, about: &About<'_>, now: Duration) -> Result<Confirmed, Unconfirmed> {
        let bytes = BASE64.decode(token).map_err(|_| Unconfirmed::Foreign)?;
        let Some((said, code)) = bytes.split_last_chunk::<DIGEST>() else { return Err(Unconfirmed::Foreign) };
        // Compared in constant time.
        self.code(said, about).verify_slice(code).map_err(|_| Unconfirmed::Foreign)?;
        let (Some((ends, rest)), Some((_, shown))) = (said.split_first_chunk::<8>(), said.split_last_chunk::<DIGEST>())
        else {
            return Err(Unconfirmed::Foreign);
        };
        let Some((nonce, _)) = rest.split_first_chunk::<NONCE>() else { return Err(Unconfirmed::Foreign) };
        let confirmed =
            Confirmed { nonce: *nonce, ends: Duration::from_millis(u64::from_be_bytes(*ends)), shown: *shown };
        if now >= confirmed.ends {
            return Err(Unconfirmed::Expired);
        }
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.contains_key(&confirmed.nonce) { Err(Unconfirmed::Used) } else { Ok(confirmed) }
    }

    fn spend_at(&self, confirmed: &Confirmed, now: Duration) -> Result<(), Unconfirmed> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        // Few are used in a minute, so that each may look over all.
        used.retain(|_, ends| *ends > now);
        if used.len() >= MOST_USED {
            return Err(Unconfirmed::Full);
        }
        match used.insert(confirmed.nonce, confirmed.ends) {
            None => Ok(()),
            Some(_) => Err(Unconfirmed::Used),
        }
    }

    /// The code over what a token says and what it is about. Each part with its length, so that no two lists of parts are one text.
    fn code(&self, said: &[u8], about: &About<'_>) -> Hmac<Sha256> {
        let mut code = Hmac::<Sha256>::new(&self.key.into());
        let mut part = |bytes: &[u8]| {
            code.update(&(bytes.len() as u64).to_be_bytes());
            code.update(bytes);
        };
        part(PURPOSE);
        part(said);
        part(about.caller.kind().as_str().as_bytes());
        part(about.caller.provider().unwrap_or_default().as_bytes());
        part(about.caller.key_id().unwrap_or_default().as_bytes());
        match about.caller.subject() {
            Some(subject) => part(subject.as_bytes()),
            None => part(about.address.network().to_string().as_bytes()),
        }
        part(&about.host.to_be_bytes());
        part(about.action.as_bytes());
        for Binding { name, value } in about.parameters {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use chm_access::Principal;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const NOW: Duration = Duration::from_secs(1000);

    fn ann() -> Caller {
        Caller::signed_in(Principal::new("ann").unwrap(), "trusted")
    }

    fn parameters(values: &[(&str, &str)]) -> Vec<Binding> {
        values.iter().map(|(name, value)| Binding { name: (*name).into(), value: (*value).into() }).collect()
    }

    fn address(text: &str) -> ClientAddress {
        ClientAddress(text.parse().unwrap())
    }

    #[test]
    fn a_confirmation_is_for_one_caller_action_host_and_parameters() {
        let confirmations = Confirmations::new(MINUTE).unwrap();
        let (ann, q1) = (ann(), parameters(&[("queryId", "q1")]));
        let about =
            About { caller: &ann, address: address("192.0.2.1"), host: 0, action: "killQuery", parameters: &q1 };
        let token = confirmations.issue_at(&about, "shown", NOW).unwrap();
        let check = |about: &About<'_>| confirmations.check_at(&token, about, NOW);
        assert!(check(&about).unwrap().is_of("shown") && !check(&about).unwrap().is_of("something else"));
        // A subject has the same right wherever it comes from.
        assert!(check(&About { address: address("198.51.100.1"), ..about }).is_ok());
        let others = [
            Caller::signed_in(Principal::new("bob").unwrap(), "trusted"),
            Caller::signed_in(Principal::new("ann").unwrap(), "oidc"),
            Caller::admin(),
        ];
        for caller in &others {
            assert_eq!(check(&About { caller, ..about }), Err(Unconfirmed::Foreign), "{caller:?}");
        }
        assert_eq!(check(&About { host: 1, ..about }), Err(Unconfirmed::Foreign));
        assert_eq!(check(&About { action: "optimizeTable", ..about }), Err(Unconfirmed::Foreign));
        for other in [&[("queryId", "q2")][..], &[("queryI", "dq1")], &[], &[("queryId", "q1"), ("x", "")]] {
            assert_eq!(
                check(&About { parameters: &parameters(other), ..about }),
                Err(Unconfirmed::Foreign),
                "{other:?}"
            );
        }
        let elsewhere = Confirmations::new(MINUTE).unwrap();
        assert_eq!(elsewhere.check_at(&token, &about, NOW), Err(Unconfirmed::Foreign));
    }

    #[test]
    fn a_confirmation_lasts_a_minute_and_is_used_once() {
        let confirmations = Confirmations::new(MINUTE).unwrap();
        let ann = ann();
        let about =
            About { caller: &ann, address: address("192.0.2.1"), host: 0, action: "killQuery", parameters: &[] };
        let token = confirmations.issue_at(&about, "shown", NOW).unwrap();
        let end = NOW + MINUTE;
        assert_eq!(confirmations.check_at(&token, &about, end), Err(Unconfirmed::Expired));
        let confirmed = confirmations.check_at(&token, &about, end - Duration::from_millis(1)).unwrap();
        confirmations.spend_at(&confirmed, NOW).unwrap();
        assert_eq!(confirmations.spend_at(&confirmed, NOW), Err(Unconfirmed::Used));
        assert_eq!(confirmations.check_at(&token, &about, NOW), Err(Unconfirmed::Used));
        // Forgotten when it would be refused anyway.
        let later = confirmations.issue_at(&about, "shown", end).unwrap();
        confirmations.spend_at(&confirmations.check_at(&later, &about, end).unwrap(), end).unwrap();
        assert_eq!(confirmations.used.lock().unwrap().len(), 1);
        assert_eq!(confirmations.check_at(&token, &about, end), Err(Unconfirmed::Expired));
    }

    #[test]
    fn no_changed_token_is_a_confirmation() {
        let confirmations = Confirmations::new(MINUTE).unwrap();
        let ann = ann();
        let about =
            About { caller: &ann, address: address("192.0.2.1"), host: 0, action: "killQuery", parameters: &[] };
        let token = confirmations.issue_at(&about, "shown", NOW).unwrap();
        let bytes = BASE64.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = BASE64.encode(changed);
            assert_eq!(confirmations.check_at(&changed, &about, NOW), Err(Unconfirmed::Foreign), "byte {at}");
        }
        for text in ["", "x", "Zm9v", &token[..token.len() - 2], &format!("{token}AA"), &"A".repeat(10_000)] {
            assert_eq!(confirmations.check_at(text, &about, NOW), Err(Unconfirmed::Foreign));
        }
    }
}
