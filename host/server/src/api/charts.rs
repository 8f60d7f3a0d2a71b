//! Charts: panels that are series.

use std::sync::Arc;

use poem::Request;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::Tag;
use super::gate::ItemGate;
use super::routes::RowsResponse;
use super::tables::panel;
use crate::app::App;

/// Charts.
pub struct ChartsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Charts")]
impl ChartsApi {
    /// Points of a chart
    ///
    /// Each chart also has an operation of its own in this document, with its parameters and the type of its rows.
    #[oai(path = "/charts/:name", method = "get", operation_id = "get_chart")]
    async fn get(
        &self,
        gate: ItemGate,
        app: Data<&Arc<App>>,
        request: &Request,
        /// The chart.
        name: Path<String>,
    ) -> poem::Result<RowsResponse> {
        let found = app.registry.catalogue.chart(&name.0);
        let all = app.registry.catalogue.charts();
        panel(&app, &gate, request, found, all, ("chart", "availableCharts")).await.map(RowsResponse)
    }
}
