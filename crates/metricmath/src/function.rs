use crate::Error;
use crate::syntax::{Argument, Node};

macro_rules! functions {
    ($($variant:ident = $text:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function {
            $($variant,)*
        }

        impl Function {
            pub fn as_str(self) -> &'static str {
                match self { $(Function::$variant => $text,)* }
            }

            fn find(name: &str) -> Option<Function> {
                match name { $($text => Some(Function::$variant),)* _ => None }
            }
        }
    };
}

functions! {
    Abs = "ABS",
    AnomalyDetectionBand = "ANOMALY_DETECTION_BAND",
    Avg = "AVG",
    Ceil = "CEIL",
    DatapointCount = "DATAPOINT_COUNT",
    Date = "DATE",
    Day = "DAY",
    Diff = "DIFF",
    DiffTime = "DIFF_TIME",
    Epoch = "EPOCH",
    Fill = "FILL",
    First = "FIRST",
    Floor = "FLOOR",
    Hour = "HOUR",
    If = "IF",
    Last = "LAST",
    Log = "LOG",
    Log10 = "LOG10",
    Max = "MAX",
    MetricCount = "METRIC_COUNT",
    Metrics = "METRICS",
    Min = "MIN",
    Minute = "MINUTE",
    Month = "MONTH",
    Period = "PERIOD",
    Rate = "RATE",
    RemoveEmpty = "REMOVE_EMPTY",
    RunningSum = "RUNNING_SUM",
    Slice = "SLICE",
    Sort = "SORT",
    StdDev = "STDDEV",
    Sum = "SUM",
    TimeSeries = "TIME_SERIES",
    Year = "YEAR",
}

/// Functions that CloudWatch has and that need what isn't here: Contributor Insights, Service Quotas, Performance Insights,
/// data sources of functions.
const UNSUPPORTED: [&str; 4] = ["DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SERVICE_QUOTA"];

impl Function {
    pub fn parse(name: &str) -> Result<Function, Error> {
        if UNSUPPORTED.contains(&name) {
            return Err(Error::Unsupported(format!("Metric math function {name}")));
        }
        Function::find(name).ok_or_else(|| Error::NoFunction(name.to_owned()))
    }

    /// Checks number and form of the arguments; their kinds are known only when they have been evaluated.
    pub fn check(self, arguments: &[Argument]) -> Result<(), Error> {
        use Argument::{Text, Word};
        let word = |word: &str, words: &[&str]| words.contains(&word);
        let fits = match (self, arguments) {
            (Function::Metrics, [] | [Text(_)]) => true,
            (Function::Fill, [Argument::Node(_), Argument::Node(_)]) => true,
            (Function::Fill, [Argument::Node(_), Word(filler)]) => word(filler, &["REPEAT", "LINEAR"]),
            (Function::If, [Argument::Node(_), Argument::Node(_)]) => true,
            (Function::If | Function::Slice, [Argument::Node(_), Argument::Node(_), Argument::Node(_)]) => {
                true
            }
            (Function::Slice | Function::AnomalyDetectionBand, [Argument::Node(_), Argument::Node(_)]) => {
                true
            }
            (Function::Sort, [Argument::Node(_), Word(by), Word(order), limit @ ..]) => {
                word(by, &["AVG", "MIN", "MAX", "SUM"])
                    && word(order, &["ASC", "DESC"])
                    && matches!(limit, [] | [Argument::Node(_)])
            }
            (Function::Period, [Argument::Node(node)]) => matches!(node, Node::Id(_)),
            (Function::Metrics | Function::Fill | Function::If | Function::Slice | Function::Sort, _) => {
                false
            }
            (_, [Argument::Node(_)]) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.refuse(arguments.iter().map(Argument::kind))) }
    }

    /// Says that the function takes no such arguments.
    pub fn refuse(self, given: impl Iterator<Item = &'static str>) -> Error {
        let given = given.collect::<Vec<_>>().join(", ");
        Error::Arguments { function: self.as_str(), given }
    }
}

impl Argument {
    fn kind(&self) -> &'static str {
        match self {
            Argument::Node(Node::Number(_)) => "Scalar",
            Argument::Node(_) => "Expression",
            Argument::Text(_) => "String",
            Argument::Word(_) => "Keyword",
        }
    }
}
