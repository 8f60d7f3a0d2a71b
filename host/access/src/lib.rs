//! Who may do what.
//!
//! Everything here is a pure function over values: no I/O, no async, no clock (the caller passes the time).
//!
//! One request has one [`Caller`]. One operation has one [`Permission`]. [`Matrix::decide`] brings them together and answers
//! with an [`Allowed`], which nothing else can make, or with the [`Denial`] that the client sees.

mod api_key;
mod bearer;
mod caller;
mod feature;
mod matrix;
mod near;
mod permission;
mod posture;
mod principal;
mod secret;

pub use api_key::{EmptySecret, KeyRefusal, KeyVerifier, MAX_TOKEN_BYTES, TOKEN_PREFIX, VerifiedKey};
pub use bearer::{bearer, key_candidates};
pub use caller::{Caller, CallerKind};
pub use feature::{Feature, FeatureId, InvalidPluginId, PluginId, UnknownFeature};
pub use matrix::{Access, Allowed, Denial, FeatureOverride, FeatureRule, Matrix, UnknownAccess};
pub use near::{did_you_mean, near_names};
pub use permission::{Operation, Permission};
pub use posture::{Posture, posture_words};
pub use principal::{EmptySubject, Principal};
pub use secret::{HIDDEN, Secret};
