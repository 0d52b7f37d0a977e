use crate::series::Joined;
use crate::{Error, Series, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// Operators that stand between operands of the same rank; each row binds stronger than the one before. Powers are above.
pub(crate) const RANKS: [&[Operator]; 5] = [
    &[Operator::Or],
    &[Operator::And],
    &[
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
    ],
    &[Operator::Add, Operator::Subtract],
    &[Operator::Multiply, Operator::Divide],
];

impl Operator {
    fn as_str(self) -> &'static str {
        match self {
            Operator::Or => "OR",
            Operator::And => "AND",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Power => "^",
        }
    }

    fn is_arithmetic(self) -> bool {
        use Operator::*;
        matches!(self, Add | Subtract | Multiply | Divide | Power)
    }

    fn of(self, left: f64, right: f64) -> f64 {
        let truth = |is_true| if is_true { 1.0 } else { 0.0 };
        match self {
            Operator::Or => truth(left != 0.0 || right != 0.0),
            Operator::And => truth(left != 0.0 && right != 0.0),
            Operator::Equal => truth(left == right),
            Operator::NotEqual => truth(left != right),
            Operator::Less => truth(left < right),
            Operator::LessOrEqual => truth(left <= right),
            Operator::Greater => truth(left > right),
            Operator::GreaterOrEqual => truth(left >= right),
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Power => left.powf(right),
        }
    }

    /// Applies the operator. Arithmetic knows numbers and series in any pair, and arrays with either; comparisons and logic
    /// know numbers and series.
    pub fn apply(self, left: Value, right: Value) -> Result<Value, Error> {
        use Value::{Array, Scalar};
        let kinds = (left.kind(), right.kind());
        match (left, right) {
            (Scalar(left), Scalar(right)) => Ok(Scalar(self.of(left, right))),
            (Scalar(left), Value::Series(right)) => {
                Ok(Value::Series(right.map(|value| self.of(left, value))))
            }
            (Value::Series(left), Scalar(right)) => {
                Ok(Value::Series(left.map(|value| self.of(value, right))))
            }
            (Value::Series(left), Value::Series(right)) => {
                let points = self.join(&left, &right);
                let period_s = left.period_s.max(right.period_s);
                Ok(Value::Series(Series { period_s, points, ..Series::default() }))
            }
            (Array(left), Scalar(right)) if self.is_arithmetic() => {
                Ok(Array(left.into_iter().map(|series| series.map(|value| self.of(value, right))).collect()))
            }
            (Scalar(left), Array(right)) if self.is_arithmetic() => {
                Ok(Array(right.into_iter().map(|series| series.map(|value| self.of(left, value))).collect()))
            }
            (Array(left), Value::Series(right)) if self.is_arithmetic() => {
                let each = |one: Series| {
                    let points = self.join(&one, &right);
                    one.with(points)
                };
                Ok(Array(left.into_iter().map(each).collect()))
            }
            (Value::Series(left), Array(right)) if self.is_arithmetic() => {
                let each = |one: Series| {
                    let points = self.join(&left, &one);
                    one.with(points)
                };
                Ok(Array(right.into_iter().map(each).collect()))
            }
            _ => Err(Error::Operands { operator: self.as_str(), left: kinds.0, right: kinds.1 }),
        }
    }

    /// Arithmetic where both have a point; comparisons and logic where one has, the other's being 0.
    fn join(self, left: &Series, right: &Series) -> Vec<(i64, f64)> {
        let is_arithmetic = self.is_arithmetic();
        let joined = Joined::new(&left.points, &right.points);
        let found = joined.filter_map(|(at_ms, left, right)| match (left, right) {
            (Some(left), Some(right)) => Some((at_ms, self.of(left, right))),
            _ if is_arithmetic => None,
            (left, right) => Some((at_ms, self.of(left.unwrap_or(0.0), right.unwrap_or(0.0)))),
        });
        found.filter(|point| point.1.is_finite()).collect()
    }
}
