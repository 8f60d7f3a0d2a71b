//! Tables, charts and counters about queries: running, past, failed and costly ones.
//!
//! Each panel is a file in `panels`, named after it. One thing in them is the operator's to set: whose queries the history leaves out.

use chm_plugin::Panels;
use chm_plugin::host::config;
use chm_plugin::panels::Panel;

/// The setting, and the filter whose default it is.
const EXCLUDED_USERS: &str = "excluded_users";

/// The bundled panels.
pub struct Queries;

impl Panels for Queries {
    fn describe() -> Vec<Panel> {
        let mut panels = chm_plugin::panel_files!();
        let excluded = config::get(EXCLUDED_USERS);
        let filters = panels.iter_mut().flat_map(|panel| &mut panel.filters);
        for filter in filters.filter(|filter| filter.name == EXCLUDED_USERS) {
            filter.default.clone_from(&excluded);
        }
        panels
    }
}

chm_plugin::export!(panels: Queries);
