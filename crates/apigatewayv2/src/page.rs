//! Lists in pages: `nextToken` is where the page before ended, `maxResults` how many items at most.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// Items in a page when the caller doesn't say, and at most. An API has few hundred of anything.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 500;

/// Which part of a list a caller wants.
#[derive(Debug)]
pub struct Page {
    after: Option<String>,
    limit: usize,
}

impl Page {
    pub fn parse(next_token: Option<&str>, max_results: Option<&str>) -> Result<Page, Error> {
        let after = next_token.map(|token| {
            let key = URL_SAFE_NO_PAD.decode(token).ok();
            key.and_then(|key| String::from_utf8(key).ok()).ok_or(Error::NextToken)
        });
        let limit = max_results
            .map(|text| text.parse::<usize>().ok().filter(|limit| *limit > 0).ok_or(Error::MaxResults));
        Ok(Page { after: after.transpose()?, limit: limit.transpose()?.unwrap_or(LIMIT).min(LIMIT_MAX) })
    }

    /// The page of `items`, sorted by `key`, and the token of the next one if there is one. Keys are distinct.
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        items.sort_by_cached_key(&key);
        if let Some(after) = &self.after {
            items.retain(|item| key(item) > *after);
        }
        let is_last = items.len() <= self.limit;
        items.truncate(self.limit);
        let token = items.last().filter(|_| !is_last).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        (items, token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_loss() {
        let all: Vec<String> = (0..60).map(|n| format!("{:02}", 59 - n)).collect();
        let (mut token, mut seen) = (None, Vec::new());
        loop {
            let page = Page::parse(token.as_deref(), Some("25")).expect("a page");
            let (items, next) = page.cut(all.clone(), String::clone);
            seen.extend(items);
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert!(seen.is_sorted() && seen.len() == 60);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (token, limit) in [(Some("!"), None), (Some("gA"), None), (None, Some("0")), (None, Some("x"))] {
            assert!(Page::parse(token, limit).is_err(), "{token:?} {limit:?}");
        }
        assert_eq!(Page::parse(None, Some("10000")).expect("bounded").limit, LIMIT_MAX);
    }
}
