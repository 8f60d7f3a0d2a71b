//! Who the claims say it is, and whether that person may enter.

use chm_plugin::Failure;
use chm_plugin::auth::{Principal, Verdict};
use chm_plugin::host::config;
use serde_json::{Map, Value};

use crate::claim;

/// Judges the claims of a valid token.
pub(crate) fn judge(claims: &str) -> Result<Verdict, Failure> {
    let claims: Map<String, Value> =
        serde_json::from_str(claims).map_err(|_| Failure::internal("the claims are no JSON object"))?;
    let field = |setting: &str| claim::text(&claims, &config::get(setting)?).map(String::from);

    // Whoever may write any address into a profile could take another person's place by it.
    let unverified = claims.get("email_verified").is_some_and(|flag| !is_true(flag));
    let email = field("email_claim").filter(|_| !unverified);
    let Some(subject) = field("subject_claim") else {
        return Ok(Verdict::Rejected("the token has no text in the claim that subject_claim names".into()));
    };
    if unverified && config::get("subject_claim") == config::get("email_claim") {
        return Ok(Verdict::Rejected(
            "the issuer has not verified the e-mail address that would be the subject".into(),
        ));
    }
    let mut person = Principal::new(subject);
    person.email = email;
    person.name = field("name_claim");
    person.avatar_url = field("picture_claim");
    for path in config::list("roles_claim") {
        for role in claim::find(&claims, &path).map(claim::names).unwrap_or_default() {
            // Of two spellings the first stays.
            if !person.roles.iter().any(|known| same(known, role)) {
                person.roles.push(role.into());
            }
        }
    }
    Ok(if may_enter(&person) {
        Verdict::Authenticated(person)
    } else {
        Verdict::Rejected(format!("`{}` is in none of the allowed groups", person.subject))
    })
}

/// Some issuers write truth values as texts.
fn is_true(flag: &Value) -> bool {
    matches!(flag, Value::Bool(true)) || flag.as_str() == Some("true")
}

/// Whether the person is in one of the allowed groups. A list that names no group admits nobody: its author meant to close
/// the door.
fn may_enter(person: &Principal) -> bool {
    config::get("allowed_groups").is_none()
        || config::list("allowed_groups").iter().any(|group| person.roles.iter().any(|role| same(role, group)))
}

/// Upper and lower case are the same, here as in the permission matrix.
fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
