//! One panel: its file, read and looked over.

use toml::Spanned;

use crate::check;
use crate::file::PanelFile;
use crate::near;
use crate::over_time;
use crate::problem::Problem;
use crate::shape::Shape;

/// A panel file with its place.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub id: String,
    pub shape: Shape,
    pub file: PanelFile,
}

/// What a file may name of its surroundings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// The plugin's id, where its `plugin.toml` says one.
    pub plugin: Option<String>,
    /// Ids of the tables beside it.
    pub tables: Vec<String>,
}

/// Reads a file and finds its mistakes.
///
/// # Errors
/// All that are found.
pub(crate) fn read(
    path: &str,
    id: &str,
    shape: Shape,
    text: &str,
    surroundings: &Surroundings,
) -> Result<Panel, Vec<Problem>> {
    let line_of = |at: usize| text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
    let problem =
        |at: Option<usize>, said: String| Problem { file: path.to_owned(), line: at.map(line_of), text: said };
    let mut file: PanelFile = toml::from_str(text).map_err(|error| {
        let said = error.message().trim().to_owned();
        let hint = meant(&said);
        vec![problem(error.span().map(|span| span.start), format!("{said}{hint}"))]
    })?;
    let mut found = check::as_written(&file, shape);
    if found.is_empty() {
        over_time::expand(&mut file);
        found = check::as_panel(id, &file, shape, surroundings);
    }
    if found.is_empty() {
        name_plain_columns(&mut file);
        return Ok(Panel { id: id.to_owned(), shape, file });
    }
    Err(found.into_iter().map(|(at, said)| problem(at, said)).collect())
}

/// Where no statement leaves the list of columns to the host, each column is what the statement calls it, and no table has to have it.
fn name_plain_columns(file: &mut PanelFile) {
    if file.statements().any(|sql| sql.contains("$columns")) {
        return;
    }
    for column in &mut file.columns.0 {
        if !column.value.is_written_by_the_host() {
            column.value.sql = Some(Spanned::new(0..0, format!("`{}`", column.name)));
        }
    }
}

/// The near one of the words that the parser expected.
fn meant(said: &str) -> String {
    let Some((unknown, expected)) = said.strip_prefix("unknown ").and_then(|rest| rest.split_once(", expected")) else {
        return String::new();
    };
    let quoted = |text| str::split(text, '`').skip(1).step_by(2);
    quoted(unknown).next().map_or_else(String::new, |word| near::hint(word, quoted(expected)))
}

impl PanelFile {
    /// All its statements.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &str> {
        let variants = self.variants.iter().map(|variant| variant.sql.get_ref());
        self.sql.iter().map(Spanned::get_ref).chain(variants).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHART: &str = "title = \"Q\"\nsummary = \"S.\"\nfeature = \"queries\"\nreads = [\"system.query_log*\"]\n\
                         [over_time]\ntable = \"query_log\"\ninterval = \"toStartOfHour\"\nhours = 24\nbreakdown = \"type\"\n\
                         [columns]\nquery_count = { kind = \"count\", sql = \"count()\" }\n[check]\ncolumn = \"query_count\"\n\
                         warning = 1\ncritical = 2\n[filters]\nquery_count = { operators = [\"gte\"], summary = \"S.\" }\n";

    fn parsed(text: &str) -> Result<Panel, Vec<Problem>> {
        read("x.toml", "x", Shape::Chart, text, &Surroundings::default())
    }

    #[test]
    fn the_chart_below_is_sound() {
        parsed(CHART).unwrap();
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = parsed(&text);
        }

        #[test]
        fn no_damage_to_a_file_makes_the_reader_panic(
            from in 0..CHART.len(), length in 0..60usize, put in "[a-z\"'\\[\\]{}=.$; \\n0-9…]{0,20}",
        ) {
            let mut text = CHART.to_owned();
            text.replace_range(from..CHART.len().min(from + length), &put);
            let _ = parsed(&text);
        }

        #[test]
        fn no_statement_makes_the_reader_panic(sql in "[a-z$ (){}:;'\"`\\\\*/.,#\\-\\nÄ…]{0,80}") {
            let file = format!(
                "title = \"Q\"\nsummary = \"S.\"\nfeature = \"queries\"\ndrawing = \"stat\"\nsql = {}\n[columns]\na = \"text\"\n",
                toml::Value::String(sql)
            );
            let _ = parsed(&file);
        }
    }
}
