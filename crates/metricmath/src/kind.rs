use crate::Expression;
use crate::function::Function;
use crate::syntax::{Argument, Node};

impl Expression {
    /// Whether it gives an array of series, however many there will be in it; `of` says so of the queries that it names.
    pub fn is_array(&self, of: impl Fn(&str) -> bool) -> bool {
        is_array(&self.root, &of)
    }
}

fn is_array(node: &Node, of: &dyn Fn(&str) -> bool) -> bool {
    use Function::*;
    match node {
        Node::Number(_) => false,
        Node::Id(id) => of(id),
        Node::Array(_) | Node::Search(_) => true,
        Node::Negate(inner) => is_array(inner, of),
        Node::Chain(first, rest) => {
            is_array(first, of) || rest.iter().any(|(_, operand)| is_array(operand, of))
        }
        Node::Call(Metrics | Sort | Slice | RemoveEmpty | AnomalyDetectionBand, _) => true,
        Node::Call(
            Avg | Max | Min | Sum | StdDev | DatapointCount | First | Last | MetricCount | TimeSeries
            | Period,
            _,
        ) => false,
        Node::Call(_, arguments) => arguments.iter().any(|argument| match argument {
            Argument::Node(node) => is_array(node, of),
            Argument::Text(_) | Argument::Word(_) => false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_known_without_evaluating() {
        let expected = [
            ("m1", false),
            ("m1 / m2 * 100", false),
            ("many", true),
            ("many * 2", true),
            ("-many", true),
            ("[m1, m2]", true),
            ("METRICS()", true),
            ("RATE(METRICS())", true),
            ("FILL(many, 0)", true),
            ("IF(m1 > 1, many)", true),
            ("SUM(METRICS())", false),
            ("FIRST(SORT(many, MAX, DESC, 1))", false),
            ("SEARCH('{N,d} m', 'Sum', 60)", true),
            ("AVG(SEARCH('{N,d} m', 'Sum', 60))", false),
            ("ANOMALY_DETECTION_BAND(m1)", true),
            ("IF(m1 > FIRST(ANOMALY_DETECTION_BAND(m1)), 1, 0)", false),
        ];
        for (text, is_array) in expected {
            let expression = Expression::parse(text).expect(text);
            assert_eq!(expression.is_array(|id| id == "many"), is_array, "{text}");
        }
    }
}
