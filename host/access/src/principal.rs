//! Who signed in.

use std::collections::BTreeMap;

use serde::Serialize;

/// A principal without a subject is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a principal needs a subject: expected a text that is not blank")]
pub struct EmptySubject;

/// Who signed in, as an auth provider said. Serialised as `GET /api/v1/auth/me` shows it (contract §2.7): absent parts are
/// left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    subject: String,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where a picture is; `avatarUrl` on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Groups and roles, in the order of the provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Further claims, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
}

impl Principal {
    /// A principal with nothing but its subject.
    pub fn new(subject: impl Into<String>) -> Result<Self, EmptySubject> {
        let subject = subject.into();
        if subject.trim().is_empty() {
            return Err(EmptySubject);
        }
        Ok(Self { subject, name: None, email: None, avatar_url: None, roles: Vec::new(), custom: BTreeMap::new() })
    }

    /// The stable id of the person or machine within its provider; never blank.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_the_contracts() {
        let mut ann = Principal::new("ann").unwrap();
        assert_eq!(serde_json::to_string(&ann).unwrap(), r#"{"subject":"ann"}"#);
        ann.name = Some("Ann".into());
        ann.email = Some("ann@x".into());
        ann.avatar_url = Some("https://x/a.png".into());
        ann.roles = vec!["sre".into()];
        ann.custom = BTreeMap::from([("team".into(), "core".into())]);
        assert_eq!(
            serde_json::to_string(&ann).unwrap(),
            r#"{"subject":"ann","name":"Ann","email":"ann@x","avatarUrl":"https://x/a.png","roles":["sre"],"custom":{"team":"core"}}"#
        );
    }

    #[test]
    fn nobody_is_no_principal() {
        for subject in ["", " ", "\t\n"] {
            assert_eq!(Principal::new(subject), Err(EmptySubject));
        }
    }
}
