//! Variables whose text takes another form before it is a value.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::address;

/// How a text becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The address of an issuer: without slashes at the end, which its tokens do not have.
    Issuer,
    /// A key in PEM; environment files often have `\n` for its line ends.
    Pem,
    /// Clerk's publishable key: `pk_test_` or `pk_live_`, and the instance's frontend host in base64 with a `$` behind it.
    PublishableKey,
}

impl Form {
    /// The value; absent when the text does not fit.
    pub fn read(self, text: &str) -> Option<String> {
        let text = text.trim();
        match self {
            Self::Issuer => {
                address::parse(text)?;
                Some(text.trim_end_matches('/').to_owned())
            }
            Self::Pem => {
                let text = text.replace("\\n", "\n");
                text.contains("-----BEGIN ").then_some(text)
            }
            Self::PublishableKey => {
                let coded = text.strip_prefix("pk_test_").or_else(|| text.strip_prefix("pk_live_"))?;
                let decoded = lenient().decode(coded).ok()?;
                let host = std::str::from_utf8(&decoded).ok()?.strip_suffix('$')?;
                let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
                let formed = host.contains('.') && host.bytes().all(letters);
                let issuer = format!("https://{host}");
                (formed && address::parse(&issuer).is_some()).then_some(issuer)
            }
        }
    }

    /// What the text should be.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Issuer => "an http or https address, for example https://acme.cloudflareaccess.com",
            Self::Pem => "a public key in PEM, beginning with -----BEGIN PUBLIC KEY-----",
            Self::PublishableKey => "a publishable key of Clerk, for example pk_live_… as its dashboard shows it",
        }
    }
}

/// With or without `=` at the end.
fn lenient() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_take_their_form_or_are_refused() {
        for (form, text, expected) in [
            (Form::Issuer, " https://acme.example/ ", Some("https://acme.example")),
            (Form::Issuer, "http://127.0.0.1:9/realm", Some("http://127.0.0.1:9/realm")),
            (Form::Issuer, "acme.cloudflareaccess.com", None),
            (Form::Issuer, "ftp://acme.example", None),
            (
                Form::Pem,
                "-----BEGIN PUBLIC KEY-----\\nAA==\\n-----END",
                Some("-----BEGIN PUBLIC KEY-----\nAA==\n-----END"),
            ),
            (Form::Pem, "-----BEGIN PUBLIC KEY-----\nAA==", Some("-----BEGIN PUBLIC KEY-----\nAA==")),
            (Form::Pem, "AA==", None),
            // `clerk.example.com$`, with and without padding; then `foo-bar-13.clerk.accounts.dev$`.
            (Form::PublishableKey, "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", Some("https://clerk.example.com")),
            (
                Form::PublishableKey,
                "pk_test_Zm9vLWJhci0xMy5jbGVyay5hY2NvdW50cy5kZXYk",
                Some("https://foo-bar-13.clerk.accounts.dev"),
            ),
            (Form::PublishableKey, "pk_live_YS5iLmNvJA==", Some("https://a.b.co")),
            (Form::PublishableKey, "pk_live_YS5iLmNvJA", Some("https://a.b.co")),
            // Without `$`; with a path; with user-info; no base64; a secret key by mistake.
            (Form::PublishableKey, "pk_live_YS5iLmNv", None),
            (Form::PublishableKey, "pk_live_YS5iLmNvL3gk", None),
            (Form::PublishableKey, "pk_live_eEBhLmIuY28k", None),
            (Form::PublishableKey, "pk_live_…", None),
            (Form::PublishableKey, "sk_live_Y2xlcmsuZXhhbXBsZS5jb20k", None),
        ] {
            assert_eq!(form.read(text).as_deref(), expected, "{text}");
        }
    }
}
