//! Lists in pages: `position` is where the page before ended, `limit` how many items at most.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// Items in a page when the caller doesn't say. Source: API Gateway API reference.
const LIMIT: usize = 25;
/// Items in a page at most; a caller who wants more gets this many and a position.
const LIMIT_MAX: usize = 500;

/// Which part of a list a caller wants.
#[derive(Debug)]
pub struct Page {
    after: Option<String>,
    limit: usize,
}

impl Page {
    pub fn parse(position: Option<&str>, limit: Option<i64>) -> Result<Page, Error> {
        let after = position.map(|token| {
            let key = URL_SAFE_NO_PAD.decode(token).ok();
            key.and_then(|key| String::from_utf8(key).ok()).ok_or(Error::Position)
        });
        let limit = match limit {
            None => LIMIT,
            Some(limit) => usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or(Error::Limit)?,
        };
        Ok(Page { after: after.transpose()?, limit: limit.min(LIMIT_MAX) })
    }

    /// The page of `items`, sorted by `key`, and the position of the next one if there is one. Keys are distinct.
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        items.sort_by_cached_key(&key);
        if let Some(after) = &self.after {
            items.retain(|item| key(item) > *after);
        }
        let is_last = items.len() <= self.limit;
        items.truncate(self.limit);
        let position = items.last().filter(|_| !is_last).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        (items, position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_loss() {
        let all: Vec<String> = (0..60).map(|n| format!("{:02}", 59 - n)).collect();
        let mut position = None;
        let mut seen = Vec::new();
        let mut sizes = Vec::new();
        loop {
            let page = Page::parse(position.as_deref(), None).expect("a page");
            let (items, next) = page.cut(all.clone(), String::clone);
            sizes.push(items.len());
            seen.extend(items);
            match next {
                Some(next) => position = Some(next),
                None => break,
            }
        }
        assert_eq!(sizes, [25, 25, 10]);
        assert!(seen.is_sorted() && seen.len() == 60);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (position, limit) in [(Some("!"), None), (Some("gA"), None), (None, Some(0)), (None, Some(-1))] {
            assert!(Page::parse(position, limit).is_err(), "{position:?} {limit:?}");
        }
        assert_eq!(Page::parse(None, Some(10_000)).expect("bounded").limit, LIMIT_MAX);
    }

    #[test]
    fn the_last_page_has_no_position() {
        let page = Page::parse(None, Some(3)).expect("a page");
        assert_eq!(page.cut(vec![3, 1, 2], |n| n.to_string()), (vec![1, 2, 3], None));
    }
}
