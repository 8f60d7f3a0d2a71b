//! Public keys as issuers publish them (JWK sets, RFC 7517) and as operators write them (PEM).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;

/// Keys of one issuer that are looked at.
const MAX_KEYS: usize = 64;
/// Bits of an RSA modulus: less is weak, more is a way to keep the processor busy.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key and the algorithms it may verify.
pub(super) struct Key {
    pub(super) kid: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

/// Reads a public key in PEM: RSA, EC on P-256 or P-384, or Ed25519. It may verify those of `allowed` that fit it.
///
/// Absent: it is none, it is private, it is too weak, or no algorithm of `allowed` fits it.
pub(super) fn parse_pem(text: &str, allowed: &[Algorithm]) -> Option<Key> {
    // A private key would do as well, and does not belong here.
    let public = ["-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----"];
    let text = text.trim();
    if !public.iter().any(|begin| text.starts_with(begin)) {
        return None;
    }
    let pem = text.as_bytes();
    let (decoding, fits): (DecodingKey, fn(Algorithm) -> bool) = if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        if !RSA_BITS.contains(&modulus_bits(key.try_get_as_bytes().ok()?)?) {
            return None;
        }
        (key, |algorithm| algorithm.family() == AlgorithmFamily::Rsa)
    } else if let Ok(key) = DecodingKey::from_ec_pem(pem) {
        // An uncompressed point: one byte, then two coordinates.
        match key.try_get_as_bytes().ok()?.len() {
            65 => (key, |algorithm| algorithm == Algorithm::ES256),
            97 => (key, |algorithm| algorithm == Algorithm::ES384),
            _ => return None,
        }
    } else {
        (DecodingKey::from_ed_pem(pem).ok()?, |algorithm| algorithm == Algorithm::EdDSA)
    };
    let algorithms: Vec<_> = allowed.iter().copied().filter(|&algorithm| fits(algorithm)).collect();
    (!algorithms.is_empty()).then_some(Key { kid: None, algorithms, decoding })
}

/// Of an RSA public key in DER (RFC 8017, appendix A.1.1): a sequence that begins with the modulus.
fn modulus_bits(der: &[u8]) -> Option<usize> {
    let sequence = der_value(der, 0x30)?;
    let modulus = der_value(sequence, 0x02)?;
    let leading = modulus.iter().take_while(|&&byte| byte == 0).count();
    Some((modulus.len() - leading) * 8)
}

/// The content of the first value, which has the tag `tag`.
fn der_value(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = bytes.iter().try_fold(0_usize, |sum, &byte| sum.checked_mul(256)?.checked_add(byte.into()))?;
        (length, rest)
    };
    rest.get(..length).filter(|_| found == tag)
}

/// Keys of a JWK set (RFC 7517) that may verify one of `allowed`. Others are passed over: an issuer may publish what we do not know.
pub(super) fn parse_keys(document: &[u8], allowed: &[Algorithm]) -> Result<Vec<Arc<Key>>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set =
        serde_json::from_slice(document).map_err(|_| "its key set is not a JSON object with `keys`".to_owned())?;
    let keys = set.keys.into_iter().take(MAX_KEYS).filter_map(|value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let algorithms = algorithms_of(&jwk, allowed);
        if algorithms.is_empty() {
            return None;
        }
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Arc::new(Key { kid: jwk.common.key_id, algorithms, decoding }))
    });
    Ok(keys.collect())
}

fn algorithms_of(jwk: &Jwk, allowed: &[Algorithm]) -> Vec<Algorithm> {
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let verifies =
        jwk.common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !signs || !verifies {
        return vec![];
    }
    let fits = |algorithm: Algorithm| match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => algorithm.family() == AlgorithmFamily::Rsa && RSA_BITS.contains(&bits(&rsa.n)),
        AlgorithmParameters::EllipticCurve(ec) => match ec.curve {
            EllipticCurve::P256 => algorithm == Algorithm::ES256,
            EllipticCurve::P384 => algorithm == Algorithm::ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(pair) => {
            pair.curve == EllipticCurve::Ed25519 && algorithm == Algorithm::EdDSA
        }
        // A shared secret, published: whoever reads it could sign.
        _ => false,
    };
    let declared = jwk.common.key_algorithm;
    allowed
        .iter()
        .copied()
        .filter(|&algorithm| fits(algorithm))
        .filter(|&algorithm| declared.is_none_or(|declared| declared == algorithm.into()))
        .collect()
}

/// Of a base64url number; 0 if it is none.
fn bits(number: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(number).unwrap_or_default();
    bytes.iter().skip_while(|&&byte| byte == 0).count() * 8
}
