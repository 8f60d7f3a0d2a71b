//! The imports of [`crate::host`] as a native test sees them: each asks the thread's fake host.
//! Names and signatures are those of the generated bindings.

use super::fake_host::{State, with};
use crate::bindings::imports::chm::plugin as types;

pub(crate) mod clickhouse {
    use super::types::clickhouse::{HostInfo, Query, QueryError, Rows};
    use super::{State, with};

    pub(crate) fn hosts() -> Vec<HostInfo> {
        with(|state| state.hosts.clone())
    }

    pub(crate) fn read(host: u32, query: &Query) -> Result<Rows, QueryError> {
        // The closure must not run while the state is borrowed: it may ask the fake host itself.
        let answer = with(|state: &mut State| {
            state.queries.push((host, query.clone()));
            state.answers.clone()
        });
        answer
            .iter()
            .rev()
            .find_map(|answer| answer(host, query))
            .unwrap_or_else(|| Err(QueryError::Unavailable(format!("the fake host has no answer for: {}", query.sql))))
    }
}

pub(crate) mod control {
    use super::types::control::ControlError;
    use super::with;

    pub(crate) fn kill_query(host: u32, query_id: &str) -> Result<u32, ControlError> {
        with(|state| {
            state.control_allowed()?;
            state.controls.push(format!("kill {host} {query_id}"));
            state.control_answer()
        })
    }

    pub(crate) fn optimize_table(host: u32, database: &str, table: &str) -> Result<(), ControlError> {
        with(|state| {
            state.control_allowed()?;
            state.controls.push(format!("optimize {host} {database}.{table}"));
            state.control_answer().map(drop)
        })
    }
}

pub(crate) mod http {
    use super::types::http::{HttpError, Request, Response};
    use super::with;
    use crate::testing::SentRequest;

    pub(crate) fn send(endpoint: &str, request: &Request) -> Result<Response, HttpError> {
        let answer = with(|state| {
            state.requests.push(SentRequest { endpoint: endpoint.into(), request: request.clone() });
            state.endpoints.get(endpoint).cloned()
        });
        match answer {
            Some(answer) => answer(request),
            None => Err(HttpError::Denied(format!("endpoint `{endpoint}` was not granted"))),
        }
    }
}

pub(crate) mod secrets {
    use super::types::secrets::{BasicOutcome, SecretError};
    use super::with;
    use crate::testing::{basic, hmac};

    fn value(name: &str) -> Result<String, SecretError> {
        with(|state| match state.secrets.get(name) {
            Some(Some(value)) => Ok(value.clone()),
            Some(None) => Err(SecretError::Unset),
            None => Err(SecretError::Denied(format!("secret `{name}` was not granted"))),
        })
    }

    pub(crate) fn is_set(name: &str) -> Result<bool, SecretError> {
        match value(name) {
            Ok(_) => Ok(true),
            Err(SecretError::Unset) => Ok(false),
            Err(denied) => Err(denied),
        }
    }

    pub(crate) fn equals(name: &str, candidate: &str) -> Result<bool, SecretError> {
        Ok(value(name)? == candidate)
    }

    pub(crate) fn header_equals(name: &str, header: &str) -> Result<bool, SecretError> {
        let secret = value(name)?;
        Ok(with(|state| state.headers.get(&header.to_ascii_lowercase()).is_some_and(|sent| *sent == secret)))
    }

    pub(crate) fn header_present(header: &str) -> bool {
        with(|state| state.headers.get(&header.to_ascii_lowercase()).is_some_and(|sent| !sent.is_empty()))
    }

    pub(crate) fn basic(name: &str) -> Result<BasicOutcome, SecretError> {
        value(name)?;
        Ok(with(|state| match state.headers.get("authorization").map(|sent| basic::credentials(sent)) {
            None | Some(basic::Sent::Other) => BasicOutcome::Absent,
            Some(basic::Sent::Malformed) => BasicOutcome::Wrong,
            Some(basic::Sent::Pair(user, password)) => match state.users.get(name).and_then(|users| users.get(&user)) {
                Some(known) if *known == password => BasicOutcome::User(user),
                _ => BasicOutcome::Wrong,
            },
        }))
    }

