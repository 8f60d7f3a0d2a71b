//! Gates beside the matrix: for who runs this host, and for routes with a credential of their own.

use std::sync::Arc;

use chm_access::{Caller, CallerKind, Operation, Posture, bearer};
use poem::http::{StatusCode, header};
use poem::{Error, Request, RequestBody, Response, Result};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::json;

use super::gate::{self, OwnCredential, app, identified, request_id, unauthenticated};
use crate::app::App;
use crate::audit::{Circumstances, Noted};
use crate::edge::{ClientAddress, Lock};

/// Why nobody mints without a key secret; the contract's words.
const NO_KEY_SECRET: &str = "CHM_API_KEY_SECRET is not configured";
const NO_CRON_SECRET: &str = "CRON_SECRET is not configured";
const NOT_THE_ADMIN: &str = "Unauthorized: expected `Authorization: Bearer` with the admin secret (CHM_API_KEY_ADMIN_SECRET, or \
                             CHM_API_KEY_SECRET where that is unset), or an operator who has signed in";
const NOT_CRON: &str = "Unauthorized: expected `Authorization: Bearer` with CRON_SECRET";

/// What a handler needs for its entry in the audit log.
pub struct Deed {
    /// Who does it.
    pub by: Circumstances,
    noted: Option<Noted>,
}

impl Deed {
    fn of(request: &Request, caller: &Caller) -> Self {
        let address = ClientAddress::of(request).0.to_string();
        Self {
            by: Circumstances::of(Some(caller), Some(address), &request_id(request)),
            noted: request.extensions().get::<Noted>().cloned(),
        }
    }

    /// The change has been kept together with its entry, so the request needs none of its own.
    pub fn kept(&self) {
        if let Some(noted) = &self.noted {
            noted.kept();
        }
    }
}

/// The caller runs this host. Where nobody signs in, everybody does.
pub struct OperatorGate<const WRITE: bool>(pub Deed);

impl<'a, const WRITE: bool> ApiExtractor<'a> for OperatorGate<WRITE> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![gate::operator_mark(if WRITE { Operation::Write } else { Operation::Read })]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let (app, caller) = (app(request)?, identified(request)?);
        if !app.operators.include(&caller) && app.posture != Posture::Open {
            return Err(not_an_operator(app, &caller).unwrap_or_else(|| Error::from_response(unauthenticated())));
        }
        Ok(Self(Deed::of(request, &caller)))
    }
}

/// The caller may have a key made. Not behind the guard: the answers are the contract's (§3.4).
pub struct KeyIssueGate(pub Deed);

impl<'a> ApiExtractor<'a> for KeyIssueGate {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![OwnCredential::KeyIssue.mark()]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let (app, caller) = (app(request)?, identified(request)?);
        if !app.has_key_secret {
            return Err(said(StatusCode::SERVICE_UNAVAILABLE, NO_KEY_SECRET));
        }
        may_try(app, request)?;
        if app.operators.include(&caller) {
            return Ok(Self(Deed::of(request, &caller)));
        }
        if let Some(refusal) = not_an_operator(app, &caller) {
            return Err(refusal);
        }
        Err(wrong_credential(app, request, NOT_THE_ADMIN))
    }
}

/// The caller brought the cron secret.
pub struct CronGate(pub Deed);

impl<'a> ApiExtractor<'a> for CronGate {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![OwnCredential::Cron.mark()]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let (app, caller) = (app(request)?, identified(request)?);
        if !app.has_cron_secret {
            return Err(said(StatusCode::SERVICE_UNAVAILABLE, NO_CRON_SECRET));
        }
        may_try(app, request)?;
        if !is_cron(&caller) {
            return Err(wrong_credential(app, request, NOT_CRON));
        }
        Ok(Self(Deed::of(request, &caller)))
    }
}

fn is_cron(caller: &Caller) -> bool {
    caller.kind() == CallerKind::Token && caller.subject() == Some("token:cron")
}

/// The 403 of somebody who is known, and is no operator.
fn not_an_operator(app: &App, caller: &Caller) -> Option<Error> {
    let is_known = caller.is_authenticated(app.posture) && app.posture != Posture::Open;
    is_known.then(|| {
        let message =
            "This needs an operator: the admin secret, or somebody whom `auth.operators` (CHM_OPERATORS) names.";
        let body = json!({"error": {"code": "OPERATOR_REQUIRED", "message": message}});
        Error::from_response(response(StatusCode::FORBIDDEN).content_type("application/json").body(body.to_string()))
    })
}

/// Trying out secrets is slowed down as it is for keys: after too many wrong ones, the right one does not count either.
fn may_try(app: &Arc<App>, request: &Request) -> Result<()> {
    let checked = app.edge.failed_sign_ins.check(Lock::Keys, ClientAddress::of(request));
    checked.map_err(|too_many| Error::from_response(too_many.into_response()))
}

/// The 401 of a route with a credential of its own.
fn wrong_credential(app: &Arc<App>, request: &Request, message: &str) -> Error {
    if let Some(sent) = request.header(header::AUTHORIZATION).and_then(bearer) {
        app.edge.failed_sign_ins.record(Lock::Keys, ClientAddress::of(request), sent.as_bytes());
    }
    said(StatusCode::UNAUTHORIZED, message)
}

fn said(status: StatusCode, message: &str) -> Error {
    let body = json!({"error": message}).to_string();
    Error::from_response(response(status).content_type("application/json").body(body))
}

fn response(status: StatusCode) -> poem::ResponseBuilder {
    let response = Response::builder().status(status).header(header::CACHE_CONTROL, "no-store");
    if status == StatusCode::UNAUTHORIZED { response.header(header::WWW_AUTHENTICATE, "Bearer") } else { response }
}
