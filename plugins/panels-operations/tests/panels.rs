//! What holds of every panel.

#[test]
fn every_panel_is_described_without_a_mistake() {
    let found = chm_plugin::testing::all_problems::<panels_operations::Operations>();
    assert!(found.is_empty(), "{found:#?}");
}
