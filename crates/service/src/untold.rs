//! What an operation's output never tells, for tests that hold answers against the model.

use std::collections::BTreeSet;

use pitbird_wire::{Kind, Model, ShapeId, Value};

/// The paths of those members of an operation's output that none of the answers has, sorted. Names are spelled as documents spell
/// them; what is in lists and maps counts as if it were in their owner.
pub fn untold(model: &Model, operation: &str, answers: &[Value]) -> Vec<String> {
    let output = model.operation(operation).and_then(|operation| operation.output);
    let Some(output) = output else { return Vec::new() };
    let (mut told, mut all) = (BTreeSet::new(), BTreeSet::new());
    for answer in answers {
        look(model, output, "", Some(answer), &mut told, &mut all);
    }
    all.difference(&told).cloned().collect()
}

/// Puts down the paths of all of a shape's members, and of those that the answer has.
fn look(
    model: &Model,
    shape: ShapeId,
    at: &str,
    answer: Option<&Value>,
    told: &mut BTreeSet<String>,
    all: &mut BTreeSet<String>,
) {
    let inner: Vec<Option<&Value>> = match answer {
        Some(Value::List(items)) => items.iter().map(Some).collect(),
        Some(Value::Map(entries)) => entries.iter().map(|(_, value)| Some(value)).collect(),
        _ => Vec::new(),
    };
    match &model.shape(shape).kind {
        Kind::Structure(_) => {
            for member in model.members(shape) {
                let name = spelled(member.name);
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                let found = answer.and_then(|answer| answer.get(&name));
                all.insert(path.clone());
                if found.is_some() {
                    told.insert(path.clone());
                }
                look(model, member.reference.shape, &path, found, told, all);
            }
        }
        Kind::List { member: inside, .. } | Kind::Map { value: inside, .. } => {
            // Also an empty one has members to be told.
            for item in inner.into_iter().chain([None]) {
                look(model, inside.shape, at, item, told, all);
            }
        }
        _ => {}
    }
}

fn spelled(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
