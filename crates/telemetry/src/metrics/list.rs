use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pitbird_names::Scope;
use rusqlite::{Connection, params};

use super::{Dimensions, Metric, cells};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// A metric that hasn't moved for two weeks is listed no more. Source: ListMetrics.
const LISTED_MS: i64 = 14 * 86_400_000;
/// What `RecentlyActive=PT3H` means, milliseconds.
const RECENT_MS: i64 = 3 * 3_600_000;

/// Lists the metrics that have all of the wanted dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    pub scope: Scope,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub dimensions: Vec<DimensionFilter>,
    /// Only those that have moved within three hours.
    pub recently_active: bool,
    pub token: Option<String>,
    /// Metrics on a page; AWS has 500.
    pub limit: usize,
    pub now_ms: i64,
}

/// A dimension that a listed metric must have, with this value if one is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DimensionFilter {
    pub name: String,
    pub value: Option<String>,
}

/// By namespace, name and dimensions; with the token of the next page if there is one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricPage {
    pub metrics: Vec<Metric>,
    pub token: Option<String>,
}

/// Namespace, name, dimensions as text: where a page ended.
type Cursor = (String, String, String);

pub(crate) fn list(dir: &Path, readers: &Readers, query: &ListQuery) -> Result<MetricPage> {
    let after = match &query.token {
        Some(token) => cursor(token).ok_or(Error::InvalidToken)?,
        None => Cursor::default(),
    };
    let path = dir.join(cells::CATALOGUE);
    let page = readers.read(&path, |c| page(c, query, after).map_err(|e| Error::sqlite(&path, &e)))?;
    Ok(page.unwrap_or_default())
}

fn page(c: &Connection, query: &ListQuery, after: Cursor) -> rusqlite::Result<MetricPage> {
    let mut page = MetricPage::default();
    each(c, query, after, |metric| {
        if page.metrics.len() == query.limit {
            page.token = page.metrics.last().map(token);
            return false;
        }
        page.metrics.push(metric);
        true
    })?;
    Ok(page)
}

/// Goes through the query's metrics until `take` has enough.
fn each(
    c: &Connection,
    query: &ListQuery,
    after: Cursor,
    mut take: impl FnMut(Metric) -> bool,
) -> rusqlite::Result<()> {
    let since = query.now_ms - if query.recently_active { RECENT_MS } else { LISTED_MS };
    let mut statement = c.prepare_cached(
        "SELECT namespace, name, dimensions FROM series
         WHERE scope = ?1 AND (namespace, name, dimensions) > (?2, ?3, ?4)
               AND (?5 IS NULL OR namespace = ?5) AND (?6 IS NULL OR name = ?6)
         GROUP BY namespace, name, dimensions HAVING max(seen_ms) >= ?7
         ORDER BY namespace, name, dimensions",
    )?;
    let (namespace, name, dimensions) = after;
    let mut rows = statement.query(params![
        query.scope.key(),
        namespace,
        name,
        dimensions,
        query.namespace,
        query.name,
        since
    ])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(2)?;
        let Some(dimensions) = Dimensions::from_text(&text) else { continue };
        if !query.dimensions.iter().all(|filter| filter.takes(&dimensions)) {
            continue;
        }
        let scope = query.scope.clone();
        if !take(Metric { scope, namespace: row.get(0)?, name: row.get(1)?, dimensions }) {
            break;
        }
    }
    Ok(())
}

/// The metrics that fit, whatever their page; `limit` and `token` of the query are of no account. Stops at `most`.
pub(crate) fn find(
    dir: &Path,
    readers: &Readers,
    query: &ListQuery,
    most: usize,
    fits: impl Fn(&Metric) -> bool,
) -> Result<Vec<Metric>> {
    let path = dir.join(cells::CATALOGUE);
    let found = readers.read(&path, |c| {
        let mut found = Vec::new();
        let take = |metric: Metric| {
            if fits(&metric) {
                found.push(metric);
            }
            found.len() < most
        };
        each(c, query, Cursor::default(), take).map_err(|e| Error::sqlite(&path, &e))?;
        Ok(found)
    })?;
    Ok(found.unwrap_or_default())
}

impl DimensionFilter {
    fn takes(&self, dimensions: &Dimensions) -> bool {
        let found = dimensions.get(&self.name);
        found.is_some_and(|value| self.value.as_deref().is_none_or(|wanted| wanted == value))
    }
}

fn token(metric: &Metric) -> String {
    let cursor = serde_json::json!([metric.namespace, metric.name, metric.dimensions.to_text()]);
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}

fn cursor(token: &str) -> Option<Cursor> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
