//! Tables and charts about queries, merges, parts, disks and settings.
//!
//! Each panel is a file in `tables` or `charts`, named after it, and a line in the list there.

mod charts;
mod family;
mod tables;

use chm_plugin::Panels;
use chm_plugin::panels::Panel;

/// The bundled panels.
pub struct Queries;

impl Panels for Queries {
    fn describe() -> Vec<Panel> {
        let mut panels = tables::all();
        panels.extend(charts::all());
        panels
    }
}

chm_plugin::export!(panels: Queries);
