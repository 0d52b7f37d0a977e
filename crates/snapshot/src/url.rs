use std::sync::Arc;

use pitbird_names::Qualifier;
use pitbird_records as records;

use crate::{FunctionKey, Slot};

/// A function's URL as the data plane sees it.
#[derive(Debug)]
pub struct FunctionUrl {
    /// The store's revision of the record.
    pub rev: u64,
    pub record: records::FunctionUrl,
    pub function: FunctionKey,
    /// The alias that it calls; `None` is `$LATEST`.
    pub qualifier: Option<Qualifier>,
    /// Belongs to the edge: the URL's metric handle. Kept until the record changes.
    pub slot: Slot,
}

impl FunctionUrl {
    pub(crate) fn compile(rev: u64, record: records::FunctionUrl) -> Arc<FunctionUrl> {
        let function = FunctionKey { scope: record.scope.clone(), name: record.function.clone() };
        let qualifier = record.alias.clone().map(Qualifier::Alias);
        Arc::new(FunctionUrl { rev, record, function, qualifier, slot: Slot::default() })
    }
}
