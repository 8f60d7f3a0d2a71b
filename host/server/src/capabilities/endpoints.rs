//! Endpoints that the operator configured by name.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chm_sandbox::bindings::http::{HttpError, Request, Response};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::body::{BodyError, read_capped};
use super::{address, headers, http_client};

/// For the plugin's own report, which operators read.
fn not_configured(name: &str) -> String {
    let name = name.escape_debug();
    format!("the endpoint `{name}` is not configured; set [endpoints.{name}] url = \"https://…\"")
}

/// Longest body a guest may send, in bytes.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One endpoint as the operator wrote it. It may be private: the operator chose it, and a guest cannot change it.
#[derive(Clone)]
pub struct Endpoint {
    /// What plugins call it.
    pub name: String,
    /// `http://` or `https://`. May carry a path, credentials and a query string of its own.
    pub url: String,
    /// Sent with every request, over whatever the guest sets. Values may be secrets.
    pub headers: Vec<(String, String)>,
    /// From the first byte of the request to the last of the answer.
    pub timeout: Duration,
    /// Longest answer, in bytes of its body.
    pub max_response_bytes: usize,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why endpoints cannot be used as configured. Values are not repeated: they may be secrets.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address is no address.
    #[error("endpoint `{name}`: its url is not an http:// or https:// address without a fragment ({reason})")]
    Url {
        /// The endpoint.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A header cannot be sent.
    #[error(
        "endpoint `{name}`: the header `{header}` is malformed; expected a token as its name and printable ASCII as its value"
    )]
    Header {
        /// The endpoint.
        name: String,
        /// The header's name.
        header: String,
    },
    /// Two endpoints have one name.
    #[error("endpoint `{name}` is configured twice; give each its own name")]
    Twice {
        /// The name.
        name: String,
    },
    /// There is no HTTP client.
    #[error("requests cannot be sent: {0}")]
    Client(String),
}

struct Target {
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    max_response_bytes: usize,
}

/// All configured endpoints, with one client: no redirects, no cookies, no proxies of the environment.
pub struct Endpoints {
    client: reqwest::Client,
    targets: BTreeMap<String, Target>,
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.targets.keys()).finish()
    }
}

impl Endpoints {
    /// Checks all of them; connects to none.
    ///
    /// # Errors
    /// Names the endpoint and what is wrong with it.
    pub fn new(endpoints: Vec<Endpoint>) -> Result<Self, EndpointError> {
        let client = http_client(|builder| builder.connect_timeout(CONNECT_TIMEOUT))
            .map_err(|error| EndpointError::Client(error.to_string()))?;
        let mut targets = BTreeMap::new();
        for endpoint in endpoints {
            let name = endpoint.name.clone();
            if targets.insert(name.clone(), Target::of(endpoint)?).is_some() {
                return Err(EndpointError::Twice { name });
            }
        }
        Ok(Self { client, targets })
    }

    /// Whether there is one of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.targets.contains_key(name)
    }

    /// Where one of that name is: its host and, where it is not the scheme's own, its port. Never more of its address.
    #[must_use]
    pub fn authority(&self, name: &str) -> Option<String> {
        let url = &self.targets.get(name)?.url;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// Sends a guest's request to the endpoint `name`.
    ///
    /// # Errors
    /// As the WIT says; no text contains the endpoint's address.
    pub async fn send(&self, name: &str, request: Request) -> Result<Response, HttpError> {
        let target = self.targets.get(name).ok_or_else(|| HttpError::Denied(not_configured(name)))?;
        let method = method(&request.method)?;
        if request.body.len() > MAX_REQUEST_BYTES {
            return Err(HttpError::Invalid(format!("the body is longer than {MAX_REQUEST_BYTES} bytes")));
        }
        let query = request.query.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()));
        let url = address::beneath(&target.url, &request.path, query).map_err(HttpError::Invalid)?;
        let mut headers = headers::outgoing(&request.headers).map_err(HttpError::Invalid)?;
        for name in target.headers.keys() {
            headers.remove(name);
        }
        headers.extend(target.headers.iter().map(|(name, value)| (name.clone(), value.clone())));

        let call = self.client.request(method, url).headers(headers).body(request.body);
        let exchange = async {
            let response = call.send().await.map_err(|error| unreachable(name, error))?;
            let status = response.status().as_u16();
            let headers = headers::incoming(response.headers());
            let body = match read_capped(response, target.max_response_bytes).await {
                Ok(body) => body,
                Err(BodyError::TooLarge) => return Err(HttpError::TooLarge),
                Err(BodyError::Broken(error)) => return Err(unreachable(name, error)),
            };
            Ok(Response { status, headers, body: body.into() })
        };
        tokio::time::timeout(target.timeout, exchange).await.unwrap_or(Err(HttpError::Timeout))
    }
}

