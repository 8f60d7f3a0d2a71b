//! What a panel or tool belongs to in the permission matrix.

/// A feature of the host's permission matrix. An operator opens, closes or restricts it as a whole.
///
/// Choose the one that describes what the panel or tool shows; choose [`Feature::Own`] where none does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// The landing page.
    Overview,
    /// The AI agent.
    Agent,
    /// Findings and recommendations.
    Insights,
    /// Checks.
    Health,
    /// Queries: running, past, failed, slow.
    Queries,
    /// Databases, tables, columns, parts, and statements over them.
    Tables,
    /// Server metrics and resource use.
    Metrics,
    /// Dashboards that people put together.
    Dashboard,
    /// Users, roles, sessions.
    Security,
    /// Text logs, crashes, traces.
    Logs,
    /// Settings of the server.
    Settings,
    /// Plans and invoices.
    Billing,
    /// Clusters, shards, replicas, Keeper.
    Cluster,
    /// Merges, mutations, moves, backups.
    Operations,
    /// Whatever changes a server.
    Actions,
    /// The MCP endpoint.
    Mcp,
    /// PeerDB.
    Peerdb,
    /// Documentation.
    Docs,
    /// Version and licence.
    About,
    /// A feature of the plugin's own: its id, as in `plugin.toml`. Signed-in callers only, until the operator says otherwise.
    Own(&'static str),
}

impl Feature {
    /// All of the host's own.
    pub const ALL: [Self; 19] = [
        Self::Overview,
        Self::Agent,
        Self::Insights,
        Self::Health,
        Self::Queries,
        Self::Tables,
        Self::Metrics,
        Self::Dashboard,
        Self::Security,
        Self::Logs,
        Self::Settings,
        Self::Billing,
        Self::Cluster,
        Self::Operations,
        Self::Actions,
        Self::Mcp,
        Self::Peerdb,
        Self::Docs,
        Self::About,
    ];

    /// The word used in configuration and in the interface.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Agent => "agent",
            Self::Insights => "insights",
            Self::Health => "health",
            Self::Queries => "queries",
            Self::Tables => "tables",
            Self::Metrics => "metrics",
            Self::Dashboard => "dashboard",
            Self::Security => "security",
            Self::Logs => "logs",
            Self::Settings => "settings",
            Self::Billing => "billing",
            Self::Cluster => "cluster",
            Self::Operations => "operations",
            Self::Actions => "actions",
            Self::Mcp => "mcp",
            Self::Peerdb => "peerdb",
            Self::Docs => "docs",
            Self::About => "about",
            Self::Own(id) => id,
        }
    }
}
