//! Patch operations: what a caller sends, taken apart. What a path means is the business of the thing that is patched.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::Error;

/// One patch operation as it is sent. Every value is text.
#[derive(Debug, Clone, Deserialize)]
pub struct PatchOperation {
    pub op: Option<Op>,
    pub path: Option<String>,
    pub value: Option<String>,
    pub from: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Add,
    Remove,
    Move,
    Test,
    Replace,
    Copy,
}

impl Op {
    pub fn name(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Remove => "remove",
            Op::Move => "move",
            Op::Test => "test",
            Op::Replace => "replace",
            Op::Copy => "copy",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One patch operation, complete.
#[derive(Debug)]
pub struct Patch<'a> {
    pub op: Op,
    /// As it was sent, for messages.
    pub path: &'a str,
    pub value: Option<&'a str>,
    pub from: Option<&'a str>,
}

impl PatchOperation {
    pub fn patch(&self) -> Result<Patch<'_>, Error> {
        let path = self.path.as_deref().ok_or_else(|| Error::PatchPath("null".to_owned()))?;
        let op = self.op.ok_or(Error::PatchOp)?;
        Ok(Patch { op, path, value: self.value.as_deref(), from: self.from.as_deref() })
    }
}

/// Applies patch operations in their order; an error leaves it to the caller to drop what was changed.
pub fn each(
    operations: Option<&[PatchOperation]>,
    mut apply: impl FnMut(&Patch<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    operations.unwrap_or_default().iter().try_for_each(|operation| apply(&operation.patch()?))
}

impl Patch<'_> {
    /// The path's pieces, unescaped (`~1` is a slash, `~0` a tilde). Empty when the path doesn't begin with a slash.
    pub fn pieces(&self) -> Vec<String> {
        let pieces = self.path.strip_prefix('/').map(|rest| rest.split('/'));
        pieces.into_iter().flatten().map(unescape).collect()
    }

    /// The value; absent and empty are the same to most settings.
    pub fn text(&self) -> Option<&str> {
        self.value.filter(|value| !value.is_empty())
    }

    /// The value as a switch: what isn't `true` is off, as API Gateway reads it.
    pub fn switch(&self) -> bool {
        self.value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub fn bad_path(&self) -> Error {
        Error::PatchPath(self.path.to_owned())
    }

    pub fn must_replace(&self) -> Result<(), Error> {
        if self.op == Op::Replace { Ok(()) } else { Err(Error::PatchOnlyReplace) }
    }

    /// Refuses the path of a thing that has few members and only lets them be replaced.
    pub fn not_one_of(&self, valid: &'static str) -> Error {
        let path = self.path.to_owned();
        match self.op {
            Op::Replace => Error::PatchNotOneOf { path, op: self.op.name(), valid },
            _ => Error::PatchUnsupportedOp { path, op: self.op.name() },
        }
    }

    /// Adds, replaces or removes one entry of a map. Replacing and removing need the entry to be there.
    pub fn entry<T>(
        &self,
        map: &mut BTreeMap<String, T>,
        name: &str,
        value: impl FnOnce(&str) -> T,
        missing: Error,
    ) -> Result<(), Error> {
        match self.op {
            Op::Replace | Op::Remove if !map.contains_key(name) => return Err(missing),
            Op::Remove => {
                map.remove(name);
            }
            Op::Add | Op::Replace => {
                map.insert(name.to_owned(), value(self.value.unwrap_or_default()));
            }
            _ => return Err(Error::PatchOp),
        }
        Ok(())
    }

    /// Adds or removes one item of a list that is handled like a set.
    pub fn item(&self, list: &mut Vec<String>, name: &str) -> Result<(), Error> {
        match self.op {
            Op::Add if list.iter().any(|item| item == name) => {}
            Op::Add => list.push(name.to_owned()),
            Op::Remove => list.retain(|item| item != name),
            _ => return Err(Error::PatchOp),
        }
        Ok(())
    }
}

/// `~1` back to `/` and `~0` back to `~` (RFC 6901).
pub fn unescape(piece: &str) -> String {
    piece.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(op: Op, path: &'static str, value: Option<&'static str>) -> Patch<'static> {
        Patch { op, path, value, from: None }
    }

    #[test]
    fn a_path_is_taken_apart_and_unescaped() {
        for (path, pieces) in [
            ("/name", vec!["name"]),
            ("/binaryMediaTypes/image~1png", vec!["binaryMediaTypes", "image/png"]),
            ("/a~01/", vec!["a~1", ""]),
            ("name", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(patch(Op::Replace, path, None).pieces(), pieces, "{path}");
        }
    }

    #[test]
    fn an_operation_without_a_path_is_refused() {
        let operation = PatchOperation { op: Some(Op::Add), path: None, value: None, from: None };
        assert_eq!(operation.patch().expect_err("no path").to_string(), "Invalid patch path null");
    }

    #[test]
    fn an_entry_must_be_there_to_be_replaced_or_removed() {
        let mut map = BTreeMap::new();
        let mut run = |op, value| {
            patch(op, "/m/a", value).entry(&mut map, "a", str::to_owned, Error::UnknownParameter)?;
            Ok::<_, Error>(map.clone().into_values().collect::<Vec<_>>())
        };
        assert!(run(Op::Replace, Some("1")).is_err() && run(Op::Remove, None).is_err());
        assert_eq!(run(Op::Add, Some("1")).expect("added"), ["1"]);
        assert_eq!(run(Op::Replace, Some("2")).expect("replaced"), ["2"]);
        assert!(run(Op::Copy, None).is_err());
        assert!(run(Op::Remove, None).expect("removed").is_empty());
    }
}
