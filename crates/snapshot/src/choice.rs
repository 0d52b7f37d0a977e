use http::HeaderName;
use pitbird_names::Percent;
use pitbird_records::Texts;
use thiserror::Error;

/// How a stage's requests are shared out beside the draw, if its owner asks for more than API Gateway has: by tags of the stage that begin
/// with [`Choice::PREFIX`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choice {
    /// `pitbird:canary-force`: who brings `base` or `canary` here gets that, also at 0 %.
    pub force: Option<Carrier>,
    /// `pitbird:canary-sticky`: who brings the same here stays where he is, and never goes back while the share grows.
    pub sticky: Option<Sticky>,
    /// `pitbird:canary-mirror`: the share of the base's requests that the canary gets too. Nobody sees its answers to them.
    pub mirror: Percent,
}

/// Where a request carries a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    Header(HeaderName),
    Cookie(String),
}

/// What keeps a client where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sticky {
    Carried(Carrier),
    SourceAddress,
}

/// A tag that can't be obeyed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Invalid value for tag {name}: {value}. Must be {expected}")]
pub struct BadTag {
    pub name: String,
    pub value: String,
    pub expected: &'static str,
}

impl Choice {
    /// What the names of all such tags begin with.
    pub const PREFIX: &str = "pitbird:";
    const FORCE: &str = "pitbird:canary-force";
    const STICKY: &str = "pitbird:canary-sticky";
    const MIRROR: &str = "pitbird:canary-mirror";

    /// Reads a stage's tags.
    ///
    /// # Errors
    /// [`BadTag`] for a value that means nothing, and for a name that begins like these and is none of them.
    pub fn parse(tags: &Texts) -> Result<Choice, BadTag> {
        let mut choice = Choice::default();
        for (name, value) in tags.iter().filter(|(name, _)| name.starts_with(Choice::PREFIX)) {
            let bad = |expected| BadTag { name: name.clone(), value: value.clone(), expected };
            match name.as_str() {
                Choice::FORCE => {
                    let carrier = Carrier::parse(value);
                    choice.force = Some(carrier.ok_or_else(|| bad("header:NAME or cookie:NAME"))?);
                }
                Choice::STICKY => {
                    let sticky = Sticky::parse(value);
                    choice.sticky =
                        Some(sticky.ok_or_else(|| bad("header:NAME, cookie:NAME or source-address"))?);
                }
                Choice::MIRROR => {
                    let percent = value.parse().ok().and_then(|value| Percent::new(value).ok());
                    choice.mirror = percent.ok_or_else(|| bad("a number from 0 to 100"))?;
                }
                _ => return Err(bad("a tag that pitbird knows")),
            }
        }
        Ok(choice)
    }

    /// Is there anything beside the draw?
    pub fn is_plain(&self) -> bool {
        self.force.is_none() && self.sticky.is_none() && self.mirror == Percent::default()
    }
}

impl Carrier {
    fn parse(text: &str) -> Option<Carrier> {
        match text.split_once(':')? {
            ("header", name) => Some(Carrier::Header(HeaderName::from_bytes(name.as_bytes()).ok()?)),
            ("cookie", name) => {
                // A cookie's name is a token, as a header's is; but case counts.
                HeaderName::from_bytes(name.as_bytes()).ok()?;
                Some(Carrier::Cookie(name.to_owned()))
            }
            _ => None,
        }
    }
}

impl Sticky {
    fn parse(text: &str) -> Option<Sticky> {
        match text {
            "source-address" => Some(Sticky::SourceAddress),
            _ => Carrier::parse(text).map(Sticky::Carried),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<Choice, BadTag> {
        Choice::parse(&Texts::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn tags_that_are_not_ours_say_nothing() {
        assert!(parse("team", "pitbird").unwrap().is_plain());
    }

    #[test]
    fn ours_are_read_or_refused_by_name() {
        let header = Carrier::Header(HeaderName::from_static("x-release"));
        assert_eq!(parse("pitbird:canary-force", "header:X-Release").unwrap().force, Some(header));
        let cookie = Sticky::Carried(Carrier::Cookie("Session".to_owned()));
        assert_eq!(parse("pitbird:canary-sticky", "cookie:Session").unwrap().sticky, Some(cookie));
        let address = parse("pitbird:canary-sticky", "source-address").unwrap();
        assert_eq!(address.sticky, Some(Sticky::SourceAddress));
        assert_eq!(parse("pitbird:canary-mirror", "12.5").unwrap().mirror.get(), 12.5);
        for (name, value) in [
            ("pitbird:canary-force", "X-Release"),
            ("pitbird:canary-force", "header:"),
            ("pitbird:canary-force", "header:a b"),
            ("pitbird:canary-force", "source-address"),
            ("pitbird:canary-sticky", "cookie:"),
            ("pitbird:canary-sticky", ""),
            ("pitbird:canary-mirror", "101"),
            ("pitbird:canary-mirror", "NaN"),
            ("pitbird:canary-mirror", "ten"),
            ("pitbird:canary", "on"),
        ] {
            let error = parse(name, value).unwrap_err().to_string();
            assert!(error.starts_with(&format!("Invalid value for tag {name}: {value}.")), "{error}");
        }
    }
}
