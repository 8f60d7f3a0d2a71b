//! Mistakes in a panel's description are found by the author's own test.

use chm_plugin::Feature;
use chm_plugin::panels::{Column, Panel, Parameter};
use chm_plugin::testing::problems;

fn sound() -> Panel {
    Panel::chart("queries", Feature::Queries)
        .summary("Queries.")
        .parameter(Parameter::integer("hours", 1..=24).default(3))
        .query("SELECT toStartOfHour(event_time) AS t FROM system.query_log WHERE h < {hours:UInt16}")
        .column(Column::timestamp("t"))
        .x("t")
}

#[test]
fn a_sound_panel_has_no_problem() {
    assert!(problems(&sound()).is_empty(), "{:?}", problems(&sound()));
}

#[test]
fn each_mistake_is_named() {
    let cases = [
        (sound().parameter(Parameter::text("who").default("")), "no query uses parameter `who`"),
        (sound().parameter(Parameter::text("hostId")), "`hostId` is the host's own"),
        (sound().query_since("24.1", "SELECT {x:String}"), "uses `{x:…}`, which is no parameter"),
        (sound().query_since("24.1", "SELECT {hours:UInt16} FORMAT JSON"), "leaves FORMAT to the host"),
        (sound().query("SELECT {hours:UInt16}"), "two queries are for version None"),
        (sound().column(Column::text("t")), "column `t` appears twice"),
        (sound().x("y"), "x is `y`, which is no column"),
        (sound().parameter(Parameter::integer("hours", 1..=9).default(10)), "the default `10` of `hours`"),
        (sound().planned(), "a planned or fetched one has none"),
        (Panel::table("Bad Id", Feature::Queries), "an id has a-z"),
    ];
    for (panel, expected) in cases {
        let found = problems(&panel);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
}
