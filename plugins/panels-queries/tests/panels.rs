//! What holds of every panel, and what the operator sets.

use chm_plugin::Panels;
use chm_plugin::testing::FakeHost;
use panels_queries::Queries;

#[test]
fn every_panel_is_described_without_a_mistake() {
    let found = chm_plugin::testing::all_problems::<Queries>();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_operators_users_are_left_out_of_the_history_by_default() {
    let default = || {
        let panels = Queries::describe();
        let history = panels.iter().find(|panel| panel.id == "history-queries").unwrap();
        history.filters.iter().find(|filter| filter.name == "excluded_users").unwrap().default.clone()
    };
    {
        let _host = FakeHost::new();
        assert_eq!(default(), None);
    }
    let _host = FakeHost::new().setting("excluded_users", "monitor,backup");
    assert_eq!(default().as_deref(), Some("monitor,backup"));
}
