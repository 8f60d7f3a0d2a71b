//! Tables, charts and counters about clusters, shards, replicas and Keeper.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(Cluster);
