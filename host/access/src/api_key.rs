//! API keys: `chm_<payload>.<signature>` (contract §3.1), read strictly.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::scope::Scopes;
use crate::secret::{Secret, equal_digests};

/// How every key begins.
pub const TOKEN_PREFIX: &str = "chm_";

/// The longest token that is looked at; a longer one is refused before any work is spent on it.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// A secret that is empty would let everybody sign keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the API-key secret is empty: expected a long random text")]
pub struct EmptySecret;

/// Why a token is no valid key. For the log only: the client learns nothing but 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the key is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not `chm_<payload>.<signature>` in base64url without padding.
    #[error("the key is malformed: expected chm_<payload>.<signature>, both base64url without padding")]
    Malformed,
    /// Signed with another secret, or not at all.
    #[error("the signature of the key does not match")]
    WrongSignature,
    /// Rightly signed, but the payload is not what a key says.
    #[error(
        "the payload of the key is invalid: expected a JSON object with a text `sub`, integers `exp` and, if any, `iat`, a text \
         `jti`, and lists of texts `scopes` and `roles`"
    )]
    InvalidPayload,
    /// Its time is over.
    #[error("the key has expired")]
    Expired,
}

/// What a key says. The names on the wire are the contract's (§3.1), and `jti` and `roles` besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyClaims {
    /// Whom it is for; not blank.
    #[serde(rename = "sub")]
    pub subject: String,
    /// Seconds since the Unix epoch when it was made.
    #[serde(rename = "iat", default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<i64>,
    /// The last second it is valid in.
    #[serde(rename = "exp")]
    pub expires_at: i64,
    /// Its id in the store. Keys of the peer, and none of ours, lack it.
    #[serde(rename = "jti", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it may do at most; absent in old keys, which may do everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Roles that the rules of the matrix may ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A key whose signature, form and time are right, but of which nobody knows yet whether it was revoked. Only
/// [`KeySecrets::verify`] makes one; it becomes a [`VerifiedKey`] by one of its two methods.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SignedKey(KeyClaims);

impl SignedKey {
    /// The id to look up; absent for keys that no store knows.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// The store knows the id, and has not ended it.
    #[must_use]
    pub fn listed(self) -> VerifiedKey {
        VerifiedKey(self.0)
    }

    /// Accepts a key without an id, which cannot be revoked by itself. `None` for a key that has one: that must be looked up.
    #[must_use]
    pub fn unlisted(self) -> Option<VerifiedKey> {
        self.0.id.is_none().then_some(VerifiedKey(self.0))
    }
}

/// A key that is valid in every respect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedKey(KeyClaims);

impl VerifiedKey {
    /// Whom it was made for; never blank.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Its id in the store.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// The last second it is valid in, since the Unix epoch.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.0.expires_at
    }

    /// Roles it was made with.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.0.roles
    }

    /// What it may do at most.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        match &self.0.scopes {
            Some(names) => Scopes::of_token(names.iter().map(String::as_str)),
            None => Scopes::all(),
        }
    }
}

/// The secrets that keys are signed with: one that signs and, while keys move over, the one before it, which only verifies. Cannot
/// be had without a secret, so there is no state in which everything is valid.
#[derive(Clone, Debug)]
pub struct KeySecrets {
    current: Secret,
    previous: Option<Secret>,
}

impl KeySecrets {
    /// With the secret that signs.
    ///
    /// # Errors
    /// When it is empty.
    pub fn new(current: Secret) -> Result<Self, EmptySecret> {
        if current.is_empty() { Err(EmptySecret) } else { Ok(Self { current, previous: None }) }
    }

    /// Accepts keys of an earlier secret besides; an empty one is none.
    #[must_use]
    pub fn and_previous(mut self, previous: Option<Secret>) -> Self {
        self.previous = previous.filter(|secret| !secret.is_empty());
        self
    }

