//! Credentials that are compared as a whole: the admin secret, the agent's token and the cron secret.

use chm_access::{Caller, Scopes, Secret};

use crate::config;

/// Where the cron secret counts, and nowhere else.
const CRON: &str = "/api/cron/";

/// The configured ones. Comparing takes the same time whichever is right, or none.
#[derive(Debug)]
pub(super) struct Tokens {
    admin: Option<Secret>,
    agent: Option<(Secret, Scopes)>,
    cron: Option<Secret>,
}

impl Tokens {
    pub(super) fn of(configured: &config::Auth) -> Self {
        Self {
            admin: configured.effective_admin_secret().cloned(),
            agent: configured.agent_token.clone().map(|token| (token, configured.agent_token_scopes.clone())),
            cron: configured.cron_secret.clone(),
        }
    }

    /// Whether none is configured.
    pub(super) fn is_empty(&self) -> bool {
        self.admin.is_none() && self.agent.is_none() && self.cron.is_none()
    }

    /// Whose token this is, at this path.
    pub(super) fn caller(&self, token: &str, path: &str) -> Option<Caller> {
        let is = |secret: Option<&Secret>| secret.is_some_and(|secret| secret.equals(token));
        let admin = is(self.admin.as_ref());
        let agent = is(self.agent.as_ref().map(|(token, _)| token));
        let cron = is(self.cron.as_ref()) && path.starts_with(CRON);
        let scopes = self.agent.as_ref().filter(|_| agent).map(|(_, scopes)| scopes.clone());
        if admin {
            Some(Caller::admin())
        } else if cron {
            Some(Caller::with_token("token:cron", Scopes::none()))
        } else {
            scopes.map(|scopes| Caller::with_token("token:agent", scopes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens {
            admin: Some(Secret::new("admin-secret")),
            agent: Some((Secret::new("agent-token"), Scopes::all())),
            cron: Some(Secret::new("cron-secret")),
        }
    }

    fn subject(tokens: &Tokens, token: &str, path: &str) -> Option<String> {
        tokens.caller(token, path).and_then(|caller| caller.subject().map(str::to_owned))
    }

    #[test]
    fn each_token_is_its_own_caller_and_the_cron_secret_only_at_its_routes() {
        for (token, path, expected) in [
            ("admin-secret", "/api/v1/audit", Some("admin")),
            ("agent-token", "/api/v1/agent", Some("token:agent")),
            ("cron-secret", "/api/cron/retention-prune", Some("token:cron")),
            ("cron-secret", "/api/v1/hosts", None),
            ("cron-secret", "/api/cron", None),
            ("", "/api/v1/hosts", None),
            ("admin-secret ", "/api/v1/hosts", None),
        ] {
            assert_eq!(subject(&tokens(), token, path).as_deref(), expected, "{token} {path}");
        }
    }

    #[test]
    fn what_is_not_configured_equals_nothing() {
        let none = Tokens { admin: None, agent: None, cron: None };
        assert_eq!(subject(&none, "", "/api/cron/x"), None);
    }
}
