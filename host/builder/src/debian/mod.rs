//! Makes a compiler for guests out of Debian's packages. Nothing is installed: the packages are unpacked into a folder of the cache.
//!
//! Debian's `rustc-web` is a current compiler whose source is packaged too, so the standard library for the guests' target can be
//! compiled from it once. The folder then has the shape of any Rust sysroot:
//! `bin/rustc`, `lib/*.so`, `lib/rustlib/<host>`, `lib/rustlib/wasm32-unknown-unknown`.

mod apt;
mod std_library;
mod unpack;

use std::fs;
use std::path::Path;

use crate::command::text_of;
use crate::env::BuildEnv;
use crate::lock::FolderLock;
use crate::step::{Progress, Step};
use crate::toolchain::{DebianError, GuestCompiler, Origin, library_path};
use apt::Apt;
use unpack::unpack;

/// Number of this way of making a compiler; a higher one does not take compilers of a lower one.
const RECIPE: u32 = 1;

/// Whether this system has Debian's tools.
pub(crate) fn is_possible(env: &BuildEnv) -> bool {
    ["apt-get", "dpkg-deb"].iter().all(|tool| text_of(env.command(tool).arg("--version")).is_ok())
}

/// The compiler in the cache, or a new one.
///
/// A compiler once made is kept although Debian's moves on: a start must not depend on the network.
pub(crate) fn find_or_make(env: &BuildEnv, progress: Progress<'_>) -> Result<GuestCompiler, DebianError> {
    let folder = env.cache().ok_or(DebianError::NoCacheFolder)?.join("guest-rust");
    if let Some(found) = find(&folder) {
        return Ok(found);
    }
    let _lock = FolderLock::take(&folder, || progress(&Step::Waiting)).map_err(io(&folder))?;
    match find(&folder) {
        Some(found) => Ok(found),
        None => make(env, &folder, progress),
    }
}

/// The newest complete compiler of this recipe. Folders appear by a rename, so one that is there is complete.
fn find(folder: &Path) -> Option<GuestCompiler> {
    let prefix = format!("r{RECIPE}-");
    let mut names: Vec<_> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name()).collect();
    names.retain(|name| name.to_string_lossy().starts_with(&prefix));
    names.sort();
    names.pop().map(|name| compiler_in(&folder.join(name)))
}

fn compiler_in(folder: &Path) -> GuestCompiler {
    GuestCompiler { rustc: folder.join("bin/rustc"), libraries: Some(folder.join("lib")), origin: Origin::Debian }
}

fn make(env: &BuildEnv, folder: &Path, progress: Progress<'_>) -> Result<GuestCompiler, DebianError> {
    let work = tempfile::Builder::new().prefix(".making-").tempdir_in(folder).map_err(io(folder))?;
    let packages = work.path().join("packages");
    let root = work.path().join("root");
    let (bin, lib) = (root.join("bin"), root.join("lib"));
    for new in [&packages, &bin, &lib] {
        fs::create_dir_all(new).map_err(io(new))?;
    }

    let apt = Apt::ready(env, "rustc-web", &work.path().join("apt"), progress)?;
    let version = apt.candidate("rustc-web")?.ok_or_else(|| DebianError::NoPackage("rustc-web".to_owned()))?;
    let driver = format!("libstd-rust-web-{}", minor_of(&version));
    // Which LLVM the compiler links with is asked of the package.
    let llvm = apt
        .dependency(&driver, &version, "libllvm")?
        .ok_or_else(|| DebianError::Content { package: driver.clone(), what: "dependency on libllvm" })?;
    let lld = llvm.replacen("libllvm", "lld-", 1);
    progress(&Step::Downloading { version: version.clone() });
    let of_compiler = |name: &str| format!("{name}={version}");
    apt.download(
        &packages,
        &[
            of_compiler("rustc-web"),
            of_compiler(&driver),
            of_compiler("libstd-rust-web-dev"),
            of_compiler("rust-web-src"),
            llvm.clone(),
            lld.clone(),
        ],
    )?;

    let library = work.path().join("library");
    let host_bin = unpack_compiler(env, &packages, &root, &library, [&driver, &llvm], progress)?;
    progress(&Step::Unpacking { package: lld.clone() });
    // Debian's linker of the same LLVM, under the name and in the place where rustc looks for it.
    unpack(env, &packages, &lld, "lld", |path| {
        (path.starts_with("usr/lib/") && path.ends_with("/bin/lld")).then(|| host_bin.join("rust-lld"))
    })?;

    // Says early, and by its name, which library of the system is missing.
    let libraries = library_path(env, &lib);
    for (program, arguments) in
        [(bin.join("rustc"), ["-vV"].as_slice()), (host_bin.join("rust-lld"), &["-flavor", "wasm", "--version"])]
    {
        text_of(env.command(program).args(arguments).env("LD_LIBRARY_PATH", &libraries))?;
    }
    progress(&Step::StandardLibrary);
    std_library::compile(env, &compiler_in(&root), work.path(), &library, &root)?;

    let place = folder.join(format!("r{RECIPE}-{}", file_name_of(&version)));
    fs::rename(&root, &place).map_err(io(&place))?;
    Ok(compiler_in(&place))
}

