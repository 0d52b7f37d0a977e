//! What the door is made of, and its bounds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pitbird_egress::Reach;
use pitbird_sandbox::{Launcher, Outside};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;
use pitbird_trace::Tracer;

use crate::aws::Aws;
use crate::cpu_share::CpuShare;
use crate::runtime::ChosenRuntime;

/// Everything that an [`Invoker`](crate::Invoker) needs.
#[derive(Clone)]
pub struct Config {
    pub launcher: Launcher,
    pub telemetry: Arc<Telemetry>,
    /// Where invocations are recorded whose trace is.
    pub tracer: Tracer,
    /// Where code blobs and queued events are, and the snapshot in which queued events find their function.
    pub store: Store,
    /// For unpacked code and the runtimes' own files. May be deleted while nothing runs.
    pub cache_directory: PathBuf,
    /// Where interpreters are looked for, in this order; usually `PATH`.
    pub search_path: Vec<PathBuf>,
    /// Programs that serve runtimes whatever the search path has; see [`check_chosen_runtimes`](crate::check_chosen_runtimes).
    pub chosen_runtimes: Vec<ChosenRuntime>,
    /// AWS as functions reach it; without it they have no credentials, and nobody answers.
    pub aws: Option<Arc<dyn Aws>>,
    /// Becomes `AWS_ENDPOINT_URL` where sandboxes share the host's network, in functions that don't set it themselves. Where
    /// they have a network of their own, AWS is behind the address of the Runtime API.
    pub endpoint_url: Option<String>,
    /// How far functions may reach beside AWS; the launcher must have been asked for [`way_out`]. `None` is nowhere.
    pub reach: Option<Reach>,
    pub limits: Limits,
    pub events: EventPolicy,
}

/// What a launcher has to be asked for where functions may reach the outside world.
pub fn way_out() -> Outside {
    Outside {
        address: pitbird_egress::GUEST,
        prefix_bits: pitbird_egress::PREFIX_BITS,
        router: pitbird_egress::ROUTER,
        packet_bytes_max: pitbird_egress::PACKET_BYTES_MAX,
    }
}

/// The most that [`Limits::parked`] may be.
pub const PARKED_MAX: u32 = 16;

/// Bounds, each with AWS's value or, where AWS names none, ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Invocations at once per account and region. Lambda's default is 1000.
    pub concurrent_executions: u32,
    /// Invocations that functions without a reservation may begin in a second, together, per account and region. Lambda has ten times
    /// what may run at once, 10,000; `None` is as many as the host can.
    pub invocations_per_s: Option<u32>,
    /// Environments that one function may start on demand in ten seconds. Lambda's is 1000.
    pub scaling: u32,
    /// Environments at once, of all functions; idle ones make room for others.
    pub environments_max: u32,
    /// Environments that start at the same time; the others wait their turn.
    pub launches_max: u32,
    /// Interpreters that are kept started for the next environments of each kind in use, 0 to [`PARKED_MAX`]. Each has some 8 MB of
    /// memory of its own. With Node each memory size is a kind. Kinds beyond four, those wanted longest ago, have none.
    pub parked: u32,
    pub cpu_share: CpuShare,
    /// Sockets of the host's that what all functions send may have at the same time; the connections among them have 128 KiB of this
    /// process's memory each.
    pub egress_sockets_max: u32,
    /// Memory that must be available on the host for another environment to start, bytes.
    pub memory_reserve_bytes: u64,
    /// After this time without an invocation an environment ends, and after this time without a start so do the interpreters that
    /// are kept started.
    pub idle: Duration,
    /// After this time without an invocation an environment is frozen until its next one, where the host can do that. Lambda does
    /// it at once; the next invocation of one that wasn't frozen yet is quicker.
    pub freeze_after: Duration,
    /// A runtime must ask for its first invocation within this time. Lambda's is 10 s.
    pub init: Duration,
    /// An invocation that finds no environment within this time is throttled.
    pub wait: Duration,
    /// Of output that one environment may log per second; what is more is dropped, with a line that says so.
    pub output_bytes_per_s: u64,
    /// Unpacked code that nobody uses is kept up to this size, bytes.
    pub code_cache_bytes: u64,
    /// An environment that is older than this ends when it has nothing to do, so that its credentials outlive it.
    pub lifetime: Duration,
    /// Invocations that run may take this long to end when the server shuts down.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Limits {
            concurrent_executions: 1000,
            invocations_per_s: None,
            scaling: 1000,
            environments_max: 1000,
            launches_max: u32::try_from(2 * cores).unwrap_or(u32::MAX).max(4),
            parked: 2,
            cpu_share: CpuShare::Full,
            egress_sockets_max: 2048,
            memory_reserve_bytes: 256 << 20,
            idle: Duration::from_secs(600),
            freeze_after: Duration::from_millis(100),
            init: Duration::from_secs(10),
            wait: Duration::from_secs(30),
            output_bytes_per_s: 4 << 20,
            code_cache_bytes: 8 << 30,
            lifetime: Duration::from_secs(6 * 60 * 60),
            shutdown: Duration::from_secs(5),
        }
    }
}

/// What becomes of asynchronous invocations. The defaults are Lambda's.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPolicy {
    /// Waits before each attempt after a function error; as many attempts follow the first as there are waits.
    pub retry_after: Vec<Duration>,
    /// First wait after a throttle or a failure of the platform; each further one is twice as long.
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// An event that is older is dropped.
    pub age_max: Duration,
    /// Events that run at the same time, of all functions.
    pub running_max: u32,
    /// Events in the queue; beyond it they are refused.
    pub queued_max: usize,
}

impl Default for EventPolicy {
    fn default() -> EventPolicy {
        EventPolicy {
            retry_after: vec![Duration::from_secs(60), Duration::from_secs(120)],
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(300),
            age_max: Duration::from_secs(21_600),
            running_max: 100,
            queued_max: 100_000,
        }
    }
}
