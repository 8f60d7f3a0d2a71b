//! Parameters, and their use in statements.

use std::collections::BTreeSet;

use super::{Found, query_names};
use crate::file::PanelFile;
use crate::near;
use crate::sql::{Token, tokens};

pub(super) fn check(file: &PanelFile, found: &mut Found) {
    let mut taken = BTreeSet::new();
    query_names("parameter", file.parameters.iter(), &mut taken, found);
    query_names("filter", file.filters.iter(), &mut taken, found);
    for parameter in file.parameters.iter() {
        let (name, value) = (&parameter.name, &parameter.value);
        if value.summary().trim().is_empty() {
            found.push((parameter.at, format!("parameter `{name}` has no `summary`")));
        }
        match value.kind() {
            Err(said) => found.push((parameter.at, format!("parameter `{name}`: {said}"))),
            Ok(kind) => {
                if let Err(said) = value.default_text(&kind) {
                    found.push((value.default_at(), format!("parameter `{name}`: {said}")));
                }
            }
        }
    }
    if file.source.is_some() {
        return;
    }
    let mut used = BTreeSet::new();
    let expressions = file.columns.iter().flat_map(|column| column.value.sql.iter().chain(&column.value.otherwise));
    let statements = file.sql.iter().chain(file.variants.iter().map(|variant| &variant.sql));
    for sql in statements.chain(expressions) {
        for placed in tokens(sql.get_ref()) {
            let Token::Placeholder { name, kind: placeholder } = placed.token else { continue };
            let place = super::at(sql);
            match file.parameters.of(name).map(|parameter| parameter.kind()) {
                None => {
                    let hint = near::hint(name, file.parameters.names());
                    found.push((
                        place,
                        format!("the statement uses `{{{name}:{placeholder}}}`, which is no parameter{hint}"),
                    ));
                }
                Some(Ok(kind)) if !kind.fits(placeholder) => {
                    let said = format!("the type in `{{{name}:{placeholder}}}` does not fit the parameter's values");
                    found.push((place, said));
                }
                Some(_) => {}
            }
            used.insert(name);
        }
    }
    for parameter in file.parameters.iter().filter(|parameter| !used.contains(parameter.name.as_str())) {
        let name = &parameter.name;
        found.push((
            parameter.at,
            format!("no statement uses parameter `{name}`; write `{{{name}:Type}}`, or remove it"),
        ));
    }
}
