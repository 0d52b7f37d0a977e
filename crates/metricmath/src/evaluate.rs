use std::cell::Cell;

use crate::function::Function;
use crate::operator::Operator;
use crate::syntax::{Argument, Node};
use crate::{
    Band, Error, Expression, Search, Series, Value, aggregate, array, calendar, change, condition, fill,
};

/// Points that one evaluation may make on its way, in all its steps together.
pub const POINTS_MAX: usize = 10_000_000;
/// Width of an anomaly detection band, standard deviations. Source: ANOMALY_DETECTION_BAND.
pub(crate) const DEVIATIONS: f64 = 2.0;

/// What an expression is evaluated over.
pub trait Environment {
    /// What the query of this id gives: a metric's series, or another expression's value.
    fn value(&self, id: &str) -> Option<&Value>;
    /// The request's metrics with their ids, in its order; expressions aren't among them.
    fn metrics(&self) -> Vec<(&str, &Series)>;
    /// The series that a search finds, read at the search's statistic.
    fn search(&self, search: &Search) -> Result<Vec<Series>, Error>;
    /// The values that are expected of a series. `id` says which query it is of, where it is one's.
    fn band(&self, id: Option<&str>, of: &Series, deviations: f64) -> Result<Band, Error>;
    /// The first period's start and the time before which the last one starts, milliseconds: where series that are nowhere
    /// missing have points.
    fn span(&self, period_s: u32) -> (i64, i64);
    /// The period of what has none: TIME_SERIES of a number.
    fn period_s(&self) -> u32;
}

impl Expression {
    /// Evaluates the expression. The same environment always gives the same value.
    pub fn evaluate(&self, environment: &dyn Environment) -> Result<Value, Error> {
        Evaluation { environment, points: Cell::new(0) }.value(&self.root)
    }
}

pub(crate) struct Evaluation<'a> {
    pub environment: &'a dyn Environment,
    points: Cell<usize>,
}

