//! Writes the Rust that builds the panels, with the SDK's own builder.

use std::fmt::Write as _;

use toml::Spanned;

use crate::check::FEATURES;
use crate::columns::{Column, Kind as ColumnKind};
use crate::file::{Action, Drawing, Filter, PanelFile, Read, Source, Variant};
use crate::named::Named;
use crate::panel::Panel;
use crate::parameters::{Kind, Parameter};
use crate::shape::Shape;

/// One expression: a `Vec<Panel>`.
pub(crate) fn rust(panels: &[Panel], plugin: Option<&str>) -> String {
    let mut code = "{\n    #[allow(unused_imports)]\n    use ::chm_plugin::panels::{Column, Drawing, Filter, Operator, Panel, \
                    Parameter, Requirement, RowAction, VariantQuery};\n    #[allow(unused_imports)]\n    use ::chm_plugin::Feature;\n    \
                    ::std::vec![\n"
        .to_owned();
    for panel in panels {
        let _ = writeln!(code, "        {},", one(panel, plugin));
    }
    code.push_str("    ]\n}\n");
    code
}

/// A text as Rust writes it.
fn text(text: &str) -> String {
    format!("{text:?}")
}

fn one(Panel { id, shape, file }: &Panel, plugin: Option<&str>) -> String {
    let feature = feature(file.feature.get_ref(), plugin);
    let mut code = format!("Panel::{}({}, {feature})", shape.constructor(), text(id));
    let mut call = |method: &str, argument: &str| {
        let _ = write!(code, "\n            .{method}({argument})");
    };
    call("title", &text(&file.title));
    call("summary", &text(&file.summary));
    for parameter in file.parameters.iter() {
        if let Some(parameter) = written_parameter(parameter) {
            call("parameter", &parameter);
        }
    }
    match file.source {
        Some(Source::Planned) => call("planned", ""),
        Some(Source::Fetched) => call("fetched", ""),
        None => {}
    }
    if let Some(sql) = &file.sql {
        call("query", &text(sql.get_ref().trim()));
    }
    for one in &file.variants {
        call("variant", &variant(one));
    }
    for read in &file.reads {
        call("requires", &requirement(read.get_ref()));
    }
    for column in file.columns.iter() {
        call("column", &written_column(column));
    }
    for one in file.filters.iter() {
        call("filter", &filter(one));
    }
    for key in &file.order_by {
        call("order_by", &text(key.get_ref()));
    }
    if keeps_last(file) {
        call("keeps_last", "");
    }
    if let Some(drawing) = &file.drawing {
        call("drawing", drawn(*drawing.get_ref()));
    }
    if let Some(x) = &file.x {
        call("x", &text(x.get_ref()));
    }
    if file.refresh_seconds > 0 {
        call("refresh_seconds", &file.refresh_seconds.to_string());
    }
    call("cache_seconds", &cache_seconds(file).to_string());
    call("row_cap", &file.row_cap.unwrap_or(shape.row_cap()).to_string());
    if let Some(rows) = file.default_limit {
        call("default_limit", &rows.to_string());
    }
    if file.transforms {
        call("transformed", "");
    }
    if let Some(other) = &file.when_empty {
        call("when_empty", &text(other.get_ref()));
    }
    if let Some(check) = &file.check {
        call("check", &format!("{}, {:?}, {:?}", text(check.column.get_ref()), check.warning, check.critical));
    }
    for one in &file.actions {
        call("action", &action(one));
    }
    if *shape == Shape::Chart && file.drawing.is_none() {
        call("drawing", drawn(Drawing::Line));
    }
    code
}

fn feature(id: &str, plugin: Option<&str>) -> String {
    if plugin == Some(id) && !FEATURES.contains(&id) {
        return format!("Feature::Own({})", text(id));
    }
    let (first, rest) = id.split_at(id.chars().next().map_or(0, char::len_utf8));
    format!("Feature::{}{rest}", first.to_uppercase())
}

/// A chart that runs along a time ends now: what is too much is its beginning.
fn keeps_last(file: &PanelFile) -> bool {
    let Some(x) = file.x.as_ref().map(Spanned::get_ref) else { return false };
    let ordered = file.order_by.first().is_some_and(|key| key.get_ref() == x);
    ordered && file.columns.of(x).is_some_and(|column| column.kind == ColumnKind::Timestamp)
}

/// Others may get an answer that is a third of a page's patience old.
fn cache_seconds(file: &PanelFile) -> u32 {
    file.cache_seconds.unwrap_or(match file.refresh_seconds {
        0 => 5,
        seconds => (seconds / 3).clamp(1, 30),
    })
}

