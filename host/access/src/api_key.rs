//! API keys: `chm_<payload>.<signature>` (contract §3.1), read strictly.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

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
        "the payload of the key is invalid: expected a JSON object with a text `sub` and integers `exp` and, if any, `iat`"
    )]
    InvalidPayload,
    /// It names scopes. They narrow a key, so a key with scopes must not pass where they are not looked at.
    #[error("the key is limited to scopes, which this host does not support")]
    Scoped,
    /// Its time is over.
    #[error("the key has expired")]
    Expired,
}

/// A key whose signature and time are right. Only [`KeyVerifier::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedKey {
    subject: String,
    expires_at: i64,
}

impl VerifiedKey {
    /// Whom it was made for; never blank.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The last second it is valid in, since the Unix epoch.
    pub fn expires_at(&self) -> i64 {
        self.expires_at
    }
}

/// Verifies keys. It cannot be had without a secret, so there is no state in which everything is valid.
#[derive(Clone, Debug)]
pub struct KeyVerifier {
    secret: Secret,
}

/// What a key says. `scopes` is only looked for: see [`KeyRefusal::Scoped`].
#[derive(Deserialize)]
struct Payload {
    sub: String,
    exp: i64,
    #[serde(default, rename = "iat")]
    _issued_at: Option<i64>,
    #[serde(default)]
    scopes: Option<serde::de::IgnoredAny>,
}

impl KeyVerifier {
    /// A verifier for keys signed with `secret`.
    pub fn new(secret: Secret) -> Result<Self, EmptySecret> {
        if secret.is_empty() { Err(EmptySecret) } else { Ok(Self { secret }) }
    }

    /// Verifies a token at the time `now`, in seconds since the Unix epoch. A key is still valid in the second of its `exp`.
    ///
    /// The payload is not even decoded before the signature is found right.
    pub fn verify(&self, token: &str, now: i64) -> Result<VerifiedKey, KeyRefusal> {
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
        let expected = self.sign(payload.as_bytes()).ok_or(KeyRefusal::WrongSignature)?;
        if !equal_digests(&expected, &signature) {
            return Err(KeyRefusal::WrongSignature);
        }
        let payload: Payload = serde_json::from_slice(&decoded).map_err(|_| KeyRefusal::InvalidPayload)?;
        if payload.sub.trim().is_empty() {
            return Err(KeyRefusal::InvalidPayload);
        }
        if payload.scopes.is_some() {
            return Err(KeyRefusal::Scoped);
        }
        if payload.exp < now {
            return Err(KeyRefusal::Expired);
        }
        Ok(VerifiedKey { subject: payload.sub, expires_at: payload.exp })
    }

    /// HMAC-SHA-256 over the encoded payload. HMAC takes a key of any length, so `None` does not occur.
    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes()).ok()?;
        mac.update(message);
        Some(mac.finalize().into_bytes().to_vec())
    }
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
        let signature = KeyVerifier { secret: Secret::new(secret) }.sign(payload.as_bytes()).unwrap();
        format!("{TOKEN_PREFIX}{payload}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn verify(token: &str, now: i64) -> Result<VerifiedKey, KeyRefusal> {
        KeyVerifier::new(Secret::new(SECRET)).unwrap().verify(token, now)
    }

    #[test]
    fn the_contracts_vector_is_valid_until_its_last_second() {
        assert_eq!(token(SECRET, r#"{"sub":"cli","iat":1700000000,"exp":1702592000}"#), VECTOR);
        let key = verify(VECTOR, EXP).unwrap();
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
    fn a_key_limited_to_scopes_does_not_pass_unlimited() {
        for scopes in [r#"["read:metrics"]"#, "[]", r#""all""#] {
            let payload = format!(r#"{{"sub":"a","exp":9999999999,"scopes":{scopes}}}"#);
            assert_eq!(verify(&token(SECRET, &payload), 0), Err(KeyRefusal::Scoped), "{payload}");
        }
    }

    #[test]
    fn an_oversized_token_is_refused_unread() {
        assert_eq!(verify(&format!("chm_{}", "a".repeat(MAX_TOKEN_BYTES)), 0), Err(KeyRefusal::TooLong));
    }

    #[test]
    fn there_is_no_verifier_without_a_secret() {
        assert_eq!(KeyVerifier::new(Secret::new("")).unwrap_err(), EmptySecret);
    }

    #[test]
    fn a_verifier_does_not_show_its_secret() {
        let text = format!("{:?}", KeyVerifier::new(Secret::new(SECRET)).unwrap());
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
