//! The plugin's decision in native code: the same questions to the same settings and services, the same person as the answer.

use std::collections::BTreeMap;

use chm_sandbox::Services;
use chm_sandbox::bindings::auth_provider::{RequestHead, Verdict};
use chm_sandbox::bindings::types::Principal;

/// Who sends the request.
pub fn authenticate(settings: &BTreeMap<String, String>, services: &dyn Services, head: &RequestHead) -> Verdict {
    let setting = |name: &str| settings.get(name).filter(|value| !value.is_empty()).cloned();
    let field = |name: &str| {
        let header = setting(name)?;
        let sent = head.headers.iter().find(|sent| sent.name.eq_ignore_ascii_case(&header))?;
        (!sent.value.is_empty()).then(|| sent.value.clone())
    };
    let email = field("email_header");
    let Some(subject) = field("user_header").or_else(|| email.clone()) else { return Verdict::NoCredentials };
    let mut roles: Vec<String> = Vec::new();
    for name in ["groups_header", "role_header"] {
        for role in words(&field(name).unwrap_or_default()) {
            if !roles.iter().any(|known| known == role) {
                roles.push(role.to_owned());
            }
        }
    }
    let person = Principal {
        subject,
        name: field("name_header"),
        email,
        avatar_url: field("avatar_header"),
        roles,
        custom: Vec::new(),
    };
    let header = setting("shared_secret_header").unwrap_or_default();
    let open = services.secret_is_set("auth_secret")
        && services.secret_header_equals("auth_secret", &header).unwrap_or_default();
    if !open {
        return Verdict::Rejected("the request does not carry the proxy's secret".to_owned());
    }
    match setting("allowed_groups") {
        Some(allowed) if !words(&allowed).any(|group| person.roles.iter().any(|role| role == group)) => {
            Verdict::Rejected("in none of the allowed groups".to_owned())
        }
        _ => Verdict::Authenticated(person),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}
