//! Where values come from.

use std::fmt;
use std::path::PathBuf;

use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider, Source};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// An option of the command line.
    Option(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {}", name.escape_debug()),
            Self::Option(name) => write!(f, "option {name}"),
        }
    }
}

const DEFAULTS: &str = "default";
const VARIABLE: &str = "environment variable";
const OPTION: &str = "option";
const OPTIONS: &[&str] = &["--listen", "--plugins"];

/// Values from one origin, as figment takes them. Figment keeps the metadata with each value, and [`Origin::of`] reads it back.
pub(super) struct Layer {
    pub origin: Origin,
    pub values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        match &self.origin {
            Origin::Default => Metadata::named(DEFAULTS),
            Origin::File(path) => Metadata::from("file", path.as_path()),
            Origin::Variable(name) => Metadata::from(VARIABLE, name.clone()),
            Origin::Option(name) => Metadata::from(OPTION, *name),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

impl Origin {
    /// The origin of a value that came through a [`Layer`].
    pub(super) fn of(figment: &Figment, tag: figment::value::Tag) -> Self {
        let Some(metadata) = figment.get_metadata(tag) else {
            return Self::Default;
        };
        match &metadata.source {
            Some(Source::File(path)) => Self::File(path.clone()),
            Some(Source::Custom(name)) if metadata.name == OPTION => {
                OPTIONS.iter().find(|option| *option == name).map_or(Self::Default, |option| Self::Option(option))
            }
            Some(Source::Custom(name)) => Self::Variable(name.clone()),
            _ => Self::Default,
        }
    }
}
