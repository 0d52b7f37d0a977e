use std::path::Path;

use pitbird_names::{Month, Scope};
use rusqlite::{Connection, params};

use super::ledger::LEDGER;
use super::{Subject, Used};
use crate::error::{Error, Result};
use crate::metrics::Dimensions;
use crate::sqlite::Readers;

/// What the subjects of a scope have used in a month, by service, names and quantity.
pub(crate) fn read(dir: &Path, readers: &Readers, scope: &Scope, month: Month) -> Result<Vec<Used>> {
    let path = dir.join(LEDGER);
    let rows = |c: &Connection| {
        c.prepare_cached(
            "SELECT s.service, s.names, u.quantity, u.amount
             FROM used u JOIN subject s ON s.id = u.subject
             WHERE u.month = ? AND s.scope = ? ORDER BY s.service, s.names, u.quantity",
        )?
        .query_map(params![month.number(), scope.key()], |row| {
            let names: String = row.get(1)?;
            Ok((row.get(0)?, names, row.get(2)?, row.get::<_, i64>(3)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()
    };
    let rows = readers.read(&path, |c| rows(c).map_err(|e| Error::sqlite(&path, &e)))?.unwrap_or_default();
    rows.into_iter()
        .map(|(service, names, quantity, amount)| {
            let names = Dimensions::from_text(&names)
                .ok_or_else(|| Error::corrupt(&path, "a subject's names can't be read"))?;
            let subject = Subject { scope: scope.clone(), service, names };
            Ok(Used { subject, quantity, amount: amount.max(0) as u64 })
        })
        .collect()
}
