//! A real nginx with `auth_request` in front of the host, set up as operators would for the provider `trusted`.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::harness::{Answer, Host, Receiver, Reply, client, eventually, finished, run};

const SECRET: &str = "between-nginx-and-host";

const CONFIG: &str = r#"
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:PORT;
    location / {
      auth_request /oauth2/auth;
      auth_request_set $auth_user   $upstream_http_x_auth_request_user;
      auth_request_set $auth_email  $upstream_http_x_auth_request_email;
      auth_request_set $auth_name   $upstream_http_x_auth_request_preferred_username;
      auth_request_set $auth_groups $upstream_http_x_auth_request_groups;

      proxy_set_header X-Forwarded-User               $auth_user;
      proxy_set_header X-Forwarded-Email              $auth_email;
      proxy_set_header X-Forwarded-Preferred-Username $auth_name;
      proxy_set_header X-Forwarded-Groups             $auth_groups;
      # Nobody sets these here, so nobody may send them: roles count as groups.
      proxy_set_header X-Forwarded-Role               "";
      proxy_set_header X-Forwarded-Avatar             "";
      proxy_set_header X-Chm-Proxy-Secret             "SECRET";
      proxy_pass HOST;
    }
    location /oauth2/ {
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass SIGN_IN;
    }
  }
}
"#;

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
    url: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Nginx {
    async fn start(host: &str, sign_in: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // nginx cannot choose a port by itself. Should another process take this one first, the start fails with nginx's words.
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let config = CONFIG
            .replace("PORT", &port.to_string())
            .replace("SECRET", SECRET)
            .replace("HOST", host)
            .replace("SIGN_IN", sign_in);
        std::fs::write(folder.path().join("nginx.conf"), config).expect("a file");
        let process = Command::new(program())
            .args(["-c", "nginx.conf", "-e", "stderr", "-p"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx");
        let url = format!("http://127.0.0.1:{port}");
        eventually("nginx answers", Duration::from_secs(10), async || client().get(&url).send().await.is_ok()).await;
        Self { url, process, _folder: folder }
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

/// Knows one person by her cookie.
async fn sign_in_service() -> Receiver {
    Receiver::start(|seen, _| {
        if seen.header("cookie").contains("session=ann") {
            Reply::status(202)
                .header("X-Auth-Request-User", "ann")
                .header("X-Auth-Request-Email", "ann@example.org")
                .header("X-Auth-Request-Preferred-Username", "Ann")
                .header("X-Auth-Request-Groups", "dev,sre")
        } else {
            Reply::status(401)
        }
    })
    .await
}

#[test]
fn people_sign_in_through_nginx_and_nobody_goes_around_it() {
    run(async {
        let host = Host::with_bundled()
            .env("CHM_AUTH_PROVIDER", "trusted")
            .env("CHM_TRUSTED_AUTH_SECRET", SECRET)
            .env("CHM_TRUSTED_ALLOWED_GROUPS", "sre")
            .start()
            .await;
        let service = sign_in_service().await;
        let nginx = Nginx::start(host.url(), service.url()).await;
        let through = |path: &str| client().get(format!("{}{path}", nginx.url)).header("cookie", "session=ann");

        let me = Answer::of(through("/api/v1/auth/me")).await.expect(200).json();
        let ann = json!({"subject": "ann", "name": "Ann", "email": "ann@example.org", "roles": ["dev", "sre"]});
        assert_eq!(me, json!({"authenticated": true, "provider": "trusted", "principal": ann}));
        Answer::of(through("/api/v1/tables/running-queries")).await.expect(200);

        // Whoever nginx does not know does not get as far as the host.
        Answer::of(client().get(format!("{}/api/v1/auth/me", nginx.url))).await.expect(401);

        // What a client says of itself on the way is overwritten.
        let forging = through("/api/v1/auth/me")
            .header("X-Forwarded-User", "mallory")
            .header("X-Forwarded-Email", "mallory@example.org")
            .header("X-Forwarded-Preferred-Username", "Mallory")
            .header("X-Forwarded-Groups", "root")
            .header("X-Forwarded-Role", "admin")
            .header("X-Forwarded-Avatar", "http://mallory.example")
            .header("X-Chm-Proxy-Secret", "guessed");
        assert_eq!(Answer::of(forging).await.expect(200).json()["principal"], ann);

        // Around nginx: no headers, forged headers, a guessed secret.
        let around = || host.request(reqwest::Method::GET, "/api/v1/auth/me");
        Answer::of(around()).await.expect(401);
        let forged = || around().header("X-Forwarded-User", "ann").header("X-Forwarded-Groups", "sre");
        Answer::of(forged()).await.expect(401);
        for guess in ["", "guessed", "between-nginx-and-hos", "between-nginx-and-hostt", "BETWEEN-NGINX-AND-HOST"] {
            let answer = Answer::of(forged().header("X-Chm-Proxy-Secret", guess)).await;
            assert_eq!(answer.status, 401, "{guess:?}: {answer}");
            assert_eq!(answer.json(), json!({"error": "Authentication required"}));
        }
        assert!(!host.stderr().contains(SECRET), "the secret is in the log");
    });
}
