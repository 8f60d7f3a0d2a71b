//! What a plugin says about itself: `plugin.toml`, and the section of a component that carries it.
//!
//! * [`Manifest::parse`] reads and checks `plugin.toml`; every error names the key, its line, and what was expected.
//! * [`Setting::check`] checks a value that an operator gave and turns it into the text the guest reads.
//! * [`HeaderView`] decides which request headers an auth provider may see.
//! * [`embed`] puts a manifest into a component, [`extract`] takes it out again.
//!
//! Pure functions over text and bytes: no files, no network, no clock.

mod api_version;
mod error;
mod header;
mod header_view;
mod locate;
mod manifest;
mod plugin_id;
mod role;
mod section;
mod setting;
mod size;
mod value;

pub use api_version::{ApiVersion, ApiVersionError};
pub use error::ManifestError;
pub use header::{HeaderMapError, header_map, header_names, is_header_name};
pub use header_view::HeaderView;
pub use manifest::{AuthSection, MANIFEST_FILE, MAX_MANIFEST_BYTES, MAX_NAMES, Manifest, Named};
pub use plugin_id::{FEATURE_IDS, PluginId, PluginIdError};
pub use role::{Role, UnknownRole};
pub use section::{EmbedError, ExtractError, MANIFEST_SECTION, embed, extract};
pub use setting::{Setting, SettingError, SettingKind};
pub use size::{MAX_COMPONENT_BYTES, TooLarge, check_size};
pub use value::SettingValue;
