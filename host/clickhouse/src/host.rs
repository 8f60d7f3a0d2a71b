//! One monitored server: guarded reads under its limits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clickhouse::Client;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::cells::Cells;
use crate::config::{HostConfig, HostConfigError, Limits};
use crate::error::ReadError;
use crate::format::Format;
use crate::guard::GuardedQuery;
use crate::http;
use crate::options::{GRACE, ReadOptions, escape_parameter};
use crate::place::Place;
use crate::places::{Claim, Holder, Places};
use crate::profile::{self, Profile};
use crate::redact::{Care, Redactor};
use crate::rows::{Caps, Rows};
use crate::shape::KnownShape;
use crate::tables::{ColumnName, Presence, TableName};
use crate::version::ServerVersion;

/// How long the user's profile is believed.
const PROFILE_AGE: Duration = Duration::from_secs(3_600);
/// How long a version is believed.
const VERSION_AGE: Duration = Duration::from_secs(24 * 3_600);
/// How long a table is believed to exist or not.
pub(crate) const PRESENCE_AGE: Duration = Duration::from_secs(300);
/// How many tables and columns are remembered.
pub(crate) const PRESENCE_ENTRIES: usize = 500;
/// The client takes a chunk that ends like an old error text (`))` and a line feed) for an error, and `SELECT exception FROM
/// system.query_log` ends so. With a carriage return before it, it does not; the host takes that out again.
const TSV_CRLF: &str = "output_format_tsv_crlf_end_of_line";
/// Limit of the host's own small questions.
const OWN_QUESTION: Duration = Duration::from_secs(10);

/// One monitored ClickHouse server.
pub struct Host {
    config: HostConfig,
    limits: Limits,
    pub(crate) client: Client,
    places: Places,
    /// Nothing when it is not known: it is then asked with the next read.
    profile: Mutex<Known>,
    version: Mutex<Option<(String, Instant)>>,
    pub(crate) shape: Mutex<KnownShape>,
    pub(crate) tables: std::sync::Mutex<HashMap<TableName, (Presence, Instant)>>,
    pub(crate) columns: std::sync::Mutex<HashMap<ColumnName, (Presence, Instant)>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("config", &self.config).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// Its version, such as `26.7.2.1`.
    pub version: String,
    /// Seconds since it started.
    pub uptime: u64,
    /// The name it gives itself.
    pub hostname: String,
}

