//! The pages that tokens may be made for.

use chm_plugin::host::config;

/// Whether a token made for the page at `azp` counts here. A sister page that took a session cookie gets no further with it.
pub(crate) fn check(azp: &str) -> Result<(), String> {
    let parties = config::list("authorized_parties");
    if parties.is_empty() {
        return Err(
            "no origin is authorised: set authorized_parties (CHM_CLERK_AUTHORIZED_PARTIES) or CHM_PUBLIC_ORIGIN \
                    to the address that people open"
                .into(),
        );
    }
    if parties.iter().any(|party| origin(party).eq_ignore_ascii_case(origin(azp))) {
        Ok(())
    } else {
        Err("the session token was made for a page that is not among authorized_parties".into())
    }
}

/// Whether `audience` is the address of an authorised party, or beneath it.
pub(crate) fn covers(audience: &str) -> bool {
    config::list("authorized_parties").iter().any(|party| {
        let party = origin(party);
        let (Some(start), Some(rest)) = (audience.get(..party.len()), audience.get(party.len()..)) else {
            return false;
        };
        start.eq_ignore_ascii_case(party) && (rest.is_empty() || rest.starts_with('/'))
    })
}

fn origin(address: &str) -> &str {
    address.trim_end_matches('/')
}
