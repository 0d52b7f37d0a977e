use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records as records;

use crate::{Slot, Source};

/// A certificate that stages show to HTTP backends. One that was made doesn't change, so the same `Arc` stays as long as it is there.
#[derive(Debug)]
pub struct ClientCertificate {
    pub id: String,
    pub certificate_pem: String,
    pub private_key_pem: PrivateKey,
    /// Belongs to `edge`: the connections that are made with it.
    pub slot: Slot,
}

/// A key's text, which no log shows.
pub struct PrivateKey(pub String);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey")
    }
}

pub(crate) type ClientCertificates = HashMap<(Scope, String), Arc<ClientCertificate>>;

/// The certificates, with the touched ones read anew.
pub(crate) fn compile<S: Source>(
    previous: &ClientCertificates,
    touched: &BTreeSet<(Scope, String)>,
    source: &S,
) -> Result<ClientCertificates, S::Error> {
    let mut certificates = previous.clone();
    for key in touched {
        let (scope, id) = key;
        let Some((_, record)) = source.get::<records::ClientCertificate>(&records::key(scope, &[id]))? else {
            certificates.remove(key);
            continue;
        };
        let is_same = |known: &Arc<ClientCertificate>| {
            known.certificate_pem == record.certificate_pem
                && known.private_key_pem.0 == record.private_key_pem
        };
        // Its description or its tags may be other ones.
        if certificates.get(key).is_some_and(is_same) {
            continue;
        }
        let compiled = ClientCertificate {
            id: record.id,
            certificate_pem: record.certificate_pem,
            private_key_pem: PrivateKey(record.private_key_pem),
            slot: Slot::default(),
        };
        certificates.insert(key.clone(), Arc::new(compiled));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use records::{Record, Texts};

    use super::*;
    use crate::{MemorySource, Snapshot, Touched};

    fn record(key: &str, description: &str) -> records::ClientCertificate {
        records::ClientCertificate {
            scope: Scope::default(),
            id: "c1".into(),
            description: Some(description.into()),
            certificate_pem: "certificate".into(),
            private_key_pem: key.into(),
            created_ms: 0,
            expires_ms: 1,
            tags: Texts::new(),
        }
    }

    #[test]
    fn a_certificate_stays_the_same_until_it_is_another_one_or_gone() {
        let mut source = MemorySource::default();
        source.put(&record("key", "one"));
        let key = record("key", "one").key();
        let touched = Touched::everything(&source).expect("records");
        let first = crate::compile(&Snapshot::default(), &touched, &source).expect("records");
        let mut touched = Touched::default();
        touched.note(records::ClientCertificate::TABLE, &key);
        assert!(!touched.is_empty());
        let of = |snapshot: &Snapshot| snapshot.client_certificates.values().next().cloned();
        let one = of(&first).expect("it is there");
        assert!(!format!("{one:?}").contains("key\""), "no log shows the key");

        source.put(&record("key", "two"));
        let described = crate::compile(&first, &touched, &source).expect("records");
        assert!(Arc::ptr_eq(&one, &of(&described).expect("it is there")));
        source.put(&record("another", "two"));
        let changed = crate::compile(&described, &touched, &source).expect("records");
        assert_eq!(of(&changed).expect("it is there").private_key_pem.0, "another");
        source.delete::<records::ClientCertificate>(&key);
        assert!(of(&crate::compile(&changed, &touched, &source).expect("records")).is_none());
    }
}
