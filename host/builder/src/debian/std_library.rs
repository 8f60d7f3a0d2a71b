//! Compiles the standard library for the guests' target.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::cargo::{encoded, remap};
use crate::command::run;
use crate::env::BuildEnv;
use crate::toolchain::{DebianError, GuestCompiler, TARGET};

/// Compiles the source in `library` and lays the result into the sysroot `root`.
///
/// Its few dependencies come from the registry as the source's own lock file pins them: the package's vendored ones lack the
/// dev-dependencies that cargo wants to resolve.
pub(super) fn compile(
    env: &BuildEnv,
    compiler: &GuestCompiler,
    work: &Path,
    library: &Path,
    root: &Path,
) -> Result<(), DebianError> {
    let target = work.join("target");
    let mut flags: Vec<OsString> = vec!["-Zforce-unstable-if-unmarked".into(), "-Cembed-bitcode=yes".into()];
    flags.push(remap(library, "/rustc/library"));
    if let Some(home) = env.cargo_home() {
        flags.push(remap(&home, "/cargo"));
    }
    let mut command = env.cargo();
    compiler.apply(env, &mut command);
    command
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--target",
            TARGET,
            "--manifest-path",
            "sysroot/Cargo.toml",
        ])
        .args(["--features", "panic-unwind,compiler-builtins-mem"])
        .current_dir(library)
        // The library is compiled with the compiler it belongs to, which is what this switch is for.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", encoded(&flags))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_INCREMENTAL", "false");
    run(&mut command)?;

    let built = target.join(TARGET).join("release/deps");
    let place = root.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&place).map_err(super::io(&place))?;
    for entry in fs::read_dir(&built).map_err(super::io(&built))?.flatten() {
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        // `sysroot` is only the crate that names all the others.
        if shown.ends_with(".rlib") && !shown.starts_with("libsysroot-") {
            fs::copy(entry.path(), place.join(&name)).map_err(super::io(&place))?;
        }
    }
    Ok(())
}
