//! Tables, charts and counters about merges, mutations, moves and backups.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(Operations);
