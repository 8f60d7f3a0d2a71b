//! Delivers alerts as JSON to an endpoint of the operator's.

mod body;

use chm_plugin::AlertSink;
use chm_plugin::alerts::{Alert, DeliveryFailure, Description, Receipt};
use chm_plugin::host::http;

/// The endpoint's name in `plugin.toml`.
const ENDPOINT: &str = "alerts";

/// The webhook.
pub struct Webhook;

impl AlertSink for Webhook {
    fn describe() -> Description {
        Description::new("Posts alerts as JSON to the endpoint `alerts`.")
    }

    fn deliver(alert: Alert) -> Result<Receipt, DeliveryFailure> {
        let response = http::post().json(&body::of(&alert))?.send(ENDPOINT)?;
        Receipt::of_response(&response)
    }
}

chm_plugin::export!(alert_sink: Webhook);