    /// Verifies a token at the time `now`, in seconds since the Unix epoch. A key is still valid in the second of its `exp`.
    ///
    /// The payload is not read as JSON before the signature is found right.
    ///
    /// # Errors
    /// Why it is no key, for the log.
    pub fn verify(&self, token: &str, now: i64) -> Result<SignedKey, KeyRefusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(KeyRefusal::TooLong);
        }
        let (payload, signature) =
            token.strip_prefix(TOKEN_PREFIX).and_then(|rest| rest.split_once('.')).ok_or(KeyRefusal::Malformed)?;
        // A second dot is not in the alphabet, so that decoding refuses more than two parts.
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| KeyRefusal::Malformed)?;
        let decoded = URL_SAFE_NO_PAD.decode(payload).map_err(|_| KeyRefusal::Malformed)?;
        if decoded.is_empty() || signature.is_empty() {
            return Err(KeyRefusal::Malformed);
        }
        let fits = |secret: &Secret| {
            sign(secret, payload.as_bytes()).is_some_and(|expected| equal_digests(&expected, &signature))
        };
        if !fits(&self.current) && !self.previous.as_ref().is_some_and(fits) {
            return Err(KeyRefusal::WrongSignature);
        }
        let claims: KeyClaims = serde_json::from_slice(&decoded).map_err(|_| KeyRefusal::InvalidPayload)?;
        let blank = |text: &str| text.trim().is_empty();
        if blank(&claims.subject) || claims.id.as_deref().is_some_and(blank) {
            return Err(KeyRefusal::InvalidPayload);
        }
        if claims.expires_at < now {
            return Err(KeyRefusal::Expired);
        }
        Ok(SignedKey(claims))
    }

    /// Signs a key with the current secret.
    ///
    /// # Errors
    /// When the subject is blank, or the key would be longer than [`MAX_TOKEN_BYTES`].
    pub fn mint(&self, claims: &KeyClaims) -> Result<String, KeyRefusal> {
        if claims.subject.trim().is_empty() {
            return Err(KeyRefusal::InvalidPayload);
        }
        let payload = serde_json::to_vec(claims).map_err(|_| KeyRefusal::InvalidPayload)?;
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let signature = sign(&self.current, payload.as_bytes()).ok_or(KeyRefusal::InvalidPayload)?;
        let token = format!("{TOKEN_PREFIX}{payload}.{}", URL_SAFE_NO_PAD.encode(signature));
        if token.len() > MAX_TOKEN_BYTES { Err(KeyRefusal::TooLong) } else { Ok(token) }
    }
}

