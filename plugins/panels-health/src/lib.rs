//! Charts with thresholds: what is wrong with a server, and how badly.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(Health);
