//! The names of a template's variables, each known by a number: what is rendered compares no texts.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u32);

/// Names that mean something before a template sets any, in the order of their numbers.
const KNOWN: [&str; 8] = [
    "input",
    "util",
    "context",
    "stageVariables",
    "foreach",
    "velocityCount",
    "velocityHasNext",
    "bodyContent",
];

impl Name {
    pub const INPUT: Name = Name(0);
    pub const UTIL: Name = Name(1);
    pub const CONTEXT: Name = Name(2);
    pub const STAGE_VARIABLES: Name = Name(3);
    pub const FOREACH: Name = Name(4);
    pub const VELOCITY_COUNT: Name = Name(5);
    pub const VELOCITY_HAS_NEXT: Name = Name(6);
    pub const BODY_CONTENT: Name = Name(7);

    pub fn number(self) -> usize {
        self.0 as usize
    }

    /// Whether AWS gives an object by this name.
    pub fn is_given(self) -> bool {
        self.0 <= Name::STAGE_VARIABLES.0
    }
}

/// Hands out the numbers while a template is parsed.
#[derive(Debug)]
pub struct Names(BTreeMap<Box<str>, Name>);

impl Default for Names {
    fn default() -> Names {
        Names(KNOWN.iter().zip(0..).map(|(name, number)| ((*name).into(), Name(number))).collect())
    }
}

impl Names {
    /// So many names have numbers, those from 0.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The same number for the same name each time.
    pub fn number(&mut self, name: &str) -> Name {
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        // A template has 300 KB.
        let new = Name(self.0.len() as u32);
        self.0.insert(name.into(), new);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_and_those_that_mean_something_have_theirs() {
        let mut names = Names::default();
        let (first, second) = (names.number("first"), names.number("second"));
        assert_ne!(first, second);
        assert_eq!((names.number("first"), names.number("second")), (first, second));
        for (text, name) in [
            ("input", Name::INPUT),
            ("util", Name::UTIL),
            ("context", Name::CONTEXT),
            ("stageVariables", Name::STAGE_VARIABLES),
            ("foreach", Name::FOREACH),
            ("velocityCount", Name::VELOCITY_COUNT),
            ("velocityHasNext", Name::VELOCITY_HAS_NEXT),
            ("bodyContent", Name::BODY_CONTENT),
        ] {
            assert_eq!(names.number(text), name, "{text}");
        }
        let given = ["input", "util", "context", "stageVariables", "foreach", "first"];
        let given = given.map(|text| names.number(text).is_given());
        assert_eq!(given, [true, true, true, true, false, false]);
    }
}
