//! An auth provider that breaks as the request's header `X-How`, or its cookie `how`, asks it to.

use std::hint::black_box;

use chm_plugin::auth::{Description, Principal, RequestHead, Verdict};
use chm_plugin::{AuthProvider, Failure};

struct Misbehaves;

impl AuthProvider for Misbehaves {
    fn describe() -> Description {
        Description::new("Nobody should be signed in by this.")
    }

    fn authenticate(head: RequestHead) -> Result<Verdict, Failure> {
        // Whoever is let in in spite of the failure would be this one.
        let somebody = Verdict::Authenticated(Principal::new("mallory"));
        match head.header("x-how").or(head.cookie("how")) {
            Some("works") => Ok(somebody),
            Some("loops") => loop {
                black_box(());
            },
            Some("allocates") => {
                let mut taken = Vec::new();
                loop {
                    taken.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            Some("traps") => std::process::abort(),
            Some("fails") => Err(Failure::internal("words for the log only")),
            Some("rejects") => Ok(Verdict::Rejected("words for the log only".to_owned())),
            Some("signs-in-nobody") => Ok(Verdict::Authenticated(Principal::new(""))),
            _ => Ok(Verdict::NoCredentials),
        }
    }
}

chm_plugin::export!(auth_provider: Misbehaves);
