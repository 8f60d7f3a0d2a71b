//! Organisations of a Clerk instance. Where people may found their own, a role says something only of a known organisation.

use chm_plugin::host::config;
use serde::Deserialize;

/// The organisation that a session is about.
#[derive(Deserialize)]
pub(crate) struct Membership {
    /// `org_…`.
    id: Option<String>,
    /// For example `admin`; the first version of the tokens says `org:admin`.
    rol: Option<String>,
}

impl Membership {
    /// From the claims of the first version.
    pub(crate) fn of(id: Option<String>, rol: Option<String>) -> Option<Self> {
        id.is_some().then_some(Self { id, rol })
    }
}

/// The person's roles, or why they may not enter.
pub(crate) fn roles(membership: Option<&Membership>) -> Result<Vec<String>, String> {
    let known = config::list("organizations");
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let member = membership.filter(|member| member.id.as_ref().is_some_and(|id| known.contains(id)));
    let member = member.ok_or("the session is not about one of the organisations")?;
    let role =
        member.rol.as_deref().map(|role| role.strip_prefix("org:").unwrap_or(role)).filter(|role| !role.is_empty());
    Ok(role.map(|role| format!("org:{role}")).into_iter().collect())
}
