//! Lists in pages: a token names the item that the page before ended with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

pub fn encode(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

pub fn decode(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(Error::Token)
}

/// The part of `items` that comes after the token's, and the token of the next part if there is one. Items are sorted by
/// `key`, and keys are distinct.
pub fn cut<T>(
    mut items: Vec<T>,
    token: Option<&str>,
    limit: usize,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Error> {
    if let Some(token) = token {
        let place = decode(token)?;
        items.retain(|item| key(item) > place);
    }
    let is_last = items.len() <= limit;
    items.truncate(limit);
    let token = items.last().filter(|_| !is_last).map(|last| encode(&key(last)));
    Ok((items, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_loss() {
        let all: Vec<String> = (0..7).map(|n| n.to_string()).collect();
        let (mut token, mut sizes, mut seen) = (None, Vec::new(), Vec::new());
        loop {
            let (items, next) = cut(all.clone(), token.as_deref(), 3, String::clone).expect("a page");
            sizes.push(items.len());
            seen.extend(items);
            match next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        assert_eq!((sizes, seen), (vec![3, 3, 1], all));
        assert!(cut(vec![String::new()], Some("!"), 3, String::clone).is_err());
    }
}
