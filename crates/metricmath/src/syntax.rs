use std::collections::BTreeSet;

use crate::Search;
use crate::function::Function;
use crate::operator::Operator;

/// A metric math expression. See the crate's page for how it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    pub(crate) root: Node,
}

/// A use of ANOMALY_DETECTION_BAND.
#[derive(Debug, Clone, PartialEq)]
pub struct BandCall {
    /// The query that the band is of, when it is named by its id alone.
    pub id: Option<String>,
    /// Width in standard deviations, when it is written as a number.
    pub deviations: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Number(f64),
    Id(String),
    Array(Vec<Node>),
    Negate(Box<Node>),
    /// Operations of the same rank, from left to right: as flat as they are written, so that long sums aren't deep.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    Call(Function, Vec<Argument>),
    Search(Box<Search>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Node(Node),
    Text(String),
    /// A bare upper-case word: `DESC`, `REPEAT`.
    Word(String),
}

impl Expression {
    /// The ids of other queries that it names, each once, sorted. METRICS() isn't among them.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids = BTreeSet::new();
        self.root.visit(&mut |node| {
            if let Node::Id(id) = node {
                ids.insert(id.as_str());
            }
        });
        ids.into_iter().collect()
    }

    /// The searches that it makes, as often as they are written.
    pub fn searches(&self) -> Vec<&Search> {
        let mut searches = Vec::new();
        self.root.visit(&mut |node| {
            if let Node::Search(search) = node {
                searches.push(&**search);
            }
        });
        searches
    }

    /// Its uses of ANOMALY_DETECTION_BAND.
    pub fn bands(&self) -> Vec<BandCall> {
        let mut bands = Vec::new();
        self.root.visit(&mut |node| {
            if let Node::Call(Function::AnomalyDetectionBand, arguments) = node {
                let id = match arguments.first() {
                    Some(Argument::Node(Node::Id(id))) => Some(id.clone()),
                    _ => None,
                };
                let deviations = match arguments.get(1) {
                    Some(Argument::Node(Node::Number(number))) => Some(*number),
                    None => Some(crate::evaluate::DEVIATIONS),
                    _ => None,
                };
                bands.push(BandCall { id, deviations });
            }
        });
        bands
    }

    /// Whether what it gives is a band, upper bound first.
    pub fn is_band(&self) -> bool {
        matches!(self.root, Node::Call(Function::AnomalyDetectionBand, _))
    }

    /// Whether it uses METRICS(), and so all metrics of the request.
    pub fn uses_metrics(&self) -> bool {
        let mut found = false;
        self.root.visit(&mut |node| found |= matches!(node, Node::Call(Function::Metrics, _)));
        found
    }
}

impl Node {
    fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Node)) {
        visitor(self);
        match self {
            Node::Number(_) | Node::Id(_) | Node::Search(_) => {}
            Node::Array(nodes) => nodes.iter().for_each(|node| node.visit(visitor)),
            Node::Negate(node) => node.visit(visitor),
            Node::Chain(first, rest) => {
                first.visit(visitor);
                rest.iter().for_each(|(_, node)| node.visit(visitor));
            }
            Node::Call(_, arguments) => arguments.iter().for_each(|argument| {
                if let Argument::Node(node) = argument {
                    node.visit(visitor);
                }
            }),
        }
    }
}
