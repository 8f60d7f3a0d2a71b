//! A download with `curl`, timed by itself.

use std::time::Duration;

use tokio::process::Command;

/// A request.
pub struct Curl(Vec<String>);

/// How it went.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub bytes: u64,
    pub first: Duration,
    pub whole: Duration,
}

impl Curl {
    pub fn post(url: &str, body: &str) -> Self {
        let arguments =
            ["-sS", "--fail", "-o", "/dev/null", "-w", "%{size_download} %{time_starttransfer} %{time_total}"];
        let mut all: Vec<String> = arguments.map(str::to_owned).to_vec();
        all.extend(["--data-binary".to_owned(), body.to_owned(), url.to_owned()]);
        Self(all)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.extend(["-H".to_owned(), format!("{name}: {value}")]);
        self
    }

    /// Reads all of the answer.
    pub async fn run(&self) -> Took {
        let output = Command::new("curl").args(&self.0).output().await.expect("curl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let figures: Vec<f64> = said.split(' ').map(|word| word.parse().expect("a figure")).collect();
        let [bytes, first, whole] = figures[..] else { panic!("{said}") };
        Took { bytes: bytes as u64, first: Duration::from_secs_f64(first), whole: Duration::from_secs_f64(whole) }
    }
}