impl Host {
    /// Prepares a host; nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates it should trust cannot be read.
    pub fn new(config: HostConfig, limits: Limits) -> Result<Self, HostConfigError> {
        let client = http::client(&config, limits.connect)?;
        Ok(Self {
            client,
            places: Places::new(limits),
            profile: Mutex::new(Known::Nothing),
            version: Mutex::new(None),
            shape: Mutex::new(KnownShape::Nothing),
            tables: std::sync::Mutex::default(),
            columns: std::sync::Mutex::default(),
            config,
            limits,
        })
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &HostConfig {
        &self.config
    }

    /// A claim of the caller's share, for [`Host::read_for`], if the caller has one left; `None` is the host itself, which has no share.
    #[must_use]
    pub fn try_claim(&self, holder: Option<&Holder>) -> Option<Claim> {
        self.places.try_claim(holder)
    }

    /// A claim, waited for.
    ///
    /// # Errors
    /// [`ReadError::ShareFull`] when too many of the caller's requests wait, or when this one waited in vain.
    pub async fn claim(&self, holder: Option<&Holder>) -> Result<Claim, ReadError> {
        self.places.claim(holder).await
    }

    /// [`Host::read_for`] what the host asks by itself.
    ///
    /// # Errors
    /// As there.
    pub async fn read(&self, query: &GuardedQuery, options: ReadOptions) -> Result<Rows, ReadError> {
        self.read_for(&self.places.claim(None).await?, query, options).await
    }

    /// Runs a guarded query with `readonly` and its limits in the same request, and waits for the beginning of its answer.
    ///
    /// # Errors
    /// Every way a query fails: see [`ReadError`].
    pub async fn read_for(&self, claim: &Claim, query: &GuardedQuery, options: ReadOptions) -> Result<Rows, ReadError> {
        options.check(query)?;
        let care = Care::of(query, &options);
        care.check(&options)?;
        self.read_carefully(claim, query, options, care).await.map_err(|error| error.about(query))
    }

    async fn read_carefully(
        &self,
        claim: &Claim,
        query: &GuardedQuery,
        options: ReadOptions,
        care: Care,
    ) -> Result<Rows, ReadError> {
        let place = self.places.place(claim).await?;
        let query_id = options.query_id.clone().unwrap_or_else(|| format!("chm-{}", ulid::Ulid::new()));
        let profile = self.profile().await?;
        match self.send((query, care), &options, &profile, &query_id, place).await {
            // The profile may have changed since it was asked: then it is asked again, and the query sent once more.
            Err(error @ ReadError::Server { code: 36 | 115 | 164 | 452 | 516 | 192..=195, .. }) => {
                *self.profile.lock().await = Known::Nothing;
                if matches!(error.code(), Some(516 | 192..=195)) {
                    return Err(error);
                }
                let fresh = self.profile().await?;
                if *fresh == *profile {
                    return Err(error);
                }
                let place = self.places.place(claim).await?;
                self.send((query, care), &options, &fresh, &query_id, place).await
            }
            result => result,
        }
    }

    async fn send(
        &self,
        (query, care): (&GuardedQuery, Care),
        options: &ReadOptions,
        profile: &Profile,
        query_id: &str,
        place: Place,
    ) -> Result<Rows, ReadError> {
        let literal = if profile.takes_parameters() || query.parameters().is_empty() {
            None
        } else {
            Some(query.with_literals(&options.parameters)?)
        };
        let sql = literal.as_ref().unwrap_or(query).sql();
        let mut request = self.client.query_raw(sql).with_setting("query_id", query_id);
        for (name, value) in settings(options, profile)? {
            request = request.with_setting(name, value);
        }
        if let Some(database) = &options.database {
            request = request.with_setting(http::DATABASE, database);
        }
        for (name, value) in options.parameters.iter().filter(|_| profile.takes_parameters()) {
            request = request.with_setting(format!("param_{name}"), escape_parameter(query, name, value));
        }
        let caps = Caps {
            rows: options.max_rows,
            bytes: options.max_bytes,
            silent_cut: profile.silent_cut(options.max_rows),
            exception_rows: profile.writes_exception_rows() || !profile.takes_parameters(),
            crlf: options.format == Format::Tsv && profile.accepts(TSV_CRLF),
            cells: Cells::new(options.format, options.cell_chars),
        };
        let deadline = Instant::now() + options.max_execution + GRACE;
        let cursor = request.fetch_bytes(options.format.name()).map_err(|e| ReadError::from_client(&e))?;
        let redactor = Redactor::new(options.format, care.rows);
        let redactor = if care.plan { redactor.of_plan() } else { redactor };
        let place =
            if profile.ends_with_the_connection() { place } else { place.must_stop(self.client.clone(), query_id) };
        Rows::begin(cursor, redactor, caps, deadline, query_id.to_owned(), place).await
    }

    /// What the user's profile allows. Callers that come while it is asked wait for the one answer, also when it is an error:
    /// else each in turn would wait for a dead server.
    pub(crate) async fn profile(&self) -> Result<Arc<Profile>, ReadError> {
        let came = Instant::now();
        let mut known = self.profile.lock().await;
        match &*known {
            Known::Profile(profile, asked) if asked.elapsed() < PROFILE_AGE => return Ok(Arc::clone(profile)),
            Known::Failure(error, failed) if *failed > came => return Err(error.clone()),
            _ => {}
        }
        let profile = match self.probe().await {
            Ok(profile) => Arc::new(profile),
            Err(error) => {
                *known = Known::Failure(error.clone(), Instant::now());
                return Err(error);
            }
        };
        *known = Known::Profile(Arc::clone(&profile), Instant::now());
        Ok(profile)
    }

    /// Asks for the settings; an old server again, in its own way.
    async fn probe(&self) -> Result<Profile, ReadError> {
        let answer = match self.ask_plainly(profile::PROBE).await {
            Ok(answer) => Profile::from_rows(lines(&answer)).ok_or(answer),
            Err(ReadError::Server { code: 16 | 47, .. }) => {
                let answer = self.ask_plainly(profile::OLD_PROBE).await?;
                Profile::from_old_rows(lines(&answer)).ok_or(answer)
            }
            // No right to look: only `readonly`, which users with and without it accept.
            Err(ReadError::Server { code: 60 | 497, .. }) => {
                let answer = self.ask_plainly("SELECT version() AS version").await?;
                let row: Option<VersionRow> = serde_json::from_slice(&answer).ok();
                Ok(Profile::of_version(row.and_then(|row| ServerVersion::parse(&row.version))))
            }
            Err(error) => return Err(error),
        };
        answer.map_err(|answer| ReadError::from_answer(&String::from_utf8_lossy(&answer)))
    }

    /// Asks without sending a setting, as a user with `readonly = 2` accepts not even `readonly`; an id is none.
    /// The statement is fixed, and passes the guard like every other.
    async fn ask_plainly(&self, sql: &str) -> Result<Vec<u8>, ReadError> {
        let query = GuardedQuery::check(sql).map_err(|_| ReadError::Broken)?;
        let cursor = self
            .client
            .query_raw(query.sql())
            .with_setting("query_id", format!("chm-{}", ulid::Ulid::new()))
            .fetch_bytes(Format::JsonEachRow.name())
            .map_err(|e| ReadError::from_client(&e))?;
        collect_within(cursor, OWN_QUESTION).await
    }

    /// Runs one of the host's own questions and reads its rows.
    pub(crate) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        parameters: Vec<(String, String)>,
        within: Duration,
    ) -> Result<Vec<T>, ReadError> {
        let query = GuardedQuery::check(sql).map_err(|_| ReadError::Broken)?;
        let options = ReadOptions {
            parameters,
            max_execution: within.max(Duration::from_secs(1)),
            log_comment: Some(r#"{"request":"chm-host"}"#.to_owned()),
            ..ReadOptions::default()
        };
        self.rows_of(&query, options).await
    }

    /// The rows of a read of the host's own.
    pub(crate) async fn rows_of<T: serde::de::DeserializeOwned>(
        &self,
        query: &GuardedQuery,
        options: ReadOptions,
    ) -> Result<Vec<T>, ReadError> {
        let mut rows = self.read(query, options).await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next_row().await? {
            all.push(serde_json::from_slice(&row).map_err(|_| ReadError::Broken)?);
        }
        Ok(all)
    }

    /// Its version; remembered for a day, asked again after a failure.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn version(&self) -> Result<String, ReadError> {
        let mut known = self.version.lock().await;
        if let Some((version, asked)) = known.as_ref()
            && asked.elapsed() < VERSION_AGE
        {
            return Ok(version.clone());
        }
        let status = self.status_row().await?;
        *known = Some((status.version.clone(), Instant::now()));
        Ok(status.version)
    }

