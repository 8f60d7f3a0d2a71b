//! The body of the contract's request for a key, as leniently read as it says (§3.4), and strictly where a mistake would give
//! somebody more than was meant.

use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};
use serde_json::{Map, Value};

/// What the key should say. Every field may be absent, and so may the whole.
#[derive(Debug, Default, Object)]
pub struct MintBody {
    /// Whom it is for; `cli` when absent.
    #[oai(nullable)]
    pub label: Option<String>,
    /// Days it lasts, 1 to 365; 30 when absent.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "365")))]
    pub days: Option<i64>,
    /// What it may do: `<feature>:read`, `<feature>:write`, `*:read`, `*:write`. Everything when absent, nothing when empty.
    #[oai(nullable)]
    pub scopes: Option<Vec<String>>,
    /// Roles that the rules of the matrix may ask for.
    #[oai(nullable, default)]
    pub roles: Vec<String>,
}

const KNOWN: [&str; 4] = ["label", "days", "scopes", "roles"];

/// The body, or what is wrong with it.
pub struct OptionalMint(pub Result<MintBody, String>);

impl<'a> ApiExtractor<'a> for OptionalMint {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        MintBody::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content_type = <Json<MintBody> as Payload>::CONTENT_TYPE;
        let content = vec![MetaMediaType { content_type, schema: MintBody::schema_ref() }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let data = <Vec<u8> as FromRequest>::from_request(request, body).await?;
        Ok(Self(read(&data)))
    }
}

fn read(data: &[u8]) -> Result<MintBody, String> {
    if data.is_empty() {
        return Ok(MintBody::default());
    }
    let value: Value = serde_json::from_slice(data).map_err(|_| "Request body must be valid JSON".to_owned())?;
    let Value::Object(fields) = value else { return Ok(MintBody::default()) };
    // `scope` for `scopes` would make a key that may do everything.
    if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        let near = chm_access::did_you_mean(unknown, KNOWN);
        return Err(format!("there is no field `{}`{near}; known are {}", unknown.escape_debug(), KNOWN.join(", ")));
    }
    Ok(MintBody {
        label: fields.get("label").and_then(Value::as_str).map(str::to_owned),
        days: given(&fields, "days").map(days).transpose()?,
        scopes: given(&fields, "scopes").map(|value| texts("scopes", value)).transpose()?,
        roles: given(&fields, "roles").map(|value| texts("roles", value)).transpose()?.unwrap_or_default(),
    })
}

fn given<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    fields.get(name).filter(|value| !value.is_null())
}

/// Numeric texts pass (contract §3.4); what is no whole number is out of bounds like any other.
fn days(value: &Value) -> Result<i64, String> {
    let number = match value {
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|real| real.fract() == 0.0).map(|real| real as i64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| crate::keys::InvalidWish::Days.to_string())
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>, String> {
    let items = value.as_array().and_then(|items| items.iter().map(|item| Some(item.as_str()?.to_owned())).collect());
    items.ok_or_else(|| format!("{name}: expected a list of texts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_contract_accepts_is_accepted() {
        for (body, label, days) in [
            ("", None, None),
            ("{}", None, None),
            ("[]", None, None),
            ("\"x\"", None, None),
            ("null", None, None),
            (r#"{"label": 7, "days": null}"#, None, None),
            (r#"{"label": "ci", "days": 7}"#, Some("ci"), Some(7)),
            (r#"{"days": "90"}"#, None, Some(90)),
            (r#"{"days": 7.0}"#, None, Some(7)),
        ] {
            let mint = read(body.as_bytes()).unwrap();
            assert_eq!((mint.label.as_deref(), mint.days), (label, days), "{body}");
            assert!(mint.scopes.is_none(), "{body}");
        }
    }

    #[test]
    fn what_would_give_more_than_was_meant_is_refused() {
        for (body, expected) in [
            ("{", "valid JSON"),
            (r#"{"scope": []}"#, "did you mean scopes?"),
            (r#"{"scopes": "tables:read"}"#, "expected a list"),
            (r#"{"scopes": [7]}"#, "expected a list"),
            (r#"{"days": 7.5}"#, "days must be"),
            (r#"{"days": "soon"}"#, "days must be"),
            (r#"{"days": true}"#, "days must be"),
        ] {
            let wrong = read(body.as_bytes()).unwrap_err();
            assert!(wrong.contains(expected), "{body}: {wrong}");
        }
    }
}
