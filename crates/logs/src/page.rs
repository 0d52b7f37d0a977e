//! Lists in pages: a token names the item that the page before ended with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// The part of `items`, which are sorted by `key`, that comes after the token, and the token of the next part if there is
/// one. Keys are distinct.
pub fn cut<T>(
    mut items: Vec<T>,
    token: Option<&str>,
    limit: usize,
    key: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), Error> {
    if let Some(token) = token {
        let after = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after = after.ok_or(Error::Token)?;
        items.retain(|item| key(item) > after.as_str());
    }
    let is_last = items.len() <= limit;
    items.truncate(limit);
    let token = items.last().filter(|_| !is_last).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
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
            let (items, next) = cut(all.clone(), token.as_deref(), 3, |item| item).expect("a page");
            sizes.push(items.len());
            seen.extend(items);
            match next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        assert_eq!((sizes, seen), (vec![3, 3, 1], all));
        assert!(cut(vec![String::new()], Some("!"), 3, |item| item).is_err());
    }
}
