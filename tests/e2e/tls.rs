//! The host speaks TLS itself, and takes up a renewed certificate while it runs; and HTTP/2, which browsers use with TLS.

use std::path::Path;
use std::time::Duration;

use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as PlainClient;
use hyper_util::rt::TokioExecutor;
use reqwest::{Certificate, Client};

use crate::harness::{Host, eventually, run};

/// A new certificate for `localhost` in the two files; what a client must trust to accept it.
fn renew(cert: &Path, key: &Path) -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(key, made.signing_key.serialize_pem()).expect("a file");
    std::fs::write(cert, made.cert.pem()).expect("a file");
    Certificate::from_pem(made.cert.pem().as_bytes()).expect("a certificate")
}

/// A client that trusts one certificate and begins each request with a new handshake.
fn trusting(certificate: &Certificate) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .tls_certs_only([certificate.clone()])
        .pool_max_idle_per_host(0)
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client")
}

async fn answers(client: &Client, url: &str) -> bool {
    client.get(url).send().await.is_ok_and(|answer| answer.status() == 200)
}

#[test]
fn a_renewed_certificate_counts_while_the_host_runs() {
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let first = trusting(&renew(&cert, &key));
        let host = Host::with_bundled()
            .env("CHM_TLS_CERT_FILE", &cert.display().to_string())
            .env("CHM_TLS_KEY_FILE", &key.display().to_string())
            .start()
            .await;
        let url = host.url().replace("127.0.0.1", "localhost") + "/api/v1/hosts";
        assert!(url.starts_with("https://"), "{url}");
        let answer = first.get(&url).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("strict-transport-security"), "{:?}", answer.headers());
        // Plain HTTP on the same port is nothing.
        assert!(reqwest::Client::new().get(url.replace("https", "http")).send().await.is_err());

        // Half a renewal changes nothing.
        let second = renew(&cert, &folder.path().join("other-key.pem"));
        host.logged("certificate").await;
        assert!(answers(&first, &url).await, "the pair that fits is kept");
        std::fs::copy(folder.path().join("other-key.pem"), &key).expect("a file");
        let second = trusting(&second);
        eventually("the renewed certificate", Duration::from_secs(20), async || answers(&second, &url).await).await;
        assert!(!answers(&first, &url).await);
    });
}

#[test]
fn http_2_is_no_other_way_in() {
    run(async {
        const PROOF: (&str, &str) = ("x-chm-proxy-secret", "between-proxy-and-host");
        const USER: (&str, &str) = ("x-forwarded-user", "ann");
        let host = Host::with_bundled()
            .unhurried()
            .env("CHM_AUTH_PROVIDER", "proxy")
            .env("CHM_PROXY_AUTH_SECRET", PROOF.1)
            .env("CHM_ALLOWED_HOSTS", "127.0.0.1")
            .start()
            .await;
        let client = PlainClient::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<Bytes>>();
        let by_address = host.url().to_owned();
        let by_name = by_address.replace("127.0.0.1", "localhost");
        for (what, url, path, headers, status) in [
            ("the proxy's secret and a user", &by_address, "/api/v1/hosts", &[PROOF, USER][..], 200),
            ("nothing", &by_address, "/api/v1/hosts", &[], 401),
            ("a user alone", &by_address, "/api/v1/hosts", &[USER], 401),
            ("the secret twice", &by_address, "/api/v1/hosts", &[PROOF, PROOF, USER], 401),
            ("another spelling", &by_address, "/API/v1/hosts", &[PROOF, USER], 404),
            ("a doubled slash", &by_address, "//api/v1/hosts", &[PROOF, USER], 404),
            ("another name", &by_name, "/api/v1/hosts", &[PROOF, USER], 421),
            ("another name in `Host`", &by_address, "/api/v1/hosts", &[PROOF, USER, ("host", "evil.example")], 400),
            ("the right name in `Host` alone", &by_name, "/api/v1/hosts", &[PROOF, USER, ("host", "127.0.0.1")], 400),
        ] {
            let request = Request::get(format!("{url}{path}"));
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = client.request(request.body(Empty::new()).expect("a request")).await.expect("an answer");
            assert_eq!(answer.version(), hyper::Version::HTTP_2, "{what}");
            assert_eq!(answer.status(), status, "{what}");
        }
    });
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start() {
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        renew(&cert, &key);
        for (cert, key, word) in
            [(cert.clone(), folder.path().join("absent.pem"), "absent.pem"), (key.clone(), key.clone(), "key.pem")]
        {
            let host = Host::with_bundled()
                .env("CHM_TLS_CERT_FILE", &cert.display().to_string())
                .env("CHM_TLS_KEY_FILE", &key.display().to_string());
            let ended = host.try_start().await.err().expect("no start");
            assert!(ended.stderr.contains(word), "{}", ended.stderr);
        }
        let ended =
            Host::with_bundled().env("CHM_TLS_CERT_FILE", "cert.pem").try_start().await.err().expect("no start");
        assert!(ended.stderr.contains("tls.key"), "{}", ended.stderr);
    });
}
