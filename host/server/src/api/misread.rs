//! What poem-openapi says of parameters and bodies, in this API's words: what was expected, and not which type could not be parsed.

/// Its reason, reworded; one that is not known stays as it is, without the name of a type.
pub(super) fn reworded(reason: &str) -> String {
    if reason.ends_with("expects an input value.") {
        return "it is required".to_owned();
    }
    let what = match reason.strip_prefix("failed to parse \"").and_then(|rest| rest.split_once("\": ")) {
        Some((kind, _)) if kind.starts_with("integer(") => {
            return "expected a whole number that is not negative".to_owned();
        }
        Some(("boolean", _)) => return "expected true or false".to_owned(),
        Some((_, what)) => what,
        None => reason,
    };
    let Some((before, rule)) = what.split_once("verification failed. ") else {
        return match what {
            "Expect a valid enumeration value." => "expected one of the values that the document lists".to_owned(),
            _ => what.to_owned(),
        };
    };
    // Of a body: `field `x` `.
    let field = before.trim().strip_prefix("field ").map(|field| format!("{field}: ")).unwrap_or_default();
    format!("{field}{}", expected(rule))
}

/// The field of a body that a reason names.
pub(super) fn field(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("field `")?;
    Some(rest.split_once('`')?.0)
}

fn expected(rule: &str) -> String {
    let argument = |name: &str| {
        let inside = rule.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?;
        Some(inside.strip_suffix(", exclusive: false").unwrap_or(inside))
    };
    if let Some(most) = argument("maxLength") {
        format!("expected at most {most} characters")
    } else if let Some(least) = argument("minLength") {
        if least == "1" {
            "expected a text that is not empty".to_owned()
        } else {
            format!("expected at least {least} characters")
        }
    } else if let Some(least) = argument("minimum") {
        format!("expected {least} or more")
    } else if let Some(most) = argument("maximum") {
        format!("expected {most} or less")
    } else if let Some(pattern) = argument("pattern") {
        format!("expected what matches {}", pattern.trim_matches('"'))
    } else {
        format!("expected {rule}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_say_what_was_expected() {
        for (reason, said) in [
            ("Type \"integer(uint32)\" expects an input value.", "it is required"),
            (
                "failed to parse \"integer(uint32)\": invalid digit found in string",
                "expected a whole number that is not negative",
            ),
            (
                "failed to parse \"integer(uint32)\": cannot parse integer from empty string",
                "expected a whole number that is not negative",
            ),
            ("verification failed. maxLength(8000)", "expected at most 8000 characters"),
            ("verification failed. minLength(1)", "expected a text that is not empty"),
            ("verification failed. minimum(1, exclusive: false)", "expected 1 or more"),
            ("verification failed. maximum(10000, exclusive: false)", "expected 10000 or less"),
            ("verification failed. pattern(\"^[a-z]+$\")", "expected what matches ^[a-z]+$"),
            (
                "failed to parse \"Direction\": Expect a valid enumeration value.",
                "expected one of the values that the document lists",
            ),
            (
                "failed to parse \"ConsoleQuery\": field `sql` verification failed. maxLength(9)",
                "`sql`: expected at most 9 characters",
            ),
            ("failed to parse \"HostId\": it was sent twice; send it once", "it was sent twice; send it once"),
            ("something new", "something new"),
        ] {
            assert_eq!(reworded(reason), said, "{reason}");
        }
    }

    #[test]
    fn the_field_of_a_body_is_named() {
        assert_eq!(field("failed to parse \"X\": field `sql` verification failed. maxLength(9)"), Some("sql"));
        assert_eq!(field("expected a JSON object"), None);
    }
}
