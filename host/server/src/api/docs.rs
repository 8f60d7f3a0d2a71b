//! The document and the page to explore it.

use std::sync::Arc;

use poem::http::header;
use poem::web::Data;
use poem::{IntoResponse, Response};
use poem_openapi::payload::{Html, Json, PlainText};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::Value;

use super::Tag;
use super::document::Document;
use super::gate::{DocsRead, Gate};
use crate::edge::PagePolicy;

/// The document and its page.
pub struct DocsApi;

/// A file of the page; it changes with the server's version only.
pub struct Asset<const IS_SCRIPT: bool>(&'static [u8]);

impl<const IS_SCRIPT: bool> Asset<IS_SCRIPT> {
    const CONTENT_TYPE: &str = if IS_SCRIPT { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
}

impl<const IS_SCRIPT: bool> ApiResponse for Asset<IS_SCRIPT> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: Self::CONTENT_TYPE, schema: String::schema_ref() }];
        let response =
            MetaResponse { description: "Its bytes.", status: Some(200), status_range: None, content, headers: vec![] };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

impl<const IS_SCRIPT: bool> IntoResponse for Asset<IS_SCRIPT> {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type(Self::CONTENT_TYPE)
            .header(header::CACHE_CONTROL, "private, max-age=3600")
            .body(self.0)
    }
}

/// The page. What it needs comes from this host; its styles are partly written by its script.
pub struct Page(Html<&'static str>);

const PAGE_POLICY: PagePolicy = PagePolicy(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

impl ApiResponse for Page {
    fn meta() -> MetaResponses {
        <Html<&'static str> as ApiResponse>::meta()
    }

    fn register(registry: &mut Registry) {
        <Html<&'static str> as ApiResponse>::register(registry);
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.set_data(PAGE_POLICY);
        response
    }
}

#[OpenApi(tag = "Tag::System")]
impl DocsApi {
    /// This document
    #[oai(path = "/openapi.json", method = "get", operation_id = "openapi_json")]
    async fn json(&self, _gate: Gate<DocsRead>, document: Data<&Arc<Document>>) -> Json<Value> {
        Json(document.value().clone())
    }

    /// This document as YAML
    #[oai(path = "/openapi.yaml", method = "get", operation_id = "openapi_yaml")]
    async fn yaml(&self, _gate: Gate<DocsRead>, document: Data<&Arc<Document>>) -> PlainText<String> {
        PlainText(document.yaml().to_owned())
    }

    /// Swagger UI
    #[oai(path = "/docs", method = "get", operation_id = "docs")]
    async fn page(&self, _gate: Gate<DocsRead>) -> Page {
        Page(Html(include_str!("docs.html")))
    }

    /// Swagger UI: its script
    #[oai(path = "/docs/swagger-ui.js", method = "get", operation_id = "docs_script")]
    async fn script(&self, _gate: Gate<DocsRead>) -> Asset<true> {
        Asset(assets().script.as_bytes())
    }

    /// Swagger UI: its style
    #[oai(path = "/docs/swagger-ui.css", method = "get", operation_id = "docs_style")]
    async fn style(&self, _gate: Gate<DocsRead>) -> Asset<false> {
        Asset(assets().style.as_bytes())
    }

    /// Swagger UI: how it starts
    #[oai(path = "/docs/start.js", method = "get", operation_id = "docs_start")]
    async fn start(&self, _gate: Gate<DocsRead>) -> Asset<true> {
        Asset(include_bytes!("docs.js"))
    }
}

struct Assets {
    script: String,
    style: String,
}

/// poem-openapi brings Swagger UI within one page; we serve its parts as files, so that the page needs no inline script.
fn assets() -> &'static Assets {
    static ASSETS: std::sync::OnceLock<Assets> = std::sync::OnceLock::new();
    ASSETS.get_or_init(|| {
        let page = poem_openapi::OpenApiService::new((), "", "").swagger_ui_html();
        let between = |from: &str, to: &str| {
            page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(found, _)| found.to_owned())
        };
        Assets {
            script: between("<script charset=\"UTF-8\">", "</script>").unwrap_or_default(),
            style: between("<style charset=\"UTF-8\">", "</style>").unwrap_or_default(),
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn swagger_ui_is_found_in_the_page_that_brings_it() {
        let assets = super::assets();
        assert!(assets.script.contains("SwaggerUIBundle") && assets.script.len() > 500_000);
        assert!(assets.style.contains(".swagger-ui"));
    }
}
