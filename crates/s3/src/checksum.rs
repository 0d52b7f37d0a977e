//! Checksums that callers give and get.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pitbird_records::object::Checksum;
use pitbird_wire::checksum::{Algorithm, md5};
use serde::Serialize;

use crate::Error;

/// What AWS makes a checksum with if nobody asks for another.
pub const DEFAULT: Algorithm = Algorithm::Crc64Nvme;

/// What a caller says of the bytes that he sends.
#[derive(Debug, Default)]
pub struct Claims {
    pub md5: Option<String>,
    pub sums: Sums,
    /// `x-amz-sdk-checksum-algorithm`: the algorithm that the SDK chose.
    pub algorithm: Option<String>,
}

/// One member for each algorithm, as in many of the service's shapes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Sums {
    #[serde(rename = "ChecksumCRC32")]
    pub crc32: Option<String>,
    #[serde(rename = "ChecksumCRC32C")]
    pub crc32c: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    pub crc64nvme: Option<String>,
    #[serde(rename = "ChecksumSHA1")]
    pub sha1: Option<String>,
    #[serde(rename = "ChecksumSHA256")]
    pub sha256: Option<String>,
}

/// Takes the members of [`Sums`] out of an input.
macro_rules! sums {
    ($input:expr) => {
        $crate::checksum::Sums {
            crc32: $input.checksum_crc32.take(),
            crc32c: $input.checksum_crc32c.take(),
            crc64nvme: $input.checksum_crc64nvme.take(),
            sha1: $input.checksum_sha1.take(),
            sha256: $input.checksum_sha256.take(),
        }
    };
}
pub(crate) use sums;

impl Sums {
    pub fn of(algorithm: Algorithm, value: String) -> Sums {
        let mut sums = Sums::default();
        *sums.slot(algorithm) = Some(value);
        sums
    }

    pub fn shown(checksum: &Checksum) -> Sums {
        match Algorithm::parse(&checksum.algorithm) {
            Some(algorithm) => Sums::of(algorithm, checksum.value.clone()),
            None => Sums::default(),
        }
    }

    fn slot(&mut self, algorithm: Algorithm) -> &mut Option<String> {
        match algorithm {
            Algorithm::Crc32 => &mut self.crc32,
            Algorithm::Crc32c => &mut self.crc32c,
            Algorithm::Crc64Nvme => &mut self.crc64nvme,
            Algorithm::Sha1 => &mut self.sha1,
            Algorithm::Sha256 => &mut self.sha256,
        }
    }

    /// The one that is there.
    pub fn single(mut self) -> Result<Option<(Algorithm, String)>, Error> {
        let mut given = Algorithm::ALL.into_iter().filter_map(|it| Some((it, self.slot(it).take()?)));
        match (given.next(), given.next()) {
            (Some(_), Some(_)) => Err(Error::ManyChecksums),
            (single, _) => Ok(single),
        }
    }
}

/// `FULL_OBJECT` or `COMPOSITE`.
pub fn kind(is_composite: bool) -> &'static str {
    if is_composite { "COMPOSITE" } else { "FULL_OBJECT" }
}

/// What was found out about some bytes.
#[derive(Debug)]
pub struct Examined {
    /// MD5 in hex, which is the ETag.
    pub etag: String,
    pub algorithm: Algorithm,
    pub value: String,
}

impl Examined {
    pub fn checksum(&self) -> Checksum {
        let algorithm = self.algorithm.name().to_owned();
        Checksum { algorithm, value: self.value.clone(), is_composite: false }
    }

    pub fn sums(&self) -> Sums {
        Sums::of(self.algorithm, self.value.clone())
    }
}

/// Holds bytes against what is claimed of them. `wanted` is the algorithm of an upload whose part they are. Computes as long
/// as there are bytes; call it where that holds nobody up.
pub fn examine(bytes: &[u8], claims: Claims, wanted: Option<Algorithm>) -> Result<Examined, Error> {
    let digest = md5(bytes);
    check_md5(&digest, claims.md5)?;
    let asked = claims.algorithm;
    let claimed = claims.sums.single()?;
    if let (Some(asked), None) = (&asked, &claimed)
        && Algorithm::parse(asked).is_some()
    {
        return Err(Error::NoChecksum);
    }
    let algorithm = wanted.or(claimed.as_ref().map(|(algorithm, _)| *algorithm)).unwrap_or(DEFAULT);
    let value = algorithm.of(bytes);
    if let Some((claimed, given)) = claimed {
        let length = STANDARD.decode(&given).map(|bytes| bytes.len());
        let found = if claimed == algorithm { value.clone() } else { claimed.of(bytes) };
        if length != STANDARD.decode(&found).map(|bytes| bytes.len()) {
            return Err(Error::InvalidChecksum(claimed.name().to_ascii_lowercase()));
        }
        if given != found {
            return Err(Error::Checksum(claimed.name()));
        }
    }
    Ok(Examined { etag: hex(&digest), algorithm, value })
}

fn check_md5(digest: &[u8], given: Option<String>) -> Result<(), Error> {
    let Some(given) = given else { return Ok(()) };
    match STANDARD.decode(&given) {
        Ok(bytes) if bytes == digest => Ok(()),
        Ok(bytes) if bytes.len() == digest.len() => {
            Err(Error::Md5 { given: hex(&bytes), found: STANDARD.encode(digest) })
        }
        _ => Err(Error::InvalidMd5(given)),
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(claims: Claims) -> Result<Examined, &'static str> {
        examine(b"abc", claims, None).map_err(|error| match error {
            Error::Md5 { .. } => "md5",
            Error::InvalidMd5(_) => "no md5",
            Error::Checksum(name) => name,
            Error::InvalidChecksum(_) => "invalid",
            Error::ManyChecksums => "many",
            Error::NoChecksum => "none",
            other => panic!("{other}"),
        })
    }

    #[test]
    fn claims_are_held_against_the_bytes() {
        let crc = |value: &str| Sums { crc32: Some(value.into()), ..Sums::default() };
        let claims = |md5: Option<&str>, sums: Sums, algorithm: Option<&str>| Claims {
            md5: md5.map(str::to_owned),
            sums,
            algorithm: algorithm.map(str::to_owned),
        };
        let right = crc("NSRBwg==");
        let none = Sums::default;
        for (given, expected) in [
            (claims(None, none(), None), Ok("CRC64NVME")),
            (claims(Some("kAFQmDzST7DWlj99KOF/cg=="), right.clone(), Some("CRC32")), Ok("CRC32")),
            (claims(Some("kAFQmDzST7DWlj99KOF/cA=="), none(), None), Err("md5")),
            (claims(Some("abc"), none(), None), Err("no md5")),
            (claims(None, crc("NSRBwA=="), None), Err("CRC32")),
            (claims(None, crc("NSRB"), None), Err("invalid")),
            (claims(None, none(), Some("SHA256")), Err("none")),
            (claims(None, Sums { sha1: Some("x".into()), ..right }, None), Err("many")),
        ] {
            let words = format!("{given:?}");
            assert_eq!(examined(given).map(|seen| seen.algorithm.name()), expected, "{words}");
        }
    }

    #[test]
    fn a_part_has_its_uploads_checksum_whatever_else_is_claimed() {
        let sums = Sums { crc32: Some("NSRBwg==".into()), ..Sums::default() };
        let claims = Claims { sums, ..Claims::default() };
        let seen = examine(b"abc", claims, Some(Algorithm::Sha256)).expect("right");
        assert_eq!((seen.algorithm, seen.value), (Algorithm::Sha256, Algorithm::Sha256.of(b"abc")));
    }
}
