//! Lines in the host's log; each carries the plugin's name and the request's id. Always granted.
//!
//! Never write a secret, nor what a person typed.

use std::fmt::Display;

use super::imports;
pub use crate::bindings::imports::chm::plugin::log::Level;

/// A line for whoever debugs this plugin.
pub fn debug(message: impl Display) {
    write(Level::Debug, message);
}

/// A line about normal work.
pub fn info(message: impl Display) {
    write(Level::Info, message);
}

/// A line an operator should act on some time.
pub fn warn(message: impl Display) {
    write(Level::Warn, message);
}

/// A line an operator should act on now.
pub fn error(message: impl Display) {
    write(Level::Error, message);
}

fn write(level: Level, message: impl Display) {
    imports::log::write(level, &message.to_string());
}