    /// [`Host::version`], to compare with.
    ///
    /// # Errors
    /// When it cannot be asked, or its version is no number.
    pub async fn server_version(&self) -> Result<ServerVersion, ReadError> {
        ServerVersion::parse(&self.version().await?).ok_or(ReadError::Broken)
    }

    /// Version, uptime and host name, asked now.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn status(&self) -> Result<Status, ReadError> {
        let status = self.status_row().await?;
        *self.version.lock().await = Some((status.version.clone(), Instant::now()));
        Ok(status)
    }

    async fn status_row(&self) -> Result<Status, ReadError> {
        // As text and back: old servers quote 64-bit numbers, new ones do not.
        let sql = "SELECT version() AS version, toUInt32(uptime()) AS uptime, hostName() AS hostname";
        self.ask(sql, Vec::new(), OWN_QUESTION).await?.pop().ok_or(ReadError::Broken)
    }

    /// Whether it answers at all, and how fast. Takes no place among its queries, so that a busy host is not called down.
    ///
    /// # Errors
    /// When it does not answer in time, or refuses.
    pub async fn ping(&self, timeout: Duration) -> Result<Duration, ReadError> {
        let started = Instant::now();
        let cursor = self.client.query_raw("SELECT 1").fetch_bytes("TSV").map_err(|e| ReadError::from_client(&e))?;
        let answer = collect_within(cursor, timeout).await?;
        if answer != b"1\n" {
            return Err(ReadError::from_answer(&String::from_utf8_lossy(&answer)));
        }
        Ok(started.elapsed())
    }
}

