//! The process's subscriber.

use std::fmt;
use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::otlp::Exporter;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people; coloured on a terminal, unless `NO_COLOR` is set.
    #[default]
    Pretty,
    /// One JSON object per line, for machines.
    Json,
}

/// What [`init`] needs to know.
#[derive(Clone)]
pub struct TelemetryOptions {
    /// How a line looks.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace` or `off`, optionally followed by `,target=level` pairs.
    pub level: String,
    /// The key or variable `level` came from; errors name it.
    pub level_key: String,
    /// Base address of an OTLP/HTTP collector, for example `http://collector:4318`; `/v1/traces` is appended. Absent: no export.
    pub otlp_endpoint: Option<String>,
    /// The key or variable `otlp_endpoint` came from; errors name it.
    pub otlp_key: String,
    /// `service.name` of the exported spans.
    pub service_name: String,
}

impl fmt::Debug for TelemetryOptions {
    /// Without the collector's address, which may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryOptions")
            .field("format", &self.format)
            .field("level", &self.level)
            .field("exports", &self.otlp_endpoint.is_some())
            .finish_non_exhaustive()
    }
}

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is no level.
    #[error(
        "{key}: `{value}` is no log level ({reason}); expected error, warn, info, debug, trace or off, optionally followed by \
         target=level pairs, for example `info,chm_sandbox=debug`"
    )]
    Level {
        /// Where it came from.
        key: String,
        /// What it said.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The collector's address is no address. Its text is not repeated: it may carry credentials.
    #[error(
        "{key}: not the base address of an OTLP/HTTP collector ({reason}); expected for example `http://collector:4318`"
    )]
    Endpoint {
        /// Where it came from.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The exporter cannot be built.
    #[error("spans cannot be exported: {0}")]
    Exporter(String),
    /// Another subscriber is installed already.
    #[error("the log cannot be set up: {0}")]
    Install(String),
}

/// Keeps the exporter alive; dropped at the end, it sends what is waiting and takes a bounded time for it.
#[must_use = "spans are exported only while this lives"]
#[derive(Debug)]
pub struct TelemetryGuard {
    exporter: Option<Exporter>,
}

impl TelemetryGuard {
    /// Whether spans are exported; see [`super::ObserveRequests::exporting`].
    #[must_use]
    pub fn exports(&self) -> bool {
        self.exporter.is_some()
    }
}

/// Installs the subscriber of this process: lines on standard error, spans to the collector if there is one.
///
/// A collector that does not answer neither blocks nor breaks anything: spans are dropped and the log says so.
///
/// # Errors
/// When the level or the collector's address is malformed, or a subscriber is installed already.
pub fn init(options: TelemetryOptions) -> Result<TelemetryGuard, TelemetryError> {
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (layers, exporter) = layers(&options, std::io::stderr, coloured)?;
    tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .map_err(|error| TelemetryError::Install(error.to_string()))?;
    Ok(TelemetryGuard { exporter })
}

type Layers = Vec<Box<dyn Layer<Registry> + Send + Sync>>;

fn layers<W>(
    options: &TelemetryOptions,
    writer: W,
    coloured: bool,
) -> Result<(Layers, Option<Exporter>), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = level_filter(&options.level).map_err(|reason| TelemetryError::Level {
        key: options.level_key.clone(),
        value: options.level.clone(),
        reason,
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let mut layers: Layers = vec![match options.format {
        LogFormat::Pretty => lines.with_ansi(coloured).compact().with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
    }];
    let exporter = match options.otlp_endpoint.as_deref().map(str::trim).filter(|endpoint| !endpoint.is_empty()) {
        None => None,
        Some(endpoint) => {
            let exporter = Exporter::new(endpoint, &options.otlp_key, &options.service_name)?;
            let tracer = exporter.provider().tracer("chm-host");
            layers.push(
                tracing_opentelemetry::layer()
                    .with_tracer(tracer)
                    .with_location(false)
                    .with_threads(false)
                    .with_filter(exported_targets())
                    .boxed(),
            );
            Some(exporter)
        }
    };
    Ok((layers, exporter))
}

/// Spans of our own crates, whatever the level of the log is. A client library's spans are left out: the exporter's own
/// requests would make new ones for ever.
fn exported_targets() -> Targets {
    Targets::new().with_default(LevelFilter::OFF).with_target("chm", LevelFilter::INFO)
}

/// `EnvFilter` takes any bare word for a target, so that `verbose` would mean "everything of the crate verbose, nothing else".
fn level_filter(level: &str) -> Result<EnvFilter, String> {
    if level.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    for directive in level.split(',').map(str::trim) {
        let bare = !directive.contains(['=', '[']);
        // The library takes an empty word for `error`.
        if bare && (directive.is_empty() || directive.parse::<LevelFilter>().is_err()) {
            return Err(format!("`{directive}` is neither a level nor target=level"));
        }
    }
    EnvFilter::builder().parse(level).map_err(|error| error.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Where a test's lines go.
    #[derive(Clone, Default)]
    pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Lines;

        fn make_writer(&'a self) -> Lines {
            self.clone()
        }
    }

    pub(crate) fn options(format: LogFormat, otlp_endpoint: Option<String>) -> TelemetryOptions {
        TelemetryOptions {
            format,
            level: "info".into(),
            level_key: "telemetry.level".into(),
            otlp_endpoint,
            otlp_key: "telemetry.otlp".into(),
            service_name: "chm-host".into(),
        }
    }

    /// A subscriber for `tracing::subscriber::set_default`, its lines, and the exporter.
    pub(crate) fn subscriber(options: &TelemetryOptions) -> (tracing::Dispatch, Lines, Option<Exporter>) {
        let lines = Lines::default();
        let (layers, exporter) = layers(options, lines.clone(), false).unwrap();
        (tracing::Dispatch::new(tracing_subscriber::registry().with(layers)), lines, exporter)
    }

    #[test]
    fn a_level_is_a_level_or_a_list_of_targets() {
        for good in ["info", "WARN", "off", "info,chm_sandbox=debug", "chm_host=trace", "info,[request]=debug"] {
            assert!(level_filter(good).is_ok(), "{good}");
        }
        for bad in ["", "verbose", "info,chatty", "chm_host=loud", "info,,debug", "3x"] {
            assert!(level_filter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_level_names_its_key() {
        let mut options = options(LogFormat::Json, None);
        options.level = "verbose".into();
        let error = layers(&options, Lines::default(), false).err().unwrap().to_string();
        assert!(error.starts_with("telemetry.level: `verbose` is no log level"), "{error}");
    }

    #[test]
    fn a_wrong_collector_names_its_key_and_hides_its_text() {
        for bad in ["collector", "ftp://user:hunter2@host", "http://", "grpc://hunter2"] {
            let options = options(LogFormat::Json, Some(bad.into()));
            let error = layers(&options, Lines::default(), false).err().unwrap().to_string();
            assert!(error.starts_with("telemetry.otlp: "), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_json_line_carries_the_fields_of_its_span() {
        let (dispatch, lines, _) = subscriber(&options(LogFormat::Json, None));
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::info_span!("request", request_id = "r-1").in_scope(|| tracing::info!(rows = 3, "done"));
            tracing::debug!("below the level");
        });
        let line: serde_json::Value = serde_json::from_str(lines.text().trim()).unwrap();
        assert_eq!(line["message"], "done");
        assert_eq!(line["rows"], 3);
        assert_eq!(line["span"]["request_id"], "r-1");
    }
}
