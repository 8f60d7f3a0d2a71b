//! Alert sinks: the plugins with that role, each behind a queue of the outbox.

use std::sync::Arc;

use chm_sandbox::bindings::alert_sink::{Alert, Receipt};
use chm_sandbox::{Plugin, Role};

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
    let call = plugin.deliver(services.into_scope(), alert);
    let outcome = classify(app.observed(plugin, Role::AlertSink, call).await);
    if let Err(error) = &outcome {
        tracing::warn!(plugin = plugin.id(), rule = %alert.rule, %error, "an alert was not delivered");
    }
    outcome
}
