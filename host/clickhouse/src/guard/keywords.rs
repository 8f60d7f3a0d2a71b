//! Words that decide what a neighbouring word is.

use super::token::{Kind, Token};

/// Statements that do not read; refused at the start of any bracket or after a WITH list.
const WRITING: &[&str] = &[
    "alter", "apply", "attach", "backup", "begin", "check", "commit", "copy", "create", "delete", "detach", "drop",
    "exchange", "execute", "grant", "insert", "kill", "move", "optimize", "rename", "replace", "restore", "revoke",
    "rollback", "set", "system", "truncate", "undrop", "update", "use", "watch",
];

/// Second words of the SHOW statements; each only lists something.
const SHOWN: &[&str] = &[
    "access",
    "changed",
    "cluster",
    "clusters",
    "columns",
    "create",
    "current",
    "databases",
    "dictionaries",
    "enabled",
    "engines",
    "extended",
    "fields",
    "filesystem",
    "full",
    "functions",
    "grants",
    "index",
    "indexes",
    "indices",
    "keys",
    "merges",
    "policies",
    "privileges",
    "processlist",
    "profiles",
    "quota",
    "quotas",
    "roles",
    "row",
    "setting",
    "settings",
    "table",
    "tables",
    "temporary",
    "users",
    "views",
];

/// Words that may directly follow a column, so that the column is not the start of a clause.
const FOLLOWING: &[&str] = &[
    "all",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "ascending",
    "asof",
    "between",
    "collate",
    "cross",
    "desc",
    "descending",
    "div",
    "else",
    "end",
    "except",
    "fetch",
    "final",
    "from",
    "full",
    "global",
    "group",
    "having",
    "ilike",
    "in",
    "inner",
    "interpolate",
    "intersect",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "mod",
    "not",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "over",
    "prewhere",
    "qualify",
    "regexp",
    "right",
    "rlike",
    "sample",
    "semi",
    "then",
    "union",
    "using",
    "when",
    "where",
    "window",
    "with",
];

fn is_in(token: &Token, words: &[&str]) -> bool {
    token.kind == Kind::Word && words.contains(&token.text.to_ascii_lowercase().as_str())
}

/// Starts a statement that writes or changes something.
pub(super) fn starts_writing(token: &Token) -> bool {
    is_in(token, WRITING)
}

/// A known second word of SHOW.
pub(super) fn is_shown(token: &Token) -> bool {
    is_in(token, SHOWN)
}

/// May follow a column.
pub(super) fn follows_column(token: &Token) -> bool {
    is_in(token, FOLLOWING)
}

/// Ends the list after FROM. Not OFFSET, which may belong to SAMPLE, and not FETCH, which may name what stands before it (tried on
/// 26.7): no list follows these two.
pub(super) fn ends_from(token: &Token) -> bool {
    is_in(
        token,
        &[
            "except",
            "group",
            "having",
            "intersect",
            "limit",
            "order",
            "prewhere",
            "qualify",
            "union",
            "where",
            "window",
        ],
    )
}

/// Stands between two selects.
pub(super) fn combines_selects(token: &Token) -> bool {
    is_in(token, &["union", "except", "intersect"])
}

/// A table comes after it.
pub(super) fn begins_table(token: &Token) -> bool {
    is_in(token, &["from", "insert", "join"])
}

/// Counts even where an alias may stand, as that AS may be a name itself.
pub(super) fn counts_after_as(token: &Token) -> bool {
    is_in(token, &["format", "into", "select", "settings"])
}

/// Something must follow that can be named, so that an `AS` directly behind it is no alias's.
pub(super) fn expects_operand(token: &Token) -> bool {
    const OTHERS: &[&str] =
        &["apply", "as", "by", "case", "distinct", "interval", "recursive", "replace", "select", "step", "to", "top"];
    is_in(token, OTHERS) || follows_column(token) && !is_in(token, &["end", "final"])
}