/// The settings of a read, as far as the profile accepts them.
fn settings(options: &ReadOptions, profile: &Profile) -> Result<Vec<(&'static str, String)>, ReadError> {
    let mut settings = Vec::new();
    match profile.readonly() {
        // Set to what it is, `readonly` is accepted even by a user who accepts nothing (tried on 26.7).
        Some("1") | None => settings.push(("readonly", "1".to_owned())),
        Some(_) if profile.accepts("readonly") => settings.push(("readonly", "1".to_owned())),
        // Writing is refused by the user's own profile, and `readonly` with it.
        Some("2") => {}
        Some(_) => return Err(ReadError::ReadonlyPinned),
    }
    // One more than wanted tells whether there is more. With `break` whole blocks come (tried on 26.7), which the host cuts. `max_result_bytes`
    // is not sent: the server would cut there without a sign, and `truncated` would be a guess; the host counts bytes itself.
    let more = options.max_rows.saturating_add(1);
    let seconds = options.max_execution.as_secs().max(1);
    let fixed = |value: &str| Some(value.to_owned());
    let wanted = [
        ("max_execution_time", Some(profile.bounded("max_execution_time", seconds).to_string())),
        ("max_result_rows", Some(profile.bounded("max_result_rows", more).to_string())),
        ("result_overflow_mode", fixed("break")),
        ("timeout_overflow_mode", fixed("throw")),
        // Formats which cannot be cut in the host are cut by the server, exactly.
        ("limit", (!options.format.has_rows()).then(|| options.max_rows.to_string())),
        (TSV_CRLF, (options.format == Format::Tsv).then(|| "1".to_owned())),
        ("cancel_http_readonly_queries_on_client_close", fixed("1")),
        ("output_format_json_quote_64bit_integers", fixed("0")),
        ("http_write_exception_in_output_format", fixed("0")),
        ("log_comment", options.log_comment.clone()),
        ("session_timezone", options.timezone.clone()),
        ("skip_unavailable_shards", options.skip_unavailable_shards.then(|| "1".to_owned())),
    ];
    // Without `break` the row limit would be an error instead of an end.
    let breaks = profile.accepts("result_overflow_mode");
    settings.extend(wanted.into_iter().filter_map(|(name, value)| {
        let sent = profile.accepts(name) && (breaks || name != "max_result_rows");
        value.filter(|_| sent).map(|value| (name, value))
    }));
    Ok(settings)
}

/// The whole of a short answer.
pub(crate) async fn collect_within(
    mut cursor: clickhouse::query::BytesCursor,
    within: Duration,
) -> Result<Vec<u8>, ReadError> {
    const LARGEST: usize = 1024 * 1024;
    let collect = async {
        let mut answer = Vec::new();
        while let Some(chunk) = cursor.next().await.map_err(|e| ReadError::from_client(&e))? {
            answer.extend_from_slice(&chunk);
            if answer.len() > LARGEST {
                return Err(ReadError::Broken);
            }
        }
        Ok(answer)
    };
    tokio::time::timeout(within, collect).await.unwrap_or(Err(ReadError::Deadline { after: within }))
}

fn lines(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    answer.split(|b| *b == b'\n').filter(|line| !line.is_empty())
}

#[derive(Deserialize)]
struct VersionRow {
    version: String,
}

/// What is known of the user's profile, and since when.
enum Known {
    Nothing,
    Profile(Arc<Profile>, Instant),
    Failure(ReadError, Instant),
}
