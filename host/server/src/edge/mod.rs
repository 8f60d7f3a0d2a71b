//! What stands between the network and the operations: names, paths, addresses, origins, rates and deadlines.
//!
//! Everything here is refused before a handler runs, and most of it before anybody is asked who they are. The order of the layers is
//! in `api/routes.rs`. [`Edge`] is made once at start.

mod allowed_hosts;
mod client_address;
mod cors;
mod cross_site;
mod deadline;
mod exact_paths;
mod failed_sign_ins;
mod limit_rates;
mod one_caller;
mod origins;
mod path_table;
mod quiet;
mod rate_limits;
mod security_headers;
mod socket;
mod tls;

use std::sync::Arc;
use std::time::Duration;

pub use allowed_hosts::{AllowedHosts, CheckHost, CheckHostEndpoint};
pub use client_address::{ClientAddress, FindClientAddress, FindClientAddressEndpoint, TrustedProxies};
pub use cors::{Cors, CorsEndpoint};
pub use cross_site::{RefuseCrossSite, RefuseCrossSiteEndpoint};
pub use deadline::{Deadline, DeadlineEndpoint};
pub use exact_paths::{ExactPaths, ExactPathsEndpoint};
pub use failed_sign_ins::{FailedSignIns, Lock, TooManyFailures};
pub use limit_rates::{LimitRates, LimitRatesEndpoint};
pub use one_caller::OneCaller;
pub use origins::Origins;
pub use path_table::{KnownPath, PathTable, Spelling};
pub use quiet::{Answering, Quiet, UnderWay};
pub use rate_limits::{Allowance, RateLimits};
pub use security_headers::{PagePolicy, SecurityHeaders, SecurityHeadersEndpoint};
pub use socket::{Socket, Unfinished};
pub use tls::{Tls, TlsError};

use crate::config::Config;

/// What is longer than a query before a request counts as stuck, where the operator says nothing.
const BEYOND_A_QUERY: Duration = Duration::from_secs(60);

/// What the layers share.
#[derive(Debug)]
pub struct Edge {
    /// Names.
    pub hosts: AllowedHosts,
    /// Proxies.
    pub proxies: TrustedProxies,
    /// Web pages.
    pub origins: Origins,
    /// Requests a minute.
    pub rates: Arc<RateLimits>,
    /// Wrong credentials a minute. Whoever looks at a credential asks here first, and says so when it is wrong.
    pub failed_sign_ins: FailedSignIns,
    /// Headers.
    pub headers: SecurityHeaders,
    /// Until the head of an answer is sent.
    pub deadline: Deadline,
    /// How long a request's body may take.
    pub body_timeout: Duration,
    /// The certificate, where TLS is on.
    pub tls: Option<Arc<Tls>>,
    /// What a connection may do.
    pub connections: ConnectionLimits,
}

/// What a connection may do before, and between, requests.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Most at once; others wait.
    pub most: usize,
    /// Most bytes of a request's head.
    pub head_bytes: u32,
    /// How long one may go without a complete request.
    pub quiet: Duration,
}

impl Edge {
    /// As configured.
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub fn new(config: &Config) -> Result<Self, TlsError> {
        let limits = &config.limits;
        let query = Duration::from_secs(config.clickhouse.max_execution_time.into());
        let deadline = limits.request_timeout_ms.map_or(query + BEYOND_A_QUERY, Duration::from_millis);
        let tls = config.tls.files().map(|(cert, key)| Tls::load(cert, key)).transpose()?;
        Ok(Self {
            hosts: AllowedHosts::new(&config.edge.allowed_hosts, config.listen, config.posture()),
            proxies: TrustedProxies::new(&config.edge),
            origins: Origins::new(&config.edge),
            rates: Arc::new(RateLimits::new(limits)),
            failed_sign_ins: FailedSignIns::new(limits.failed_sign_ins_per_minute),
            headers: SecurityHeaders { hsts: config.edge.hsts.unwrap_or(tls.is_some()) },
            tls: tls.map(Arc::new),
            deadline: Deadline(deadline),
            body_timeout: Duration::from_millis(limits.body_timeout_ms),
            connections: ConnectionLimits {
                most: usize::try_from(limits.connections).unwrap_or(usize::MAX),
                head_bytes: limits.header_bytes,
                quiet: Duration::from_millis(limits.header_timeout_ms),
            },
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::config::{Config, EdgeConfig, LoadOptions, RequestLimits};

    fn defaults() -> Config {
        Config::load(&LoadOptions::default(), []).unwrap().config
    }

    /// The defaults, changed.
    pub(crate) fn config(change: impl FnOnce(&mut EdgeConfig)) -> EdgeConfig {
        let mut config = defaults().edge;
        change(&mut config);
        config
    }

    /// The default limits.
    pub(crate) fn limits() -> RequestLimits {
        defaults().limits
    }
}
