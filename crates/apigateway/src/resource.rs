//! The tree of an API's resources: which path parts there may be, where they may hang, and what moves along when one
//! is moved.

use std::collections::HashMap;

use pitbird_paths::Template;
use pitbird_records::Resource;

use crate::Error;
use crate::patch::{Op, Patch};

/// Resources of one API, the root included. Source: API Gateway quotas.
pub const RESOURCES_MAX: usize = 300;

/// Checks a path part's letters.
pub fn check_part(part: &str) -> Result<(), Error> {
    let is_name = |name: &str, more: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c) || more.contains(c);
        !name.is_empty() && name.chars().all(fits)
    };
    let fits = match variable(part) {
        Some(name) => is_name(name, ""),
        None => is_name(part, ":"),
    };
    if fits { Ok(()) } else { Err(Error::PathPart) }
}

/// The whole path of a part below a parent, if it may hang there among `resources`. `own_id` is the resource's own when
/// it is already one of them.
pub fn place(
    resources: &[Resource],
    parent: &Resource,
    part: &str,
    own_id: Option<&str>,
) -> Result<String, Error> {
    check_part(part)?;
    let parent_part = parent.path_part.as_deref().unwrap_or_default();
    if is_greedy(parent_part) {
        return Err(Error::GreedyParent(parent_part.to_owned()));
    }
    let siblings = resources.iter().filter(|other| other.parent_id.as_ref() == Some(&parent.id));
    let siblings = siblings.filter(|other| Some(other.id.as_str()) != own_id);
    let mut parts = siblings.filter_map(|other| other.path_part.as_deref());
    if parts.clone().any(|other| other == part) {
        return Err(Error::SiblingExists(part.to_owned()));
    }
    if variable(part).is_some()
        && let Some(other) = parts.find(|other| variable(other).is_some())
    {
        return Err(Error::SiblingVariable(other.to_owned()));
    }
    below(&parent.path, part)
}

/// Applies one patch operation to the resource with this id, and to all below it: their paths follow.
pub fn apply(resources: &mut [Resource], id: &str, patch: &Patch<'_>) -> Result<(), Error> {
    let at = resources.iter().position(|resource| resource.id == id).ok_or(Error::UnknownResource)?;
    let value = patch.value.unwrap_or_default();
    let (parent_id, part) = match (patch.op, patch.path, &resources[at]) {
        (Op::Replace, "/pathPart", Resource { parent_id: Some(parent), .. }) => {
            (parent.clone(), value.to_owned())
        }
        (Op::Replace, "/parentId", Resource { path_part: Some(part), .. }) => {
            (value.to_owned(), part.clone())
        }
        (Op::Replace, "/pathPart", _) => return Err(Error::RootPathPart),
        (Op::Replace, "/parentId", _) => return Err(Error::RootParent),
        _ => return Err(patch.not_one_of("/parentId, /pathPart")),
    };
    let parent = resources.iter().find(|resource| resource.id == parent_id).ok_or(Error::UnknownResource)?;
    let family = family(resources, id);
    if family.contains(&parent_id) {
        return Err(Error::Cyclical);
    }
    let path = place(resources, parent, &part, Some(id))?;
    if is_greedy(&part) && family.len() > 1 {
        return Err(Error::GreedyParent(part));
    }
    let moved = &mut resources[at];
    (moved.parent_id, moved.path_part, moved.path) = (Some(parent_id), Some(part), path);
    follow(resources, &family)
}

/// The ids of a resource and all below it, parents before children.
pub fn family(resources: &[Resource], id: &str) -> Vec<String> {
    let mut found = vec![id.to_owned()];
    let mut next = 0;
    while let Some(parent) = found.get(next).cloned() {
        let children = resources.iter().filter(|resource| resource.parent_id.as_ref() == Some(&parent));
        found.extend(children.map(|child| child.id.clone()));
        next += 1;
    }
    found
}

/// Makes the paths of a family anew, from the first one's path downwards.
fn follow(resources: &mut [Resource], family: &[String]) -> Result<(), Error> {
    let mut paths: HashMap<String, String> = HashMap::new();
    for id in family {
        let Some(resource) = resources.iter_mut().find(|resource| resource.id == *id) else { continue };
        let parent = resource.parent_id.as_ref().and_then(|parent| paths.get(parent));
        if let (Some(parent), Some(part)) = (parent, &resource.path_part) {
            resource.path = below(parent, part)?;
        }
        paths.insert(id.clone(), resource.path.clone());
    }
    Ok(())
}

fn below(parent: &str, part: &str) -> Result<String, Error> {
    let path = format!("{}/{part}", parent.trim_end_matches('/'));
    match Template::parse(&path) {
        Ok(_) => Ok(path),
        Err(_) => Err(Error::PathTooLong(path)),
    }
}

/// The name in `{name}` or `{name+}`.
fn variable(part: &str) -> Option<&str> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    Some(name.strip_suffix('+').unwrap_or(name))
}

