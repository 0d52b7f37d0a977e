use pitbird_names::Month;

const GIB: u128 = 1 << 30;
/// Milliseconds of a second times MiB of a GB.
const MIB_MS: u128 = 1000 * 1024;
const SECONDS_PER_MINUTE: u128 = 60;
/// Into so many parts a unit is divided when it is shown.
const PARTS: u128 = 1_000_000_000;

macro_rules! quantities {
    ($($name:ident => $label:literal,)*) => {
        /// What is counted. Names are those of the ledger and of price lists.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Quantity {
            $(#[doc = $label] $name,)*
        }

        impl Quantity {
            /// All, in the order in which they are shown.
            pub const ALL: &'static [Quantity] = &[$(Quantity::$name),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Quantity::$name => stringify!($name),)*
                }
            }

            /// What people call it.
            pub fn label(self) -> &'static str {
                match self {
                    $(Quantity::$name => $label,)*
                }
            }

            pub fn parse(text: &str) -> Option<Quantity> {
                match text {
                    $(stringify!($name) => Some(Quantity::$name),)*
                    _ => None,
                }
            }
        }
    };
}

quantities! {
    RestRequests => "REST API requests",
    HttpRequests => "HTTP API requests, of 512 KB",
    UnchargedRequests => "API requests not charged",
    BytesOut => "API data out",
    FunctionRequests => "Function requests",
    DurationX86 => "Function duration, x86",
    DurationArm => "Function duration, Arm",
    ProvisionedDurationX86 => "Duration on provisioned, x86",
    ProvisionedDurationArm => "Duration on provisioned, Arm",
    ProvisionedConcurrencyX86 => "Provisioned concurrency, x86",
    ProvisionedConcurrencyArm => "Provisioned concurrency, Arm",
    IngestedBytes => "Logs ingested",
    StoredByteMinutes => "Logs stored",
    MetricHours => "Custom metrics",
    StandardAlarmMinutes => "Alarms, per metric",
    HighResolutionAlarmMinutes => "High-resolution alarms, per metric",
    CompositeAlarmMinutes => "Composite alarms",
}

impl Quantity {
    /// The duration of functions that run on this host's architecture: on demand, or where environments are kept ready.
    pub fn host_duration(is_provisioned: bool) -> Quantity {
        match (cfg!(target_arch = "aarch64"), is_provisioned) {
            (true, false) => Quantity::DurationArm,
            (true, true) => Quantity::ProvisionedDurationArm,
            (false, false) => Quantity::DurationX86,
            (false, true) => Quantity::ProvisionedDurationX86,
        }
    }

    /// The unit that prices are per.
    pub fn unit(self) -> &'static str {
        use Quantity::*;
        match self {
            RestRequests | HttpRequests | UnchargedRequests | FunctionRequests => "request",
            BytesOut | IngestedBytes => "GB",
            DurationX86 | DurationArm | ProvisionedDurationX86 | ProvisionedDurationArm => "GB-second",
            ProvisionedConcurrencyX86 | ProvisionedConcurrencyArm => "GB-second",
            StoredByteMinutes => "GB-month",
            MetricHours => "metric-month",
            StandardAlarmMinutes | HighResolutionAlarmMinutes | CompositeAlarmMinutes => "alarm-month",
        }
    }

    /// What an amount, as it is counted, is a number of.
    pub fn counted_in(self) -> &'static str {
        use Quantity::*;
        match self {
            RestRequests | HttpRequests | UnchargedRequests | FunctionRequests => "requests",
            BytesOut | IngestedBytes => "bytes",
            DurationX86 | DurationArm | ProvisionedDurationX86 | ProvisionedDurationArm => "MiB-milliseconds",
            ProvisionedConcurrencyX86 | ProvisionedConcurrencyArm => "MiB-minutes",
            StoredByteMinutes => "byte-minutes",
            MetricHours => "metric-hours",
            StandardAlarmMinutes | HighResolutionAlarmMinutes | CompositeAlarmMinutes => "alarm-minutes",
        }
    }

    /// How much of an amount, as it is counted, makes `.1` units: a fraction `.0 / .1`.
    pub fn per_unit(self, month: Month) -> (u128, u128) {
        use Quantity::*;
        let hours = u128::from(month.days()) * 24;
        match self {
            RestRequests | HttpRequests | UnchargedRequests | FunctionRequests => (1, 1),
            BytesOut | IngestedBytes => (GIB, 1),
            // MiB times milliseconds.
            DurationX86 | DurationArm | ProvisionedDurationX86 | ProvisionedDurationArm => (MIB_MS, 1),
            // MiB times minutes.
            ProvisionedConcurrencyX86 | ProvisionedConcurrencyArm => (1024, SECONDS_PER_MINUTE),
            StoredByteMinutes => (GIB * hours * 60, 1),
            MetricHours => (hours, 1),
            StandardAlarmMinutes | HighResolutionAlarmMinutes | CompositeAlarmMinutes => (hours * 60, 1),
        }
    }

    /// An amount in units, rounded to nine digits after the point, without those that are 0 at the end: `1.5`.
    pub fn in_units(self, amount: u64, month: Month) -> String {
        let (parts, units) = self.per_unit(month);
        let parts_of_unit = (u128::from(amount) * units * PARTS + parts / 2) / parts;
        let digits = format!("{:09}", parts_of_unit % PARTS);
        let (whole, kept) = (parts_of_unit / PARTS, digits.trim_end_matches('0'));
        if kept.is_empty() { whole.to_string() } else { format!("{whole}.{kept}") }
    }
}
