//! Tables, charts and counters about memory, processors, disks, metrics and settings.
//!
//! Each panel is a file in `panels`, named after it.

chm_plugin::export_panel_files!(System);
