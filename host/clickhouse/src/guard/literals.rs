//! Values written into a statement, for servers that know no `{name:Type}` parameters.
//!
//! Where a parameter stands the guard's tokenizer has told, so nothing is ever found by searching text. What is written is one literal,
//! one `CAST` of a string literal, or one quoted name, and the whole passes the guard again.

use super::{GuardedQuery, Parameter};
use crate::error::ReadError;

impl GuardedQuery {
    /// The statement with `values` in the place of its parameters. Types are kept where that matters: `LIMIT` and parameters of
    /// aggregate functions take plain literals only (tried on 18.16), so numbers and text are written plainly.
    ///
    /// # Errors
    /// [`ReadError::Parameter`] when a value is missing, is none of its type, or makes the statement too long.
    pub(crate) fn with_literals(&self, values: &[(String, String)]) -> Result<Self, ReadError> {
        let mut sql = String::with_capacity(self.sql.len());
        let mut rest = 0;
        for parameter in &self.parameters {
            let refuse = |why| ReadError::Parameter { name: parameter.name.chars().take(64).collect(), why };
            let value = values.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value);
            let value = value.ok_or_else(|| refuse("it has no value; give one"))?;
            let whole_type = self.sql.get(parameter.type_bytes.clone()).unwrap_or_default();
            sql.push_str(self.sql.get(rest..parameter.bytes.start).unwrap_or_default());
            // Spaces, so that it never runs into a word or an operator beside it.
            sql.push(' ');
            sql.push_str(&literal(parameter, whole_type, value).map_err(refuse)?);
            sql.push(' ');
            rest = parameter.bytes.end;
        }
        sql.push_str(self.sql.get(rest..).unwrap_or_default());
        let name = self.parameters.first().map(|p| p.name.chars().take(64).collect()).unwrap_or_default();
        let why =
            "its value makes the statement longer than this old server's statements may be, or unreadable; send less";
        match Self::check(&sql) {
            Ok(query) if query.parameters.is_empty() => Ok(query),
            _ => Err(ReadError::Parameter { name, why }),
        }
    }
}

/// One value as this type.
fn literal(parameter: &Parameter, whole_type: &str, value: &str) -> Result<String, &'static str> {
    let is = |kind: &str| parameter.kind.eq_ignore_ascii_case(kind);
    let plain_type = whole_type.trim();
    if is("Identifier") {
        let parts: Vec<String> = value.split('.').map(|part| format!("`{part}`")).collect();
        let good = GuardedQuery::is_bindable_identifier(value) && value.split('.').all(|part| !part.is_empty());
        return if good {
            Ok(parts.join("."))
        } else {
            Err("it stands for a column or table, so its value must be a plain name")
        };
    }
    if is("String") && plain_type.eq_ignore_ascii_case("String") {
        return Ok(quoted(value));
    }
    if let Some(range) = integers(plain_type) {
        return range.write(value);
    }
    if is("Float32") || is("Float64") {
        return float(plain_type, value);
    }
    if is("Bool") {
        return match value {
            "1" | "true" => Ok("1".to_owned()),
            "0" | "false" => Ok("0".to_owned()),
            _ => Err("its value must be true or false"),
        };
    }
    Ok(format!("CAST({} AS {plain_type})", quoted(value)))
}

