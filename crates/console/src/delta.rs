//! What changed between two looks, as a patch: members that differ, objects within objects, everything else whole.
//! `null` stands for what is gone (RFC 7396), which these answers never tell apart from what isn't set.

use serde_json::{Map, Value as Json};

/// The patch that makes `after` of `before`; `None` if nothing differs.
pub fn between(before: &Json, after: &Json) -> Option<Json> {
    let (Json::Object(old), Json::Object(new)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut patch = Map::new();
    for (name, value) in new {
        let changed = match old.get(name) {
            Some(known) => between(known, value),
            None if value.is_null() => None,
            None => Some(value.clone()),
        };
        patch.extend(changed.map(|changed| (name.clone(), changed)));
    }
    for (name, known) in old {
        if !new.contains_key(name) && !known.is_null() {
            patch.insert(name.clone(), Json::Null);
        }
    }
    (!patch.is_empty()).then_some(Json::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As the page does it.
    fn apply(before: &Json, patch: &Json) -> Json {
        let Json::Object(patch) = patch else { return patch.clone() };
        let mut object = before.as_object().cloned().unwrap_or_default();
        for (name, change) in patch {
            match change {
                Json::Null => drop(object.remove(name)),
                change => {
                    let applied = apply(object.get(name).unwrap_or(&Json::Null), change);
                    object.insert(name.clone(), applied);
                }
            }
        }
        Json::Object(object)
    }

    #[test]
    fn a_patch_has_what_differs_and_nothing_else() {
        let before = json!({"Name": "a", "Percent": 10.0, "Evidence": {"Base": {"Requests": 1, "Failures": 0}}, "Orders": [1], "Gone": 1});
        let after = json!({"Name": "a", "Percent": 50.0, "Evidence": {"Base": {"Requests": 2, "Failures": 0}}, "Orders": [1, 2], "New": {"a": 1}});
        let patch = between(&before, &after).unwrap();
        let expected = json!({"Percent": 50.0, "Evidence": {"Base": {"Requests": 2}}, "Orders": [1, 2], "New": {"a": 1}, "Gone": null});
        assert_eq!(patch, expected);
        assert_eq!(apply(&before, &patch), after);
        assert_eq!(between(&after, &after), None);
        assert_eq!(between(&json!({"a": null}), &json!({})), None, "not set either way");
    }
}