fn is_greedy(part: &str) -> bool {
    part.ends_with("+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(id, parent, part)` with the root first; paths are made by [`place`].
    fn tree(rows: &[(&str, &str, &str)]) -> Vec<Resource> {
        let resource = |id: &str, parent: Option<&str>, part: Option<&str>, path: String| Resource {
            scope: Default::default(),
            api_id: "api".to_owned(),
            id: id.to_owned(),
            parent_id: parent.map(str::to_owned),
            path_part: part.map(str::to_owned),
            path,
            methods: Default::default(),
        };
        let mut resources = vec![resource("root", None, None, "/".to_owned())];
        for (id, parent, part) in rows {
            let parent =
                resources.iter().find(|resource| resource.id == *parent).expect("parents come first");
            let path = place(&resources, parent, part, None).expect(part);
            let parent = parent.id.clone();
            resources.push(resource(id, Some(&parent), Some(part), path));
        }
        resources
    }

    fn patched(resources: &[Resource], id: &str, path: &str, value: &str) -> Result<Vec<String>, String> {
        let mut resources = resources.to_vec();
        let patch = Patch { op: Op::Replace, path, value: Some(value), from: None };
        apply(&mut resources, id, &patch).map_err(|error| error.to_string())?;
        let mut paths: Vec<String> = resources.into_iter().map(|resource| resource.path).collect();
        paths.sort();
        Ok(paths)
    }

    #[test]
    fn a_part_is_a_name_or_a_variable() {
        for part in ["pets", "v1.0", "a-b_c", "x:batch", "{id}", "{proxy+}", "0"] {
            assert!(check_part(part).is_ok(), "{part}");
        }
        for part in
            ["", "a b", "a/b", "{}", "{+}", "{a", "a}", "{a}{b}", "{a:b}", "a+", "é", "$metadata", "{a+}b"]
        {
            assert!(check_part(part).is_err(), "{part}");
        }
    }

    #[test]
    fn siblings_and_parents_have_rules() {
        let resources = tree(&[("p", "root", "pets"), ("g", "root", "{proxy+}"), ("v", "p", "{id}")]);
        let find = |id: &str| resources.iter().find(|resource| resource.id == id).expect("a resource");
        for (parent, part, text) in [
            ("root", "pets", "Another resource with the same parent already has this name: pets"),
            (
                "root",
                "{any}",
                "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
            ),
            (
                "p",
                "{rest+}",
                "A sibling ({id}) of this resource already has a variable path part -- only one is allowed",
            ),
            ("g", "x", "Cannot create a child of a resource with a greedy path variable: {proxy+}"),
        ] {
            assert_eq!(place(&resources, find(parent), part, None).expect_err(text).to_string(), text);
        }
        assert_eq!(place(&resources, find("p"), "toys", None).expect("free"), "/pets/toys");
    }

    #[test]
    fn the_family_follows_when_its_head_moves() {
        let resources = tree(&[("a", "root", "a"), ("b", "a", "b"), ("c", "b", "{c}"), ("x", "root", "x")]);
        let moved = patched(&resources, "b", "/parentId", "root").expect("moves");
        assert_eq!(moved, ["/", "/a", "/b", "/b/{c}", "/x"]);
        let renamed = patched(&resources, "a", "/pathPart", "z").expect("renames");
        assert_eq!(renamed, ["/", "/x", "/z", "/z/b", "/z/b/{c}"]);
        assert_eq!(
            patched(&resources, "x", "/pathPart", "x").expect("itself"),
            ["/", "/a", "/a/b", "/a/b/{c}", "/x"]
        );
    }

    #[test]
    fn what_breaks_the_tree_is_refused() {
        let resources = tree(&[("a", "root", "a"), ("b", "a", "b"), ("a2", "b", "a")]);
        for (id, path, value, text) in [
            ("root", "/pathPart", "x", "Root resource cannot update its pathPart."),
            ("root", "/parentId", "a", "Root resource cannot update its parentId."),
            ("a", "/parentId", "b", "Resources cannot be cyclical."),
            ("a", "/parentId", "a", "Resources cannot be cyclical."),
            ("a", "/parentId", "nobody", "Invalid Resource identifier specified"),
            ("a2", "/parentId", "root", "Another resource with the same parent already has this name: a"),
            (
                "a",
                "/pathPart",
                "{x+}",
                "Cannot create a child of a resource with a greedy path variable: {x+}",
            ),
            (
                "a",
                "/invalid",
                "x",
                "Invalid patch path  '/invalid' specified for op 'replace'. Must be one of: [/parentId, /pathPart]",
            ),
        ] {
            assert_eq!(patched(&resources, id, path, value).expect_err(text), text);
        }
    }

    #[test]
    fn a_path_has_an_end() {
        let mut resources = tree(&[]);
        for depth in 0..pitbird_paths::SEGMENTS_MAX {
            let parent = resources.last().expect("the root").clone();
            let path = place(&resources, &parent, "a", None).expect("not yet");
            let id = depth.to_string();
            resources.push(Resource {
                id,
                parent_id: Some(parent.id),
                path_part: Some("a".into()),
                path,
                ..resources[0].clone()
            });
        }
        let last = resources.last().expect("many").clone();
        assert!(matches!(place(&resources, &last, "a", None), Err(Error::PathTooLong(_))));
    }
}
