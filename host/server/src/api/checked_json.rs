//! A JSON body whose errors name the field. poem-openapi's own name its type only.

use std::ops::Deref;

use poem::{Error, FromRequest, Request, RequestBody, Result};
use poem_openapi::error::ContentTypeError;
use poem_openapi::payload::{Json, ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::{Map, Value};

use super::error::Problem;
use super::misread;

/// The body of an operation that takes an object.
#[derive(Debug)]
pub struct CheckedJson<T>(pub T);

impl<T> Deref for CheckedJson<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Type> Payload for CheckedJson<T> {
    const CONTENT_TYPE: &'static str = Json::<T>::CONTENT_TYPE;

    fn check_content_type(content_type: &str) -> bool {
        Json::<T>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for CheckedJson<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        let data = <Vec<u8> as FromRequest>::from_request(request, body).await?;
        let refused = |field: &str, reason: String| Error::from(Problem::invalid(field, reason));
        let value: Value = serde_json::from_slice(&data)
            .map_err(|error| refused("body", format!("the request's body: expected a JSON object: {error}")))?;
        let Value::Object(fields) = &value else {
            return Err(refused("body", "the request's body: expected a JSON object".to_owned()));
        };
        if let Some((field, reason)) = misfit::<T>(fields) {
            return Err(refused(&field, format!("`{field}`: {reason}")));
        }
        T::parse_from_json(Some(value)).map(Self).map_err(|error| {
            let said = misread::reworded(error.message());
            match misread::field(error.message()) {
                Some(field) => refused(field, said),
                None => refused("body", format!("the request's body: {said}")),
            }
        })
    }
}

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for CheckedJson<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Self as Payload>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: Self::CONTENT_TYPE, schema: Self::schema_ref() }];
        Some(MetaRequest { description: None, content, required: Self::IS_REQUIRED })
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        match request.content_type() {
            Some(given) if Self::check_content_type(given) => <Self as ParsePayload>::from_request(request, body).await,
            Some(given) => Err(ContentTypeError::NotSupported { content_type: given.to_owned() }.into()),
            None => Err(ContentTypeError::ExpectContentType.into()),
        }
    }
}

/// The first field that is missing, unknown, or of another type than the document says, and what was expected.
fn misfit<T: Type>(fields: &Map<String, Value>) -> Option<(String, String)> {
    let mut registry = Registry::new();
    T::register(&mut registry);
    let schema = registry.schemas.get(T::name().as_ref())?;
    if let Some(missing) = schema.required.iter().find(|name| fields.get(**name).is_none_or(Value::is_null)) {
        return Some(((*missing).to_owned(), "it is required".to_owned()));
    }
    for (name, value) in fields {
        let Some((_, property)) = schema.properties.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = schema.properties.iter().map(|(known, _)| *known).collect();
            let near = chm_access::did_you_mean(name, known.iter().copied());
            return Some((name.clone(), format!("no such field{near}; known are {}", known.join(", "))));
        };
        let Some(property) = resolve(&registry, property) else { continue };
        if let Some(expected) = unmet(property, value) {
            return Some((name.clone(), format!("expected {expected}")));
        }
    }
    None
}

fn resolve<'r>(registry: &'r Registry, reference: &'r MetaSchemaRef) -> Option<&'r MetaSchema> {
    match reference {
        MetaSchemaRef::Inline(schema) => {
            // A reference with words of its own around it.
            match schema.all_of.as_slice() {
                [only @ MetaSchemaRef::Reference(_), ..] => resolve(registry, only),
                _ => Some(schema),
            }
        }
        MetaSchemaRef::Reference(name) => registry.schemas.get(name),
    }
}

/// What the schema asks for where the value is something else. Lengths and bounds are the parser's, which names the field.
fn unmet(schema: &MetaSchema, value: &Value) -> Option<String> {
    if value.is_null() {
        // Absent, as far as optional fields are concerned; the required ones have been looked at.
        return None;
    }
    if !schema.enum_items.is_empty() {
        let words: Vec<String> =
            schema.enum_items.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect();
        return (!schema.enum_items.contains(value)).then(|| format!("one of {}", words.join(", ")));
    }
    let fits = match schema.ty {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" if schema.format.is_some_and(|format| format.starts_with('u')) => {
            value.as_u64().is_some_and(|number| u32::try_from(number).is_ok() || schema.format == Some("uint64"))
        }
        "integer" => value.is_i64() || value.is_u64(),
        _ => true,
    };
    (!fits).then(|| match schema.ty {
        "integer" => "a whole number that is not negative".to_owned(),
        "string" => "a text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "object" => "an object".to_owned(),
        other => format!("a {other}"),
    })
}
