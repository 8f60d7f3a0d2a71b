//! Session tokens: JWTs that live for a minute and name the person and the page they were made for.

use chm_plugin::Failure;
use chm_plugin::auth::{Principal, Verdict};
use chm_plugin::host::jwt::{self, JwtError, Place};
use serde::Deserialize;
use serde_json::Value;

use crate::grant::Grant;
use crate::organization::Membership;
use crate::{ISSUER, organization, party};

/// The claims that matter. Those with one letter are of the second version of Clerk's tokens.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    azp: Option<String>,
    /// `pending` until the person has done what the instance asks of them after signing in.
    sts: Option<String>,
    exp: Option<f64>,
    email: Option<String>,
    name: Option<String>,
    org_id: Option<String>,
    org_role: Option<String>,
    o: Option<Membership>,
    /// Present on OAuth tokens that are JWTs, which are no sessions.
    client_id: Option<String>,
    scope: Option<String>,
    aud: Option<Value>,
}

/// Judges the token that the request carries at this place.
pub(crate) fn judge(place: Place, takes_oauth: bool) -> Result<Verdict, Failure> {
    let claims: Claims = match jwt::verify_sent(ISSUER, place) {
        Ok(Some(claims)) => serde_json::from_str(&claims)
            .map_err(|error| Failure::internal(format!("the claims are not Clerk's: {error}")))?,
        // Others call a cookie `__session`, too.
        Ok(None) | Err(JwtError::Foreign(_)) => return Ok(Verdict::NoCredentials),
        Err(JwtError::Invalid(reason)) => {
            return Ok(Verdict::Rejected(format!("the session token is refused: {reason}")));
        }
        // Not granted, not configured, or no keys: nobody's fault who asks, and nobody enters.
        Err(error) => return Err(error.into()),
    };
    if claims.client_id.is_some() {
        return Ok(if takes_oauth {
            Grant::of_jwt(claims.sub, claims.client_id, claims.scope.as_deref(), claims.aud, claims.exp).judge()
        } else {
            Verdict::Rejected("OAuth tokens are not taken here".into())
        });
    }
    Ok(person(claims).map_or_else(Verdict::Rejected, Verdict::Authenticated))
}

fn person(claims: Claims) -> Result<Principal, String> {
    let subject = claims.sub.filter(|sub| !sub.is_empty()).ok_or("the session token names nobody")?;
    // A token without `azp` was made outside a browser, where no page could have taken it from another.
    if let Some(azp) = &claims.azp {
        party::check(azp)?;
    }
    if claims.sts.as_deref() == Some("pending") {
        return Err("the session is pending: Clerk asks something of the person first".into());
    }
    let membership = claims.o.or_else(|| Membership::of(claims.org_id, claims.org_role));
    let mut person = Principal::new(subject);
    person.roles = organization::roles(membership.as_ref())?;
    person.email = claims.email.filter(|email| !email.is_empty());
    person.name = claims.name.filter(|name| !name.is_empty());
    Ok(person)
}
