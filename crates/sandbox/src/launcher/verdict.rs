//! What the trials found, in words for the operator.

use crate::error::{Fault, Step};
use crate::kernel;
use crate::message::Mode;
use crate::report::{CgroupVersion, Level, Missing, NAMESPACES, OUT_OF_SIGHT, Report};

pub fn level(mode: Mode) -> Level {
    match mode {
        Mode::RootMapped | Mode::Root => Level::NamespacesRoot,
        Mode::User => Level::NamespacesUser,
        Mode::Landlock => Level::Landlock,
        Mode::Process => Level::Process,
    }
}

/// The report for a mode that works, after the modes in `refusals` did not.
pub fn report(
    mode: Mode,
    cgroups: CgroupVersion,
    lacking: Vec<Missing>,
    refusals: &[(Mode, Fault)],
) -> Report {
    let why = |modes: &[Mode]| {
        let refusal = refusals.iter().rev().find(|(mode, _)| modes.contains(mode));
        refusal.map_or_else(|| "configured so".to_owned(), |(mode, fault)| explain(*mode, *fault))
    };
    let mut missing = Vec::new();
    let mut lack =
        |what: &str, why: &str| missing.push(Missing { what: what.to_owned(), why: why.to_owned() });
    if mode == Mode::Root {
        lack("user namespace", &why(&[Mode::RootMapped]));
    }
    if !mode.has_namespaces() {
        lack(NAMESPACES, &why(&[Mode::RootMapped, Mode::Root, Mode::User]));
        lack("size limit of /tmp", "only each file is limited, for there is no mount of its own");
    }
    match mode {
        Mode::Process => lack(OUT_OF_SIGHT, &why(&[Mode::Landlock])),
        Mode::Landlock => lacking_of_landlock(kernel::landlock_version().unwrap_or(0), &mut lack),
        _ => {}
    }
    for group in lacking {
        let limited_by_user = mode.maps_users() || rustix::process::geteuid().is_root();
        let instead = match group.what.as_str() {
            "memory limit" => "; looked at every 50 ms instead",
            "process limit" if limited_by_user => "; limited by user instead",
            _ => "",
        };
        lack(&group.what, &format!("{}{instead}", group.why));
    }
    Report {
        level: level(mode),
        user_namespace: mode.maps_users(),
        cgroups,
        has_outside: false,
        has_cpu_shares: false,
        missing,
    }
}

/// What came to landlock only later (landlock(7), versions).
fn lacking_of_landlock(version: u32, lack: &mut impl FnMut(&str, &str)) {
    let why = format!("this kernel has version {version} of landlock");
    if version < 4 {
        lack("ports of the host out of reach", &format!("{why}, ports came with 4"));
    }
    if version < 6 {
        lack("signals and abstract sockets of the host out of reach", &format!("{why}, they came with 6"));
    }
}

fn explain(mode: Mode, fault: Fault) -> String {
    let setting = |name: &str| std::fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default();
    let is = |name: &str, value: &str| setting(name).trim() == value;
    let denied = fault.errno == libc::EACCES || fault.errno == libc::EPERM || fault.errno == libc::ENOSPC;
    let hint = match mode {
        Mode::RootMapped | Mode::User if denied && is("user/max_user_namespaces", "0") => {
            "; sysctl user.max_user_namespaces is 0"
        }
        Mode::User if denied && is("kernel/unprivileged_userns_clone", "0") => {
            "; sysctl kernel.unprivileged_userns_clone=1 would allow it"
        }
        Mode::User if denied && is("kernel/apparmor_restrict_unprivileged_userns", "1") => {
            "; AppArmor restricts user namespaces, a profile for this binary or sysctl kernel.apparmor_restrict_unprivileged_userns=0 would allow it"
        }
        Mode::User if denied && fault.step == Step::Clone => {
            "; a service's unit must have no `RestrictNamespaces=`, a container must allow user namespaces"
        }
        Mode::RootMapped | Mode::Root if denied && fault.step == Step::Clone => {
            "; root without CAP_SYS_ADMIN, as in a container?"
        }
        _ if fault.errno == libc::ENOSYS => {
            "; Linux 5.12 or newer is needed, and no filter of system calls in the way, as of a unit's `SystemCallFilter=` or a container's"
        }
        _ => "",
    };
    format!("{fault}{hint}")
}
