//! Which functions may be named. From `system.table_functions` and `system.functions` of 26.7.2
//! (all 1,825 read and judged), plus names of older versions. All in lower case: the guard compares without case.

/// Table functions which only make rows up or read tables of this server.
pub(super) const TABLE_FUNCTIONS: &[&str] = &[
    "numbers",
    "numbers_mt",
    "zeros",
    "zeros_mt",
    "primes",
    "generaterandom",
    "generateseries",
    "generate_series",
    "values",
    "view",
    "merge",
    "null",
    "mergetreeindex",
    "mergetreeprojection",
    "mergetreetextindex",
    "mergetreeanalyzeindexes",
    "timeseriesdata",
    "timeseriesmetrics",
    "timeseriesselector",
    "timeseriestags",
];

/// Table functions which reach files, networks, other servers or other programs, or which hide SQL in text.
const OUTSIDE: &[&str] = &[
    "arrowflight",
    "arrow_flight",
    "cluster",
    "clusterallreplicas",
    "cosn",
    "dictionary",
    "eval",
    "executable",
    "file",
    "filecluster",
    "filesystem",
    "gcs",
    "gcscluster",
    "hdfs",
    "hdfscluster",
    "input",
    "jdbc",
    "kafka",
    "kql",
    "loop",
    "meilisearch",
    "mongo",
    "mongodb",
    "mysql",
    "nats",
    "odbc",
    "oss",
    "osscluster",
    "postgresql",
    "prometheusquery",
    "prometheusqueryrange",
    "rabbitmq",
    "redis",
    "remote",
    "remotesecure",
    "s3",
    "s3cluster",
    "s3queue",
    "azurequeue",
    "sqlite",
    "url",
    "urlcluster",
    "viewexplain",
    "viewifpermitted",
    "ytsaurus",
    "ytsaurusnode",
];

/// Families which gain a member with most releases.
const OUTSIDE_FAMILIES: &[&str] = &["azureblobstorage", "deltalake", "hudi", "iceberg", "paimon"];

/// Members of those families' names which are plain arithmetic.
const HARMLESS: &[&str] = &["icebergbucket", "iceberghash", "icebergtruncate"];

/// Scalar functions which are refused even without a call to be seen: `arrayMap(file, …)`,
/// `* APPLY(file)` and `WITH file AS f` call them by bare name (tried on 26.7).
const SCALARS: &[(&str, &str)] = &[
    ("file", "reads files"),
    ("hascolumnintable", "can open connections to other servers"),
    ("catboostevaluate", "runs a model file through another program"),
    ("evalmlmethod", "runs a stored model"),
    ("modelevaluate", "runs a model file"),
    ("generateserialid", "writes to Keeper"),
    ("getclienthttpheader", "reads the headers of the host's own request"),
    ("logtrace", "writes to the server's log"),
    ("sleep", "only waits"),
    ("sleepeachrow", "only waits"),
    ("aiclassify", "sends data to a language model"),
    ("aiembed", "sends data to a language model"),
    ("aiextract", "sends data to a language model"),
    ("aigenerate", "sends data to a language model"),
    ("aitranslate", "sends data to a language model"),
    ("aigeneratecontent", "sends data to a language model"),
    ("aigenerateembedding", "sends data to a language model"),
    ("aisimilarity", "sends data to a language model"),
];

/// Why a call of `name` is refused wherever it stands, or nothing.
pub(super) fn refused_call(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let outside = OUTSIDE.contains(&lower.as_str())
        || OUTSIDE_FAMILIES.iter().any(|family| lower.starts_with(family)) && !HARMLESS.contains(&lower.as_str());
    if outside { Some("reaches outside the server") } else { refused_name(&lower) }
}

/// Why the bare name is refused although it is not called, or nothing.
pub(super) fn refused_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    SCALARS.iter().find(|(scalar, _)| *scalar == lower).map(|(_, why)| *why)
}

/// Whether `name` may be called where a table stands.
pub(super) fn is_inside_table_function(name: &str) -> bool {
    TABLE_FUNCTIONS.contains(&name.to_ascii_lowercase().as_str())
}

/// The functions whose arguments may contain `FROM`: `extract(DAY FROM x)`.
pub(super) fn takes_from(name: &str) -> bool {
    ["extract", "trim", "ltrim", "rtrim", "substring", "substr", "overlay", "position"]
        .contains(&name.to_ascii_lowercase().as_str())
}

/// The operators and functions whose right side may be the name of a table.
pub(super) fn takes_set(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix("ignoreset").unwrap_or(&lower);
    ["in", "notin", "globalin", "globalnotin", "nullin", "notnullin", "globalnullin", "globalnotnullin"]
        .contains(&plain)
}
