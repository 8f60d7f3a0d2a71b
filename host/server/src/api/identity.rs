//! Who is calling.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::Tag;
use super::gate::CallerGate;
use crate::app::App;

/// Who is calling.
pub struct IdentityApi;

/// The caller (contract §2.7).
#[derive(Debug, Object)]
pub struct Me {
    /// Whether the caller counts as authenticated.
    pub authenticated: bool,
    /// The configured auth provider.
    pub provider: String,
    /// Null for callers who did not sign in.
    #[oai(nullable)]
    pub principal: Option<PrincipalBody>,
}

/// A signed-in caller.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, skip_serializing_if_is_empty)]
pub struct PrincipalBody {
    /// Stable identifier.
    pub subject: String,
    /// Name to display.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Address of a picture.
    pub avatar_url: Option<String>,
    /// Groups and roles.
    #[oai(default)]
    pub roles: Vec<String>,
    /// Further claims.
    #[oai(default)]
    pub custom: BTreeMap<String, String>,
}

/// Never cached.
#[derive(ApiResponse)]
pub enum MeResponse {
    /// The caller.
    #[oai(status = 200)]
    Me(
        Json<Me>,
        /// `no-store`.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Identity")]
impl IdentityApi {
    /// Who am I?
    #[oai(path = "/auth/me", method = "get", operation_id = "get_me")]
    async fn me(&self, gate: CallerGate, app: Data<&Arc<App>>) -> MeResponse {
        let caller = &gate.caller;
        let signed_in = caller.principal().map(|principal| PrincipalBody {
            subject: principal.subject().to_owned(),
            name: principal.name.clone(),
            email: principal.email.clone(),
            avatar_url: principal.avatar_url.clone(),
            roles: principal.roles.clone(),
            custom: principal.custom.clone(),
        });
        let me = Me {
            authenticated: caller.is_authenticated(app.posture),
            provider: app.auth.provider_name().to_owned(),
            principal: signed_in.or_else(|| caller.subject().map(PrincipalBody::bare)),
        };
        MeResponse::Me(Json(me), "no-store".to_owned())
    }
}

impl PrincipalBody {
    /// The holder of an API key.
    fn bare(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            name: None,
            email: None,
            avatar_url: None,
            roles: Vec::new(),
            custom: BTreeMap::new(),
        }
    }
}
