//! Turns the files in `panels` into the panels of this plugin.

fn main() {
    chm_plugin_build::panels();
}