impl Evaluation<'_> {
    fn value(&self, node: &Node) -> Result<Value, Error> {
        let value = match node {
            Node::Number(number) => Value::Scalar(*number),
            Node::Id(id) => {
                let value = self.environment.value(id).ok_or_else(|| Error::NoId(id.clone()))?;
                self.count(value.points())?;
                return Ok(value.clone());
            }
            Node::Array(items) => self.array(items)?,
            Node::Negate(of) => Operator::Multiply.apply(Value::Scalar(-1.0), self.value(of)?)?,
            Node::Chain(first, rest) => {
                let mut value = self.value(first)?;
                for (operator, operand) in rest {
                    value = operator.apply(value, self.value(operand)?)?;
                    self.count(value.points())?;
                }
                return Ok(value);
            }
            Node::Call(function, arguments) => self.call(*function, arguments)?,
            Node::Search(search) => Value::Array(self.environment.search(search)?),
        };
        self.count(value.points())?;
        Ok(value)
    }

    fn count(&self, more: usize) -> Result<(), Error> {
        self.points.set(self.points.get().saturating_add(more));
        if self.points.get() > POINTS_MAX { Err(Error::TooManyPoints { limit: POINTS_MAX }) } else { Ok(()) }
    }

    /// An array of series; arrays in it are spread out.
    fn array(&self, items: &[Node]) -> Result<Value, Error> {
        let mut all = Vec::new();
        for item in items {
            match self.value(item)? {
                Value::Series(series) => all.push(self.labelled(item, series)),
                Value::Array(array) => all.extend(array),
                scalar @ Value::Scalar(_) => {
                    return Err(Error::Operands { operator: "[]", left: scalar.kind(), right: "" });
                }
            }
        }
        Ok(Value::Array(all))
    }

    /// A series without a name of its own is called after its id.
    fn labelled(&self, node: &Node, mut series: Series) -> Series {
        if let (Node::Id(id), true) = (node, series.label.is_empty()) {
            series.label.clone_from(id);
        }
        series
    }

    fn call(&self, function: Function, arguments: &[Argument]) -> Result<Value, Error> {
        match (function, arguments) {
            (Function::Metrics, _) => Ok(self.metrics(arguments)),
            (Function::Fill, [Argument::Node(of), Argument::Word(word)]) => {
                fill::by_word(self, self.value(of)?, word)
            }
            (Function::Sort, [Argument::Node(of), Argument::Word(by), Argument::Word(order), limit @ ..]) => {
                array::sort(self.value(of)?, by, order == "DESC", self.values(limit)?.pop())
            }
            (Function::AnomalyDetectionBand, [Argument::Node(of), deviations @ ..]) => {
                self.band(of, self.values(deviations)?.pop())
            }
            _ => self.plain(function, self.values(arguments)?),
        }
    }

    /// Functions that nothing but the values of their arguments matters to.
    fn plain(&self, function: Function, values: Vec<Value>) -> Result<Value, Error> {
        use Function::*;
        let kinds: Vec<&'static str> = values.iter().map(Value::kind).collect();
        let mut values = values.into_iter();
        let (first, second, third) = (values.next(), values.next(), values.next());
        let refused = || function.refuse(kinds.into_iter());
        let Some(first) = first else { return Err(refused()) };
        let found = match function {
            Abs => each(first, |series| series.map(f64::abs)),
            Ceil => each(first, |series| series.map(f64::ceil)),
            Floor => each(first, |series| series.map(f64::floor)),
            Log => each(first, |series| series.map(f64::ln)),
            Log10 => each(first, |series| series.map(f64::log10)),
            Rate => each(first, change::rate),
            Diff => each(first, change::difference),
            DiffTime => each(first, change::difference_of_times),
            RunningSum => each(first, change::running_sum),
            Avg | Max | Min | Sum | StdDev | DatapointCount => aggregate::of(function, first),
            First | Last | MetricCount | RemoveEmpty => array::of(function, first),
            Slice => array::slice(first, second, third),
            Minute | Hour | Day | Date | Month | Year | Epoch => calendar::of(self, function, first)?,
            TimeSeries => calendar::constant(self, first)?,
            Period => match first {
                Value::Series(series) if series.metric.is_some() => {
                    Some(Value::Scalar(f64::from(series.period_s)))
                }
                _ => None,
            },
            Fill => second.and_then(|filler| fill::by_value(self, first, filler).transpose()).transpose()?,
            If => second.and_then(|then| condition::choose(first, then, third)),
            Metrics | Sort | AnomalyDetectionBand => None,
        };
        found.ok_or_else(refused)
    }

    fn values(&self, arguments: &[Argument]) -> Result<Vec<Value>, Error> {
        let value = |argument: &Argument| match argument {
            Argument::Node(node) => self.value(node),
            Argument::Text(_) | Argument::Word(_) => Err(Error::Syntax),
        };
        arguments.iter().map(value).collect()
    }

    fn metrics(&self, arguments: &[Argument]) -> Value {
        let wanted = match arguments {
            [Argument::Text(text)] => text.as_str(),
            _ => "",
        };
        let all = self.environment.metrics().into_iter();
        Value::Array(all.filter(|(id, _)| id.contains(wanted)).map(|(_, series)| series.clone()).collect())
    }

    /// Upper before lower, so that FIRST gives the high threshold and LAST the low one.
    fn band(&self, of: &Node, deviations: Option<Value>) -> Result<Value, Error> {
        let refuse = |value: &Value| Function::AnomalyDetectionBand.refuse([value.kind()].into_iter());
        let series = match self.value(of)? {
            Value::Series(series) => series,
            other => return Err(refuse(&other)),
        };
        let deviations = match deviations {
            None => DEVIATIONS,
            Some(Value::Scalar(number)) => number,
            Some(other) => return Err(refuse(&other)),
        };
        let id = match of {
            Node::Id(id) => Some(id.as_str()),
            _ => None,
        };
        let Band { upper, lower } = self.environment.band(id, &series, deviations)?;
        Ok(Value::Array(vec![upper, lower]))
    }

    /// The starts of all periods of the answer.
    pub fn times(&self, period_s: u32) -> Result<impl Iterator<Item = i64> + Clone + use<>, Error> {
        // A series that nothing was taken into has no period of its own.
        let period_s = if period_s > 0 { period_s } else { self.environment.period_s() };
        let (start_ms, end_ms) = self.environment.span(period_s);
        let step_ms = i64::from(period_s.max(1)) * 1000;
        let count = end_ms.saturating_sub(start_ms).max(0) as u64 / step_ms as u64;
        self.count(usize::try_from(count).unwrap_or(usize::MAX))?;
        Ok((start_ms..end_ms).step_by(step_ms as usize))
    }
}

/// One series' function, on a series or on each of an array. A number has none.
fn each(value: Value, of: impl Fn(Series) -> Series) -> Option<Value> {
    match value {
        Value::Scalar(_) => None,
        Value::Series(series) => Some(Value::Series(of(series))),
        Value::Array(array) => Some(Value::Array(array.into_iter().map(of).collect())),
    }
}
