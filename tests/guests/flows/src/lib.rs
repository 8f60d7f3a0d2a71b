//! Panels whose rows are many, slow, or break off.

use chm_plugin::panels::{Column, Panel, Parameter};
use chm_plugin::{Feature, Panels};

struct Flows;

impl Panels for Flows {
    fn describe() -> Vec<Panel> {
        let table = |id: &str| Panel::table(id, Feature::Queries);
        let rows = || Parameter::integer("rows", 0..=10_000_000).default(10);
        vec![
            // Text that every format has to quote in its way.
            table("numbers")
                .parameter(rows())
                .query("SELECT number AS n, concat('a, \"b\"\t', toString(number), '\nc') AS text FROM numbers({rows:UInt64})")
                .columns([Column::integer("n"), Column::text("text")])
                .order_by("n"),
            // More than every buffer on the way holds.
            table("wide")
                .query("SELECT number AS n, repeat('x', 100000) AS text FROM numbers(500)")
                .columns([Column::integer("n"), Column::text("text")]),
            Panel::chart("newest", Feature::Queries)
                .parameter(rows())
                .query("SELECT number AS n FROM numbers({rows:UInt64})")
                .column(Column::integer("n"))
                .order_by("n")
                .keeps_last()
                .row_cap(100),
            // Never the same twice; `key` keeps claims apart.
            table("unique")
                .parameter(Parameter::text("key").default(""))
                .query("SELECT toString(generateUUIDv4()) AS id, {key:String} AS key")
                .columns([Column::text("id"), Column::text("key")])
                .cache_seconds(60),
            table("unique-and-slow")
                .parameter(Parameter::text("key").default(""))
                .query(
                    "SELECT toString(generateUUIDv4()) AS id, {key:String} AS key, count() AS n FROM numbers(200000000) \
                     WHERE NOT ignore(sipHash64(number))",
                )
                .columns([Column::text("id"), Column::text("key"), Column::integer("n")]),
            table("endless")
                .parameter(Parameter::text("key").default(""))
                .query(
                    "SELECT {key:String} AS key, count() AS n FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))",
                )
                .columns([Column::text("key"), Column::integer("n")]),
        ]
    }
}

chm_plugin::export!(panels: Flows);
