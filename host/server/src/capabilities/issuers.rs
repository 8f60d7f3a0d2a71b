//! Token issuers that the operator configured by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chm_sandbox::bindings::jwt::JwtError;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation, decode, decode_header};
use reqwest::Url;
use serde_json::{Map, Value};

use super::http_client;
use super::keys::{KeySource, KeyTimes, Keys, NoKey, Published};
use super::keys_read::parse_pem;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;
/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 60;
/// Keys that are tried on a token that names none.
const MAX_TRIES: usize = 8;
/// Where the operator names no algorithm.
const DEFAULT_ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// One issuer as the operator wrote it.
#[derive(Clone)]
pub struct Issuer {
    /// What plugins call it.
    pub name: String,
    /// The exact value of `iss`.
    pub issuer: String,
    /// Where its keys are; absent: OpenID Connect discovery beneath `issuer`.
    pub jwks_url: Option<String>,
    /// Its key in PEM; nothing is fetched then.
    pub public_key: Option<String>,
    /// A token must be for at least one of them; `*` alone: for whom it is, is not looked at.
    pub audiences: Vec<String>,
    /// `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`; empty: `RS256`, `ES256` and `EdDSA`.
    pub algorithms: Vec<String>,
}

impl fmt::Debug for Issuer {
    /// Without the address of its keys, which may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why an issuer cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// An address is no address.
    #[error(
        "issuer `{name}`: `{key}` is not an http:// or https:// address; expected for example `https://login.example.com`"
    )]
    Url {
        /// The issuer.
        name: String,
        /// `issuer` or `jwks_url`.
        key: &'static str,
    },
    /// There are two answers to where the key is.
    #[error("issuer `{name}`: `public_key` and `jwks_url` are both set; remove one of them")]
    TwoKeys {
        /// The issuer.
        name: String,
    },
    /// It is none, or nothing could be verified with it.
    #[error(
        "issuer `{name}`: `public_key` is not a public key in PEM that fits `algorithms`; expected RSA of 2048 to 8192 bits, EC on P-256 or P-384, or Ed25519, beginning with `-----BEGIN PUBLIC KEY-----`"
    )]
    PublicKey {
        /// The issuer.
        name: String,
    },
    /// Any token of the issuer would do, whoever it is for.
    #[error(
        "issuer `{name}`: `audiences` is empty; name at least one value of `aud` that a token must carry, or `*` alone where the plugin looks for whom it is"
    )]
    NoAudience {
        /// The issuer.
        name: String,
    },
    /// Unknown, or not asymmetric.
    #[error(
        "issuer `{name}`: `{algorithm}` in `algorithms` is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA"
    )]
    Algorithm {
        /// The issuer.
        name: String,
        /// What it said.
        algorithm: String,
    },
    /// Two issuers have one name.
    #[error("issuer `{name}` is configured twice; give each its own name")]
    Twice {
        /// The name.
        name: String,
    },
    /// There is no HTTP client.
    #[error("keys cannot be fetched: {0}")]
    Client(String),
}

struct Known {
    issuer: String,
    /// Absent: not looked at.
    audiences: Option<Vec<String>>,
    algorithms: Vec<Algorithm>,
    keys: Keys,
}

/// All configured issuers and their keys.
pub struct Issuers {
    known: BTreeMap<String, Known>,
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

impl Issuers {
    /// Checks all of them; fetches nothing.
    ///
    /// # Errors
    /// Names the issuer and what is wrong with it.
    pub fn new(issuers: Vec<Issuer>) -> Result<Self, IssuerError> {
        Self::with_times(issuers, KeyTimes::default())
    }

    /// As [`Issuers::new`], with other times.
    ///
    /// # Errors
    /// Names the issuer and what is wrong with it.
    pub fn with_times(issuers: Vec<Issuer>, times: KeyTimes) -> Result<Self, IssuerError> {
        let client = http_client(|builder| builder.connect_timeout(times.timeout))
            .map_err(|error| IssuerError::Client(error.to_string()))?;
        let mut known = BTreeMap::new();
        for issuer in issuers {
            let name = issuer.name.clone();
            if known.insert(name.clone(), Known::of(issuer, &client, times)?).is_some() {
                return Err(IssuerError::Twice { name });
            }
        }
        Ok(Self { known })
    }

    /// Whether there is one of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Begins to fetch all keys, and fetches them from time to time, so that no sign-in need wait. Must be called inside a tokio
    /// runtime.
    pub fn warm(&self) {
        self.known.values().for_each(|issuer| issuer.keys.warm());
    }

