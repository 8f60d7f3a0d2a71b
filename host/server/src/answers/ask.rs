//! What is to be read, and how it is to be shown.

use std::sync::Arc;
use std::time::Duration;

use chm_clickhouse::{Format, GuardedQuery, Host, ReadOptions};

use crate::api::Metadata;
use crate::api::parameters::AnswerFormat;
use crate::app::App;
use crate::query::Source;

/// Rows for a client who may have them: the gate was passed before.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The host process.
    pub app: &'a Arc<App>,
    /// What is read, from each server; the rows of one come after those of the other. A server that fails is named in
    /// `metadata.unreachable`, unless all do.
    pub parts: Vec<Part>,
    /// The answer's form.
    pub format: AnswerFormat,
    /// Who asks, through what.
    pub source: Source<'a>,
    /// How old a shared answer may be. Zero: it is neither kept, nor shared with others who ask the same at the same time.
    pub cache: Duration,
    /// The statement brings the newest rows first, and they are shown oldest first: what is beyond the cap is missing at the beginning,
    /// as charts over time want it. All rows are then in memory, within their caps. Formats without rows are left as they are.
    pub reversed: bool,
    /// What the envelope says besides; the query's id, its duration, `rows`, `truncated` and unreachable servers are filled in.
    pub metadata: Metadata,
}

/// A statement for one server. Its caps hold for it alone, and its format is chosen by the [`Ask`].
#[derive(Debug, Clone)]
pub struct Part {
    /// The server.
    pub host: Arc<Host>,
    /// What it is asked.
    pub query: GuardedQuery,
    /// Limits and values.
    pub options: ReadOptions,
}

impl Part {
    /// With ClickHouse's format for this form.
    pub(super) fn written_as(mut self, format: AnswerFormat) -> Self {
        self.options.format = match format {
            AnswerFormat::Json => Format::JsonEachRow,
            AnswerFormat::Raw(raw) => raw,
        };
        self
    }
}
