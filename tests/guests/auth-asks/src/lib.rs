//! An auth provider that asks the host the question in the request's header `X-Ask`, and signs in the answer.

use chm_plugin::auth::{Description, Principal, RequestHead, Verdict};
use chm_plugin::host::jwt::{self, JwtError, Place};
use chm_plugin::host::secrets::{self, BasicOutcome, SecretError};
use chm_plugin::{AuthProvider, Failure};

struct Asks;

impl AuthProvider for Asks {
    fn describe() -> Description {
        Description::new("The answer to a question is who somebody is.")
    }

    fn authenticate(head: RequestHead) -> Result<Verdict, Failure> {
        let Some(question) = head.header("x-ask") else { return Ok(Verdict::NoCredentials) };
        let words: Vec<_> = question.split(' ').collect();
        let answer = match words[..] {
            ["sees"] => {
                let headers = head.headers.iter().map(|header| header.name.as_str());
                headers.chain(head.cookies.iter().map(|cookie| cookie.name.as_str())).collect::<Vec<_>>().join(" ")
            }
            ["configured", issuer] => jwt::configured(issuer).map_or_else(of_token, |known| known.to_string()),
            ["verify", issuer, token] => jwt::verify(issuer, token).map_or_else(of_token, |_| "claims".to_owned()),
            ["bearer", issuer] => sent(issuer, Place::Bearer),
            ["header", issuer, name] => sent(issuer, Place::Header(name.to_owned())),
            ["cookie", issuer, name] => sent(issuer, Place::Cookie(name.to_owned())),
            ["present", header] => secrets::header_present(header).to_string(),
            ["equals", secret, header] => {
                secrets::header_equals(secret, header).map_or_else(of_secret, |equal| equal.to_string())
            }
            ["basic", secret] => match secrets::basic(secret) {
                Ok(BasicOutcome::Absent) => "absent".to_owned(),
                Ok(BasicOutcome::Wrong) => "wrong".to_owned(),
                Ok(BasicOutcome::User(name)) => format!("user {name}"),
                Err(error) => of_secret(error),
            },
            _ => return Err(Failure::internal("no such question")),
        };
        Ok(Verdict::Authenticated(Principal::new(answer)))
    }
}

fn sent(issuer: &str, place: Place) -> String {
    match jwt::verify_sent(issuer, place) {
        Ok(Some(_)) => "claims".to_owned(),
        Ok(None) => "nothing".to_owned(),
        Err(error) => of_token(error),
    }
}

fn of_token(error: JwtError) -> String {
    match error {
        JwtError::Denied(reason) => format!("denied: {reason}"),
        JwtError::Unset => "unset".to_owned(),
        JwtError::Foreign(_) => "foreign".to_owned(),
        JwtError::Invalid(_) => "invalid".to_owned(),
        JwtError::Unavailable(_) => "unavailable".to_owned(),
    }
}

fn of_secret(error: SecretError) -> String {
    match error {
        SecretError::Denied(reason) => format!("denied: {reason}"),
        SecretError::Unset => "unset".to_owned(),
    }
}

chm_plugin::export!(auth_provider: Asks);