impl Target {
    fn of(endpoint: Endpoint) -> Result<Self, EndpointError> {
        let wrong = |reason: &str| EndpointError::Url { name: endpoint.name.clone(), reason: reason.to_owned() };
        let url = Url::parse(&endpoint.url).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("its scheme is another one"));
        }
        if url.fragment().is_some() {
            return Err(wrong("it has a fragment"));
        }
        let mut headers = HeaderMap::new();
        for (header, value) in &endpoint.headers {
            let wrong = || EndpointError::Header { name: endpoint.name.clone(), header: header.clone() };
            let name = HeaderName::from_bytes(header.as_bytes()).map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Self { url, headers, timeout: endpoint.timeout, max_response_bytes: endpoint.max_response_bytes })
    }
}

fn method(word: &str) -> Result<Method, HttpError> {
    Ok(match word {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => {
            let word = word.chars().take(20).collect::<String>();
            let text = format!("`{}` is no method; expected GET, POST, PUT, PATCH or DELETE", word.escape_debug());
            return Err(HttpError::Invalid(text));
        }
    })
}

/// In fixed words: causes often name a host or a certificate's owner. The log keeps the rest, still without the address.
fn unreachable(endpoint: &str, error: reqwest::Error) -> HttpError {
    if error.is_timeout() {
        return if error.is_connect() {
            HttpError::Unreachable("the connection was not accepted in time".to_owned())
        } else {
            HttpError::Timeout
        };
    }
    let text = match (error.is_connect(), io_kind(&error)) {
        (_, Some(std::io::ErrorKind::ConnectionRefused)) => "the connection was refused",
        (true, _) => "no connection could be made",
        (false, _) => "the connection broke before the answer was complete",
    };
    tracing::warn!(endpoint, cause = %error.without_url(), "{text}");
    HttpError::Unreachable(text.to_owned())
}

