//! Lists in pages: the token is the name where the page before ended.

use crate::Error;

/// Items of a page when the caller doesn't say, and at most.
pub const RESULTS_MAX: usize = 100;

/// A page of `items`, which are in the order of their names, and the token of the next one if there is one.
pub fn cut<T>(
    mut items: Vec<T>,
    name: impl Fn(&T) -> String,
    token: Option<&str>,
    results_max: Option<i64>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let limit = results_max.map_or(Ok(RESULTS_MAX), usize::try_from).ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| Error::invalid("MaxResults must be at least 1."))?.min(RESULTS_MAX);
    if let Some(token) = token {
        items.retain(|item| *name(item) > *token);
    }
    let is_last = items.len() <= limit;
    items.truncate(limit);
    let next = items.last().filter(|_| !is_last).map(name);
    Ok((items, next))
}
