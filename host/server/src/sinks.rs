//! Alert sinks: the plugins with that role, each behind a queue of the outbox.

use std::sync::Arc;
use std::time::Instant;

use chm_sandbox::bindings::alert_sink::{Alert, Receipt};
use chm_sandbox::{CallScope, Plugin, Role};

use crate::alerts::{DeliveryError, classify};
use crate::app::App;
use crate::services::CallServices;

/// Lets the outbox deliver through a plugin.
pub fn attach(app: &Arc<App>, plugin: Arc<Plugin>) {
    // The outbox belongs to the app: a strong reference here would keep both alive for ever.
    let weak = Arc::downgrade(app);
    let id = plugin.id().to_owned();
    app.outbox.add_sink(&id, move |alert| {
        let (weak, plugin) = (weak.clone(), plugin.clone());
        async move {
            match weak.upgrade() {
                Some(app) => deliver(&app, &plugin, &alert).await,
                None => Err(DeliveryError::later("the host is stopping")),
            }
        }
    });
}

async fn deliver(app: &Arc<App>, plugin: &Plugin, alert: &Alert) -> Result<Receipt, DeliveryError> {
    let request_id = format!("alert-{}", ulid::Ulid::new());
    let services = CallServices::new(app.clone(), plugin.id(), &request_id, None);
    let scope = CallScope { request_id, principal: None, services: Arc::new(services) };
    let began = Instant::now();
    let outcome = plugin.deliver(scope, alert).await;
    let word = outcome.as_ref().err().map_or("ok", |error| error.kind());
    app.metrics.observe_plugin_call(plugin.id(), Role::AlertSink, word, began.elapsed());
    let outcome = classify(outcome);
    if let Err(error) = &outcome {
        tracing::warn!(plugin = plugin.id(), rule = %alert.rule, %error, "an alert was not delivered");
    }
    outcome
}