const fn drawn(drawing: Drawing) -> &'static str {
    match drawing {
        Drawing::Line => "Drawing::Line",
        Drawing::Area => "Drawing::Area",
        Drawing::Bar => "Drawing::Bar",
        Drawing::Stat => "Drawing::Stat",
    }
}

fn written_parameter(Named { name, value, .. }: &Named<Parameter>) -> Option<String> {
    let kind = value.kind().ok()?;
    let name = text(name);
    let mut code = match &kind {
        Kind::Integer([min, max]) => format!("Parameter::integer({name}, {min}..={max})"),
        Kind::Number([min, max]) => format!("Parameter::number({name}, {min:?}..={max:?})"),
        Kind::Text(longest) => format!("Parameter::text({name}).max_length({longest})"),
        Kind::Boolean => format!("Parameter::boolean({name})"),
        Kind::Choice(choices) => {
            let choices = choices.iter().map(|(value, binds)| format!("({}, {})", text(value), text(binds)));
            format!("Parameter::choice({name}, &[{}])", choices.collect::<Vec<_>>().join(", "))
        }
    };
    let _ = write!(code, ".summary({})", text(value.summary()));
    if let Some(default) = value.default_text(&kind).ok()? {
        let _ = write!(code, ".default({})", text(&default));
    }
    Some(code)
}

fn texts<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    all.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

fn requirement(read: &Read) -> String {
    let mut code = format!("Requirement::table({})", text(&read.table));
    if !read.columns.is_empty() {
        let _ = write!(code, ".columns(&[{}])", texts(read.columns.iter().map(String::as_str)));
    }
    if read.family {
        code.push_str(".family()");
    }
    code
}

fn variant(variant: &Variant) -> String {
    let mut code = format!("VariantQuery::new({})", text(variant.sql.get_ref().trim()));
    if let Some(since) = &variant.since {
        let _ = write!(code, ".since({})", text(since.get_ref()));
    }
    for need in &variant.needs {
        // `database.table`, or with a column behind it.
        let parts: Vec<&str> = need.get_ref().splitn(3, '.').collect();
        let (table, column) = parts.split_at(parts.len().min(2));
        let columns =
            if column.is_empty() { String::new() } else { format!(".columns(&[{}])", texts(column.iter().copied())) };
        let _ = write!(code, ".needs(Requirement::table({}){columns})", text(&table.join(".")));
    }
    code
}

fn written_column(Named { name, value, .. }: &Named<Column>) -> String {
    let mut code = format!("Column::{}({})", value.kind.word(), text(name));
    if value.fractional {
        code.push_str(".fractional()");
    }
    if value.nullable {
        code.push_str(".nullable()");
    }
    if let Some(summary) = &value.summary {
        let _ = write!(code, ".summary({})", text(summary));
    }
    if let Some(sql) = &value.sql {
        let _ = write!(code, ".sql({})", text(sql.get_ref().trim()));
    }
    if !value.needs.is_empty() {
        let _ = write!(code, ".needs(&[{}])", texts(value.needs.iter().map(|need| need.get_ref().as_str())));
    }
    if let Some(otherwise) = &value.otherwise {
        let _ = write!(code, ".otherwise({})", text(otherwise.get_ref().trim()));
    }
    code
}

fn filter(Named { name, value, .. }: &Named<Filter>) -> String {
    let operators: Vec<String> =
        value.operators.iter().map(|operator| format!("Operator::{}", operator.get_ref().variant())).collect();
    let mut code = format!("Filter::new({}, &[{}])", text(name), operators.join(", "));
    if let Some(column) = &value.column {
        let _ = write!(code, ".column({})", text(column.get_ref()));
    }
    if let Some(scale) = value.scale {
        let _ = write!(code, ".scale({scale:?})");
    }
    if let Some(default) = &value.default {
        let _ = write!(code, ".default({})", text(default.get_ref()));
    }
    let _ = write!(code, ".summary({})", text(&value.summary));
    code
}

fn action(action: &Action) -> String {
    let mut code = format!("RowAction::new({}, {})", text(action.action.get_ref()), text(&action.title));
    for argument in action.arguments.iter() {
        let _ = write!(code, ".argument({}, {})", text(&argument.name), text(&argument.value));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_are_those_of_the_sdk() {
        assert_eq!(FEATURES, chm_plugin::Feature::ALL.map(chm_plugin::Feature::id));
        for known in chm_plugin::Feature::ALL {
            assert_eq!(feature(known.id(), None), format!("Feature::{known:?}"));
        }
        assert_eq!(feature("my-own", Some("my-own")), "Feature::Own(\"my-own\")");
    }

    #[test]
    fn texts_are_written_as_rust_reads_them() {
        assert_eq!(text("a \"b\" \\ …\n"), r#""a \"b\" \\ …\n""#);
    }
}
