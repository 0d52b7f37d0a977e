//! The variables of a macro's call.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::names::Name;
use crate::value::Value;

/// So many are looked through one by one, which is quicker than hashing them; a template may set any number.
const FEW: usize = 12;

/// Values by name.
#[derive(Debug)]
pub enum Variables<'a> {
    Few(Vec<(Name, Value<'a>)>),
    Many(HashMap<Name, Value<'a>, RandomState>),
}

impl Default for Variables<'_> {
    fn default() -> Self {
        Variables::Few(Vec::new())
    }
}

impl<'a> Variables<'a> {
    /// Null where there is none.
    pub fn get(&self, name: Name) -> Value<'a> {
        let found = match self {
            Variables::Few(pairs) => pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value),
            Variables::Many(map) => map.get(&name),
        };
        found.copied().unwrap_or(Value::Null)
    }

    /// Null takes the name away.
    pub fn set(&mut self, name: Name, value: Value<'a>) {
        if value.is_null() {
            self.remove(name);
        } else {
            self.insert(name, value);
        }
    }

    pub fn insert(&mut self, name: Name, value: Value<'a>) {
        match self {
            Variables::Few(pairs) => {
                if let Some((_, known)) = pairs.iter_mut().find(|(known, _)| *known == name) {
                    *known = value;
                } else if pairs.len() < FEW {
                    if pairs.capacity() == 0 {
                        pairs.reserve_exact(FEW);
                    }
                    pairs.push((name, value));
                } else {
                    let all = std::mem::take(pairs).into_iter().chain([(name, value)]);
                    *self = Variables::Many(all.collect());
                }
            }
            Variables::Many(map) => {
                map.insert(name, value);
            }
        }
    }

    pub fn remove(&mut self, name: Name) {
        match self {
            Variables::Few(pairs) => {
                if let Some(at) = pairs.iter().position(|(known, _)| *known == name) {
                    pairs.swap_remove(at);
                }
            }
            Variables::Many(map) => {
                map.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::names::Names;

    proptest! {
        /// However many there are, they are a map.
        #[test]
        fn variables_are_a_map(
            steps in prop::collection::vec((0..20_usize, any::<Option<i64>>()), 0..200),
        ) {
            let mut all = Names::default();
            let names: Vec<Name> = (0..20).map(|number| all.number(&format!("n{number}"))).collect();
            let mut variables = Variables::default();
            let mut map = HashMap::new();
            for (at, value) in steps {
                match value {
                    Some(number) => {
                        variables.insert(names[at], Value::Integer(number));
                        map.insert(names[at], number);
                    }
                    None => {
                        variables.remove(names[at]);
                        map.remove(&names[at]);
                    }
                }
                for name in &names {
                    let found = match variables.get(*name) {
                        Value::Integer(number) => Some(number),
                        Value::Null => None,
                        other => panic!("{other:?}"),
                    };
                    prop_assert_eq!(found, map.get(name).copied());
                }
            }
        }
    }
}
