//! Lists in pages: the token is the name where the page before ended, in base64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, limits};

/// A page of `items`, which are in the order of their names, and the token of the next one if there is one.
pub fn cut<T>(
    items: Vec<T>,
    name: impl Fn(&T) -> String,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let mut items = items;
    if let Some(token) = token {
        let after = read(token)?;
        let past = items.iter().position(|item| name(item) == after);
        // What was the last one may have gone meanwhile: those that come after it in their order are still right.
        match past {
            Some(at) => drop(items.drain(..=at)),
            None => items.retain(|item| name(item) > after),
        }
    }
    let is_last = items.len() <= limits::PAGE;
    items.truncate(limits::PAGE);
    let next = items.last().filter(|_| !is_last).map(|item| URL_SAFE_NO_PAD.encode(name(item)));
    Ok((items, next))
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
    }
}
