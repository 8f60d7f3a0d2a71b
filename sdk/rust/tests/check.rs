//! Mistakes in a panel's description are found by the author's own test.

use chm_plugin::panels::{Column, Filter, Operator, Panel, Parameter, RowAction, VariantQuery};
use chm_plugin::testing::{all_problems, problems};
use chm_plugin::{Feature, Panels};

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
        (sound().order_by("-u"), "its order is `u`, which is no column"),
        (sound().check("u", 1.0, 2.0), "its check is `u`, which is no column"),
        (sound().check("t", 2.0, 1.0), "critical before it is a warning"),
        (sound().filter(Filter::new("u", &[Operator::Eq])), "a filter is `u`, which is no column"),
        (sound().filter(Filter::new("t", &[])), "filter `t` has no operator"),
        (sound().filter(Filter::new("t", &[Operator::Contains])), "an operator of filter `t` does not fit its column"),
        (sound().filter(Filter::new("hours", &[Operator::Eq]).column("t")), "filter `hours`: the name appears twice"),
        (sound().filter(Filter::new("sort", &[Operator::Eq]).column("t")), "filter `sort` is the host's own"),
        (
            sound().action(RowAction::new("killQuery", "Kill").argument("queryId", "id")),
            "an action is `id`, which is no column",
        ),
        (sound().column(Column::text("u").needs(&["v"])), "and the panel requires none"),
        (sound().column(Column::text("u").sql("{v:String}")), "have expressions, but no query has `$columns`"),
        (sound().variant(VariantQuery::new("SELECT $columns, {hours:UInt8}").needs("system.parts")), "either each"),
        (sound().query_since("24.1", "SELECT {hours:UInt8} FROM $parts"), "`$parts` is neither `$columns` nor a table"),
        (sound().when_empty("others"), "only a table can show another one"),
        (Panel::counter("c", Feature::Queries).column(Column::count("n")), "a counter has one column, `count`"),
        (Panel::table("Bad Id", Feature::Queries), "an id has a-z"),
    ];
    for (panel, expected) in cases {
        let found = problems(&panel);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn what_panels_say_of_each_other_is_looked_at_too() {
    struct Two;

    impl Panels for Two {
        fn describe() -> Vec<Panel> {
            let table = || {
                let column = Column::integer("one");
                Panel::table("a", Feature::Queries).summary("A.").query("SELECT 1 AS one").column(column)
            };
            vec![table(), table().when_empty("b")]
        }
    }

    assert_eq!(
        all_problems::<Two>(),
        ["a: two panels of one shape have this id", "a: when it is empty, `b` is shown, which is no table here"]
    );
}
