//! How long a thread runs at a time, where others wait for the processor.

use std::io;
use std::time::Duration;

/// `struct sched_attr` of sched_setattr(2), as of its first version.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    /// Of threads under the usual policy: the slice that they ask for, since Linux 6.12; before, nobody looks at it.
    runtime_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

/// Lets the calling thread run for no longer than `slice` at a time. All else about it stays.
pub fn set(slice: Duration) -> io::Result<()> {
    let mut attributes = Attributes::of_this_thread()?;
    attributes.runtime_ns = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
    // SAFETY: the call reads a sched_attr of the size that it names; 0 is the caller.
    checked(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) })
}

impl Attributes {
    fn of_this_thread() -> io::Result<Attributes> {
        let mut attributes = Attributes::default();
        let size = size_of::<Attributes>() as u32;
        // SAFETY: the call writes a sched_attr of this size; 0 is the caller.
        checked(unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, size, 0) })?;
        Ok(attributes)
    }
}

fn checked(result: libc::c_long) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gets_another_slice_and_nothing_else() {
        let thread = std::thread::spawn(|| {
            let before = Attributes::of_this_thread().expect("its attributes");
            set(Duration::from_micros(200)).expect("no privilege is needed");
            let after = Attributes::of_this_thread().expect("its attributes");
            assert_eq!((after.policy, after.flags, after.nice), (before.policy, before.flags, before.nice));
            // Older kernels know no slices of one's own.
            assert!([before.runtime_ns, 200_000].contains(&after.runtime_ns), "{}", after.runtime_ns);
        });
        thread.join().expect("it went well");
    }
}
