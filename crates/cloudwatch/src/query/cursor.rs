//! Where the pages of GetMetricData begin.

use crate::{Error, page};

/// Where a page begins: at a query, at one of its series, and in that beyond a time.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub query: usize,
    pub series: usize,
    pub at_ms: Option<i64>,
}

impl Cursor {
    pub fn parse(token: &str) -> Result<Cursor, Error> {
        let text = page::decode(token)?;
        let parse = || {
            let (query, rest) = text.split_once(':')?;
            let (series, at_ms) = rest.split_once(':')?;
            let at_ms = if at_ms.is_empty() { None } else { Some(at_ms.parse().ok()?) };
            Some(Cursor { query: query.parse().ok()?, series: series.parse().ok()?, at_ms })
        };
        parse().ok_or(Error::Token)
    }

    pub fn to_token(&self) -> String {
        let at_ms = self.at_ms.map(|at_ms| at_ms.to_string()).unwrap_or_default();
        page::encode(&format!("{}:{}:{at_ms}", self.query, self.series))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        for cursor in
            [Cursor { query: 3, series: 2, at_ms: None }, Cursor { query: 0, series: 0, at_ms: Some(-7) }]
        {
            assert_eq!(Cursor::parse(&cursor.to_token()).expect("a token"), cursor);
        }
        for text in ["", "3", "3:1", "x:1:", "1:x:", "1:1:x", "::"] {
            assert!(Cursor::parse(&page::encode(text)).is_err(), "{text}");
        }
    }
}
