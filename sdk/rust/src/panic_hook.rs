//! Makes a panic visible.
//!
//! On a target without an operating system a panic is a bare `unreachable` trap: message and line would be lost. The
//! hook writes them to the host's log before the trap ends the call.

/// Installs the hook. Every call of the host starts with it, as every call has a fresh instance.
pub(crate) fn install() {
    // One line in the log: the message comes after a line break.
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|info| crate::host::log::error(info.to_string().replace('\n', " "))));
}
