//! Lists in pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// Items in a page, whatever a caller asks for. Source: Lambda API reference, `MaxItems` of the list operations.
const ITEMS_MAX: usize = 50;

/// Which part of a list a caller wants.
#[derive(Debug)]
pub struct Page {
    after: Option<String>,
    items: usize,
}

impl Page {
    pub fn parse(marker: Option<&str>, max_items: Option<i64>) -> Result<Page, Error> {
        let after = marker.map(|marker| {
            let key = URL_SAFE_NO_PAD.decode(marker).ok();
            key.and_then(|key| String::from_utf8(key).ok()).ok_or(Error::Marker)
        });
        let items = max_items.and_then(|items| usize::try_from(items).ok()).unwrap_or(ITEMS_MAX);
        Ok(Page { after: after.transpose()?, items: items.clamp(1, ITEMS_MAX) })
    }

    /// The page of `items`, which are in the order of their keys, and the marker of the next one if there is one. Keys
    /// are distinct.
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        if let Some(after) = &self.after {
            items.retain(|item| key(item) > *after);
        }
        let is_last = items.len() <= self.items;
        items.truncate(self.items);
        let marker = items.last().filter(|_| !is_last).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        (items, marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_loss() {
        let all: Vec<String> = (0..120).map(|n| format!("{n:03}")).collect();
        let (mut marker, mut seen, mut sizes) = (None, Vec::new(), Vec::new());
        loop {
            let page = Page::parse(marker.as_deref(), Some(10_000)).expect("a page");
            let (items, next) = page.cut(all.clone(), String::clone);
            sizes.push(items.len());
            seen.extend(items);
            match next {
                Some(next) => marker = Some(next),
                None => break,
            }
        }
        assert_eq!((sizes, seen), (vec![50, 50, 20], all));
    }

    #[test]
    fn a_marker_of_somebody_elses_is_refused() {
        assert!(matches!(Page::parse(Some("!"), None), Err(Error::Marker)));
        assert!(matches!(Page::parse(Some("gA"), None), Err(Error::Marker)));
    }
}
