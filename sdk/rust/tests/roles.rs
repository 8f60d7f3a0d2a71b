//! A crate may fill several roles, and a native test may call each of them as the host does.

use std::mem::discriminant;

use chm_plugin::actions::{self, Action, Outcome};
use chm_plugin::alerts::{self, Alert, DeliveryFailure, Receipt};
use chm_plugin::host::control::ControlError;
use chm_plugin::host::http::HttpError;
use chm_plugin::host::kv::KvError;
use chm_plugin::panels::{Column, Context, Panel, PlannedQuery};
use chm_plugin::testing::FakeHost;
use chm_plugin::tools::{self, Caller, Tool};
use chm_plugin::{Actions, AlertSink, Failure, Feature, Operation, Panels, Toolset};
use serde_json::{Value, json};

struct All;

impl Panels for All {
    fn describe() -> Vec<Panel> {
        vec![Panel::table("t", Feature::Own("mine")).planned().column(Column::text("a"))]
    }

    fn plan(_: &str, context: Context) -> Result<PlannedQuery, Failure> {
        let n = context.parameter("n").unwrap_or("1");
        Ok(PlannedQuery::new("SELECT {n:UInt8} AS a").bind("n", n))
    }
}

impl AlertSink for All {
    fn describe() -> alerts::Description {
        alerts::Description::new("Nowhere.")
    }

    fn deliver(_: Alert) -> Result<Receipt, DeliveryFailure> {
        Err(DeliveryFailure::retry_after(5, "later"))
    }
}

impl Toolset for All {
    fn describe() -> Vec<Tool> {
        vec![Tool::writing("add", Feature::Tables)]
    }

    fn call(_: &str, arguments: Value, _: Caller) -> Result<Value, Failure> {
        let [a, b] = tools::arguments::<[i32; 2]>(arguments["terms"].clone())?;
        Ok(json!({"sum": a + b}))
    }
}

impl Actions for All {
    fn describe() -> Vec<Action> {
        vec![Action::changing("stop").uses(actions::Statement::KillQuery)]
    }

    fn run(_: &str, context: actions::Context) -> Result<Outcome, Failure> {
        let killed = chm_plugin::host::control::kill_query(context.host, context.parameter("id").unwrap_or_default())?;
        Ok(Outcome::new(format!("Stopped {killed}.")).data(&json!({"killed": killed})))
    }
}

chm_plugin::export!(panels: All, alert_sink: All, toolset: All, actions: All);

#[test]
fn a_panel_of_the_plugins_own_feature_carries_its_id() {
    let [panel] = <All as Panels>::describe().try_into().unwrap();
    assert_eq!(panel.feature, "mine");
    assert_eq!(panel.operation, Operation::Read);
}

#[test]
fn a_planned_query_binds_what_the_client_sent() {
    let query = All::plan("t", Context::example(&[("n", "7")])).unwrap();
    assert_eq!((query.bindings[0].name.as_str(), query.bindings[0].value.as_str()), ("n", "7"));
}

#[test]
fn work_a_panel_promises_and_a_plugin_lacks_is_a_failure_not_an_empty_answer() {
    let missing = [
        All::fetch("t", Context::example(&[])).unwrap_err(),
        All::transform("t", Context::example(&[]), b"[]".to_vec()).unwrap_err(),
    ];
    assert!(missing.iter().all(|failure| matches!(failure, Failure::Internal(text) if text.contains("`t`"))));
}

#[test]
fn arguments_that_do_not_fit_are_the_callers_mistake() {
    assert_eq!(All::call("add", json!({"terms": [1, 2]}), Caller::anonymous()).unwrap(), json!({"sum": 3}));
    let failure = All::call("add", json!({"terms": ["x"]}), Caller::anonymous()).unwrap_err();
    assert!(matches!(failure, Failure::InvalidInput(_)));
}

#[test]
fn an_action_that_changes_something_and_shows_nothing_first_is_a_failure() {
    let context = || actions::Context::example(&[("id", "q1")]);
    let missing = <All as Actions>::preview("stop", context()).unwrap_err();
    assert!(matches!(missing, Failure::Internal(text) if text.contains("`stop`")));
    let fake = FakeHost::new().control();
    assert_eq!(All::run("stop", context()).unwrap().message, "Stopped 1.");
    assert_eq!(fake.controls(), ["kill 0 q1"]);
    let _ = FakeHost::new().control_answer(Err(ControlError::Failed("no answer".into())));
    assert_eq!(All::run("stop", context()).unwrap_err(), Failure::unavailable("no answer"));
    let _ = FakeHost::new();
    assert!(matches!(All::run("stop", context()), Err(Failure::Denied(_))));
}

#[test]
fn what_the_host_refuses_becomes_a_failure_that_says_whose_turn_it_is() {
    for (error, expected) in [
        (Failure::from(HttpError::Denied("not granted".into())), Failure::denied("")),
        (HttpError::Invalid("a path with a query".into()).into(), Failure::internal("")),
        (HttpError::TooLarge.into(), Failure::upstream("")),
        (HttpError::Timeout.into(), Failure::timeout("")),
        (HttpError::Unreachable("no route".into()).into(), Failure::unavailable("")),
        (KvError::Denied("not granted".into()).into(), Failure::denied("")),
        (KvError::Full.into(), Failure::internal("")),
    ] {
        assert_eq!(discriminant(&error), discriminant(&expected), "{error:?}");
    }
}
