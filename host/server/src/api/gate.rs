//! The gate: an operation cannot be written without saying what it needs.
//!
//! Each handler takes one of these as its first argument, and the document cannot be generated for an operation that has none:
//! * [`Gate<R>`]: the caller has the right `R` of the permission matrix;
//! * [`Admitted`]: the guard let the caller in, and the handler opens each item (panel, chart, tool) by its own permission;
//! * [`OperatorGate`](super::operator::OperatorGate): the caller runs this host;
//! * [`KeyIssueGate`](super::operator::KeyIssueGate), [`CronGate`](super::operator::CronGate): a credential of the route's own;
//! * [`Exempt`]: nothing is needed, with the reason in the type.

use std::marker::PhantomData;
use std::sync::Arc;

use chm_access::{Allowed, Caller, Denial, Feature, Operation, Permission, Posture};
use poem::http::{StatusCode, header};
use poem::{Error, Request, RequestBody, Response, Result};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::json;

use crate::app::App;
use crate::auth::Identified;
use crate::edge::ClientAddress;
use crate::panels::Asking;
use crate::telemetry::RequestId;

/// A right, as a type.
pub trait Right: Send + Sync + 'static {
    /// The feature.
    const FEATURE: Feature;
    /// Read or write.
    const OPERATION: Operation;
    /// `<feature>:<operation>`, as the document carries it.
    const MARK: &'static str;
    /// A document about the API holds nothing of the cluster: whoever may not read data may still read it, unless its feature
    /// is disabled or asks for authentication.
    const DOCUMENT: bool = false;

    /// As the matrix knows it.
    #[must_use]
    fn permission() -> Permission {
        Permission { feature: Self::FEATURE.into(), operation: Self::OPERATION }
    }

    /// The posture under which it is decided, where the host has this one.
    #[must_use]
    fn posture(posture: Posture) -> Posture {
        if Self::DOCUMENT && posture == Posture::Closed { Posture::PublicRead } else { posture }
    }
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $feature:ident, $operation:ident, $mark:literal $(, document = $document:literal)?;)+) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Right for $name {
                const FEATURE: Feature = Feature::$feature;
                const OPERATION: Operation = Operation::$operation;
                const MARK: &'static str = $mark;
                $(const DOCUMENT: bool = $document;)?
            }
        )+
    };
}

rights! {
    /// Hosts and their state.
    OverviewRead = Overview, Read, "overview:read";
    /// The tables of the cluster.
    TablesRead = Tables, Read, "tables:read";
    /// Clusters and who is in them.
    ClusterRead = Cluster, Read, "cluster:read";
    /// SQL that the caller wrote.
    TablesWrite = Tables, Write, "tables:write";
    /// Whatever changes a server.
    ActionsWrite = Actions, Write, "actions:write";
    /// Alerts to the outside.
    HealthWrite = Health, Write, "health:write";
    /// Figures of this host.
    MetricsRead = Metrics, Read, "metrics:read";
    /// How this host is set up.
    SettingsRead = Settings, Read, "settings:read";
    /// Which tools there are.
    McpRead = Mcp, Read, "mcp:read";
    /// What PeerDB says.
    PeerdbRead = Peerdb, Read, "peerdb:read";
    /// The document and its page.
    DocsRead = Docs, Read, "docs:read", document = true;
}

/// What an operation needs, read back from the generated document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A right of the matrix.
    Right(Permission),
    /// Each item by its own permission.
    Items,
    /// Nothing beyond the guard: it describes the caller.
    Caller,
    /// The caller runs this host, whatever the matrix says.
    Operator(Operation),
    /// A credential of its own, whatever the guard says.
    Own(OwnCredential),
    /// Nothing.
    Exempt(Exemption),
}

/// Why an operation needs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemption {
    /// Probes ask it, and it says nothing but that this process lives.
    Liveness,
}

/// Which credential of its own a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnCredential {
    /// What has keys made.
    KeyIssue,
    /// What timers bring.
    Cron,
}

impl OwnCredential {
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::KeyIssue => "own:key-issue",
            Self::Cron => "own:cron",
        }
    }
}

pub(super) const fn operator_mark(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "operator:read",
        Operation::Write => "operator:write",
    }
}

const ITEMS: &str = "guard:items";
const CALLER: &str = "guard:caller";
const LIVENESS: &str = "exempt:liveness";

impl Mark {
    /// Reads a mark.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            ITEMS => Some(Self::Items),
            CALLER => Some(Self::Caller),
            LIVENESS => Some(Self::Exempt(Exemption::Liveness)),
            "operator:read" => Some(Self::Operator(Operation::Read)),
            "operator:write" => Some(Self::Operator(Operation::Write)),
            "own:key-issue" => Some(Self::Own(OwnCredential::KeyIssue)),
            "own:cron" => Some(Self::Own(OwnCredential::Cron)),
            _ => {
                let (feature, operation) = text.split_once(':')?;
                let feature: Feature = feature.parse().ok()?;
                match operation {
                    "read" => Some(Self::Right(Permission::read(feature))),
                    "write" => Some(Self::Right(Permission::write(feature))),
                    _ => None,
                }
            }
        }
    }
}

