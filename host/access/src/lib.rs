//! Who may do what.
//!
//! Everything here is a pure function over values: no I/O, no async, no clock (the caller passes the time).
//!
//! One request has one [`Caller`]. One operation has one [`Permission`]. [`Matrix::decide`] brings them together and answers
//! with an [`Allowed`], which nothing else can make, or with the [`Denial`] that the client sees.

mod access;
mod allow_list;
mod api_key;
mod bearer;
mod caller;
mod denial;
mod feature;
mod matrix;
mod near;
mod permission;
mod posture;
mod principal;
mod roles;
mod scope;
mod secret;

pub use access::{Access, UnknownAccess};
pub use allow_list::{AllowList, Member, Operators, UnknownMember};
pub use api_key::{
    EmptySecret, KeyClaims, KeyRefusal, KeySecrets, MAX_TOKEN_BYTES, SignedKey, TOKEN_PREFIX, VerifiedKey,
};
pub use bearer::{bearer, key_candidates};
pub use caller::{Caller, CallerKind};
pub use denial::Denial;
pub use feature::{Feature, FeatureId, InvalidPluginId, PluginId, UnknownFeature};
pub use matrix::{Allowed, FeatureOverride, FeatureRule, Matrix};
pub use near::{did_you_mean, near_names};
pub use permission::{Operation, Permission};
pub use posture::{Posture, posture_words};
pub use principal::{EmptySubject, Principal};
pub use roles::{InvalidRole, RoleName};
pub use scope::{Scope, Scopes, UnknownScope};
pub use secret::{HIDDEN, Secret};