fn io_kind(error: &reqwest::Error) -> Option<std::io::ErrorKind> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use chm_sandbox::bindings::http::Header;

    use super::*;
    use crate::capabilities::loopback::{Answer, Loopback};

    fn header(name: &str, value: &str) -> Header {
        Header { name: name.to_owned(), value: value.to_owned() }
    }

    fn request(method: &str, path: &str) -> Request {
        Request { method: method.into(), path: path.into(), query: vec![], headers: vec![], body: vec![] }
    }

    fn endpoint(url: String) -> Endpoint {
        Endpoint {
            name: "hook".into(),
            url,
            headers: vec![("Authorization".into(), "Bearer hunter2".into()), ("X-Team".into(), "core".into())],
            timeout: Duration::from_secs(20),
            max_response_bytes: 1000,
        }
    }

    fn endpoints(url: String) -> Endpoints {
        Endpoints::new(vec![endpoint(url)]).unwrap()
    }

    #[tokio::test]
    async fn a_request_arrives_with_the_operators_headers_and_the_answer_returns() {
        let server = Loopback::start(|_| Answer::status(201).header("x-id", "7").body("made")).await;
        let endpoints = endpoints(format!("{}/base?key=k", server.url()));
        let response = endpoints
            .send(
                "hook",
                Request {
                    query: vec![header("a b", "c&d")],
                    headers: vec![header("content-type", "text/plain"), header("x-team", "guest")],
                    body: b"hello".to_vec(),
                    ..request("POST", "alerts")
                },
            )
            .await
            .unwrap();
        assert_eq!((response.status, response.body.as_slice()), (201, b"made".as_slice()));
        assert!(response.headers.iter().any(|header| header.name == "x-id" && header.value == "7"));
        let seen = &server.requests()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/base/alerts?key=k&a+b=c%26d"));
        assert_eq!(seen.body, b"hello");
        assert_eq!(seen.header("authorization"), ["Bearer hunter2"]);
        assert_eq!(seen.header("x-team"), ["core"]);
        assert_eq!(seen.header("user-agent"), [super::super::USER_AGENT]);
        assert_eq!(seen.header("cookie"), [] as [&str; 0]);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let elsewhere = Loopback::start(|_| Answer::status(200).body("leaked")).await;
        let target = elsewhere.url();
        let server = Loopback::start(move |_| Answer::status(302).header("location", &target)).await;
        let response = endpoints(server.url()).send("hook", request("GET", "")).await.unwrap();
        assert_eq!(response.status, 302);
        assert!(response.headers.iter().all(|header| header.name != "location"));
        assert!(elsewhere.requests().is_empty());
    }

    #[tokio::test]
    async fn a_longer_answer_than_allowed_is_too_large_whether_it_says_so_or_not() {
        for (length, declared, fits) in
            [(1000, true, true), (1000, false, true), (1001, true, false), (1001, false, false)]
        {
            let server = Loopback::start(move |_| {
                let answer = Answer::status(200).body(&"x".repeat(length));
                if declared { answer } else { answer.chunked() }
            })
            .await;
            let outcome = endpoints(server.url()).send("hook", request("GET", "")).await;
            match outcome {
                Ok(response) => assert!(fits && response.body.len() == length),
                Err(error) => assert!(!fits && matches!(error, HttpError::TooLarge), "{error:?}"),
            }
        }
    }

    #[tokio::test]
    async fn silence_before_or_amid_the_answer_is_a_timeout() {
        for answer in [Answer::silence(), Answer::status(200).body("begun").stalled()] {
            let server = Loopback::start(move |_| answer.clone()).await;
            let slow = Endpoint { timeout: Duration::from_millis(50), ..endpoint(server.url()) };
            let outcome = Endpoints::new(vec![slow]).unwrap().send("hook", request("GET", "")).await;
            assert!(matches!(outcome, Err(HttpError::Timeout)), "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_unreachable_in_words_without_an_address() {
        let outcome = endpoints(Loopback::closed_url().await).send("hook", request("GET", "secret-path")).await;
        let Err(HttpError::Unreachable(text)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(text, "the connection was refused");
        let broken = Loopback::start(|_| Answer::hang_up()).await;
        let outcome = endpoints(broken.url()).send("hook", request("GET", "secret-path")).await;
        let Err(HttpError::Unreachable(text)) = outcome else { panic!("{outcome:?}") };
        assert!(!text.contains("127.0.0.1") && !text.contains("secret-path"), "{text}");
    }

    #[tokio::test]
    async fn what_a_guest_may_not_do_is_refused_before_anything_is_sent() {
        let server = Loopback::start(|_| Answer::status(200)).await;
        let endpoints = endpoints(server.url());
        let with_header = |name: &str| Request { headers: vec![header(name, "x")], ..request("GET", "") };
        for wrong in [
            request("get", ""),
            request("CONNECT", ""),
            request("TRACE", ""),
            request("GET", "../x"),
            request("GET", "//evil.example"),
            with_header("Host"),
            with_header("Authorization"),
            with_header("Transfer-Encoding"),
            Request { body: vec![0; MAX_REQUEST_BYTES + 1], ..request("POST", "") },
        ] {
            let outcome = endpoints.send("hook", wrong).await;
            assert!(matches!(outcome, Err(HttpError::Invalid(_))), "{outcome:?}");
        }
        assert!(matches!(endpoints.send("other", request("GET", "")).await, Err(HttpError::Denied(_))));
        assert!(server.requests().is_empty());
    }

    #[test]
    fn a_wrong_configuration_names_the_endpoint_and_no_secret() {
        let header = |name: &str, value: &str| Endpoint {
            headers: vec![(name.into(), value.into())],
            ..endpoint("https://ok.example".into())
        };
        for wrong in [
            endpoint("hunter2".into()),
            endpoint("ftp://hunter2@x".into()),
            endpoint("https://x/#hunter2".into()),
            header("X-Key", "hunter2\n"),
            header("X Key", "hunter2"),
        ] {
            let text = Endpoints::new(vec![wrong]).unwrap_err().to_string();
            assert!(text.starts_with("endpoint `hook`: ") && !text.contains("hunter2"), "{text}");
        }
        let twice = vec![endpoint("https://a.example".into()), endpoint("https://b.example".into())];
        assert!(Endpoints::new(twice).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn nothing_printed_contains_an_address_or_a_secret() {
        let text =
            format!("{:?} {:?}", endpoint("https://u:p@h.example".into()), endpoints("https://u:p@h.example".into()));
        assert!(!text.contains("h.example") && !text.contains("hunter2"), "{text}");
    }
}
