use std::fmt;
use thiserror::Error;

/// Segments in one template; keeps the search shallow.
pub const SEGMENTS_MAX: usize = 128;
/// Length of one template, bytes.
pub const TEMPLATE_BYTES_MAX: usize = 8192;

/// Why text is no template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("a path template begins with '/': {0:?}")]
    NotAbsolute(String),
    #[error("a path template has no query string: {0:?}")]
    HasQuery(String),
    #[error("empty segment in {0:?}")]
    EmptySegment(String),
    #[error("braces enclose a whole segment and a name: {segment:?} in {template:?}")]
    Braces { segment: String, template: String },
    #[error("nothing may follow the greedy {segment:?} in {template:?}")]
    GreedyNotLast { segment: String, template: String },
    #[error("a path template has at most {SEGMENTS_MAX} segments and {TEMPLATE_BYTES_MAX} bytes")]
    TooLong,
}

/// One piece between slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Text that must be met.
    Static(Box<str>),
    /// `{name}`: any one segment that is not empty.
    Param(Box<str>),
    /// `{name+}`: all that is left, at least one byte, slashes included. Always last.
    Greedy(Box<str>),
}

/// A parsed path template. One trailing slash is accepted and means nothing, as in matching.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template {
    segments: Box<[Segment]>,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, Error> {
        let Some(rest) = text.strip_prefix('/') else { return Err(Error::NotAbsolute(text.into())) };
        if text.contains('?') {
            return Err(Error::HasQuery(text.into()));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return if text.len() <= 1 {
                Ok(Template { segments: [].into() })
            } else {
                Err(Error::EmptySegment(text.into()))
            };
        }
        if text.len() > TEMPLATE_BYTES_MAX || rest.split('/').count() > SEGMENTS_MAX {
            return Err(Error::TooLong);
        }
        let segments: Box<[Segment]> = rest.split('/').map(|s| segment(s, text)).collect::<Result<_, _>>()?;
        let (_, inner) = segments.split_last().expect("split yields at least one segment");
        match inner.iter().find(|s| matches!(s, Segment::Greedy(_))) {
            Some(greedy) => Err(Error::GreedyNotLast { segment: greedy.to_string(), template: text.into() }),
            None => Ok(Template { segments }),
        }
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the parameters, in order; the greedy one without its `+`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Static(_) => None,
            Segment::Param(name) | Segment::Greedy(name) => Some(&**name),
        })
    }
}

fn segment(text: &str, template: &str) -> Result<Segment, Error> {
    if text.is_empty() {
        return Err(Error::EmptySegment(template.into()));
    }
    let name = text.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
    let (name, found) = match name {
        Some(name) => match name.strip_suffix('+') {
            Some(name) => (name, Segment::Greedy(name.into())),
            None => (name, Segment::Param(name.into())),
        },
        None => (text, Segment::Static(text.into())),
    };
    if name.is_empty() || name.contains(['{', '}']) {
        return Err(Error::Braces { segment: text.into(), template: template.into() });
    }
    Ok(found)
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Static(text) => f.write_str(text),
            Segment::Param(name) => write!(f, "{{{name}}}"),
            Segment::Greedy(name) => write!(f, "{{{name}+}}"),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_prints_as_it_was_written() {
        for text in [
            "/",
            "/pets",
            "/pets/{petId}",
            "/{proxy+}",
            "/2015-03-31/functions/{FunctionName}/aliases/{Name}",
        ] {
            assert_eq!(Template::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Template::parse("/functions/").unwrap(), Template::parse("/functions").unwrap());
    }

    #[test]
    fn names_come_in_order() {
        let template = Template::parse("/a/{b}/c/{d+}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["b", "d"]);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let braces = |segment: &str, template: &str| Error::Braces {
            segment: segment.into(),
            template: template.into(),
        };
        let greedy =
            |template: &str| Error::GreedyNotLast { segment: "{b+}".into(), template: template.into() };
        for (text, error) in [
            ("", Error::NotAbsolute("".into())),
            ("a/b", Error::NotAbsolute("a/b".into())),
            ("//", Error::EmptySegment("//".into())),
            ("/a//b", Error::EmptySegment("/a//b".into())),
            ("/a?b=c", Error::HasQuery("/a?b=c".into())),
            ("/{}", braces("{}", "/{}")),
            ("/{+}", braces("{+}", "/{+}")),
            ("/a{b}", braces("a{b}", "/a{b}")),
            ("/{a}{b}", braces("{a}{b}", "/{a}{b}")),
            ("/{b+}/c", greedy("/{b+}/c")),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
        assert!(Template::parse(&"/a".repeat(SEGMENTS_MAX)).is_ok());
        assert_eq!(Template::parse(&"/a".repeat(SEGMENTS_MAX + 1)), Err(Error::TooLong));
        assert_eq!(Template::parse(&format!("/{}", "a".repeat(TEMPLATE_BYTES_MAX))), Err(Error::TooLong));
    }
}
