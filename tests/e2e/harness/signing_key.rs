//! A real private key, and the tokens that it signs.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// RSA keys take seconds to make; these were made for tests.
const RSA: &[u8] = include_bytes!("../../../host/server/tests/data/issuer-rsa.pem");
const OTHER_RSA: &[u8] = include_bytes!("../../../host/server/tests/data/stranger-rsa.pem");
const WEAK_RSA: &[u8] = include_bytes!("../../../host/server/tests/data/weak-rsa.pem");
const RSA_PUBLIC: &str = include_str!("../../../host/server/tests/data/issuer-rsa.pub.pem");

/// A private key, with the id that its public half is published by.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    private: EncodingKey,
}

impl SigningKey {
    /// RSA of 2048 bits, for RS256.
    pub fn rsa(kid: &str) -> Self {
        Self::rsa_of(kid, RSA)
    }

    /// Another one.
    pub fn other_rsa(kid: &str) -> Self {
        Self::rsa_of(kid, OTHER_RSA)
    }

    /// RSA of 1024 bits.
    pub fn weak_rsa(kid: &str) -> Self {
        Self::rsa_of(kid, WEAK_RSA)
    }

    /// The public half of [`SigningKey::rsa`], in PEM.
    pub fn rsa_public_pem() -> &'static str {
        RSA_PUBLIC
    }

    fn rsa_of(kid: &str, pem: &[u8]) -> Self {
        let private = EncodingKey::from_rsa_pem(pem).expect("a key");
        Self { kid: kid.to_owned(), algorithm: Algorithm::RS256, private }
    }

    /// A new one on P-256, for ES256.
    pub fn ec(kid: &str) -> Self {
        let made = rcgen::KeyPair::generate().expect("a key");
        let private = EncodingKey::from_ec_pem(made.serialize_pem().as_bytes()).expect("a key");
        Self { kid: kid.to_owned(), algorithm: Algorithm::ES256, private }
    }

    /// Its public half, as a key set has it.
    pub fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).expect("a public key");
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).expect("JSON")
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": format!("{:?}", self.algorithm), "kid": self.kid, "typ": "JWT"}), claims)
    }

    /// A token with any header, rightly signed by this key, whatever the header says.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.algorithm).expect("signed");
        format!("{message}.{signature}")
    }
}
