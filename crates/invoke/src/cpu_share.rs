//! How much of the host's CPUs a function gets.

/// How much CPU functions get once they have started. While they start they have all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuShare {
    /// All there is, each a third of the weight of this server.
    Full,
    /// In proportion to their memory, as on Lambda. The launcher must have been asked for shares.
    ByMemory,
}

/// Memory for which a function gets one CPU, MiB. Source: Lambda developer guide, "Configure Lambda function memory".
const MEMORY_MIB_PER_CPU: u32 = 1769;

impl CpuShare {
    /// CPUs' worth of time of a function with so much memory on a host with so many CPUs. `None` is all there is.
    pub(crate) fn of(self, memory_mib: u32, cpus: usize) -> Option<f64> {
        let share = f64::from(memory_mib) / f64::from(MEMORY_MIB_PER_CPU);
        (self == CpuShare::ByMemory && share < cpus as f64).then_some(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_buys_cpu_up_to_what_the_host_has() {
        for (memory_mib, cpus, wanted) in [
            (128, 2, Some(128.0 / 1769.0)),
            (1769, 2, Some(1.0)),
            (3537, 2, Some(3537.0 / 1769.0)),
            (3538, 2, None),
            (10_240, 2, None),
            (10_240, 64, Some(10_240.0 / 1769.0)),
            (1769, 1, None),
        ] {
            assert_eq!(CpuShare::ByMemory.of(memory_mib, cpus), wanted, "{memory_mib} MiB, {cpus} CPUs");
            assert_eq!(CpuShare::Full.of(memory_mib, cpus), None);
        }
    }
}
