//! What the provider answers: to session tokens, and to OAuth tokens.

#![allow(clippy::expect_used, clippy::panic)]

mod host;
mod oauth;
mod sessions;
