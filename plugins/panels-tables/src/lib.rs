//! Tables, charts and counters about databases, tables, parts, replicas and dictionaries.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(Tables);
