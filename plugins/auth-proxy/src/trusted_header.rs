//! The way in through a reverse proxy of one's own: it names the person in one header, and proves itself in another.

use chm_plugin::Failure;
use chm_plugin::auth::{Principal, RequestHead};
use chm_plugin::host::{config, secrets};

use crate::Answer;

/// Asks about the headers of this request.
pub(crate) fn ask(head: &RequestHead) -> Result<Answer, Failure> {
    if !secrets::is_set("auth_secret")? {
        return Ok(Answer::Silent);
    }
    let proof = config::get("shared_secret_header").unwrap_or_default();
    let user = config::get("auth_header").and_then(|name| head.header(&name).map(String::from));
    Ok(match (secrets::header_equals("auth_secret", &proof)?, user) {
        (true, Some(user)) => Answer::Person(Principal::new(user)),
        // The proxy let somebody pass whom it does not know.
        (true, None) => Answer::Silent,
        (false, None) if !secrets::header_present(&proof) => Answer::Silent,
        (false, _) => Answer::Refused("the request does not carry the proxy's secret".into()),
    })
}
