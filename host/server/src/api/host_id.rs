//! `hostId` of a query string: one reader and one place in the document, whichever operation it is of.

use std::borrow::Cow;
use std::ops::Deref;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromParameter, ParseResult, Type};

/// The position of a ClickHouse host, as it was sent: [`super::parameters::host`] reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostId(String);

impl Deref for HostId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Type for HostId {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "HostId".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let schema = MetaSchema { minimum: Some(0.0), ..MetaSchema::new_with_format("integer", "int32") };
        MetaSchemaRef::Inline(Box::new(schema))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromParameter for HostId {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(value.to_owned()))
    }

    /// As on panels: what is sent twice is not clear.
    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(values: I) -> ParseResult<Self> {
        let mut values = values.into_iter();
        let value = values.next().ok_or_else(ParseError::expected_input)?;
        match values.next() {
            None => Self::parse_from_parameter(value.as_ref()),
            Some(_) => Err(ParseError::custom("it was sent twice; send it once")),
        }
    }
}