    /// Verifies a token of the issuer `name`: signature, algorithm, `iss`, `aud`, `exp` (required) and `nbf`, with a minute's
    /// leeway. Returns the claims as a JSON object.
    ///
    /// # Errors
    /// As the WIT says. No text contains the token.
    pub async fn verify(&self, name: &str, token: &str) -> Result<String, JwtError> {
        let issuer = self.known.get(name).ok_or(JwtError::Unset)?;
        issuer.verify(token).await
    }
}

impl Known {
    fn of(issuer: Issuer, client: &reqwest::Client, times: KeyTimes) -> Result<Self, IssuerError> {
        let name = issuer.name;
        let is_address = |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        let mut audiences: Vec<_> = issuer.audiences.into_iter().filter(|audience| !audience.is_empty()).collect();
        // `*` beside others would make them meaningless, so there it is a name like any other.
        let audiences = match audiences.as_mut_slice() {
            [] => return Err(IssuerError::NoAudience { name }),
            [any] if any == "*" => None,
            _ => Some(audiences),
        };
        let mut algorithms = Vec::new();
        for word in issuer.algorithms {
            match word.parse::<Algorithm>() {
                Ok(algorithm) if algorithm.family() != AlgorithmFamily::Hmac => algorithms.push(algorithm),
                _ => return Err(IssuerError::Algorithm { name, algorithm: word }),
            }
        }
        if algorithms.is_empty() {
            algorithms.extend(DEFAULT_ALGORITHMS);
        }
        let keys = match (issuer.public_key, issuer.jwks_url) {
            (Some(_), Some(_)) => return Err(IssuerError::TwoKeys { name }),
            (Some(pem), None) => match parse_pem(&pem, &algorithms) {
                Some(key) => Keys::Fixed(Arc::new(key)),
                None => return Err(IssuerError::PublicKey { name }),
            },
            (None, url) => {
                let source = match url {
                    Some(url) if is_address(&url) => KeySource::Jwks(url),
                    Some(_) => return Err(IssuerError::Url { name, key: "jwks_url" }),
                    None if is_address(&issuer.issuer) => KeySource::Discovery { issuer: issuer.issuer.clone() },
                    None => return Err(IssuerError::Url { name, key: "issuer" }),
                };
                Keys::Published(Published::new(name, source, algorithms.clone(), client.clone(), times))
            }
        };
        Ok(Self { issuer: issuer.issuer, audiences, algorithms, keys })
    }

    async fn verify(&self, token: &str) -> Result<String, JwtError> {
        if token.len() > MAX_TOKEN {
            return Err(invalid(format!("it is longer than {MAX_TOKEN} bytes")));
        }
        self.check_ours(token)?;
        let header =
            decode_header(token).map_err(|_| invalid("its header is malformed, or its algorithm is unknown"))?;
        if !self.algorithms.contains(&header.alg) {
            return Err(invalid("its algorithm is not allowed for this issuer"));
        }
        // RFC 7515, section 4.1.11: an extension that must be understood, and we know none.
        if header.crit.is_some() {
            return Err(invalid("it has a `crit` header"));
        }
        let keys = match self.keys.candidates(header.kid.as_deref(), header.alg).await {
            Ok(keys) => keys,
            Err(NoKey::Unknown) => return Err(invalid("the issuer has no key for it")),
            Err(NoKey::Unavailable(reason)) => return Err(JwtError::Unavailable(reason)),
        };
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        match &self.audiences {
            Some(audiences) => {
                validation.set_required_spec_claims(&["exp", "iss", "aud"]);
                validation.set_audience(audiences);
            }
            None => {
                validation.set_required_spec_claims(&["exp", "iss"]);
                validation.validate_aud = false;
            }
        }
        for key in keys.iter().take(MAX_TRIES) {
            match decode::<Value>(token, &key.decoding, &validation) {
                // The library also takes a list of issuers; a plugin that reads `iss` as text should not meet one.
                Ok(data) if data.claims.get("iss").and_then(Value::as_str) != Some(self.issuer.as_str()) => {
                    return Err(invalid("its `iss` is another issuer"));
                }
                Ok(data) => return Ok(data.claims.to_string()),
                // Claims are looked at when the signature is right: no other key will do better.
                Err(error) => {
                    if let Some(reason) = claim_reason(error.kind()) {
                        return Err(invalid(reason));
                    }
                }
            }
        }
        Err(invalid("its signature is wrong"))
    }

    /// Whether the token claims to be this issuer's at all. Nothing else is done with what is not verified yet.
    fn check_ours(&self, token: &str) -> Result<(), JwtError> {
        let object =
            |part: &str| serde_json::from_slice::<Map<String, Value>>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwtError::Foreign("it is no signed token".to_owned()));
        };
        let (Some(_), Some(claims)) = (object(header), object(claims)) else {
            return Err(JwtError::Foreign("it is no signed token".to_owned()));
        };
        match claims.get("iss") {
            Some(Value::String(issuer)) if *issuer == self.issuer => Ok(()),
            Some(Value::String(_)) => Err(JwtError::Foreign("its `iss` is another issuer".to_owned())),
            // A list with ours among others is a trick, and a token that names nobody is nobody's.
            _ => Err(invalid("it has no well-formed claim `iss`")),
        }
    }
}

fn invalid(reason: impl Into<String>) -> JwtError {
    JwtError::Invalid(reason.into())
}

/// What is wrong with the claims, in words of our own: the library's may repeat parts of the token. `None` for other errors.
fn claim_reason(kind: &ErrorKind) -> Option<String> {
    Some(match kind {
        ErrorKind::ExpiredSignature => "it has expired".to_owned(),
        ErrorKind::ImmatureSignature => "it is not valid yet".to_owned(),
        ErrorKind::InvalidIssuer => "its `iss` is another issuer".to_owned(),
        ErrorKind::InvalidAudience => "its `aud` names none of the configured audiences".to_owned(),
        ErrorKind::MissingRequiredClaim(claim) => format!("it has no well-formed claim `{claim}`"),
        ErrorKind::InvalidClaimFormat(claim) => format!("its claim `{claim}` is malformed"),
        ErrorKind::Json(_) | ErrorKind::Utf8(_) => "its claims are no JSON object".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "issuers_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "issuers_tricks_tests.rs"]
mod tricks_tests;
