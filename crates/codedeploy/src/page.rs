//! Lists in pages: the token is the name where the page before ended, in base64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, limits};

/// A page of `items`, which are in the order of their names, and the token of the next one if there is one.
pub fn cut<T>(
    mut items: Vec<T>,
    name: impl Fn(&T) -> String,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Error> {
    if let Some(token) = token {
        let after = read(token)?;
        items.retain(|item| name(item) > after);
    }
    let is_last = items.len() <= limits::PAGE;
    items.truncate(limits::PAGE);
    let next = items.last().filter(|_| !is_last).map(|item| URL_SAFE_NO_PAD.encode(name(item)));
    Ok((items, next))
}

/// The name of something that is listed by a time, epoch milliseconds, and by its own name among its like: the earliest come first,
/// or the latest.
pub fn timed(at_ms: Option<i64>, is_latest_first: bool, name: &str) -> String {
    let at = at_ms.map_or(0, |at| at.max(0).unsigned_abs());
    let place = if is_latest_first { u64::MAX - at } else { at };
    format!("{place:020}/{name}")
}

fn read(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let invalid =
        || Error::invalid("InvalidNextTokenException", "The next token was specified in an invalid format.");
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|name| !name.is_empty()).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_and_go_on() {
        let all: Vec<String> = (0..2 * limits::PAGE).map(|at| format!("{at:04}")).collect();
        let (first, next) = cut(all.clone(), String::clone, None).unwrap();
        assert_eq!(first, all[..limits::PAGE]);
        let (second, end) = cut(all.clone(), String::clone, next.as_deref()).unwrap();
        assert_eq!((second, end), (all[limits::PAGE..].to_vec(), None));
        assert!(cut(all, String::clone, Some("not a token!")).is_err());
        assert!(timed(Some(5), false, "b") < timed(Some(10), false, "a"));
        assert!(timed(Some(5), true, "b") > timed(Some(10), true, "a"));
        assert!(timed(None, false, "b") < timed(Some(0), false, "c"));
    }
}
