//! The charts of the landing page.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(Overview);
