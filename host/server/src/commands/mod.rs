//! The command line.

mod check;
mod doctor;
mod engine;
mod keys;
mod openapi;
mod plugin;
mod progress;
mod serve;
mod up;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, LoadOptions, Loaded};
use crate::telemetry::TelemetryGuard;

#[derive(Parser)]
#[command(name = "chm-host", version, about = "Watches ClickHouse through sandboxed plugins.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try it: build the plugins, start a ClickHouse if none is configured, serve on loopback
    Up(up::Up),
    /// Serve with what the configuration says; builds nothing
    Serve(serve::Serve),
    /// Check everything against the production checklist; serves nothing
    Doctor(doctor::Doctor),
    /// Build and inspect plugins
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Make, list and end API keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Print the OpenAPI document of a plugin folder
    Openapi(openapi::Openapi),
    /// Look at the configuration
    #[command(subcommand)]
    Config(check::ConfigCommand),
}

/// Options of every command that reads the configuration.
#[derive(Args)]
struct Common {
    /// Address to listen on; port 0 lets the system choose (CHM_LISTEN; default 127.0.0.1:3000)
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Folder with the plugins' .wasm files (CHM_PLUGIN_DIR)
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// Configuration file, TOML or YAML (CHM_CONFIG_FILE)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Common {
    fn load(&self) -> Result<Loaded, ConfigError> {
        let options = LoadOptions { file: self.config.clone(), listen: self.listen, plugin_dir: self.plugins.clone() };
        Config::load(&options, std::env::vars_os())
    }
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Up(up) => up.run(),
        Command::Serve(serve) => serve.run(),
        Command::Doctor(doctor) => return doctor.run(),
        Command::Plugin(plugin) => plugin.run(),
        Command::Keys(keys) => keys.run(),
        Command::Openapi(openapi) => openapi.run(),
        Command::Config(config) => config.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chm-host: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Starts logging and tells what the operator should know about the configuration.
fn telemetry(loaded: &Loaded) -> anyhow::Result<TelemetryGuard> {
    let guard = crate::telemetry::init(crate::settle::telemetry(loaded))?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(guard)
}

/// The runtime of every command that needs one.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Prints a line for people, or for a program that waits for it.
fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    // Whoever started us may read through a pipe and wait for this line. A closed pipe is not our failure.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
