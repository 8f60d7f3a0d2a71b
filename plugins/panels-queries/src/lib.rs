//! Tables, charts and counters about queries: running, past, failed and costly ones.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(Queries);
