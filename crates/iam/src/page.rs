//! Lists in pages: `Marker` is where the page before ended, `MaxItems` how many items at most.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// Items in a page when the caller doesn't say. Source: IAM API reference.
const ITEMS: usize = 100;
/// Items in a page at most. Source: the model's `maxItemsType`.
const ITEMS_MAX: usize = 1000;

/// Which part of a list a caller wants.
#[derive(Debug)]
pub struct Page {
    after: Option<String>,
    items_max: usize,
}

/// The part, and the marker of the next one if there is one.
pub struct Cut<T> {
    pub items: Vec<T>,
    pub marker: Option<String>,
}

impl Page {
    pub fn parse(marker: Option<&str>, items_max: Option<u32>) -> Result<Page, Error> {
        let after = marker.map(|marker| {
            let key = URL_SAFE_NO_PAD.decode(marker).ok();
            key.and_then(|key| String::from_utf8(key).ok()).ok_or(Error::Marker)
        });
        let items_max = items_max.map_or(ITEMS, |items| (items as usize).clamp(1, ITEMS_MAX));
        Ok(Page { after: after.transpose()?, items_max })
    }

    /// The page of `items`, sorted by `key`. Keys are distinct.
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Cut<T> {
        items.sort_by_cached_key(&key);
        if let Some(after) = &self.after {
            items.retain(|item| key(item) > *after);
        }
        let is_last = items.len() <= self.items_max;
        items.truncate(self.items_max);
        let marker = items.last().filter(|_| !is_last).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        Cut { items, marker }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_loss() {
        let all: Vec<String> = (0..250).map(|n| format!("{:03}", 249 - n)).collect();
        let (mut marker, mut seen, mut sizes) = (None, Vec::new(), Vec::new());
        loop {
            let page = Page::parse(marker.as_deref(), None).expect("a page");
            let cut = page.cut(all.clone(), String::clone);
            sizes.push(cut.items.len());
            seen.extend(cut.items);
            marker = cut.marker;
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [100, 100, 50]);
        assert!(seen.is_sorted() && seen.len() == 250);
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        for marker in ["!", "gA"] {
            assert!(Page::parse(Some(marker), None).is_err(), "{marker}");
        }
    }
}
