//! Who the headers say it is.

use chm_plugin::auth::{Principal, RequestHead};
use chm_plugin::host::config;

use crate::words::{Separator, same, words};

/// The person, or `None` when the request names nobody.
pub(crate) fn read(head: &RequestHead) -> Option<Principal> {
    let field = |setting: &str| head.header(&config::get(setting)?).map(String::from);

    let email = field("email_header");
    let mut person = Principal::new(field("user_header").or_else(|| email.clone())?);
    person.email = email;
    person.name = field("name_header");
    person.avatar_url = field("avatar_header");
    let separator = Separator::configured();
    for setting in ["groups_header", "role_header"] {
        for role in separator.split(&field(setting).unwrap_or_default()) {
            // Of two spellings the first stays.
            if !person.roles.iter().any(|known| same(known, role)) {
                person.roles.push(role.into());
            }
        }
    }
    let map = config::get("custom_headers").unwrap_or_default();
    for (claim, header) in claims(&map) {
        if let Some(value) = head.header(header) {
            person.set_claim(claim, value);
        }
    }
    Some(person)
}

/// The pairs of `custom_headers`; of two with one field, the later. Pieces without a field or a header are left out.
fn claims(map: &str) -> Vec<(&str, &str)> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (field, header) in words(map).filter_map(|piece| piece.split_once(':')) {
        if !field.is_empty() && !header.is_empty() {
            pairs.retain(|&(known, _)| known != field);
            pairs.push((field, header));
        }
    }
    pairs
}

/// Whether the person is in one of the allowed groups. A list that names no group admits nobody: its author meant to close
/// the door.
pub(crate) fn may_enter(person: &Principal) -> bool {
    let Some(allowed) = config::get("allowed_groups") else { return true };
    let separator = Separator::configured();
    // Operators divide the list by commas, whatever proxies do.
    allowed
        .split(',')
        .flat_map(|entry| separator.split(entry))
        .any(|group| person.roles.iter().any(|role| same(role, group)))
}
