//! Where API keys and the audit log are kept.

use chm_store::StoreUrl;

use super::finding::Finding;
use super::secrets::others_may_read;
use super::subject::Subject;
use crate::config::StorePlace;

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    const ITEM: &str = "store";
    let config = subject.config();
    let keys = config.auth.api_key_secret.is_some();
    let finding = match &config.store.url {
        Some(StorePlace::Nowhere) if keys => Finding::warn(ITEM, "none: no keys can be made, none can be revoked")
            .advise("set CHM_STORE_URL to a file or a PostgreSQL database"),
        Some(StorePlace::Nowhere) => Finding::warn(ITEM, "none: the audit log is in the log only")
            .advise("set CHM_STORE_URL to a file or a PostgreSQL database"),
        Some(StorePlace::At(url)) => kept_at(ITEM, url),
        None => {
            Finding::ok(ITEM, "a file in the user's state folder; hosts that share keys need a PostgreSQL database")
        }
    };
    vec![finding]
}

fn kept_at(item: &str, url: &StoreUrl) -> Finding {
    match url.path() {
        Some(path) if others_may_read(path) => {
            Finding::fail(item, format!("{url}, which every user of this machine may read"))
                .advise("it names people and keys: `chmod go-rwx` it")
        }
        Some(_) => Finding::ok(item, format!("{url}; hosts that share keys need a PostgreSQL database")),
        None => Finding::ok(item, url.to_string()),
    }
}