/// Unpacks compiler, libraries and the standard library's source; returns where the linker belongs.
fn unpack_compiler(
    env: &BuildEnv,
    packages: &Path,
    root: &Path,
    library: &Path,
    [driver, llvm]: [&str; 2],
    progress: Progress<'_>,
) -> Result<std::path::PathBuf, DebianError> {
    let lib = root.join("lib");
    let shared = |path: &str, prefix: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let fits = path.starts_with("usr/lib/") && name.starts_with(prefix) && name.contains(".so");
        // `usr/lib/<machine>/name`: deeper ones are links back to these.
        (fits && path.matches('/').count() <= 3).then(|| lib.join(name))
    };
    let step = |package: &str| progress(&Step::Unpacking { package: package.to_owned() });
    step("rustc-web");
    unpack(env, packages, "rustc-web", "compiler", |path| (path == "usr/bin/rustc").then(|| root.join("bin/rustc")))?;
    step(driver);
    unpack(env, packages, driver, "compiler library", |path| {
        shared(path, "librustc_driver").or_else(|| shared(path, "libstd-"))
    })?;
    step(llvm);
    unpack(env, packages, llvm, "LLVM library", |path| shared(path, "libLLVM"))?;
    step("libstd-rust-web-dev");
    unpack(env, packages, "libstd-rust-web-dev", "standard library", |path| {
        path.strip_prefix("usr/lib/rustlib/").map(|rest| lib.join("rustlib").join(rest))
    })?;
    step("rust-web-src");
    unpack(env, packages, "rust-web-src", "library source", |path| {
        let (_, rest) = path.strip_prefix("usr/src/rustc-")?.split_once('/')?;
        rest.strip_prefix("library/").map(|rest| library.join(rest))
    })?;
    let host = text_of(env.command(root.join("bin/rustc")).arg("-vV").env("LD_LIBRARY_PATH", library_path(env, &lib)))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    Ok(lib.join("rustlib").join(host).join("bin"))
}

/// `1.96` of `1.96.0+dfsg1-1`: a part of package names.
fn minor_of(version: &str) -> String {
    version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

fn file_name_of(version: &str) -> String {
    version.chars().map(|c| if c.is_ascii_alphanumeric() || ".+-".contains(c) { c } else { '_' }).collect()
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> DebianError + use<'_> {
    move |source| DebianError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_packages_version() {
        assert_eq!(minor_of("1.96.0+dfsg1-1~deb12u2"), "1.96");
        assert_eq!(file_name_of("1:1.96.0+dfsg1-1~deb12u2"), "1_1.96.0+dfsg1-1_deb12u2");
    }

    #[test]
    fn the_newest_compiler_of_this_recipe_is_taken_and_an_unfinished_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(folder.path()), None);
        for name in ["r0-2.0", ".making-r1-3.0", "r1-1.95.0", "r1-1.96.0"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        assert_eq!(find(folder.path()), Some(compiler_in(&folder.path().join("r1-1.96.0"))));
    }
}