    pub(crate) fn hmac_sha256(name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        Ok(hmac::hmac_sha256(value(name)?.as_bytes(), message).to_vec())
    }
}

pub(crate) mod jwt {
    use super::types::jwt::{JwtError, Place};
    use super::with;
    use crate::testing::fake_host::place_key;

    pub(crate) fn configured(issuer: &str) -> Result<bool, JwtError> {
        with(|state| match state.issuers.get(issuer) {
            Some(issuer) => Ok(issuer.configured),
            None => Err(JwtError::Denied(format!("issuer `{issuer}` was not granted"))),
        })
    }

    fn must_be_configured(issuer: &str) -> Result<(), JwtError> {
        if configured(issuer)? { Ok(()) } else { Err(JwtError::Unset) }
    }

    pub(crate) fn verify(issuer: &str, token: &str) -> Result<String, JwtError> {
        must_be_configured(issuer)?;
        with(|state| {
            let known = state.issuers.get(issuer).and_then(|issuer| issuer.tokens.get(token).cloned());
            known.unwrap_or_else(|| Err(JwtError::Foreign("the fake host does not know this token".into())))
        })
    }

    pub(crate) fn verify_sent(issuer: &str, place: &Place) -> Result<Option<String>, JwtError> {
        must_be_configured(issuer)?;
        with(|state| {
            let key = place_key(place);
            if let Some(known) = state.sent.get(&(issuer.to_owned(), key.clone())) {
                return known.clone();
            }
            // A token of another issuer in the same place is no token of this one.
            if state.sent.keys().any(|(_, place)| *place == key) {
                return Err(JwtError::Foreign("the fake host has another issuer's token there".into()));
            }
            Ok(None)
        })
    }
}

pub(crate) mod kv {
    use super::types::kv::KvError;
    use super::{State, with};

    fn store<T>(body: impl FnOnce(&mut State, usize) -> Result<T, KvError>) -> Result<T, KvError> {
        with(|state| match state.kv_bytes {
            Some(bytes) => body(state, bytes),
            None => Err(KvError::Denied("no store was granted".into())),
        })
    }

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, KvError> {
        store(|state, _| Ok(state.kv.get(key).cloned()))
    }

    pub(crate) fn set(key: &str, value: &[u8]) -> Result<(), KvError> {
        store(|state, granted| {
            let others: usize = state.kv.iter().filter(|(k, _)| *k != key).map(|(k, v)| k.len() + v.len()).sum();
            if others + key.len() + value.len() > granted {
                return Err(KvError::Full);
            }
            state.kv.insert(key.into(), value.into());
            Ok(())
        })
    }

    pub(crate) fn delete(key: &str) -> Result<(), KvError> {
        store(|state, _| {
            state.kv.remove(key);
            Ok(())
        })
    }
}

pub(crate) mod config {
    use super::with;

    pub(crate) fn get(name: &str) -> Option<String> {
        with(|state| state.settings.get(name).cloned())
    }
}

pub(crate) mod clock {
    use super::with;

    pub(crate) fn now() -> f64 {
        with(|state| state.now)
    }
}

pub(crate) mod random {
    use super::with;

    /// The same bytes in every run: a test must not depend on luck.
    pub(crate) fn bytes(length: u32) -> Vec<u8> {
        with(|state| {
            (0..length.min(1024))
                .map(|_| {
                    state.random = state.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state.random.to_be_bytes()[0]
                })
                .collect()
        })
    }
}

pub(crate) mod log {
    use super::types::log::Level;
    use super::with;

    pub(crate) fn write(level: Level, message: &str) {
        with(|state| state.lines.push((level, message.into())));
    }
}
