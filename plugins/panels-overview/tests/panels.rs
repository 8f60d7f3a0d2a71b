//! What holds of every panel.

#[test]
fn every_panel_is_described_without_a_mistake() {
    let found = chm_plugin::testing::all_problems::<panels_overview::Overview>();
    assert!(found.is_empty(), "{found:#?}");
}
