//! Conditions that clients send: `<filter>=<operator>:<value>` (contract, http-api §6).

use chm_sandbox::bindings::panels::{self, ColumnKind, Operator};
use serde_json::{Value, json};

use crate::plugins::BadParameter;

/// Most values in a list, and most characters of all of them.
const MOST_VALUES: usize = 100;
const MOST_CHARACTERS: usize = 500;

/// A filter of a panel, checked when its plugin was loaded.
#[derive(Debug, Clone)]
pub struct Filter {
    declared: panels::Filter,
    kind: ColumnKind,
}

/// What one filter asks of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The filter's name.
    pub name: String,
    /// The column of the result.
    pub column: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Text(Operator, Vec<String>),
    Number(Operator, Vec<f64>),
    Time(Operator, Vec<String>),
    /// Seconds back from now.
    Within(u32),
}

impl Filter {
    /// Checks a declaration against the columns of its panel.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(declared: panels::Filter, columns: &[panels::Column]) -> Result<Self, String> {
        let name = &declared.name;
        let Some(column) = columns.iter().find(|column| column.name == declared.column) else {
            return Err(format!("filter `{name}`: `{}` is no column of the panel", declared.column));
        };
        if declared.operators.is_empty() {
            return Err(format!("filter `{name}` has no operator"));
        }
        if !declared.scale.is_finite() || declared.scale == 0.0 {
            return Err(format!("filter `{name}`: its scale must be a number other than 0"));
        }
        for operator in &declared.operators {
            if !fits(*operator, column.kind) {
                return Err(format!("filter `{name}`: {} does not fit its column", word(*operator)));
            }
        }
        let filter = Self { kind: column.kind, declared };
        if let Some(default) = &filter.declared.default {
            filter.condition(Some(default)).map_err(|bad| format!("the default of {bad}"))?;
        }
        Ok(filter)
    }

    /// Its name in the query string.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.declared.name
    }

    /// The column it is about.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.declared.column
    }

    /// What is asked when a client sends `sent`: nothing is the default, an empty value is no condition.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn condition(&self, sent: Option<&str>) -> Result<Option<Condition>, BadParameter> {
        let Some(text) = sent.or(self.declared.default.as_deref()).map(str::trim).filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        if text.chars().count() > MOST_CHARACTERS {
            return Err(self.bad(format!("expected at most {MOST_CHARACTERS} characters")));
        }
        let (operator, value) = self.operator(text)?;
        let test = self.test(operator, value)?;
        Ok(Some(Condition { name: self.declared.name.clone(), column: self.declared.column.clone(), test }))
    }

    /// A colon may be part of a value (`12:30:00`): only a known operator before it is one.
    fn operator<'t>(&self, text: &'t str) -> Result<(Operator, &'t str), BadParameter> {
        let Some((before, value)) = text.split_once(':') else {
            return Ok((self.declared.operators[0], text));
        };
        match OPERATORS.iter().find(|(_, word)| *word == before) {
            None => Ok((self.declared.operators[0], text)),
            Some((operator, _)) if self.declared.operators.contains(operator) => Ok((*operator, value.trim())),
            Some((_, word)) => Err(self.bad(format!("it does not take `{word}`; it takes {}", self.words()))),
        }
    }

    fn test(&self, operator: Operator, value: &str) -> Result<Test, BadParameter> {
        let values: Vec<&str> = match operator {
            Operator::InList | Operator::NotInList | Operator::Between => value.split(',').map(str::trim).collect(),
            _ => vec![value],
        };
        if operator == Operator::Between && values.len() != 2 {
            return Err(self.bad("`between` expects two values with a comma between them".to_owned()));
        }
        if values.len() > MOST_VALUES {
            return Err(self.bad(format!("expected at most {MOST_VALUES} values")));
        }
        let number = |text: &&str| match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number * self.declared.scale),
            _ => Err(self.bad(format!("expected a number, not `{}`", short(text)))),
        };
        match (operator, self.kind) {
            (Operator::WithinHours, _) => {
                let hours: f64 = number(&value)? / self.declared.scale;
                if !(hours > 0.0 && hours <= 8760.0) {
                    return Err(self.bad("expected hours, more than 0 and at most 8760".to_owned()));
                }
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
                Ok(Test::Within((hours * 3600.0) as u32))
            }
            (Operator::Contains | Operator::NotContains, _) => Ok(Test::Text(operator, vec![value.to_owned()])),
            (_, ColumnKind::Integer | ColumnKind::Number | ColumnKind::Boolean) => {
                Ok(Test::Number(operator, values.iter().map(number).collect::<Result<_, _>>()?))
            }
            (_, ColumnKind::Timestamp) => {
                for text in &values {
                    if !may_be_time(text) {
                        return Err(
                            self.bad(format!("expected a time such as 2026-01-31 23:59:59, not `{}`", short(text)))
                        );
                    }
                }
                Ok(Test::Time(operator, values.into_iter().map(str::to_owned).collect()))
            }
            _ => Ok(Test::Text(operator, values.into_iter().map(str::to_owned).collect())),
        }
    }

    fn bad(&self, reason: String) -> BadParameter {
        BadParameter { name: self.declared.name.clone(), reason }
    }

    fn words(&self) -> String {
        self.declared.operators.iter().map(|operator| word(*operator)).collect::<Vec<_>>().join(", ")
    }

    /// As an OpenAPI parameter object.
    #[must_use]
    pub fn openapi(&self) -> Value {
        let first = word(self.declared.operators[0]);
        let mut schema = json!({"type": "string", "maxLength": MOST_CHARACTERS});
        if let Some(default) = &self.declared.default {
            schema["default"] = json!(default);
        }
        let description = format!(
            "{} Filter on `{}`: `operator:value`, or a value for `{first}`; operators: {}. Empty: no condition.",
            self.declared.summary,
            self.declared.column,
            self.words(),
        );
        json!({
            "name": self.declared.name, "in": "query", "required": false,
            "description": description.trim_start(), "schema": schema,
        })
    }
}