/// HMAC-SHA-256 over the encoded payload. HMAC takes a key of any length, so `None` does not occur.
fn sign(secret: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "test-secret-please-change";
    const VECTOR: &str = "chm_eyJzdWIiOiJjbGkiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMjU5MjAwMH0.Gc7klmBreYRNq6UTC40AebBOqYc2NG9ouv2SyKFg6M8";
    const NO_EXP: &str = "chm_eyJzdWIiOiJuby1leHAifQ.8wtJCFP7iUPsQUTaOPIFZNDmIiBp64fIK67hHLuHw6E";
    const EXP: i64 = 1_702_592_000;

    /// A rightly signed token with any payload.
    pub(crate) fn token(secret: &str, payload: &str) -> String {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let signature = sign(&Secret::new(secret), payload.as_bytes()).unwrap();
        format!("{TOKEN_PREFIX}{payload}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn secrets() -> KeySecrets {
        KeySecrets::new(Secret::new(SECRET)).unwrap()
    }

    fn verify(token: &str, now: i64) -> Result<SignedKey, KeyRefusal> {
        secrets().verify(token, now)
    }

    /// A valid key with this payload.
    pub(crate) fn key_of(payload: &str) -> VerifiedKey {
        verify(&token(SECRET, payload), 0).unwrap().listed()
    }

    #[test]
    fn the_contracts_vector_is_valid_until_its_last_second() {
        assert_eq!(token(SECRET, r#"{"sub":"cli","iat":1700000000,"exp":1702592000}"#), VECTOR);
        let key = verify(VECTOR, EXP).unwrap().unlisted().unwrap();
        assert_eq!((key.subject(), key.expires_at()), ("cli", EXP));
        assert!(verify(VECTOR, EXP - 1).is_ok());
        assert_eq!(verify(VECTOR, EXP + 1), Err(KeyRefusal::Expired));
    }

    #[test]
    fn the_contracts_vector_without_exp_is_refused() {
        assert_eq!(verify(NO_EXP, 0), Err(KeyRefusal::InvalidPayload));
    }

    #[test]
    fn no_other_spelling_of_a_valid_key_passes() {
        let body = &VECTOR[TOKEN_PREFIX.len()..];
        let (payload, signature) = body.split_once('.').unwrap();
        let spellings = [
            format!("{VECTOR}.extra"),
            format!("{VECTOR}."),
            format!("{VECTOR}="),
            format!("{VECTOR} "),
            format!(" {VECTOR}"),
            format!("CHM_{body}"),
            body.to_owned(),
            format!("chm_{payload}"),
            format!("chm_{payload}."),
            format!("chm_.{signature}"),
            "chm_.".to_owned(),
            "chm_".to_owned(),
            String::new(),
            format!("chm_{payload}=.{signature}"),
            // The last character carries two unused bits; a lenient decoder takes 8 and 9 for the same.
            format!("chm_{payload}.{}9", &signature[..signature.len() - 1]),
        ];
        for spelling in spellings {
            assert_eq!(verify(&spelling, 0), Err(KeyRefusal::Malformed), "{spelling:?}");
        }
    }

    #[test]
    fn a_key_of_another_secret_or_content_is_refused() {
        let (payload, signature) = VECTOR.split_once('.').unwrap();
        let other = token(SECRET, r#"{"sub":"root","exp":9999999999}"#);
        let (other_payload, _) = other.split_once('.').unwrap();
        for forged in [
            token("other", r#"{"sub":"cli","exp":9999999999}"#),
            format!("{other_payload}.{signature}"),
            format!("{payload}.{}", &signature[..signature.len() - 3]),
            format!("{payload}.AAAA"),
        ] {
            assert_eq!(verify(&forged, 0), Err(KeyRefusal::WrongSignature), "{forged}");
        }
    }

    #[test]
    fn a_signed_payload_must_still_say_what_a_key_says() {
        for payload in [
            "null",
            "[]",
            "{}",
            "not json",
            r#"{"sub":"a","exp":"9999999999"}"#,
            r#"{"sub":"a","exp":9999999999.5}"#,
            r#"{"sub":"a","exp":1e12}"#,
            r#"{"sub":"a","exp":null}"#,
            r#"{"sub":"a","exp":99999999999999999999}"#,
            r#"{"sub":"a","exp":9999999999,"iat":"x"}"#,
            r#"{"sub":"","exp":9999999999}"#,
            r#"{"sub":7,"exp":9999999999}"#,
            r#"{"exp":9999999999}"#,
            r#"{"sub":"a","exp":1,"exp":9999999999}"#,
            r#"{"sub":"a","exp":9999999999} x"#,
        ] {
            assert_eq!(verify(&token(SECRET, payload), 0), Err(KeyRefusal::InvalidPayload), "{payload}");
        }
    }

    #[test]
    fn scopes_limit_a_key_and_their_absence_does_not() {
        let scopes = |payload: &str| key_of(payload).scopes();
        assert_eq!(scopes(r#"{"sub":"a","exp":9}"#), Scopes::all());
        assert_eq!(scopes(r#"{"sub":"a","exp":9,"scopes":[]}"#), Scopes::none());
        assert_eq!(scopes(r#"{"sub":"a","exp":9,"scopes":["nonsense"]}"#), Scopes::none());
        assert_eq!(scopes(r#"{"sub":"a","exp":9,"scopes":["read:metrics"]}"#), Scopes::of_token(["metrics:read"]));
        for scopes in [r#""all""#, "7", "[7]", "{}"] {
            let payload = format!(r#"{{"sub":"a","exp":9,"scopes":{scopes}}}"#);
            assert_eq!(verify(&token(SECRET, &payload), 0), Err(KeyRefusal::InvalidPayload), "{payload}");
        }
    }

    #[test]
    fn a_key_with_an_id_cannot_pass_as_one_that_no_store_knows() {
        let signed = verify(&token(SECRET, r#"{"sub":"a","exp":9,"jti":"k1"}"#), 0).unwrap();
        assert_eq!(signed.id(), Some("k1"));
        assert_eq!(signed.clone().unlisted(), None);
        assert_eq!(signed.listed().id(), Some("k1"));
        let blank = token(SECRET, r#"{"sub":"a","exp":9,"jti":" "}"#);
        assert_eq!(verify(&blank, 0), Err(KeyRefusal::InvalidPayload));
    }

    #[test]
    fn a_minted_key_says_what_it_was_told() {
        let claims = KeyClaims {
            subject: "ci".into(),
            issued_at: Some(5),
            expires_at: 10,
            id: Some("k1".into()),
            scopes: Some(vec!["tables:read".into()]),
            roles: vec!["sre".into()],
        };
        let minted = secrets().mint(&claims).unwrap();
        assert_eq!(verify(&minted, 10).unwrap().0, claims);
        let blank = KeyClaims { subject: " ".into(), ..claims.clone() };
        assert_eq!(secrets().mint(&blank), Err(KeyRefusal::InvalidPayload));
        let long = KeyClaims { subject: "a".repeat(MAX_TOKEN_BYTES), ..claims };
        assert_eq!(secrets().mint(&long), Err(KeyRefusal::TooLong));
    }

    #[test]
    fn the_previous_secret_verifies_and_does_not_sign() {
        let both = secrets().and_previous(Some(Secret::new("old")));
        let old = token("old", r#"{"sub":"a","exp":9}"#);
        assert!(both.verify(&old, 0).is_ok());
        assert!(both.verify(VECTOR, 0).is_ok());
        assert_eq!(verify(&old, 0), Err(KeyRefusal::WrongSignature));
        let claims = both.verify(&old, 0).unwrap().0;
        assert!(secrets().verify(&both.mint(&claims).unwrap(), 0).is_ok());
        let empty = secrets().and_previous(Some(Secret::new("")));
        assert_eq!(empty.verify(&token("", r#"{"sub":"a","exp":9}"#), 0), Err(KeyRefusal::WrongSignature));
    }

    #[test]
    fn an_oversized_token_is_refused_unread() {
        assert_eq!(verify(&format!("chm_{}", "a".repeat(MAX_TOKEN_BYTES)), 0), Err(KeyRefusal::TooLong));
    }

    #[test]
    fn there_are_no_key_secrets_without_a_secret() {
        assert_eq!(KeySecrets::new(Secret::new("")).unwrap_err(), EmptySecret);
    }

    #[test]
    fn key_secrets_do_not_show_themselves() {
        let text = format!("{:?}", KeySecrets::new(Secret::new(SECRET)).unwrap());
        assert!(!text.contains(SECRET), "{text}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}", now in any::<i64>()) {
            prop_assert!(verify(&text, now).is_err());
            let prefixed = format!("{TOKEN_PREFIX}{text}");
            prop_assert!(verify(&prefixed, now).is_err());
        }

        #[test]
        fn no_signed_payload_makes_the_parser_panic(payload in ".{0,200}", now in any::<i64>()) {
            let _ = verify(&token(SECRET, &payload), now);
        }

        #[test]
        fn one_changed_character_breaks_a_key(at in 4..VECTOR.len(), to in "[A-Za-z0-9_.-]") {
            let mut forged = VECTOR.to_owned();
            forged.replace_range(at..=at, &to);
            prop_assume!(forged != VECTOR);
            prop_assert!(verify(&forged, 0).is_err());
        }
    }
}
