//! Making one object of its parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pitbird_records::object::Checksum;
use pitbird_records::{MultipartUpload, UploadedPart};
use pitbird_wire::checksum::{Algorithm, Digest, md5};

use crate::checksum::{self, Sums, hex};
use crate::{Error, content};

/// Every part but the last has at least so many bytes. Source: S3 user guide, "Multipart upload limits".
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// A part as the caller lists it.
pub struct Listed {
    pub number: i64,
    pub etag: String,
    pub sums: Sums,
}

/// Chooses what the caller lists of what has come, in his order, which must be theirs.
pub fn choose(
    upload: &MultipartUpload,
    uploaded: Vec<UploadedPart>,
    listed: Vec<Listed>,
) -> Result<Vec<UploadedPart>, Error> {
    if listed.is_empty() {
        return Err(Error::MalformedXml);
    }
    if listed.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(Error::InvalidPartOrder(upload.id.clone()));
    }
    let mut chosen: Vec<UploadedPart> = Vec::with_capacity(listed.len());
    let mut uploaded = uploaded.into_iter();
    for part in listed {
        let number = u32::try_from(part.number).unwrap_or_default();
        let missing = || Error::InvalidPart { upload_id: upload.id.clone(), part: number };
        let found = uploaded.find(|found| found.number == number).ok_or_else(missing)?;
        let sum = part.sums.single()?;
        let is_other_sum = sum.is_some_and(|(algorithm, value)| {
            algorithm.name() == upload.algorithm && value != found.checksum
        });
        if part.etag.trim_matches('"') != found.etag || is_other_sum {
            return Err(missing());
        }
        chosen.push(found);
    }
    let (_, all_but_last) = chosen.split_last().expect("there is at least one");
    if let Some(small) = all_but_last.iter().find(|part| part.content.size_bytes < PART_BYTES_MIN) {
        let (size, part) = (small.content.size_bytes, small.number);
        return Err(Error::EntityTooSmall { size, limit: PART_BYTES_MIN, part });
    }
    content::check_size(chosen.iter().map(|part| part.content.size_bytes).sum())?;
    Ok(chosen)
}

/// The ETag of an object of parts: the MD5 of their MD5s, and how many there are.
pub fn etag(parts: &[UploadedPart]) -> String {
    let digests: Vec<u8> = parts.iter().flat_map(|part| from_hex(&part.etag)).collect();
    format!("{}-{}", hex(&md5(&digests)), parts.len())
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |value, byte| value << 4 | digit(byte)))
        .collect()
}

/// The object's checksum, from its parts' or from its bytes, held against what the caller claims.
pub fn checksum(
    upload: &MultipartUpload,
    parts: &[UploadedPart],
    whole: Digest,
    claimed: Sums,
) -> Result<Checksum, Error> {
    let algorithm = Algorithm::parse(&upload.algorithm).unwrap_or(checksum::DEFAULT);
    let value = match upload.is_composite {
        false => STANDARD.encode(whole.finish()),
        true => {
            let sums = parts.iter().flat_map(|part| STANDARD.decode(&part.checksum).unwrap_or_default());
            format!("{}-{}", algorithm.of(&sums.collect::<Vec<u8>>()), parts.len())
        }
    };
    if let Some((claimed, given)) = claimed.single()? {
        // Of a composite one the number of parts may be left out.
        let is_right = given == value || value.strip_prefix(&given).is_some_and(|rest| rest.starts_with('-'));
        if claimed != algorithm || !is_right {
            return Err(Error::Checksum(claimed.name()));
        }
    }
    Ok(Checksum { algorithm: upload.algorithm.clone(), value, is_composite: upload.is_composite })
}

#[cfg(test)]
mod tests {
    use pitbird_records::object::Content;

    use super::*;

    fn upload(algorithm: Algorithm, is_composite: bool) -> MultipartUpload {
        MultipartUpload {
            bucket: "b".into(),
            id: "u".into(),
            object_key: "k".into(),
            started_ms: 0,
            description: Default::default(),
            algorithm: algorithm.name().into(),
            is_composite,
            is_algorithm_asked: true,
        }
    }

    fn part(number: u32, bytes: &[u8], size_bytes: u64) -> UploadedPart {
        UploadedPart {
            bucket: "b".into(),
            upload_id: "u".into(),
            number,
            content: Content { sha256_hex: String::new(), size_bytes },
            etag: hex(&md5(bytes)),
            checksum: Algorithm::Crc32.of(bytes),
            modified_ms: 0,
        }
    }

    fn listed(number: i64, bytes: &[u8]) -> Listed {
        Listed { number, etag: format!("\"{}\"", hex(&md5(bytes))), sums: Sums::default() }
    }

    #[test]
    fn parts_are_chosen_as_listed_or_not_at_all() {
        let upload = upload(Algorithm::Crc32, true);
        let uploaded =
            || vec![part(1, b"a", PART_BYTES_MIN), part(3, b"b", PART_BYTES_MIN - 1), part(7, b"c", 1)];
        let choose = |listed| choose(&upload, uploaded(), listed);
        let numbers: Vec<u32> = choose(vec![listed(1, b"a"), listed(7, b"c")])
            .expect("right")
            .iter()
            .map(|part| part.number)
            .collect();
        assert_eq!(numbers, [1, 7]);
        assert!(choose(vec![listed(3, b"b")]).is_ok(), "the last may be small");
        assert!(matches!(choose(Vec::new()), Err(Error::MalformedXml)));
        for order in [vec![listed(3, b"b"), listed(1, b"a")], vec![listed(1, b"a"), listed(1, b"a")]] {
            assert!(matches!(choose(order), Err(Error::InvalidPartOrder(_))));
        }
        let missing = choose(vec![listed(1, b"a"), listed(2, b"b")]);
        assert!(matches!(missing, Err(Error::InvalidPart { part: 2, .. })));
        assert!(matches!(choose(vec![listed(1, b"x")]), Err(Error::InvalidPart { part: 1, .. })));
        let small = choose(vec![listed(1, b"a"), listed(3, b"b"), listed(7, b"c")]);
        assert!(matches!(small, Err(Error::EntityTooSmall { part: 3, .. })));
        let sums = Sums::of(Algorithm::Crc32, "AAAAAA==".into());
        let other = choose(vec![Listed { sums, ..listed(1, b"a") }]);
        assert!(matches!(other, Err(Error::InvalidPart { .. })));
    }

    #[test]
    fn an_object_of_parts_has_the_etag_and_checksums_of_aws() {
        let parts = [part(1, b"abc", 3), part(2, b"def", 3)];
        // md5(md5("abc") + md5("def")), made with Python's hashlib.
        assert_eq!(etag(&parts), "4c8e93283780e078db9e0c6b9b3f8043-2");
        let whole = || {
            let mut digest = Digest::new(Algorithm::Crc32);
            digest.update(b"abcdef");
            digest
        };
        let full = checksum(&upload(Algorithm::Crc32, false), &parts, whole(), Sums::default()).expect("one");
        assert_eq!(full.value, Algorithm::Crc32.of(b"abcdef"));
        let composite = upload(Algorithm::Crc32, true);
        let value = checksum(&composite, &parts, whole(), Sums::default()).expect("one").value;
        assert!(value.ends_with("==-2"), "{value}");
        for (given, fits) in
            [(value.as_str(), true), (&value[..value.len() - 2], true), ("AAAAAA==-2", false)]
        {
            let claimed = Sums::of(Algorithm::Crc32, given.into());
            assert_eq!(checksum(&composite, &parts, whole(), claimed).is_ok(), fits, "{given}");
        }
    }
}
