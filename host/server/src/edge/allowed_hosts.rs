//! The names under which requests are answered.

use std::net::SocketAddr;
use std::sync::Arc;

use chm_access::Posture;
use poem::http::{Version, header};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use super::path_table::PathTable;
use crate::api::{Problem, Word};
use crate::config::AllowedHost;

/// The list of names; none means every name.
///
/// Where nobody signs in and the host listens on loopback, any web page in the operator's browser could reach it under a name of
/// its own that resolves to 127.0.0.1 (DNS rebinding); so there the list is never empty.
#[derive(Debug, Clone)]
pub struct AllowedHosts(Option<Arc<[AllowedHost]>>);

impl AllowedHosts {
    /// What is configured; else what `listen` and the posture ask for.
    #[must_use]
    pub fn new(configured: &[AllowedHost], listen: SocketAddr, posture: Posture) -> Self {
        if !configured.is_empty() {
            return Self(Some(configured.into()));
        }
        if posture != Posture::Open || !listen.ip().is_loopback() {
            return Self(None);
        }
        let names = ["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(|name| name.parse().ok());
        Self(Some(names.chain([AllowedHost::address(listen.ip())]).collect()))
    }

    /// Whether a request is meant for this host.
    ///
    /// # Errors
    /// With what to answer, when it is not, or does not say.
    fn check(&self, request: &Request) -> Result<(), Problem> {
        let malformed = |message: &str| Problem::new(Word::Validation, message);
        let mut sent = request.headers().get_all(header::HOST).iter();
        let (host, another) = (sent.next(), sent.next());
        if another.is_some() {
            return Err(malformed("the header `Host` is there twice"));
        }
        let host = host.map(|host| host.to_str().unwrap_or_default());
        let asked = match (request.uri().authority(), host) {
            (Some(authority), Some(host)) if authority.as_str() != host => {
                return Err(malformed("the header `Host` and the authority of the request differ"));
            }
            (Some(authority), _) => Some(authority.as_str()),
            (None, None) if request.version() == Version::HTTP_11 => {
                return Err(malformed("the header `Host` is missing"));
            }
            (None, host) => host,
        };
        let Some(allowed) = &self.0 else { return Ok(()) };
        let asked = asked.and_then(|asked| asked.parse::<AllowedHost>().ok());
        if asked.is_some_and(|asked| allowed.iter().any(|entry| entry.admits(&asked))) {
            return Ok(());
        }
        Err(Problem::new(
            Word::Misdirected,
            "this host does not answer to the name in `Host`; its operator can add the name to `edge.allowed_hosts` \
             (CHM_ALLOWED_HOSTS)",
        ))
    }
}

/// Middleware: answers requests for other names with 421. Probes ask by address and learn nothing: the exempt paths are for every
/// name.
#[derive(Debug, Clone)]
pub struct CheckHost {
    hosts: AllowedHosts,
    paths: Arc<PathTable>,
}

impl CheckHost {
    /// Lets these names through; `paths` says what is exempt.
    #[must_use]
    pub fn new(hosts: AllowedHosts, paths: Arc<PathTable>) -> Self {
        Self { hosts, paths }
    }
}

impl<E: Endpoint> Middleware<E> for CheckHost {
    type Output = CheckHostEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        CheckHostEndpoint { inner, check: self.clone() }
    }
}

/// What [`CheckHost`] makes of an endpoint.
#[derive(Debug)]
pub struct CheckHostEndpoint<E> {
    inner: E,
    check: CheckHost,
}

impl<E: Endpoint> Endpoint for CheckHostEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !self.check.paths.is_exempt(request.uri().path())
            && let Err(problem) = self.check.hosts.check(&request)
        {
            return Ok(problem.into_response());
        }
        self.inner.call(request).await.map(IntoResponse::into_response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(hosts: &AllowedHosts, names: &[&str]) -> u16 {
        let mut request = Request::builder().uri_str("/api/v1/hosts").finish();
        for name in names {
            request.headers_mut().append(header::HOST, name.parse().unwrap());
        }
        hosts.check(&request).map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn an_open_host_on_loopback_answers_to_its_own_names_only() {
        let listen = "127.0.0.2:3000".parse().unwrap();
        let hosts = AllowedHosts::new(&[], listen, Posture::Open);
        for name in ["localhost", "LOCALHOST:9", "127.0.0.1:3000", "[::1]:3000", "127.0.0.2:3000"] {
            assert_eq!(status(&hosts, &[name]), 200, "{name}");
        }
        for name in ["evil.example", "localhost.evil.example", "127.0.0.3", "", "a b", "localhost:x"] {
            assert_eq!(status(&hosts, &[name]), 421, "{name}");
        }
        assert_eq!(status(&hosts, &["localhost", "localhost"]), 400);
        assert_eq!(status(&hosts, &[]), 400);
    }

    #[test]
    fn the_operators_list_counts_in_every_posture_and_without_one_every_name_does() {
        let configured = ["chm.example.org".parse().unwrap()];
        let listen = "127.0.0.1:3000".parse().unwrap();
        for posture in [Posture::Open, Posture::Closed, Posture::PublicRead] {
            let hosts = AllowedHosts::new(&configured, listen, posture);
            assert_eq!(status(&hosts, &["chm.example.org"]), 200);
            assert_eq!(status(&hosts, &["localhost"]), 421);
        }
        let everywhere = "0.0.0.0:3000".parse().unwrap();
        for (listen, posture) in [(listen, Posture::Closed), (everywhere, Posture::Open)] {
            let hosts = AllowedHosts::new(&[], listen, posture);
            assert_eq!(status(&hosts, &["anything.example"]), 200);
            assert_eq!(status(&hosts, &["a", "b"]), 400);
        }
    }
}
