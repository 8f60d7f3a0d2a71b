//! Tools that break. They are written against the interface itself: the SDK would not let them answer what is no JSON.

use chm_plugin::bindings::toolset::exports::chm::plugin::toolset::Guest;
use chm_plugin::tools::{Caller, Tool};
use chm_plugin::{Failure, Feature};

use crate::breaking;

pub(crate) struct Tools;

const NAMES: [&str; 7] = ["answers_garbage", "answers_nothing", "fails", "refuses", "loops", "traps", "works"];

impl Guest for Tools {
    fn describe() -> Vec<Tool> {
        NAMES.map(|name| Tool::reading(name, Feature::Queries)).to_vec()
    }

    fn call(name: String, _arguments: String, caller: Caller) -> Result<String, Failure> {
        match name.as_str() {
            "answers_garbage" => Ok("{ this is no JSON".to_owned()),
            "answers_nothing" => Ok(String::new()),
            "fails" => Err(Failure::internal("words for the log only")),
            "refuses" => Err(Failure::invalid_input("`colour`: expected one of red, green")),
            "loops" => breaking::run_forever(),
            "traps" => breaking::trap(),
            _ => Ok(format!(r#"{{"asked_in":"{}"}}"#, caller.request_id)),
        }
    }
}
