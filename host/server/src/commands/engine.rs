//! The ClickHouse that `up` starts when none is configured.

use std::path::PathBuf;

use anyhow::Context;
use chm_embedded::{Demo, DemoHandle, Engine, EngineOptions, EngineProgram, LibraryOptions, Place, ServerBinary};

use chm_access::Secret;

use super::progress::Progress;
use crate::config::{ClickhouseHost, SafeUrl};

/// A running engine, with its demo data if wanted.
pub(super) struct Embedded {
    pub engine: Engine,
    demo: Option<DemoHandle>,
    /// How it came to be, for people.
    pub origin: String,
}

impl Embedded {
    /// A `clickhouse` on PATH, or the library from the cache, fetched first where needed.
    pub async fn start(with_demo: bool) -> anyhow::Result<Self> {
        let launcher = std::env::current_exe().context("finding this program")?;
        let (program, origin) = match ServerBinary::find().await {
            Ok(Some(found)) => {
                let origin = format!("embedded, from {}", found.path.display());
                (EngineProgram::Server { launcher, binary: found.path }, origin)
            }
            found => {
                if let Err(error) = found {
                    tracing::warn!(%error, "the clickhouse on PATH is of no use; taking the library");
                }
                let library = tokio::task::spawn_blocking(library).await??;
                (EngineProgram::Library { launcher, library }, "embedded, single node".to_owned())
            }
        };
        let place = chm_embedded::xdg::engine_data().context(
            "no folder for the embedded ClickHouse's data: set HOME or XDG_DATA_HOME, or set CLICKHOUSE_HOST to watch a server",
        )?;
        let progress = Progress::new("clickhouse");
        progress.step("starting", "");
        let engine = Engine::start(EngineOptions::new(program, Place::Persistent(place))).await?;
        let demo = if with_demo {
            progress.step("filling the demo database", "");
            Some(Demo::start(&engine).await?)
        } else {
            None
        };
        let origin = format!("{origin}, {}", engine.confinement());
        Ok(Self { engine, demo, origin })
    }

    /// As a watched server.
    pub fn as_host(&self) -> anyhow::Result<ClickhouseHost> {
        Ok(ClickhouseHost {
            url: SafeUrl::new(self.engine.url().parse()?),
            user: self.engine.user().to_owned(),
            password: Secret::new(self.engine.password()),
            name: Some("embedded".to_owned()),
            allow: None,
        })
    }

    /// Ends the workload, then the engine.
    pub async fn stop(self) {
        drop(self.demo);
        self.engine.stop().await;
    }
}

fn library() -> anyhow::Result<PathBuf> {
    use chm_embedded::Progress as Fetch;
    let progress = Progress::new("clickhouse");
    let figures = |done: u64, total: u64| format!(" ({} of {} MB)", done / 1_000_000, total / 1_000_000);
    let path = chm_embedded::library::obtain(&LibraryOptions::default(), &|step| match step {
        Fetch::Waiting => progress.step("waiting for another process that fetches it", ""),
        Fetch::Fetching { done, total } => progress.step("fetching the engine", &figures(done, total)),
        Fetch::Verifying { done, total } => progress.step("verifying the engine", &figures(done, total)),
        Fetch::Unpacking { done, total } => progress.step("unpacking the engine", &figures(done, total)),
    })?;
    Ok(path)
}
