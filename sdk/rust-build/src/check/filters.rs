//! Filters.

use super::{Found, at, is_column};
use crate::columns::Kind;
use crate::file::{Operator, PanelFile};

pub(super) fn check(file: &PanelFile, found: &mut Found) {
    for filter in file.filters.iter() {
        let (name, value) = (&filter.name, &filter.value);
        let (column, place) = match &value.column {
            Some(column) => (column.get_ref(), at(column)),
            None => (name, filter.at),
        };
        is_column(file, column, place, &format!("filter `{name}`"), found);
        if value.summary.trim().is_empty() {
            found.push((filter.at, format!("filter `{name}` has no `summary`")));
        }
        if value.operators.is_empty() {
            found.push((filter.at, format!("filter `{name}` has no operator; the first one is the default")));
        }
        let Some(kind) = file.columns.of(column).map(|column| column.kind) else { continue };
        for operator in &value.operators {
            let word = operator.get_ref().word();
            if !fits(*operator.get_ref(), kind) {
                let kind = kind.word();
                found.push((
                    at(operator),
                    format!("filter `{name}`: `{word}` does not fit a column of the kind {kind}"),
                ));
            }
        }
        if let Some(scale) = value.scale
            && (!kind.is_number() || !scale.is_finite() || scale == 0.0)
        {
            found.push((filter.at, format!("filter `{name}`: `scale` multiplies numbers, and is none itself when 0")));
        }
        if let Some(default) = &value.default
            && let Some((word, _)) = default.get_ref().split_once(':')
            && word.chars().all(char::is_alphabetic)
            && !value.operators.iter().any(|operator| operator.get_ref().word() == word)
        {
            found.push((
                at(default),
                format!("filter `{name}`: the default's operator `{word}` is not one of its operators"),
            ));
        }
    }
}

/// Whether a column of this kind can be compared so. The host holds the same table.
fn fits(operator: Operator, kind: Kind) -> bool {
    use Operator::{Between, Contains, Gt, Gte, In, Lt, Lte, NotContains, NotIn, WithinHours};
    match kind {
        Kind::Text | Kind::Statement => !matches!(operator, Gt | Gte | Lt | Lte | Between | WithinHours),
        Kind::Json => matches!(operator, Contains | NotContains),
        Kind::Timestamp => !matches!(operator, Contains | NotContains | In | NotIn),
        _ => !matches!(operator, Contains | NotContains | WithinHours),
    }
}
