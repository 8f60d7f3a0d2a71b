//! What the kernel lets the engine reach: its own directory, and what any program must read.
//!
//! Grants do not do this. In the library's mode the scalar function `file('/etc/passwd')` reads any
//! file under every user, `readonly=1` included; a server confines it to `user_files`. So Landlock
//! does.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// Newest kernel interface whose restrictions are asked for; older kernels enforce what they know.
const NEWEST: ABI = ABI::V6;

/// Read by the engine while it runs: its own process, the machine's figures, time zones, names.
const READABLE: [&str; 20] = [
    "/proc/self",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/cpuinfo",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/sys",
    "/proc/mounts",
    "/proc/diskstats",
    "/sys",
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/usr/share/zoneinfo",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/lib",
    "/usr/lib",
];

/// What this engine is allowed beyond the fixed list.
pub(crate) struct Allowed<'a> {
    /// Folders, relative to the current one, that may be written.
    pub writable: &'a [&'a str],
    /// A program that may be executed, besides the dynamic linker.
    pub program: Option<&'a Path>,
    /// Whether TCP connections may be opened.
    pub connect: bool,
    /// Ports that may be listened on; 0 stands for one that the system chooses.
    pub listen: &'a [u16],
}

/// Restricts this thread and all it starts from now on, for good. The current directory stays
/// readable, so that the configuration can be read and not changed.
pub(crate) fn confine(allowed: &Allowed<'_>) -> Result<RulesetStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let mut network: BitFlags<AccessNet> = AccessNet::BindTcp.into();
    if !allowed.connect {
        network |= AccessNet::ConnectTcp;
    }
    let everything = AccessFs::from_all(NEWEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(everything)?
        .handle_access(network)?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(["."], read))?
        // Never executable: no file that a query wrote may become a program.
        .add_rules(path_beneath_rules(allowed.writable, everything & !BitFlags::from(AccessFs::Execute)))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::WriteFile | AccessFs::ReadFile))?
        .add_rules(path_beneath_rules(READABLE, read))?;
    for port in allowed.listen {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    if let Some(program) = allowed.program {
        let run = AccessFs::ReadFile | AccessFs::Execute;
        rules = rules.add_rules(path_beneath_rules(
            [program, Path::new("/lib"), Path::new("/lib64"), Path::new("/usr/lib")],
            run,
        ))?;
    }
    Ok(rules.restrict_self()?.ruleset)
}
