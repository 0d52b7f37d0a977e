//! The checksums that clients send along with a body, each in a header of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};
use sha2::Digest as _;

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// How a checksum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

    /// AWS's name: `CRC64NVME`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    pub fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The header that carries the checksum, in lower case.
    pub fn header(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The checksum of some bytes, in base64.
    pub fn of(self, bytes: &[u8]) -> String {
        let mut digest = Digest::new(self);
        digest.update(bytes);
        STANDARD.encode(digest.finish())
    }
}

/// A checksum in the making.
pub struct Digest(Making);

enum Making {
    Bits32(crc::Digest<'static, u32, Table<16>>),
    Bits64(crc::Digest<'static, u64, Table<16>>),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Digest {
    pub fn new(algorithm: Algorithm) -> Digest {
        Digest(match algorithm {
            Algorithm::Crc32 => Making::Bits32(CRC32.digest()),
            Algorithm::Crc32c => Making::Bits32(CRC32C.digest()),
            Algorithm::Crc64Nvme => Making::Bits64(CRC64NVME.digest()),
            Algorithm::Sha1 => Making::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => Making::Sha256(sha2::Sha256::new()),
        })
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Making::Bits32(digest) => digest.update(bytes),
            Making::Bits64(digest) => digest.update(bytes),
            Making::Sha1(digest) => digest.update(bytes),
            Making::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The checksum, most significant byte first.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Making::Bits32(digest) => digest.finalize().to_be_bytes().to_vec(),
            Making::Bits64(digest) => digest.finalize().to_be_bytes().to_vec(),
            Making::Sha1(digest) => digest.finalize().to_vec(),
            Making::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

/// MD5, which is no checksum header of its own but `Content-MD5`.
pub fn md5(bytes: &[u8]) -> [u8; 16] {
    md5::Md5::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_checksums_are_made() {
        // The CRC catalogue's check values; FIPS 180-4; RFC 1321.
        for (algorithm, text, expected) in [
            (Algorithm::Crc32, "123456789", "cbf43926"),
            (Algorithm::Crc32c, "123456789", "e3069283"),
            (Algorithm::Crc64Nvme, "123456789", "ae8b14860a799888"),
            (Algorithm::Sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            let mut digest = Digest::new(algorithm);
            text.as_bytes().chunks(2).for_each(|piece| digest.update(piece));
            let bytes = digest.finish();
            assert_eq!(algorithm.of(text.as_bytes()), STANDARD.encode(&bytes));
            let seen: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(seen, expected, "{algorithm:?}");
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
            assert_eq!(algorithm.header(), format!("x-amz-checksum-{}", algorithm.name().to_lowercase()));
        }
        assert_eq!(STANDARD.encode(md5(b"abc")), "kAFQmDzST7DWlj99KOF/cg==");
    }
}
