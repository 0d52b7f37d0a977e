//! SEARCH's own language: which metrics are meant.

use crate::Error;
use crate::syntax::{Argument, Node};

mod parse;
mod token;

/// Characters of a search's query. Source: CloudWatch search expression syntax.
pub const SEARCH_CHARS_MAX: usize = 1024;

/// `SEARCH('{Namespace,Dimension} term', 'Statistic', period)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    pub schema: Option<Schema>,
    term: Option<Term>,
    /// The statistic's name as it is written; whoever reads the metrics checks it.
    pub stat: String,
    /// Where it isn't written, the query's.
    pub period_s: Option<u32>,
}

/// `{Namespace,Dimension,…}`: metrics of this namespace with exactly these dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    pub namespace: String,
    pub dimensions: Vec<String>,
}

/// What a search looks at in a metric.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    /// Names and values.
    pub dimensions: &'a [(&'a str, &'a str)],
}

#[derive(Debug, Clone, PartialEq)]
enum Term {
    And(Vec<Term>),
    Or(Vec<Term>),
    Not(Box<Term>),
    Match { property: Option<String>, text: Text },
}

#[derive(Debug, Clone, PartialEq)]
enum Text {
    Exact(String),
    Partial(token::Tokens),
}

impl Search {
    pub(crate) fn of(arguments: &[Argument]) -> Result<Search, Error> {
        let (query, stat, period_s) = match arguments {
            [Argument::Text(query), Argument::Text(stat)] => (query, stat, None),
            [Argument::Text(query), Argument::Text(stat), Argument::Node(Node::Number(period))] => {
                let is_whole = period.fract() == 0.0 && (1.0..=86_400.0).contains(period);
                (query, stat, Some(if is_whole { *period as u32 } else { return Err(Error::Syntax) }))
            }
            _ => return Err(Error::Syntax),
        };
        let (schema, term) = parse::query(query)?;
        Ok(Search { schema, term, stat: stat.clone(), period_s })
    }

    /// Whether the metric is one that is searched for.
    pub fn matches(&self, metric: Identity<'_>) -> bool {
        self.schema.as_ref().is_none_or(|schema| schema.matches(metric))
            && self.term.as_ref().is_none_or(|term| term.matches(metric))
    }
}

impl Schema {
    fn matches(&self, metric: Identity<'_>) -> bool {
        metric.namespace == self.namespace
            && metric.dimensions.len() == self.dimensions.len()
            && self.dimensions.iter().all(|wanted| metric.dimensions.iter().any(|(name, _)| name == wanted))
    }
}

impl Term {
    fn matches(&self, metric: Identity<'_>) -> bool {
        match self {
            Term::And(terms) => terms.iter().all(|term| term.matches(metric)),
            Term::Or(terms) => terms.iter().any(|term| term.matches(metric)),
            Term::Not(term) => !term.matches(metric),
            Term::Match { property: None, text } => {
                let mut dimensions = metric.dimensions.iter();
                text.matches(metric.namespace)
                    || text.matches(metric.name)
                    || dimensions.any(|(name, value)| text.matches(name) || text.matches(value))
            }
            Term::Match { property: Some(property), text } => match property.as_str() {
                "MetricName" => text.matches(metric.name),
                "Namespace" => text.matches(metric.namespace),
                name => metric.dimensions.iter().any(|(own, value)| *own == name && text.matches(value)),
            },
        }
    }
}

impl Text {
    fn matches(&self, found: &str) -> bool {
        match self {
            Text::Exact(wanted) => wanted == found,
            Text::Partial(wanted) => wanted.are_in(found),
        }
    }
}

#[cfg(test)]
mod tests;