impl Condition {
    /// As SQL; the values are bound, each under a name of its own.
    #[must_use]
    pub fn sql(&self, index: usize, bindings: &mut Vec<(String, String)>) -> String {
        let column = format!("`{}`", self.column);
        let mut bind = |value: String, kind: &str| {
            let name = format!("flt_{index}_{}", bindings.len());
            let placeholder = format!("{{{name}:{kind}}}");
            bindings.push((name, value));
            placeholder
        };
        let list = |values: Vec<String>| format!("({})", values.join(", "));
        match &self.test {
            Test::Within(seconds) => {
                format!("{column} > now() - toIntervalSecond({})", bind(seconds.to_string(), "UInt32"))
            }
            Test::Text(operator @ (Operator::Contains | Operator::NotContains), values) => {
                let found = if *operator == Operator::Contains { ">" } else { "=" };
                let value = bind(values.concat(), "String");
                format!("positionCaseInsensitiveUTF8(toString({column}), {value}) {found} 0")
            }
            Test::Text(operator, values) => {
                let values: Vec<String> = values.iter().map(|value| bind(value.clone(), "String")).collect();
                compare(&format!("toString({column})"), *operator, values, list)
            }
            Test::Number(operator, values) => {
                let values: Vec<String> = values.iter().map(|value| bind(value.to_string(), "Float64")).collect();
                compare(&column, *operator, values, list)
            }
            Test::Time(operator, values) => {
                let time = |value: &String| format!("parseDateTimeBestEffort({})", bind(value.clone(), "String"));
                let values: Vec<String> = values.iter().map(time).collect();
                compare(&column, *operator, values, list)
            }
        }
    }
}

fn compare(column: &str, operator: Operator, values: Vec<String>, list: impl Fn(Vec<String>) -> String) -> String {
    let sign = match operator {
        Operator::Eq => "=",
        Operator::Ne => "!=",
        Operator::Gt => ">",
        Operator::Gte => ">=",
        Operator::Lt => "<",
        Operator::Lte => "<=",
        Operator::InList => return format!("{column} IN {}", list(values)),
        Operator::NotInList => return format!("{column} NOT IN {}", list(values)),
        _ => return format!("{column} BETWEEN {}", values.join(" AND ")),
    };
    format!("{column} {sign} {}", values.concat())
}

/// Operators as clients write them.
const OPERATORS: [(Operator, &str); 12] = [
    (Operator::Eq, "eq"),
    (Operator::Ne, "ne"),
    (Operator::Gt, "gt"),
    (Operator::Gte, "gte"),
    (Operator::Lt, "lt"),
    (Operator::Lte, "lte"),
    (Operator::Contains, "contains"),
    (Operator::NotContains, "notContains"),
    (Operator::InList, "in"),
    (Operator::NotInList, "notIn"),
    (Operator::Between, "between"),
    (Operator::WithinHours, "withinHours"),
];

fn word(operator: Operator) -> &'static str {
    OPERATORS.iter().find(|(known, _)| *known == operator).map_or("?", |(_, word)| word)
}

fn fits(operator: Operator, kind: ColumnKind) -> bool {
    use Operator::{Between, Contains, Gt, Gte, InList, Lt, Lte, NotContains, NotInList, WithinHours};
    match kind {
        ColumnKind::Text | ColumnKind::Statement => !matches!(operator, Gt | Gte | Lt | Lte | Between | WithinHours),
        ColumnKind::Json => matches!(operator, Contains | NotContains),
        ColumnKind::Integer | ColumnKind::Number | ColumnKind::Boolean => {
            !matches!(operator, Contains | NotContains | WithinHours)
        }
        ColumnKind::Timestamp => !matches!(operator, Contains | NotContains | InList | NotInList),
    }
}

/// ClickHouse reads times in many spellings; what looks like the usual one has to be one.
fn may_be_time(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let usual = text.as_bytes().get(4) == Some(&b'-');
    let reads = || text.parse::<jiff::civil::DateTime>().is_ok() || text.parse::<jiff::Timestamp>().is_ok();
    text.is_ascii() && text.len() <= 40 && digits >= 8 && (!usual || reads())
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}
