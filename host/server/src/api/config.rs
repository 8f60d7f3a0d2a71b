//! What the caller may do here (contract §4.6, but for this caller and with the effective rules).

use std::collections::BTreeMap;
use std::sync::Arc;

use chm_access::{Access, FeatureId, Operation, Permission};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::gate::{CallerGate, DocsRead, Right};
use super::peerdb;
use crate::app::App;

/// What the caller may do here.
pub struct ConfigApi;

/// Effective configuration for the caller.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct EffectiveConfig {
    /// The configured auth provider.
    pub auth_provider: String,
    /// `anonymous`, or the caller's subject.
    pub principal: String,
    /// What the operator said about features.
    pub features: BTreeMap<String, FeatureBody>,
    /// Every feature, with what this caller may do.
    pub resolved: BTreeMap<String, ResolvedFeature>,
    /// What a caller without credentials may do at all.
    pub capabilities: Capabilities,
}

/// What the operator said about one feature.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct FeatureBody {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// Who may use it: `public`, `authenticated` or `role:<name>[,<name>…]`.
    pub access: Option<String>,
    /// Who may read.
    pub read: Option<String>,
    /// Who may write.
    pub write: Option<String>,
}

/// The effective rule of one feature.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ResolvedFeature {
    /// Whether it is on.
    pub enabled: bool,
    /// Whether there is something to show: PeerDB is only there where the operator named one. Menus leave it out otherwise.
    pub configured: bool,
    /// Who may read: `public`, `authenticated` or `role:<name>[,<name>…]`.
    pub access: String,
    /// Who may write, in the same words.
    pub write_access: String,
    /// Whether this caller may read.
    pub read: bool,
    /// Whether this caller may write.
    pub write: bool,
}

/// What a caller without credentials may do at all.
#[derive(Debug, Object)]
pub struct Capabilities {
    /// Read what is public.
    pub read: bool,
    /// Write.
    pub write: bool,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Identity")]
impl ConfigApi {
    /// What may I do here?
    #[oai(path = "/config", method = "get", operation_id = "get_config")]
    async fn config(&self, gate: CallerGate, app: Data<&Arc<App>>) -> Json<EffectiveConfig> {
        let may = |feature: &FeatureId, operation| {
            let permission = Permission { feature: feature.clone(), operation };
            let is_document = permission == DocsRead::permission();
            let posture = if is_document { DocsRead::posture(app.posture) } else { app.posture };
            app.matrix.decide(&gate.caller, &permission, posture).is_ok()
        };
        let own = chm_access::Feature::ALL.iter().copied().map(FeatureId::from);
        let plugins = app.registry.catalogue.plugin_features().into_iter().map(FeatureId::from);
        let resolved = own.chain(plugins).map(|feature| {
            let rule = app.matrix.rule(&feature);
            let body = ResolvedFeature {
                enabled: rule.enabled,
                configured: feature != chm_access::Feature::Peerdb.into() || peerdb::is_configured(&app),
                access: rule.read.to_string(),
                write_access: rule.write.to_string(),
                read: may(&feature, Operation::Read),
                write: may(&feature, Operation::Write),
            };
            (feature.to_string(), body)
        });
        let features = app.matrix.overrides().iter().map(|(feature, given)| {
            let words = |access: &Option<Access>| access.as_ref().map(ToString::to_string);
            let body = FeatureBody {
                enabled: given.enabled,
                access: words(&given.access),
                read: words(&given.read),
                write: words(&given.write),
            };
            (feature.to_string(), body)
        });
        let (read, write) = match app.posture {
            chm_access::Posture::Open => (true, true),
            chm_access::Posture::PublicRead => (true, false),
            chm_access::Posture::Closed => (false, false),
        };
        Json(EffectiveConfig {
            auth_provider: app.auth.provider_name().to_owned(),
            principal: gate.caller.subject().unwrap_or("anonymous").to_owned(),
            features: features.collect(),
            resolved: resolved.collect(),
            capabilities: Capabilities { read, write },
        })
    }
}
