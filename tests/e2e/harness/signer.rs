//! A sign-in service that is well: an issuer with one key, its good tokens, and all that is wrong with bad ones.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{Issuer, SigningKey, now};

const KEY_ID: &str = "rsa";

/// The service; it ends with this value.
pub struct Signer {
    issuer: Issuer,
    key: SigningKey,
}

impl Signer {
    /// Starts it.
    pub async fn start() -> Self {
        let key = SigningKey::rsa(KEY_ID);
        Self { issuer: Issuer::start(&[&key]).await, key }
    }

    /// Its address, which is its tokens' `iss`.
    pub fn url(&self) -> &str {
        self.issuer.url()
    }

    /// Its key, in PEM.
    pub fn public_key(&self) -> &'static str {
        SigningKey::rsa_public_pem()
    }

    /// The paths that were asked for so far, each once.
    pub fn asked(&self) -> Vec<String> {
        self.issuer.paths()
    }

    /// The claims with `iss` and times that are right, where they say nothing of them; a claim that is null is left out.
    fn whole(&self, claims: &Value) -> Value {
        let mut whole = json!({"iss": self.url(), "iat": now(), "exp": now() + 600});
        for (name, value) in claims.as_object().expect("claims") {
            whole[name.as_str()] = value.clone();
        }
        whole.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
        whole
    }

    /// A token with these claims.
    pub fn token(&self, claims: Value) -> String {
        self.key.token(&self.whole(&claims))
    }

    /// Tokens with these claims that are wrong in each way that a token can be, with what is wrong.
    pub fn bad_tokens(&self, claims: &Value) -> Vec<(String, String)> {
        let with = |name: &str, value: Value| {
            let mut changed = claims.clone();
            changed[name] = value;
            self.token(changed)
        };
        let whole = self.whole(claims);
        let good = self.token(claims.clone());
        let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let none = part(&json!({"alg": "none", "kid": KEY_ID}));
        let mut other = whole.clone();
        other["sub"] = "somebody-else".into();
        let hmac = EncodingKey::from_secret(self.public_key().as_bytes());
        let by_hmac = encode(&Header { kid: Some(KEY_ID.into()), ..Header::new(Algorithm::HS256) }, &whole, &hmac);
        let all = [
            ("expired", with("exp", (now() - 3600).into())),
            ("without `exp`", with("exp", Value::Null)),
            ("`exp` is no number", with("exp", "never".into())),
            ("not valid yet", with("nbf", (now() + 3600).into())),
            ("another `iss`", with("iss", "https://evil.example".into())),
            ("a longer `iss`", with("iss", format!("{}/", self.url()).into())),
            ("without `iss`", with("iss", Value::Null)),
            ("signed by a stranger", SigningKey::other_rsa(KEY_ID).token(&whole)),
            ("an unknown key", SigningKey::other_rsa("stranger").token(&whole)),
            ("a path as key id", SigningKey::other_rsa("../../keys").token(&whole)),
            ("ES256 by a stranger", SigningKey::ec(KEY_ID).token(&whole)),
            ("RS512", self.key.token_with(&json!({"alg": "RS512", "kid": KEY_ID}), &whole)),
            ("HS256 with the public key", by_hmac.expect("a token")),
            ("alg none", format!("{none}.{body}.")),
            ("alg none, signed", format!("{none}.{body}.{signature}")),
            ("other claims under the signature", format!("{head}.{}.{signature}", part(&other))),
            ("no signature", format!("{head}.{body}.")),
            ("two parts", format!("{head}.{body}")),
            ("four parts", format!("{good}.{signature}")),
            ("a comma behind it", format!("{good},")),
            ("twice", format!("{good}, {good}")),
            ("oversized", with("padding", "x".repeat(20_000).into())),
            ("nonsense", "e.y.j".to_owned()),
        ];
        all.into_iter().map(|(what, token)| (what.to_owned(), token)).collect()
    }
}
