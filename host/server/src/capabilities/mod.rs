//! What plugins reach beyond their sandbox, by name: secrets, endpoints, token issuers.
//!
//! The sandbox has checked the operator's grants before anything here is called. These types keep the other half of the promise:
//! no secret's bytes, no endpoint's address and no key leaves them.

mod address;
mod body;
mod client;
mod endpoints;
mod headers;
mod issuers;
mod keys;
mod keys_read;
#[cfg(test)]
pub(crate) mod loopback;
mod passwords;
mod secret_file;
mod secrets;

pub use client::{USER_AGENT, http_client, install_crypto_provider};
pub use endpoints::{Endpoint, EndpointError, Endpoints};
pub use issuers::{Issuer, IssuerError, Issuers};
pub use keys::KeyTimes;
pub use secret_file::{SecretFile, SecretFileError};
pub use secrets::SecretStore;
