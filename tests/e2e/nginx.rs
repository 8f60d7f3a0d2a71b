//! A real nginx in front of the host, with the files of `docs/nginx` that `docs/reverse-proxies.md` shows. Only addresses and secrets
//! are replaced in them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Answer, Host, PATIENCE, Receiver, Reply, client, finished, repository, run};
use crate::keys;

/// In place of the one that the files show.
const SECRET: &str = "between-nginx-and-host";
const SHOWN_SECRET: &str = "the-same-long-random-secret";
const KEY_SECRET: &str = "another-long-random-secret";
const NAME: &str = "chm.example.com";

/// How often a port is chosen: nginx by itself tries one for two and a half seconds.
const ATTEMPTS: usize = 5;

/// Around the files: nothing that decides. Odd header names are let through, which nginx drops by default.
const MAIN: &str = r#"
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off;
  underscores_in_headers on;
  ignore_invalid_headers off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  SERVERS
}
"#;

/// What stands in a file of `docs/nginx`.
fn shown(file: &str) -> String {
    let path = repository().join("docs/nginx").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The system's nginx, or Debian's package unpacked into the user's cache; nothing is installed.
fn program() -> PathBuf {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&search).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    if let Some(found) = places.map(|place| place.join("nginx")).find(|path| path.is_file()) {
        return found;
    }
    let cache = chm_embedded::xdg::cache().expect("HOME or XDG_CACHE_HOME");
    let kept = cache.join("test-nginx");
    if !kept.exists() {
        std::fs::create_dir_all(&cache).expect("a folder");
        let fresh = tempfile::tempdir_in(&cache).expect("a folder");
        let what = "fetching nginx (or install it: `apt-get install nginx-light`)";
        let fetch = || Command::new("apt-get").args(["-qq", "download", "nginx"]).current_dir(fresh.path()).output();
        if !fetch().is_ok_and(|output| output.status.success()) {
            finished(what, Command::new("apt-get").args(["-qq", "update"]));
            finished(what, Command::new("apt-get").args(["-qq", "download", "nginx"]).current_dir(fresh.path()));
        }
        let packages = std::fs::read_dir(fresh.path()).expect("a folder");
        let package = packages.map(|entry| entry.expect("an entry").path()).next().expect("the package");
        finished("dpkg-deb", Command::new("dpkg-deb").arg("-x").arg(package).arg(fresh.path()));
        // Another process may have been first, with the same.
        if std::fs::rename(fresh.path(), &kept).is_ok() {
            let _ = fresh.keep();
        }
    }
    kept.join("usr/sbin/nginx")
}

/// A running nginx; it ends with this value.
struct Nginx {
    address: String,
    process: Child,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// With these files in front of a host and a sign-in service.
    async fn start(files: &[&str], host: &Host, sign_in: &Receiver) -> Self {
        for _ in 1..ATTEMPTS {
            if let Some(nginx) = Self::attempt(files, host, sign_in).await {
                return nginx;
            }
        }
        Self::attempt(files, host, sign_in).await.expect("nginx ended; its words are above")
    }

