use std::fmt;

use pitbird_names::Scope;

/// Up to 30 dimensions, sorted by name, each name once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Dimensions(Box<[(String, String)]>);

impl Dimensions {
    /// No dimension at all, which is a set of its own.
    pub fn none() -> Dimensions {
        Dimensions::default()
    }

    /// Dimensions by ascending name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|dimension| dimension.0 == name).map(|dimension| dimension.1)
    }

    /// The form in the catalogue: JSON `[["name","value"],…]`.
    pub(crate) fn to_text(&self) -> String {
        let pairs: Vec<_> = self.iter().map(|(name, value)| serde_json::json!([name, value])).collect();
        serde_json::Value::Array(pairs).to_string()
    }

    pub(crate) fn from_text(text: &str) -> Option<Dimensions> {
        let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
        Some(pairs.into_iter().collect())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Dimensions {
    /// Sorts; of two with the same name the first stays.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Dimensions {
        let mut pairs: Vec<(String, String)> = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|next, kept| next.0 == kept.0);
        Dimensions(pairs.into())
    }
}

/// What a datapoint belongs to, apart from its unit: no roll-up across dimensions ever happens.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric {
    pub scope: Scope,
    pub namespace: String,
    pub name: String,
    pub dimensions: Dimensions,
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Metric { scope, namespace, name, dimensions } = self;
        write!(f, "{} {namespace} {name} {}", scope.key(), dimensions.to_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_have_one_order_and_one_text() {
        let a: Dimensions = [("Stage", "prod/Canary"), ("ApiName", "a\"b")].into_iter().collect();
        let b: Dimensions =
            [("ApiName", "a\"b"), ("Stage", "prod/Canary"), ("Stage", "x")].into_iter().collect();
        assert_eq!(a, b);
        assert_eq!(Dimensions::from_text(&a.to_text()), Some(a.clone()));
        assert_eq!(a.get("Stage"), Some("prod/Canary"));
        assert_eq!(Dimensions::none().to_text(), "[]");
    }
}
