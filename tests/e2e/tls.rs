//! The host speaks TLS itself, and takes up a renewed certificate while it runs.

use std::path::Path;
use std::time::Duration;

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
