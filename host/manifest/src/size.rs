//! How large a plugin file may be.

/// Largest plugin file the host reads: 32 MiB. A Python component, the largest common kind, has about 18.
pub const MAX_COMPONENT_BYTES: u64 = 32 * 1024 * 1024;

/// A plugin file is larger than [`MAX_COMPONENT_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file has {bytes} bytes; a plugin may have at most {MAX_COMPONENT_BYTES}")]
pub struct TooLarge {
    /// The file's size in bytes.
    pub bytes: u64,
}

/// Checks a file's size, in bytes; meant to be asked before the file is read.
///
/// # Errors
/// [`TooLarge`] when it exceeds [`MAX_COMPONENT_BYTES`].
pub fn check_size(bytes: u64) -> Result<(), TooLarge> {
    if bytes > MAX_COMPONENT_BYTES { Err(TooLarge { bytes }) } else { Ok(()) }
}
