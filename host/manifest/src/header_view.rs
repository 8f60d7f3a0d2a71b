//! Which request headers an auth provider may see.

use std::collections::BTreeSet;

use crate::header::header_names;
use crate::manifest::Manifest;

/// The headers and cookies of a request that one auth provider may use, computed once from its manifest and its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderView {
    /// Lower-case names of headers that the guest sees.
    pub visible: BTreeSet<String>,
    /// Lower-case names of headers that the host only compares. Never visible, whatever else names them.
    pub sealed: BTreeSet<String>,
    /// Names of cookies that the guest sees; cookie names keep their case.
    pub cookies: BTreeSet<String>,
}

impl HeaderView {
    /// Computes the view. `effective` gives a setting's checked value, or its default where the operator gave none.
    ///
    /// A plugin without an `[auth]` section sees nothing of a request.
    #[must_use]
    pub fn of(manifest: &Manifest, effective: impl Fn(&str) -> Option<String>) -> Self {
        let Some(auth) = &manifest.auth else {
            return Self::default();
        };
        let mut view = Self {
            visible: auth.headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
            sealed: BTreeSet::new(),
            cookies: auth.cookies.iter().cloned().collect(),
        };
        for (name, setting) in manifest.settings.iter().filter(|(_, setting)| setting.kind.names_headers()) {
            let names = effective(name).map(|value| header_names(&value)).unwrap_or_default();
            let set = if setting.sealed { &mut view.sealed } else { &mut view.visible };
            set.extend(names);
        }
        // An operator's header map must not open what another setting seals, nor the jar of all cookies.
        view.visible.retain(|name| !view.sealed.contains(name) && name != "cookie");
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
id = "auth-x"
version = "0.1.0"
api = "0.1"
summary = "Signs people in."
[auth]
headers = ["X-Extra"]
cookies = ["Session"]
[settings.user_header]
type = "header"
default = "X-User"
[settings.secret_header]
type = "header"
default = "X-Secret"
sealed = true
[settings.custom]
type = "header-map"
"#;

    #[test]
    fn a_guest_sees_the_headers_it_names_and_no_sealed_one() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let view = HeaderView::of(&manifest, |name| match name {
            "custom" => Some("a:X-SECRET,b:X-Team,c:Cookie".into()),
            name => manifest.settings[name].default_text(),
        });
        assert_eq!(view.visible, ["x-extra", "x-team", "x-user"].map(String::from).into());
        assert_eq!(view.sealed, ["x-secret"].map(String::from).into());
        assert_eq!(view.cookies, ["Session"].map(String::from).into());
    }

    #[test]
    fn a_plugin_that_signs_nobody_in_sees_no_header() {
        let text = MANIFEST
            .replace("[auth]\nheaders = [\"X-Extra\"]\ncookies = [\"Session\"]\n", "")
            .replace("sealed = true\n", "");
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(HeaderView::of(&manifest, |name| manifest.settings[name].default_text()), HeaderView::default());
    }
}
