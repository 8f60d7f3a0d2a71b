//! What the explorer shows of a database, a table and its columns.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(Explorer);
