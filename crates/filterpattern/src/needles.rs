//! What a message must contain to be taken.

use memchr::memmem::Finder;

/// Literal text of taken messages: all of `all`, and one of `any` if there are some.
#[derive(Debug, Clone, Default)]
pub struct Needles {
    all: Vec<Needle>,
    any: Vec<Needle>,
    /// The text is JSON's: a message that writes characters as `\u…` may have it in disguise.
    is_json: bool,
}

#[derive(Debug, Clone)]
struct Needle(Finder<'static>);

impl Needle {
    fn new(text: &str) -> Needle {
        Needle(Finder::new(text.as_bytes()).into_owned())
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.find(text.as_bytes()).is_some()
    }
}

impl Needles {
    pub(crate) fn plain<'a>(
        all: impl IntoIterator<Item = &'a str>,
        any: impl IntoIterator<Item = &'a str>,
    ) -> Needles {
        let (all, any) = (all.into_iter().map(Needle::new), any.into_iter().map(Needle::new));
        Needles { all: all.collect(), any: any.collect(), is_json: false }
    }

    pub(crate) fn json<'a>(all: impl IntoIterator<Item = &'a str>) -> Needles {
        Needles { is_json: true, ..Needles::plain(all, []) }
    }

    /// Text that each taken message contains. Empty where nothing is certain, as with JSON, whose texts can be written in
    /// more than one way.
    pub fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.all.iter().filter(|_| !self.is_json).map(|needle| needle.0.needle())
    }

    /// Texts of which each taken message contains at least one, if there are any.
    pub fn any(&self) -> impl Iterator<Item = &[u8]> {
        self.any.iter().map(|needle| needle.0.needle())
    }

    /// Could a taken message lie in this text?
    pub fn may_be_in(&self, text: &str) -> bool {
        let has_all = self.all.iter().all(|needle| needle.is_in(text));
        let has_any = self.any.is_empty() || self.any.iter().any(|needle| needle.is_in(text));
        (has_all && has_any) || (self.is_json && text.contains("\\u"))
    }
}
