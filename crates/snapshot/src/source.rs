use std::collections::BTreeMap;

use pitbird_records::Record;

/// Where records come from while a snapshot is compiled. `rev` grows with every change of a record.
pub trait Source {
    type Error;

    fn get<R: Record>(&self, key: &str) -> Result<Option<(u64, R)>, Self::Error>;

    /// All records whose key starts with `prefix`, in the order of their keys.
    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<(u64, R)>, Self::Error>;
}

/// Records in memory, for tests of what is compiled from them.
#[derive(Debug, Default)]
pub struct MemorySource {
    rows: BTreeMap<(&'static str, String), (u64, serde_json::Value)>,
    rev: u64,
}

impl MemorySource {
    pub fn put<R: Record>(&mut self, record: &R) {
        self.rev += 1;
        let value = serde_json::to_value(record).expect("records serialise");
        self.rows.insert((R::TABLE, record.key()), (self.rev, value));
    }

    pub fn delete<R: Record>(&mut self, key: &str) {
        self.rows.remove(&(R::TABLE, key.to_owned()));
    }
}

impl Source for MemorySource {
    type Error = serde_json::Error;

    fn get<R: Record>(&self, key: &str) -> Result<Option<(u64, R)>, Self::Error> {
        let row = self.rows.get(&(R::TABLE, key.to_owned()));
        row.map(|(rev, value)| Ok((*rev, serde_json::from_value(value.clone())?))).transpose()
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<(u64, R)>, Self::Error> {
        let rows = self.rows.range((R::TABLE, prefix.to_owned())..);
        rows.take_while(|((table, key), _)| *table == R::TABLE && key.starts_with(prefix))
            .map(|(_, (rev, value))| Ok((*rev, serde_json::from_value(value.clone())?)))
            .collect()
    }
}
