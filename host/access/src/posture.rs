//! What callers without credentials may do at all.

use crate::caller::Caller;
use crate::feature::{Feature, FeatureId, PluginId};
use crate::matrix::Matrix;
use crate::permission::{Operation, Permission};

/// What the configuration lets callers without credentials do (contract §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Posture {
    /// Provider `none` and no API-key secret: everybody reads and writes.
    Open,
    /// Everybody reads what the matrix calls public; writing needs credentials.
    PublicRead,
    /// Nothing without credentials.
    Closed,
}

impl Posture {
    /// All three.
    pub const ALL: &[Posture] = &[Posture::Open, Posture::PublicRead, Posture::Closed];

    /// The posture of a configuration: `has_provider` is false for provider `none`.
    ///
    /// `none` with a key secret is not open: the key is then the only credential (contract §10, 2).
    pub fn resolve(has_provider: bool, has_key_secret: bool, public_read: bool) -> Self {
        match (has_provider || has_key_secret, public_read) {
            (false, _) => Self::Open,
            (true, true) => Self::PublicRead,
            (true, false) => Self::Closed,
        }
    }

    /// The caller of a request that brought no valid credential. The only way to [`Caller`]s that did not sign in.
    pub fn without_credentials(self) -> Caller {
        match self {
            Self::Open => Caller::open(),
            Self::PublicRead | Self::Closed => Caller::anonymous(),
        }
    }

    /// The guard in front of `/api/v1/` (contract §1.3): whether this caller gets as far as a feature's own rules.
    pub fn admits(self, caller: &Caller) -> bool {
        match self {
            Self::Open | Self::PublicRead => true,
            Self::Closed => caller.is_authenticated(self),
        }
    }
}

/// What callers without credentials can do, in words, for the start-up line; for example
/// `anonymous callers can: read everything except agent and actions; write nothing`.
///
/// `plugins` are the features that loaded plugins bring. The words are read off [`Matrix::decide`], so they cannot differ from it.
pub fn posture_words<'a>(matrix: &Matrix, posture: Posture, plugins: impl IntoIterator<Item = &'a PluginId>) -> String {
    let own = Feature::ALL.iter().copied().map(FeatureId::from);
    let features: Vec<FeatureId> = own.chain(plugins.into_iter().cloned().map(FeatureId::from)).collect();
    let caller = posture.without_credentials();
    let may = |operation| {
        let allowed = |feature: &FeatureId| {
            matrix.decide(&caller, &Permission { feature: feature.clone(), operation }, posture).is_ok()
        };
        let (yes, no): (Vec<&FeatureId>, Vec<&FeatureId>) = features.iter().partition(|feature| allowed(feature));
        extent(&yes, &no)
    };
    let (read, write) = (may(Operation::Read), may(Operation::Write));
    if read == write && read != "nothing" {
        format!("anonymous callers can: read and write {read}")
    } else {
        format!("anonymous callers can: read {read}; write {write}")
    }
}

/// The shorter way to name `yes` out of both.
fn extent(yes: &[&FeatureId], no: &[&FeatureId]) -> String {
    match (yes.len(), no.len()) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => "everything".to_owned(),
        (some, others) if others <= some => format!("everything except {}", sentence(no)),
        _ => format!("only {}", sentence(yes)),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn sentence(features: &[&FeatureId]) -> String {
    let names: Vec<&str> = features.iter().map(|feature| feature.as_str()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::matrix::FeatureOverride;

    fn words(matrix: &Matrix, posture: Posture) -> String {
        posture_words(matrix, posture, []).replace("anonymous callers can: ", "")
    }

    #[test]
    fn the_posture_follows_the_contracts_table() {
        for (provider, secret, public_read, expected) in [
            (false, false, false, Posture::Open),
            (false, false, true, Posture::Open),
            (false, true, false, Posture::Closed),
            (true, false, false, Posture::Closed),
            (true, false, true, Posture::PublicRead),
            (true, true, false, Posture::Closed),
            (true, true, true, Posture::PublicRead),
        ] {
            assert_eq!(Posture::resolve(provider, secret, public_read), expected, "{provider} {secret} {public_read}");
        }
    }

    #[test]
    fn the_words_say_what_the_matrix_does() {
        let matrix = Matrix::default();
        assert_eq!(words(&matrix, Posture::Open), "read and write everything");
        assert_eq!(words(&matrix, Posture::PublicRead), "read everything except agent and actions; write nothing");
        assert_eq!(words(&matrix, Posture::Closed), "read nothing; write nothing");
    }

    #[test]
    fn the_words_name_what_is_disabled_or_kept_back() {
        let off =
            |feature: Feature| (feature.into(), FeatureOverride { enabled: Some(false), ..FeatureOverride::default() });
        let matrix = Matrix::new([off(Feature::Peerdb), off(Feature::Agent)]);
        assert_eq!(words(&matrix, Posture::Open), "read and write everything except agent and peerdb");
        assert_eq!(
            words(&matrix, Posture::PublicRead),
            "read everything except agent, actions and peerdb; write nothing"
        );

        let locked = Feature::ALL.iter().filter(|feature| **feature != Feature::About);
        let matrix = Matrix::new(locked.map(|feature| {
            ((*feature).into(), FeatureOverride { access: Some(Access::Authenticated), ..FeatureOverride::default() })
        }));
        assert_eq!(words(&matrix, Posture::PublicRead), "read only about; write nothing");
        let matrix = Matrix::new(Feature::ALL.iter().copied().map(off));
        assert_eq!(words(&matrix, Posture::Open), "read nothing; write nothing");
    }

    #[test]
    fn the_words_count_the_features_of_plugins() {
        let plugins = ["team-panels".parse().unwrap()];
        assert_eq!(
            posture_words(&Matrix::default(), Posture::PublicRead, &plugins),
            "anonymous callers can: read everything except agent, actions and team-panels; write nothing"
        );
    }
}
