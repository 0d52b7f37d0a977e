use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;

/// Bytes that pass through serde without being copied, both ways. With any other serde format it behaves as plain
/// bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blob(pub Bytes);

/// The newtype's name by which the value's own serializer and deserializer know a blob.
pub(super) const NAME: &str = "$pitbird_wire::Blob";

thread_local! {
    /// Where one side leaves the bytes for the other; serde's data model has no shared bytes.
    static PASSED: Cell<Option<Bytes>> = const { Cell::new(None) };
}

pub(super) fn pass(bytes: Bytes) {
    PASSED.set(Some(bytes));
}

pub(super) fn passed() -> Option<Bytes> {
    PASSED.take()
}

impl Deref for Blob {
    type Target = Bytes;
    fn deref(&self) -> &Bytes {
        &self.0
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Blob {
        Blob(bytes)
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Blob {
        Blob(bytes.into())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Only asked for its bytes by foreign serializers.
        struct Plain<'a>(&'a [u8]);
        impl Serialize for Plain<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(self.0)
            }
        }
        pass(self.0.clone());
        let done = serializer.serialize_newtype_struct(NAME, &Plain(&self.0));
        passed();
        done
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = Blob;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a blob")
            }
            fn visit_unit<E: Error>(self) -> Result<Blob, E> {
                passed().map(Blob).ok_or_else(|| E::custom("no blob was passed"))
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(Bytes::copy_from_slice(bytes)))
            }
            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes.into()))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Blob, D::Error> {
                deserializer.deserialize_byte_buf(Take)
            }
        }
        deserializer.deserialize_newtype_struct(NAME, Take)
    }
}