/// The value in single quotes. Every byte that ends a literal, begins an escape or has two readings is written as an escape, which
/// ClickHouse has read alike since 18.16.
fn quoted(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('\'');
    for character in value.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => quoted.push_str("\\0"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// What an integer type holds.
struct Integers {
    least: i128,
    greatest: i128,
    type_name: &'static str,
}

fn integers(plain_type: &str) -> Option<Integers> {
    let signed = |bits: u32, type_name| Integers {
        least: -(1_i128 << (bits - 1)),
        greatest: (1_i128 << (bits - 1)) - 1,
        type_name,
    };
    let unsigned = |bits: u32, type_name| Integers { least: 0, greatest: (1_i128 << bits) - 1, type_name };
    Some(match plain_type.to_ascii_lowercase().as_str() {
        "uint8" => unsigned(8, "UInt8"),
        "uint16" => unsigned(16, "UInt16"),
        "uint32" => unsigned(32, "UInt32"),
        "uint64" => unsigned(64, "UInt64"),
        "int8" => signed(8, "Int8"),
        "int16" => signed(16, "Int16"),
        "int32" => signed(32, "Int32"),
        "int64" => signed(64, "Int64"),
        _ => return None,
    })
}

impl Integers {
    fn write(&self, value: &str) -> Result<String, &'static str> {
        let number: i128 = value.parse().map_err(|_| "its value must be a whole number")?;
        if number < self.least || number > self.greatest {
            return Err("its value is too small or too large for its type");
        }
        // A minus sign beside an operator might be read with it.
        Ok(if number < 0 { format!("CAST('{number}' AS {})", self.type_name) } else { number.to_string() })
    }
}

fn float(plain_type: &str, value: &str) -> Result<String, &'static str> {
    let number: f64 = value.parse().map_err(|_| "its value must be a number")?;
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let with_fraction = value.split_once('.').is_some_and(|(whole, fraction)| {
        [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    });
    Ok(match () {
        () if with_fraction => value.to_owned(),
        () if digits => format!("{value}.0"),
        // Rust's words for what is no plain number are ClickHouse's too: `inf`, `-inf`, `NaN`.
        () => format!("CAST('{number}' AS {plain_type})"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::token::{Kind, Token, tokenize};
    use super::*;

    fn written(sql: &str, value: &str) -> Result<GuardedQuery, ReadError> {
        GuardedQuery::check(sql).unwrap().with_literals(&[("x".to_owned(), value.to_owned())])
    }

    /// What ClickHouse reads between single quotes.
    fn read_back(literal: &str) -> String {
        let mut value = String::new();
        let mut characters = literal[1..literal.len() - 1].chars();
        while let Some(character) = characters.next() {
            match (character, character == '\\') {
                (_, true) => value.push(match characters.next().unwrap() {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '0' => '\0',
                    other => other,
                }),
                (other, false) => value.push(other),
            }
        }
        value
    }

    fn kinds(tokens: &[Token]) -> Vec<(Kind, String)> {
        tokens.iter().map(|t| (t.kind, t.text.clone())).collect()
    }

    #[test]
    fn values_become_literals_of_their_type() {
        for (sql, value, expected) in [
            ("SELECT {x:String}", "it's", r"SELECT  'it\'s' "),
            ("SELECT 1 LIMIT {x:UInt64}", "3", "SELECT 1 LIMIT  3 "),
            ("SELECT 1-{x:Int32}", "-5", "SELECT 1- CAST('-5' AS Int32) "),
            ("SELECT quantile({x:Float64})(n)", "0.5", "SELECT quantile( 0.5 )(n)"),
            ("SELECT {x:Float64}", "5", "SELECT  5.0 "),
            ("SELECT {x:Float64}", "-1e3", "SELECT  CAST('-1000' AS Float64) "),
            ("SELECT {x:Identifier} FROM t", "a.b", "SELECT  `a`.`b`  FROM t"),
            ("SELECT n FROM {x:Identifier}", "t", "SELECT n FROM  `t` "),
            (
                "SELECT has({x:Array(String)}, n)",
                "['a\\'b']",
                r"SELECT has( CAST('[\'a\\\'b\']' AS Array(String)) , n)",
            ),
            ("SELECT {x : Nullable ( String ) }", "a", "SELECT  CAST('a' AS Nullable ( String )) "),
            ("SELECT '{x:String}', {x:Bool}", "true", "SELECT '{x:String}',  1 "),
            ("SELECT {x:UInt8} /* {x:UInt8} */ + {x:UInt8}", "7", "SELECT  7  /* {x:UInt8} */ +  7 "),
        ] {
            assert_eq!(written(sql, value).unwrap().sql(), expected, "{sql}");
        }
    }

    #[test]
    fn values_of_another_type_are_refused_and_named() {
        for (sql, value) in [
            ("SELECT {x:UInt8}", "256"),
            ("SELECT {x:UInt8}", "-1"),
            ("SELECT {x:Int8}", "-129"),
            ("SELECT {x:UInt64}", "18446744073709551616"),
            ("SELECT {x:UInt64}", "1; DROP TABLE t"),
            ("SELECT {x:UInt64}", ""),
            ("SELECT {x:Float64}", "1 OR 1"),
            ("SELECT {x:Bool}", "maybe"),
            ("SELECT {x:Identifier} FROM t", "a`b"),
            ("SELECT {x:Identifier} FROM t", "a..b"),
            ("SELECT {y:String}", "a"),
        ] {
            let error = written(sql, value).unwrap_err();
            assert!(matches!(error, ReadError::Parameter { .. }), "{sql} {value}: {error}");
        }
        let error = written("SELECT {x:String}", &"x".repeat(100_000)).unwrap_err();
        assert!(error.to_string().starts_with("parameter `x`: "), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_one_literal_with_exactly_that_value(value in "(?s).{0,40}|[\\\\'`\"$/*{}#;\n\0-]{0,20}") {
            for (sql, at) in [("SELECT a,{x:String}||b FROM t WHERE {x:String}=c", 3), ("SELECT {x:String}", 1)] {
                let query = written(sql, &value).unwrap();
                let tokens = tokenize(query.sql()).unwrap();
                let literal = &tokens[at];
                prop_assert_eq!(literal.kind, Kind::Text);
                prop_assert_eq!(read_back(&query.sql()[literal.bytes.clone()]), value.clone());
                // The statement around it is what it was.
                let same = tokenize(&sql.replace("{x:String}", "''")).unwrap();
                prop_assert_eq!(kinds(&tokens), kinds(&same));
            }
        }

        #[test]
        fn any_text_in_a_cast_is_one_literal_too(value in "(?s).{0,40}|[\\\\'\\[\\],]{0,20}") {
            let sql = "SELECT 1 IN {x:Array(String)} AND 2";
            let query = written(sql, &value).unwrap();
            let tokens = tokenize(query.sql()).unwrap();
            let same = tokenize("SELECT 1 IN CAST('' AS Array(String)) AND 2").unwrap();
            prop_assert_eq!(kinds(&tokens), kinds(&same));
            let literal = tokens.iter().find(|t| t.kind == Kind::Text).unwrap();
            prop_assert_eq!(read_back(&query.sql()[literal.bytes.clone()]), value);
        }

        #[test]
        fn any_number_is_that_number(number in any::<i64>(), unsigned in any::<u64>(), float in any::<f64>()) {
            let digits = |sql: &str| -> String { sql.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect() };
            let signed = written("SELECT f({x:Int64})", &number.to_string()).unwrap();
            prop_assert_eq!(digits(&signed.sql().replace("Int64", "")), number.to_string());
            let unsigned_sql = written("SELECT f({x:UInt64})", &unsigned.to_string()).unwrap();
            prop_assert_eq!(digits(unsigned_sql.sql()), unsigned.to_string());
            let float = written("SELECT f({x:Float64})", &float.to_string());
            prop_assert!(float.is_ok());
        }

        #[test]
        fn any_text_where_a_number_belongs_is_a_number_or_refused(value in "(?s).{0,12}|[0-9eE.+-]{0,8}") {
            for sql in ["SELECT f({x:UInt8})", "SELECT f({x:Int64})", "SELECT f({x:Float64})"] {
                let Ok(query) = written(sql, &value) else { continue };
                let count = tokenize(query.sql()).unwrap().iter().filter(|t| t.kind == Kind::Number || t.kind == Kind::Text).count();
                prop_assert_eq!(count, 1);
            }
        }
    }
}
