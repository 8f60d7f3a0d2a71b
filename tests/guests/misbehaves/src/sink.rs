//! A sink that breaks as the alert's title asks it to.

use chm_plugin::AlertSink;
use chm_plugin::alerts::{Alert, DeliveryFailure, Description, Receipt};

use crate::breaking;

pub(crate) struct Sink;

impl AlertSink for Sink {
    fn describe() -> Description {
        Description::new("Nowhere.")
    }

    fn deliver(alert: Alert) -> Result<Receipt, DeliveryFailure> {
        match alert.title.as_str() {
            "trap" => breaking::trap(),
            "loop" => breaking::run_forever(),
            "allocate" => breaking::take_all_memory(),
            "later" => Err(DeliveryFailure::retry_after(1, "not now")),
            "never" => Err(DeliveryFailure::permanent("not at all")),
            _ => Ok(Receipt::delivered()),
        }
    }
}
