//! What the doctor looks at.

use std::ffi::OsString;

use chm_access::{Caller, Matrix, Permission, PluginId, Posture};

use super::finding::Finding;
use super::place::Place;
use crate::config::{Config, Loaded, Warning};
use crate::plugins::Registry;

/// A configuration, the plugins it loads, and the variables around it.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The configuration, right in itself.
    pub loaded: &'a Loaded,
    /// The plugins; their descriptions are enough.
    pub registry: &'a Registry,
    /// Variables whose names look like parts of a browser's program, with their values.
    client_variables: Vec<(String, String)>,
    matrix: Matrix,
    posture: Posture,
}

impl<'a> Subject<'a> {
    /// Puts it together; the environment is an argument so that nothing but the commands reads the real one.
    #[must_use]
    pub fn new(
        loaded: &'a Loaded,
        registry: &'a Registry,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let client = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            let is_client = ["VITE_", "NEXT_PUBLIC_"].iter().any(|prefix| name.starts_with(prefix));
            is_client.then(|| (name, value.to_string_lossy().into_owned()))
        };
        let client_variables = environment.into_iter().filter_map(client).collect();
        Self { loaded, registry, client_variables, matrix: loaded.config.matrix(), posture: loaded.config.posture() }
    }

    /// What callers without credentials can do, in words.
    #[must_use]
    pub fn posture_words(&self) -> String {
        chm_access::posture_words(&self.matrix, self.posture, &self.plugin_features())
    }

    pub(super) fn config(&self) -> &Config {
        &self.loaded.config
    }

    pub(super) fn posture(&self) -> Posture {
        self.posture
    }

    pub(super) fn plugin_features(&self) -> Vec<PluginId> {
        self.registry.catalogue.plugin_features()
    }

    pub(super) fn client_variables(&self) -> &[(String, String)] {
        &self.client_variables
    }

    /// Who may reach the listener.
    pub(super) fn listens(&self) -> Place {
        Place::of_listener(self.config().listen.ip())
    }

    /// Whether a caller without credentials may.
    pub(super) fn anybody_may(&self, permission: &Permission) -> bool {
        let anybody: Caller = self.posture.without_credentials();
        self.matrix.decide(&anybody, permission, self.posture).is_ok()
    }

    /// The configuration's own warnings with these words in them: their text is written there, once.
    pub(super) fn warnings(&self, words: &str) -> impl Iterator<Item = &Warning> {
        self.loaded.warnings.iter().filter(move |warning| warning.text.contains(words))
    }

    /// The configuration's warnings that no finding has taken up.
    pub(super) fn left_over_warnings(&self, findings: &[Finding]) -> Vec<Finding> {
        let is_taken = |warning: &&Warning| findings.iter().any(|finding| finding.found == warning.text);
        let left = self.loaded.warnings.iter().filter(|warning| !is_taken(warning));
        left.map(|warning| Finding::warn("configuration", &warning.text).known()).collect()
    }
}
