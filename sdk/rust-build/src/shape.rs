//! What a panel is, by the folder its file lies in.

/// The folders of panel files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// `panels/tables`.
    Table,
    /// `panels/charts`.
    Chart,
    /// `panels/counters`.
    Counter,
    /// `panels/cluster-counters`.
    ClusterCounter,
}

impl Shape {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Table, Self::Chart, Self::Counter, Self::ClusterCounter];

    /// Name of the folder in `panels`.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Table => "tables",
            Self::Chart => "charts",
            Self::Counter => "counters",
            Self::ClusterCounter => "cluster-counters",
        }
    }

    /// The function of the SDK that begins such a panel.
    pub(crate) const fn constructor(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Chart => "chart",
            Self::Counter => "counter",
            Self::ClusterCounter => "cluster_counter",
        }
    }

    /// Whether it is one number.
    pub(crate) const fn counts(self) -> bool {
        matches!(self, Self::Counter | Self::ClusterCounter)
    }

    /// Most rows, unless the file says otherwise.
    pub(crate) const fn row_cap(self) -> u32 {
        match self {
            Self::Table => 1000,
            Self::Chart => 10_000,
            Self::Counter | Self::ClusterCounter => 1,
        }
    }
}