    /// nginx cannot choose a port by itself. Nothing when it has ended, as it does if somebody else took the port first.
    async fn attempt(files: &[&str], host: &Host, sign_in: &Receiver) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let address = |url: &str| url.trim_start_matches("http://").to_owned();
        let replaced = |file: &str| {
            shown(file)
                .replace("listen 8080;", &format!("listen 127.0.0.1:{port};"))
                .replace("127.0.0.1:3000", &address(host.url()))
                .replace("127.0.0.1:9091", &address(sign_in.url()))
                .replace("127.0.0.1:4180", &address(sign_in.url()))
                .replace("/etc/nginx/chm/", "")
                .replace(SHOWN_SECRET, SECRET)
        };
        let servers: String = files.iter().map(|file| replaced(file)).collect();
        std::fs::write(folder.path().join("nginx.conf"), MAIN.replace("SERVERS", &servers)).expect("a file");
        std::fs::write(folder.path().join("secret.conf"), replaced("secret.conf")).expect("a file");
        let process = Command::new(program())
            .args(["-c", "nginx.conf", "-e", "stderr", "-p"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx");
        let address = format!("127.0.0.1:{port}");
        let mut nginx = Self { address, process, folder };
        let deadline = Instant::now() + PATIENCE;
        // It writes this file when it listens; the port alone could be somebody else's.
        while !nginx.folder.path().join("nginx.pid").exists() {
            if nginx.process.try_wait().expect("a process").is_some() {
                return None;
            }
            assert!(Instant::now() < deadline, "nginx does not listen within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Some(nginx)
    }

    /// A request for the name that the host answers to.
    fn get(&self, path: &str) -> RequestBuilder {
        client().get(format!("http://{}{path}", self.address)).header("host", NAME)
    }

    /// Sends these lines as they are, and returns the status and the body.
    async fn raw(&self, lines: &[&str]) -> (u16, String) {
        let mut stream = tokio::net::TcpStream::connect(&self.address).await.expect("a connection");
        let head = format!("GET /api/v1/auth/me HTTP/1.0\r\nHost: {NAME}\r\n{}\r\n\r\n", lines.join("\r\n"));
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        (status.unwrap_or_else(|| panic!("{answer}")), body.unwrap_or_default())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its master ends the worker, which a kill would leave behind.
        let master = i32::try_from(self.process.id()).expect("a process id");
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(master), nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// Stands in for oauth2-proxy, and for any other service that answers `auth_request`. It knows people by a cookie.
async fn sign_in_service() -> Receiver {
    Receiver::start(|seen, _| {
        let (name, groups) = match seen.header("cookie") {
            "session=ann" => ("ann", "dev,sre"),
            "session=bob" => ("bob", "dev"),
            // Somebody may pass, and it does not say who.
            "session=nameless" => return Reply::status(202),
            _ => return Reply::status(401),
        };
        Reply::status(202)
            .header("X-Auth-User", name)
            .header("X-Auth-Request-User", name)
            .header("X-Auth-Request-Email", format!("{name}@example.org"))
            .header("X-Auth-Request-Preferred-Username", name.to_uppercase())
            .header("X-Auth-Request-Groups", groups)
    })
    .await
}

/// A host with the variables of these files, the later ones winning.
async fn host(files: &[&str]) -> Host {
    let lines: String = files.iter().map(|file| shown(file)).collect();
    let variables: BTreeMap<&str, &str> =
        lines.lines().map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line}: no variable"))).collect();
    let mut builder = Host::with_bundled().unhurried();
    for (name, value) in variables {
        builder = builder.env(name, &value.replace(SHOWN_SECRET, SECRET));
    }
    builder.start().await
}

/// Around nginx, under the right name.
fn around(host: &Host) -> RequestBuilder {
    host.request(Method::GET, "/api/v1/auth/me").header("host", NAME)
}

fn session(request: RequestBuilder, name: &str) -> RequestBuilder {
    request.header("cookie", format!("session={name}"))
}

/// Everything by which any of the providers may be told who somebody is.
const IDENTITY: [&str; 12] = [
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Avatar",
    "X-Forwarded-Groups",
    "X-Forwarded-Role",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-Request-Groups",
    "X-Auth-User",
    "X-Chm-Proxy-Secret",
];

/// A file of nginx with the variables beside it, and whom the host takes Ann for.
struct Setup {
    name: &'static str,
    provider: &'static str,
    ann: Value,
    /// Whether bob, who is in no group that may enter, does.
    bob_enters: bool,
}

fn setups() -> [Setup; 3] {
    let full = json!({"subject": "ann", "name": "ANN", "email": "ann@example.org", "roles": ["dev", "sre"]});
    [
        Setup { name: "trusted-header", provider: "proxy", ann: json!({"subject": "ann"}), bob_enters: true },
        Setup { name: "trusted-proxy", provider: "trusted", ann: full.clone(), bob_enters: false },
        Setup { name: "oauth2-proxy-names", provider: "trusted", ann: full, bob_enters: false },
    ]
}

async fn started(setup: &Setup) -> (Host, Receiver, Nginx) {
    let host = host(&[&format!("{}.env", setup.name)]).await;
    let service = sign_in_service().await;
    let nginx = Nginx::start(&[&format!("{}.conf", setup.name)], &host, &service).await;
    (host, service, nginx)
}

#[test]
fn people_sign_in_through_nginx() {
    run(async {
        for setup in setups() {
            let (_host, service, nginx) = started(&setup).await;
            let me = Answer::of(session(nginx.get("/api/v1/auth/me"), "ann")).await.expect(200).json();
            let expected = json!({"authenticated": true, "provider": setup.provider, "principal": setup.ann});
            assert_eq!(me, expected, "{}", setup.name);
            Answer::of(session(nginx.get("/api/v1/tables/running-queries"), "ann")).await.expect(200);
            let bob = Answer::of(session(nginx.get("/api/v1/hosts"), "bob")).await;
            assert_eq!(bob.status, if setup.bob_enters { 200 } else { 401 }, "{}: {bob}", setup.name);

            // The host's own word for somebody whom nginx lets through without a name; nginx's for everybody else.
            let nameless = Answer::of(session(nginx.get("/api/v1/hosts"), "nameless")).await.expect(401);
            assert_eq!(nameless.json(), json!({"error": "Authentication required"}), "{}", setup.name);
            for stranger in ["mallory", ""] {
                let turned_away = Answer::of(session(nginx.get("/api/v1/hosts"), stranger)).await.expect(401);
                assert!(turned_away.text().contains("nginx"), "{}: {turned_away}", setup.name);
            }

            // The sign-in service is asked about a request without its body.
            let statement = json!({"sql": "SELECT 1"});
            let url = format!("http://{}/api/v1/explorer/query", nginx.address);
            let asked = session(client().post(url).header("host", NAME), "ann").json(&statement);
            Answer::of(asked).await.expect(200);
            assert!(service.seen().iter().all(|seen| seen.body.is_empty()), "{}", setup.name);
        }
    });
}

#[test]
fn what_a_client_says_of_itself_does_not_get_through_nginx() {
    run(async {
        for setup in setups() {
            let (_host, _service, nginx) = started(&setup).await;
            let forge = |request: RequestBuilder, value: &str| {
                IDENTITY.iter().fold(request, |request, name| request.header(*name, value))
            };
            // All of them, all of them twice, and with the very secret.
            let me = || session(nginx.get("/api/v1/auth/me"), "ann");
            for request in
                [forge(me(), "sre"), forge(forge(me(), "sre"), "admin"), forge(me(), SECRET), forge(me(), "")]
            {
                let answer = Answer::of(request).await.expect(200);
                assert_eq!(answer.json()["principal"], setup.ann, "{}", setup.name);
            }
            // One by one, in other spellings. Whatever nginx or the host makes of them, the client does not become somebody else.
            for name in IDENTITY {
                for spelling in [
                    format!("{name}: sre"),
                    format!("{}: sre", name.to_uppercase()),
                    format!("{}: sre", name.replace('-', "_")),
                    format!("{}: sre", name.replacen('-', "_", 1)),
                    format!("{}: sre", name.replacen("X-", "X_", 1).to_lowercase()),
                    format!("{name} : sre"),
                    format!(" {name}: sre"),
                    format!("{name}\t: sre"),
                    format!("{name}: sre\r\n{name}: admin"),
                    format!("X-Other: a\n{name}: sre"),
                    format!("{name};: sre"),
                ] {
                    let (status, body) = nginx.raw(&["Cookie: session=ann", &spelling]).await;
                    // 500 is nginx's word for a sign-in service that refuses a header's name.
                    assert!(matches!(status, 200 | 400 | 500), "{}: {spelling:?}: {status} {body}", setup.name);
                    if status == 200 {
                        let me: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{body}: {error}"));
                        assert_eq!(me["principal"], setup.ann, "{}: {spelling:?}", setup.name);
                    }
                    // Nor does somebody without a name get one.
                    let (status, body) = nginx.raw(&["Cookie: session=nameless", &spelling]).await;
                    assert!(matches!(status, 400 | 401 | 500), "{}: {spelling:?}: {status} {body}", setup.name);
                }
            }
        }
    });
}

#[test]
fn nobody_goes_around_nginx() {
    run(async {
        for setup in setups() {
            let (host, _service, nginx) = started(&setup).await;
            Answer::of(around(&host)).await.expect(401);
            Answer::of(session(around(&host), "ann")).await.expect(401);
            let forged = || {
                IDENTITY
                    .iter()
                    .filter(|name| !name.ends_with("-Secret"))
                    .fold(around(&host), |r, n| r.header(*n, "sre"))
            };
            Answer::of(forged()).await.expect(401);
            for guess in [
                "",
                "guessed",
                "between-nginx-and-hos",
                "between-nginx-and-hostt",
                "BETWEEN-NGINX-AND-HOST",
                SHOWN_SECRET,
            ] {
                let answer = Answer::of(forged().header("X-Chm-Proxy-Secret", guess)).await;
                assert_eq!(answer.status, 401, "{}: {guess:?}: {answer}", setup.name);
                assert_eq!(answer.json(), json!({"error": "Authentication required"}));
            }
            let twice = forged().header("X-Chm-Proxy-Secret", SECRET).header("X-Chm-Proxy-Secret", SECRET);
            Answer::of(twice).await.expect(401);

            // Only under the name that the operator gave, through nginx as around it.
            Answer::of(host.request(Method::GET, "/api/v1/hosts")).await.expect(421);
            let other = client().get(format!("http://{}/api/v1/hosts", nginx.address));
            Answer::of(session(other, "ann")).await.expect(421);
            assert!(!host.stderr().contains(SECRET), "{}: the secret is in the log", setup.name);
        }
    });
}

#[test]
fn programs_come_with_keys_under_a_name_of_their_own() {
    run(async {
        let host = host(&["trusted-proxy.env", "api-keys.env"]).await;
        let service = sign_in_service().await;
        let nginx = Nginx::start(&["trusted-proxy.conf", "api-keys.conf"], &host, &service).await;
        let ask = |name: &str| client().get(format!("http://{}/api/v1/hosts", nginx.address)).header("host", name);
        let programs = || ask("chm-api.example.com");
        Answer::of(programs().bearer_auth(keys::valid(KEY_SECRET))).await.expect(200);
        Answer::of(programs().bearer_auth(keys::valid("forged"))).await.expect(401);
        Answer::of(programs()).await.expect(401);
        Answer::of(session(programs(), "ann")).await.expect(401);
        let forged = IDENTITY.iter().fold(programs(), |request, name| request.header(*name, "sre"));
        Answer::of(forged).await.expect(401);
        let with_the_secret = programs().header("X-Forwarded-User", "ann").header("X-Forwarded-Groups", "sre");
        Answer::of(with_the_secret.header("X-Chm-Proxy-Secret", SECRET)).await.expect(401);
        assert!(service.seen().is_empty(), "a program was sent to the sign-in service");
        // Under the people's name a key alone does not get past nginx.
        Answer::of(ask(NAME).bearer_auth(keys::valid(KEY_SECRET))).await.expect(401);
    });
}

/// A client with an address of its own, of which a computer has many.
fn client_at(last: u8) -> reqwest::Client {
    let address = Ipv4Addr::new(127, 0, 0, last);
    reqwest::Client::builder().local_address(Some(address.into())).no_proxy().build().expect("a client")
}

#[test]
fn clients_behind_nginx_are_told_apart_and_cannot_lie_about_their_addresses() {
    run(async {
        let host = {
            let variables = shown("trusted-proxy.env") + &shown("api-keys.env");
            let mut builder = Host::with_bundled();
            for line in variables.lines() {
                let (name, value) = line.split_once('=').expect("a variable");
                builder = builder.env(name, value);
            }
            builder.env("CHM_FAILED_SIGN_INS_PER_MIN", "3").start().await
        };
        let service = sign_in_service().await;
        let nginx = Nginx::start(&["trusted-proxy.conf", "api-keys.conf"], &host, &service).await;
        let url = format!("http://{}/api/v1/hosts", nginx.address);
        let ask = |client: &reqwest::Client, secret: &str, said: &str| {
            let request = client.get(&url).header("host", "chm-api.example.com").header("x-forwarded-for", said);
            Answer::of(request.bearer_auth(keys::valid(secret)))
        };
        let (guesser, other) = (client_at(7), client_at(8));
        let mut last = 0;
        for guess in 0..12 {
            last = ask(&guesser, &format!("guess {guess}"), &format!("198.51.100.{guess}")).await.status;
        }
        assert_eq!(last, 429, "another address said is no other client");
        ask(&other, KEY_SECRET, "127.0.0.7").await.expect(200);
    });
}

#[test]
fn the_page_on_reverse_proxies_shows_the_files_that_are_tested() {
    let page = std::fs::read_to_string(repository().join("docs/reverse-proxies.md")).expect("the page");
    let mut files: Vec<_> = std::fs::read_dir(repository().join("docs/nginx")).expect("docs/nginx").flatten().collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    assert_eq!(files.len(), 9);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        let language = if name.ends_with(".conf") { "nginx" } else { "sh" };
        let block = format!("```{language}\n{}```", shown(&name));
        assert!(page.contains(&block), "docs/reverse-proxies.md does not show docs/nginx/{name} as it is:\n{block}");
        assert!(page.contains(&format!("](nginx/{name})")), "docs/reverse-proxies.md has no link to nginx/{name}");
    }
}
