//! The caller as a guest may see it.

use chm_access::Caller;
use chm_sandbox::bindings::types;

/// A principal in full; the holder of a key or token by its subject and roles.
#[must_use]
pub fn for_guest(caller: &Caller) -> Option<types::Principal> {
    let (subject, known) = (caller.subject()?, caller.principal());
    Some(types::Principal {
        subject: subject.to_owned(),
        name: known.and_then(|principal| principal.name.clone()),
        email: known.and_then(|principal| principal.email.clone()),
        avatar_url: known.and_then(|principal| principal.avatar_url.clone()),
        roles: caller.roles().to_vec(),
        custom: known
            .into_iter()
            .flat_map(|principal| &principal.custom)
            .map(|(name, value)| types::Claim { name: name.clone(), value: value.clone() })
            .collect(),
    })
}
