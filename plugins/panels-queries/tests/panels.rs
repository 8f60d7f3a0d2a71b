//! What holds of every panel.

use std::collections::BTreeSet;

use chm_plugin::Panels;
use chm_plugin::panels::{Panel, Shape};
use chm_plugin::testing::problems;
use panels_queries::Queries;

fn ids(shape: Shape) -> Vec<String> {
    Queries::describe().into_iter().filter(|panel| panel.shape == shape).map(|panel| panel.id).collect()
}

#[test]
fn every_panel_is_described_without_a_mistake() {
    let found: Vec<String> = Queries::describe().iter().flat_map(problems).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_two_panels_of_a_shape_share_a_name() {
    for shape in [Shape::Table, Shape::Chart] {
        let ids = ids(shape);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    }
}

#[test]
fn charts_over_time_take_the_contracts_parameters_and_defaults() {
    let windows = [
        ("query-count", "toStartOfDay", "336"),
        ("failed-query-count", "toStartOfMinute", "168"),
        ("query-duration-percentiles", "toStartOfHour", "168"),
        ("new-parts-created", "toStartOfFifteenMinutes", "24"),
        ("merge-count", "toStartOfFiveMinutes", "12"),
        ("memory-usage", "toStartOfTenMinutes", "24"),
    ];
    let panels = Queries::describe();
    for (id, interval, hours) in windows {
        let defaults: Vec<_> = panels
            .iter()
            .filter(|panel| panel.shape == Shape::Chart && panel.id == id)
            .flat_map(|panel| &panel.parameters)
            .map(|parameter| (parameter.name.as_str(), parameter.default.as_deref()))
            .collect();
        assert_eq!(defaults, [("interval", Some(interval)), ("lastHours", Some(hours))], "{id}");
    }
}

#[test]
fn charts_of_resources_belong_to_the_feature_metrics() {
    for panel in Queries::describe().into_iter().filter(|panel| panel.shape == Shape::Chart) {
        let of_resources = ["memory-usage", "cpu-usage", "disk-size"].contains(&panel.id.as_str());
        assert_eq!(panel.feature == "metrics", of_resources, "{}", panel.id);
    }
}

#[test]
fn a_panel_reads_no_other_tables_than_it_says() {
    let says = |panel: &Panel, table: &str| panel.requires.iter().any(|needed| needed.table == table);
    for panel in Queries::describe() {
        for sql in panel.queries.iter().map(|query| &query.sql) {
            let named = sql.split("system.").skip(1).map(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                rest[..end].to_owned()
            });
            let families = sql
                .split("merge('system', '^")
                .skip(1)
                .filter_map(|rest| rest.split_once("(_"))
                .map(|(log, _)| log.to_owned());
            for table in named.chain(families) {
                assert!(says(&panel, &format!("system.{table}")), "{} reads system.{table}", panel.id);
            }
        }
    }
}

#[test]
fn a_chart_too_long_to_be_shown_loses_its_oldest_rows() {
    for panel in Queries::describe().iter().filter(|panel| panel.x.as_deref() == Some("event_time")) {
        let newest = format!("ORDER BY event_time DESC LIMIT {}) ORDER BY event_time", panel.row_cap);
        assert!(panel.queries.iter().all(|query| query.sql.ends_with(&newest)), "{}", panel.id);
    }
}
