use std::fmt;

macro_rules! units {
    ($($variant:ident = $text:literal,)*) => {
        /// CloudWatch's units. Datapoints of different units never mix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub enum Unit {
            $($variant,)*
            #[default]
            None,
        }

        impl Unit {
            /// AWS's word for the unit.
            pub fn as_str(self) -> &'static str {
                match self { $(Unit::$variant => $text,)* Unit::None => "None" }
            }

            /// Reads AWS's word; `None` for any other text.
            pub fn parse(text: &str) -> Option<Unit> {
                match text { $($text => Some(Unit::$variant),)* "None" => Some(Unit::None), _ => None }
            }
        }
    };
}

units! {
    Seconds = "Seconds",
    Microseconds = "Microseconds",
    Milliseconds = "Milliseconds",
    Bytes = "Bytes",
    Kilobytes = "Kilobytes",
    Megabytes = "Megabytes",
    Gigabytes = "Gigabytes",
    Terabytes = "Terabytes",
    Bits = "Bits",
    Kilobits = "Kilobits",
    Megabits = "Megabits",
    Gigabits = "Gigabits",
    Terabits = "Terabits",
    Percent = "Percent",
    Count = "Count",
    BytesPerSecond = "Bytes/Second",
    KilobytesPerSecond = "Kilobytes/Second",
    MegabytesPerSecond = "Megabytes/Second",
    GigabytesPerSecond = "Gigabytes/Second",
    TerabytesPerSecond = "Terabytes/Second",
    BitsPerSecond = "Bits/Second",
    KilobitsPerSecond = "Kilobits/Second",
    MegabitsPerSecond = "Megabits/Second",
    GigabitsPerSecond = "Gigabits/Second",
    TerabitsPerSecond = "Terabits/Second",
    CountPerSecond = "Count/Second",
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_as_it_is_written() {
        for text in ["Count", "None", "Milliseconds", "Terabits/Second"] {
            assert_eq!(Unit::parse(text).map(Unit::as_str), Some(text));
        }
        assert_eq!(Unit::parse("count"), None);
    }
}
