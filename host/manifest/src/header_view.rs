//! Which request headers an auth provider may see.

use std::collections::BTreeSet;

use crate::header::header_names;
use crate::manifest::Manifest;

/// The headers and cookies of a request that one auth provider may use, computed once from its manifest and its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderView {
    /// Lower-case names of headers that the guest sees.
    pub visible: BTreeSet<String>,
    /// Lower-case names of headers that the host only compares or verifies. Never visible, whatever else names them.
    pub sealed: BTreeSet<String>,
    /// Names of cookies that the guest sees; cookie names keep their case.
    pub cookies: BTreeSet<String>,
    /// Names of cookies that the host only verifies.
    pub sealed_cookies: BTreeSet<String>,
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
            sealed: auth.sealed_headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
            cookies: auth.cookies.iter().cloned().collect(),
            sealed_cookies: auth.sealed_cookies.iter().cloned().collect(),
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

    /// Whether the guest may ask about this header, seen or sealed; `name` in any case.
    #[must_use]
    pub fn names_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.visible.contains(&name) || self.sealed.contains(&name)
    }

    /// Whether the guest may ask about this cookie, seen or sealed.
    #[must_use]
    pub fn names_cookie(&self, name: &str) -> bool {
        self.cookies.contains(name) || self.sealed_cookies.contains(name)
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
sealed_headers = ["Authorization"]
sealed_cookies = ["Token"]
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
            "custom" => Some("a:X-SECRET,b:X-Team,c:Cookie,d:authorization".into()),
            name => manifest.settings[name].default_text(),
        });
        assert_eq!(view.visible, ["x-extra", "x-team", "x-user"].map(String::from).into());
        assert_eq!(view.sealed, ["authorization", "x-secret"].map(String::from).into());
        assert_eq!(view.cookies, ["Session"].map(String::from).into());
        assert_eq!(view.sealed_cookies, ["Token"].map(String::from).into());
        assert!(view.names_header("X-Secret") && view.names_header("x-team") && !view.names_header("x-other"));
        assert!(view.names_cookie("Token") && view.names_cookie("Session") && !view.names_cookie("token"));
    }

    #[test]
    fn a_plugin_that_signs_nobody_in_sees_no_header() {
        let text = MANIFEST
            .replace("[auth]\nheaders = [\"X-Extra\"]\ncookies = [\"Session\"]\n", "")
            .replace("sealed_headers = [\"Authorization\"]\nsealed_cookies = [\"Token\"]\n", "")
            .replace("sealed = true\n", "");
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(HeaderView::of(&manifest, |name| manifest.settings[name].default_text()), HeaderView::default());
    }
}