/// The caller has the right `R`.
pub struct Gate<R> {
    /// Who.
    pub caller: Caller,
    /// From where.
    pub address: ClientAddress,
    /// The request's id.
    pub request_id: String,
    /// Only the matrix makes one of these.
    _allowed: Allowed,
    right: PhantomData<R>,
}

/// The guard admitted the caller; nothing is decided yet about items.
pub struct Admitted<const ITEM: bool> {
    /// Who.
    pub caller: Caller,
    /// From where.
    pub address: ClientAddress,
    /// The request's id.
    pub request_id: String,
}

impl<R> Gate<R> {
    /// To run panels for the caller.
    #[must_use]
    pub fn asking<'a>(&'a self, app: &'a Arc<App>) -> Asking<'a> {
        Asking { app, caller: &self.caller, address: self.address, request_id: &self.request_id }
    }
}

impl<const ITEM: bool> Admitted<ITEM> {
    /// To run panels for the caller.
    #[must_use]
    pub fn asking<'a>(&'a self, app: &'a Arc<App>) -> Asking<'a> {
        Asking { app, caller: &self.caller, address: self.address, request_id: &self.request_id }
    }
}

/// For handlers that open items.
pub type ItemGate = Admitted<true>;

/// For handlers that describe the caller.
pub type CallerGate = Admitted<false>;

/// Nothing is needed.
pub struct Exempt;

pub(super) fn app(request: &Request) -> Result<&Arc<App>> {
    request.data::<Arc<App>>().ok_or_else(|| Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))
}

pub(super) fn request_id(request: &Request) -> String {
    request.data::<RequestId>().map(ToString::to_string).unwrap_or_default()
}

/// The caller the guard found. A request that did not come through the guard has none, and gets nothing.
pub(super) fn identified(request: &Request) -> Result<Caller> {
    let found = request.extensions().get::<Identified>().ok_or_else(|| Error::from_response(unauthenticated()))?;
    Ok(found.caller.clone())
}

impl<'a, R: Right> ApiExtractor<'a> for Gate<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![R::MARK]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let (app, caller) = (app(request)?, identified(request)?);
        let posture = R::posture(app.posture);
        if !posture.admits(&caller) {
            return Err(Error::from_response(unauthenticated()));
        }
        let allowed = app.matrix.decide(&caller, &R::permission(), posture).map_err(|denial| denied(&denial))?;
        let (address, request_id) = (ClientAddress::of(request), request_id(request));
        Ok(Self { caller, address, request_id, _allowed: allowed, right: PhantomData })
    }
}

impl<'a, const ITEM: bool> ApiExtractor<'a> for Admitted<ITEM> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![if ITEM { ITEMS } else { CALLER }]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let (app, caller) = (app(request)?, identified(request)?);
        if !app.posture.admits(&caller) {
            return Err(Error::from_response(unauthenticated()));
        }
        Ok(Self { caller, address: ClientAddress::of(request), request_id: request_id(request) })
    }
}

impl<'a> ApiExtractor<'a> for Exempt {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![LIVENESS]
    }

    async fn from_request(_: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        Ok(Self)
    }
}

/// The guard's 401, word for word as the contract has it.
#[must_use]
pub fn unauthenticated() -> Response {
    Response::builder()
        .status(StatusCode::UNAUTHORIZED)
        .header(header::WWW_AUTHENTICATE, "Bearer")
        .header(header::CACHE_CONTROL, "no-store")
        .content_type("application/json")
        .body(json!({"error": "Authentication required"}).to_string())
}

/// The gate's 404 or 401, word for word as the contract has them, or its 403.
#[must_use]
pub fn denied(denial: &Denial) -> Error {
    let status = StatusCode::from_u16(denial.status()).unwrap_or(StatusCode::NOT_FOUND);
    let mut response = Response::builder().status(status).header(header::CACHE_CONTROL, "no-store");
    if status == StatusCode::UNAUTHORIZED {
        response = response.header(header::WWW_AUTHENTICATE, "Bearer");
    }
    let body = json!({"error": {"code": denial.code(), "message": denial.to_string()}});
    Error::from_response(response.content_type("application/json").body(body.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_reads_back_as_what_it_says() {
        assert_eq!(Mark::parse(TablesWrite::MARK), Some(Mark::Right(Permission::write(Feature::Tables))));
        assert_eq!(Mark::parse(DocsRead::MARK), Some(Mark::Right(Permission::read(Feature::Docs))));
        assert_eq!(Mark::parse(ITEMS), Some(Mark::Items));
        for operation in [Operation::Read, Operation::Write] {
            assert_eq!(Mark::parse(operator_mark(operation)), Some(Mark::Operator(operation)));
        }
        for own in [OwnCredential::KeyIssue, OwnCredential::Cron] {
            assert_eq!(Mark::parse(own.mark()), Some(Mark::Own(own)));
        }
        assert_eq!(Mark::parse("tables:delete"), None);
        assert_eq!(Mark::parse("nonsense"), None);
    }
}
