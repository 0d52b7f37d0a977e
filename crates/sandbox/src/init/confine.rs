//! Limits, privileges, landlock rules and the system-call filter: what a guest is held by.

use landlock::{
    Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, Scope,
};
use libc::sock_filter;
use rustix::process::{Resource, Rlimit};
use rustix::thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets, Gid, Uid};

use super::{Identity, Setup};
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::message::{Enter, Mode};

/// Sets the resource limits, for this process and all that come from it.
pub fn limit(setup: &Setup<'_>, request: &Enter) -> Result<(), Fault> {
    // Not 0, which would still feed a host's program that collects dumps by a pipe (core(5)); 1 means none at all.
    set(Resource::Core, 1)?;
    set(Resource::Nofile, u64::from(request.open_files_max))?;
    // Counted per user: right where the user is the sandbox's own, else it would count the operator's other processes.
    if setup.identity.is_some() {
        set(Resource::Nproc, u64::from(request.processes_max).saturating_add(1))?;
    }
    // What the daemon may, as by its service's settings, isn't the guest's.
    set(Resource::Rtprio, 0)?;
    set(Resource::Nice, 0)?;
    if !setup.mode.has_namespaces() {
        // No mount of its own bounds the private directory; then at least each file is bounded.
        set(Resource::Fsize, request.tmp_bytes)?;
    }
    Ok(())
}

/// How far functions stand behind the daemon when everybody wants the CPU: a third of its weight each (sched-nice-design).
const NICE: i32 = 5;

/// Lets the daemon go first. A process that is woken doesn't interrupt the one that wakes it, which is about to wake others: a
/// warm invocation costs the daemon a third less. A wish, like all that concerns the order in which processes run.
pub fn give_way() {
    let _ = rustix::process::nice(NICE);
    let _ = kernel::run_in_batches();
}

/// Lowers a limit. What is lower already stays: raising needs a privilege.
fn set(resource: Resource, value: u64) -> Result<(), Fault> {
    let value = rustix::process::getrlimit(resource).maximum.map_or(value, |most| most.min(value));
    rustix::process::setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
        .at(Step::Limits)
}

/// Becomes the guest's user, without capabilities and without a way to any.
pub fn give_up_privileges(identity: Option<Identity>) -> Result<(), Fault> {
    let none = CapabilitySet::empty();
    let held = rustix::thread::capabilities(None).at(Step::Privileges)?.effective;
    if held.contains(CapabilitySet::SETPCAP) {
        let bits = CapabilitiesSecureBits::NO_ROOT
            | CapabilitiesSecureBits::NO_ROOT_LOCKED
            | CapabilitiesSecureBits::NO_SETUID_FIXUP
            | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
            | CapabilitiesSecureBits::KEEP_CAPS_LOCKED
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
        rustix::thread::set_capabilities_secure_bits(bits).at(Step::Privileges)?;
        for capability in 0..64 {
            let capability = CapabilitySet::from_bits_retain(1 << capability);
            // EINVAL: numbers from here on are no capabilities of this kernel.
            if rustix::thread::remove_capability_from_bounding_set(capability).is_err() {
                break;
            }
        }
    }
    if let Some(identity) = identity {
        // Refused in a user namespace made without privileges, where no group could be gained either.
        let _ = rustix::thread::set_thread_groups(&[]);
        let group = Gid::from_raw(identity.group);
        rustix::thread::set_thread_res_gid(group, group, group).at(Step::Privileges)?;
        let user = Uid::from_raw(identity.user);
        rustix::thread::set_thread_res_uid(user, user, user).at(Step::Privileges)?;
    }
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets).at(Step::Privileges)?;
    rustix::thread::set_no_new_privs(true).at(Step::Privileges)
}

/// Closes this process's memory, environment and descriptors to a guest that may have the same user. Execution lifts it for the
/// program.
pub fn hide() -> Result<(), Fault> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .at(Step::Privileges)
}

/// Installs the system-call filter. The last step before the program, for it forbids the others.
pub fn filter(filter: &[sock_filter]) -> Result<(), Fault> {
    kernel::install_filter(filter).at(Step::Seccomp)
}

/// Applies the landlock rules, where the level has them: the function's files and the runtime's may be read, the private
/// directory written, the Runtime API's port called. Newer kernels also cut signals and abstract sockets.
pub fn landlock(mode: Mode, request: &Enter) -> Result<(), Fault> {
    if mode != Mode::Landlock {
        return Ok(());
    }
    restrict(request).map_err(|_| Fault::new(Step::Landlock, libc::EACCES))
}

fn restrict(request: &Enter) -> Result<(), landlock::RulesetError> {
    const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
    let abi = landlock::ABI::V6;
    let read = AccessFs::from_read(abi);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()?
        .add_rule(NetPort::new(request.runtime_api_port, AccessNet::ConnectTcp))?;
    let readable = request.readable.iter().map(|path| (path.as_path(), read));
    let devices = DEVICES.iter().map(|path| (std::path::Path::new(path), read | AccessFs::WriteFile));
    let private = (request.private_directory.as_path(), AccessFs::from_all(abi));
    for (path, access) in readable.chain(devices).chain([private]) {
        rules = allow(rules, path, access)?;
    }
    rules.restrict_self()?;
    Ok(())
}

fn allow(
    rules: landlock::RulesetCreated,
    path: &std::path::Path,
    access: BitFlags<AccessFs>,
) -> Result<landlock::RulesetCreated, landlock::RulesetError> {
    // What does not exist, or cannot be reached by this user, needs no rule.
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(landlock::ABI::V6) };
    rules.add_rule(PathBeneath::new(opened, access))
}
